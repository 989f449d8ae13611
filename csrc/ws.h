/* ws: websocket framing of a server (RFC 6455), without I/O.
 *
 * Decoding is pulled: feed a buffer, take events until it is used up. Payload
 * is unmasked in place. A message that lies whole in the buffer is handed out
 * where it lies; only a message that spans buffers is copied, into one growing
 * buffer of the decoder that is freed with the message. What an event points
 * to is borrowed and lives until the next call. Limits hold on running totals,
 * a declared length is checked from the frame's head. After WS_ERROR or
 * WS_CLOSE the decoder ignores everything that follows.
 */
#ifndef FASTSIO_WS_H
#define FASTSIO_WS_H

#include <stddef.h>
#include <stdint.h>

#include "utf8.h"

enum ws_opcode {
    WS_CONTINUATION = 0x0,
    WS_TEXT = 0x1,
    WS_BINARY = 0x2,
    WS_CLOSE = 0x8,
    WS_PING = 0x9,
    WS_PONG = 0xA,
};

/* Result of ws_decode: a message's opcode, or one of these. */
enum { WS_NEED_MORE = -1, WS_ERROR = -2 };

enum {
    WS_CLOSE_NORMAL = 1000,
    WS_CLOSE_PROTOCOL_ERROR = 1002,
    WS_CLOSE_NO_STATUS = 1005, /* never on the wire */
    WS_CLOSE_INVALID_TEXT = 1007,
    WS_CLOSE_POLICY = 1008,
    WS_CLOSE_TOO_BIG = 1009,
};

#define WS_MAX_HEADER 10  /* a server's frame: no mask */
#define WS_MAX_CONTROL 125

typedef struct ws_limits {
    uint64_t max_message;   /* bytes of one message, fragments added up */
    uint32_t max_fragments; /* frames of one message; 0: no limit */
    int allow_rsv1;         /* permessage-deflate was negotiated (RFC 7692) */
} ws_limits;

typedef struct ws_event {
    uint8_t *data; /* borrowed */
    size_t size;
    uint16_t code;      /* WS_CLOSE: the peer's code or WS_CLOSE_NO_STATUS (data: the reason); WS_ERROR: the code to close with */
    uint8_t compressed; /* RSV1 was set on the first frame: data is deflated, its UTF-8 not yet checked */
} ws_event;

/* All zero is a new decoder. */
typedef struct ws_decoder {
    /* The head of the frame under way, as far as it came. */
    uint8_t head[14];
    uint8_t head_size;
    uint8_t in_payload; /* the head is complete and parsed into what follows */

    /* The frame under way. */
    uint8_t opcode;
    uint8_t fin;
    uint8_t mask[4];
    uint64_t remaining; /* payload bytes still to come */
    uint32_t mask_phase;

    /* The message under way (a control frame may come between its fragments). */
    uint8_t message_opcode; /* 0: none */
    uint8_t compressed;
    uint8_t closed; /* WS_CLOSE or WS_ERROR was given out */
    uint8_t control_size;
    uint8_t handed_out; /* the last event pointed to what is held: freed by the next call */
    utf8_state utf8;
    uint32_t fragments;
    uint8_t *message; /* owned; NULL when nothing is buffered */
    size_t message_size;
    size_t message_capacity;
    uint8_t *control; /* owned; a control frame that spans buffers */
} ws_decoder;

/* Takes the next event from [*cursor, end) and moves *cursor behind it.
 * Returns an opcode (WS_TEXT, WS_BINARY, WS_PING, WS_PONG, WS_CLOSE), WS_NEED_MORE
 * with the buffer used up, or WS_ERROR (also when memory runs out: code 1009). */
int ws_decode(ws_decoder *decoder, const ws_limits *limits, uint8_t **cursor, uint8_t *end, ws_event *event);

/* Frees what the decoder holds; it is a new decoder afterwards. */
void ws_decoder_clear(ws_decoder *decoder);

/* Bytes that the decoder holds now, for accounting. */
size_t ws_decoder_held(const ws_decoder *decoder);

/* The size of the head of a server's frame with `size` bytes of payload: 2, 4 or 10. */
static inline size_t ws_header_size(uint64_t size) {
    return size < 126 ? 2 : size < 65536 ? 4 : 10;
}

/* Writes that head, FIN set, not masked; returns its size. */
size_t ws_write_header(uint8_t *out, int opcode, int rsv1, uint64_t size);

#endif
