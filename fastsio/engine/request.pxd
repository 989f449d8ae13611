from libc.stdint cimport uint16_t


# A complete request. It lives as long as the session that it opened: it keeps its head as it
# came, and makes of it what somebody asks for.
cdef class Request:
    cdef readonly bytes head  # request line and headers, with the empty line
    cdef readonly str method
    cdef readonly bytes body
    cdef public str address
    cdef public bint secure
    cdef readonly bint keep_alive
    cdef readonly bint upgrade
    cdef readonly bint hosted
    cdef object _headers  # None until somebody looks; the same for the query
    cdef dict _query

    # Offsets in head. The target is "/path?query", with "http://authority" before it in the absolute form.
    cdef uint16_t target_at
    cdef uint16_t path_at
    cdef uint16_t path_end  # where "?" is, or the target's end
    cdef uint16_t target_end
    cdef uint16_t headers_at

    cdef bytes find(self, bytes name)
    cdef bytes query_string(self)
