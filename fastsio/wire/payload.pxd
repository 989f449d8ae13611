from libc.stdint cimport uint8_t


# JSON in; PayloadError when it is not JSON as a JavaScript client could have sent it.
cdef object loads_span(const uint8_t *data, size_t size)

# Puts the attachments in their placeholders' places, in the payload itself.
cdef list fill(list payload, list attachments)


# What orjson asks about values that are not JSON; one for each dumps.
cdef class Leftovers:
    cdef list attachments  # as bytes; None while there are none


# JSON out; what was binary is left in `leftovers`, a new one.
cdef bytes dumps(object data, Leftovers leftovers)
