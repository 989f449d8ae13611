"""What csrc/ws.h and csrc/utf8.h declare. The contract is in the headers."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "ws.h" nogil:
    enum:
        WS_CONTINUATION
        WS_TEXT
        WS_BINARY
        WS_CLOSE
        WS_PING
        WS_PONG
        WS_NEED_MORE
        WS_ERROR
        WS_CLOSE_NO_STATUS
        WS_MAX_HEADER

    ctypedef struct ws_limits:
        uint64_t max_message
        uint32_t max_fragments
        int allow_rsv1

    ctypedef struct ws_event:
        uint8_t *data
        size_t size
        uint16_t code
        uint8_t compressed

    ctypedef struct ws_decoder:
        pass

    int ws_decode(
        ws_decoder *decoder, const ws_limits *limits, uint8_t **cursor, uint8_t *end, ws_event *event
    ) noexcept
    void ws_decoder_clear(ws_decoder *decoder) noexcept
    size_t ws_decoder_held(const ws_decoder *decoder) noexcept
    size_t ws_write_header(uint8_t *out, int opcode, int rsv1, uint64_t size) noexcept


cdef extern from "utf8.h" nogil:
    ctypedef uint32_t utf8_state
    utf8_state UTF8_ACCEPT
    utf8_state UTF8_REJECT
    utf8_state utf8_feed(utf8_state state, const uint8_t *data, size_t size) noexcept


# For Python; the engine calls csrc by itself.
cdef class Decoder:
    # Owns what the C decoder holds.
    cdef ws_decoder c
    cdef ws_limits limits
