"""Payloads: JSON by orjson, with binary values taken out as attachments and put back.

orjson refuses some of what JavaScript accepts: half an emoji, 1e400, keys that are
no strings, integers above 64 bits. What it refuses goes to wire.tolerant, which is
slower, or raises what is wrong with it.
"""

from libc.stdint cimport uint8_t

from cpython.bytes cimport PyBytes_FromStringAndSize

import orjson

from fastsio.wire.tolerant import dumps_tolerant, json_text, loads_tolerant

cimport cython

cdef object orjson_loads = orjson.loads
cdef object orjson_dumps = orjson.dumps
cdef object OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME

cdef int MAX_DEPTH = 1024  # orjson's own


class PayloadError(ValueError):
    """What a client sent is no JSON, or its placeholders do not fit its attachments."""


# ---- in ----

cdef object loads_span(const uint8_t *data, size_t size):
    cdef bytes text = PyBytes_FromStringAndSize(<const char *>data, size)
    try:
        return orjson_loads(text)
    except ValueError:
        pass
    if is_too_deep(data, size):
        raise PayloadError(f"the JSON is nested deeper than {MAX_DEPTH} levels")
    try:
        return loads_tolerant(text)
    except (ValueError, RecursionError):
        raise PayloadError("the payload is not valid JSON") from None


cdef bint is_too_deep(const uint8_t *data, size_t size) noexcept:
    """Brackets are counted before anything recursive sees them."""
    cdef size_t at = 0
    cdef int depth = 0
    cdef bint in_string = False
    while at < size:
        if in_string:
            if data[at] == c"\\":
                at += 1
            elif data[at] == c'"':
                in_string = False
        elif data[at] == c'"':
            in_string = True
        elif data[at] == c"[" or data[at] == c"{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif data[at] == c"]" or data[at] == c"}":
            depth -= 1
        at += 1
    return False


cdef list fill(list payload, list attachments):
    fill_list(payload, attachments)
    return payload


cdef int fill_list(list values, list attachments) except -1:
    cdef Py_ssize_t index
    for index in range(len(values)):
        value = values[index]
        if type(value) is dict:
            values[index] = fill_dict(<dict>value, attachments)
        elif type(value) is list:
            fill_list(<list>value, attachments)
    return 0


cdef object fill_dict(dict values, list attachments):
    if values.get("_placeholder") is True:
        return attachment_of(values.get("num"), attachments)
    for key, value in values.items():  # only values change, no keys
        if type(value) is dict:
            values[key] = fill_dict(<dict>value, attachments)
        elif type(value) is list:
            fill_list(<list>value, attachments)
    return values


cdef object attachment_of(object number, list attachments):
    """type is int leaves out bool; a number below 0 would count from the end."""
    if type(number) is not int or not 0 <= number < len(attachments):
        raise PayloadError("illegal attachments: a placeholder's number is not that of an attachment")
    return attachments[number]


# ---- out ----

@cython.freelist(8)
cdef class Leftovers:
    def __call__(self, value):
        if isinstance(value, bytes | bytearray | memoryview):
            if self.attachments is None:
                self.attachments = []
            self.attachments.append(bytes(value))
            return {"_placeholder": True, "num": len(self.attachments) - 1}
        return json_text(value)


cdef bytes dumps(object data, Leftovers leftovers):
    cdef object text
    try:
        text = orjson_dumps(data, leftovers, OPTIONS)
    except TypeError:
        leftovers.attachments = None
        text = dumps_tolerant(data, leftovers)
    return text


# ---- for Python ----

def encode(data: object) -> tuple[bytes, list[bytes] | None]:
    """JSON, and the binary values that were in the data, or None without any.

    TypeError: a value that JSON does not have; ValueError: nested too deep, or in a circle.
    """
    cdef Leftovers leftovers = Leftovers.__new__(Leftovers)
    return dumps(data, leftovers), leftovers.attachments


def decode(data: bytes, attachments: list | None = None) -> object:
    """The value; with attachments, which belong in a list. PayloadError: it is not valid."""
    value = loads_span(data, len(data))
    return value if attachments is None else fill(value, attachments)
