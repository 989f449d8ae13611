#include "eio.h"

#include "utf8.h"

#include <string.h>

#define SEPARATOR 0x1E      /* between packets, EIO_4 */
#define MARK_TEXT ':'       /* after a length, EIO_3_TEXT */
#define MARK_BINARY 0xFF    /* after a length, EIO_3_BINARY */
#define IS_CONTINUATION(byte) (((byte) & 0xC0) == 0x80)

static size_t left_of(const eio_payload *payload) {
    return (size_t)(payload->end - payload->cursor);
}

/* The next `size` bytes are the packet. */
static int take(eio_payload *payload, size_t size, int is_binary, eio_packet *packet) {
    if (size == 0) return EIO_EMPTY;
    *packet = (eio_packet){payload->cursor, size, is_binary};
    payload->cursor += size;
    if (is_binary) return EIO_PACKET;
    return utf8_feed(UTF8_ACCEPT, packet->data, size) == UTF8_ACCEPT ? EIO_PACKET : EIO_BAD_TEXT;
}

/* What comes when all of the body is read. */
static int at_end(eio_payload *payload) {
    payload->status = EIO_END;
    return EIO_END;
}

/* Digits that count from `zero` up, and the mark. A number above what is left is not read on. */
static int read_length(eio_payload *payload, uint8_t zero, uint8_t mark, size_t *length) {
    size_t left = left_of(payload);
    *length = 0;
    for (size_t count = 0; count < left; count++) {
        uint8_t byte = payload->cursor[count];
        if (byte == mark && count > 0) {
            payload->cursor += count + 1;
            return EIO_PACKET;
        }
        uint8_t digit = (uint8_t)(byte - zero);
        if (digit > 9 || count == EIO_MAX_DIGITS) return EIO_BAD_LENGTH;
        *length = *length * 10 + digit;
        if (*length > left) return EIO_LONG_LENGTH;
    }
    return EIO_BAD_LENGTH;
}

/* The UTF-16 code units of the code points that begin in these bytes. */
static size_t count_units(const uint8_t *data, size_t size) {
    size_t units = 0;
    for (size_t i = 0; i < size; i++) units += !IS_CONTINUATION(data[i]) + (data[i] >= 0xF0);
    return units;
}

/* How many bytes the next `units` code units of the text take. As a unit is at least a byte, so many
 * bytes can be counted at once, and what they were short of next. In invalid UTF-8 the size may be wrong. */
static int size_of_units(const eio_payload *payload, size_t units, size_t *size) {
    const uint8_t *at = payload->cursor;
    while (units > 0 && at < payload->end) {
        size_t left = (size_t)(payload->end - at);
        size_t step = units < left ? units : left;
        size_t seen = count_units(at, step);
        if (seen > units) return EIO_SPLIT_LENGTH;
        units -= seen;
        at += step;
    }
    if (units > 0) return EIO_LONG_LENGTH;
    while (at > payload->cursor && at < payload->end && IS_CONTINUATION(*at)) at++;
    *size = (size_t)(at - payload->cursor);
    return EIO_PACKET;
}

/* An empty packet shows by itself: after the last one there is no separator. */
static int next_4(eio_payload *payload, eio_packet *packet) {
    size_t left = left_of(payload);
    const uint8_t *separator = left == 0 ? NULL : memchr(payload->cursor, SEPARATOR, left);
    int status = take(payload, separator == NULL ? left : (size_t)(separator - payload->cursor), 0, packet);
    if (separator == NULL) {
        payload->status = EIO_END;
    } else {
        payload->cursor++;
    }
    return status;
}

/* `0:` is what the parsers of protocol 3 make of no packets, and skip. */
static int next_3_text(eio_payload *payload, eio_packet *packet) {
    size_t units, size;
    do {
        if (left_of(payload) == 0) return at_end(payload);
        int status = read_length(payload, '0', MARK_TEXT, &units);
        if (status != EIO_PACKET) return status;
    } while (units == 0);
    int status = size_of_units(payload, units, &size);
    return status == EIO_PACKET ? take(payload, size, 0, packet) : status;
}

static int next_3_binary(eio_payload *payload, eio_packet *packet) {
    size_t size;
    if (left_of(payload) == 0) return at_end(payload);
    uint8_t kind = *payload->cursor++;
    if (kind > 1) return EIO_BAD_KIND;
    int status = read_length(payload, 0, MARK_BINARY, &size);
    if (status != EIO_PACKET) return status;
    return size > left_of(payload) ? EIO_LONG_LENGTH : take(payload, size, kind, packet);
}

eio_payload eio_open(const uint8_t *body, size_t size, int form) {
    return (eio_payload){body, body + size, form, size == 0 ? EIO_EMPTY : EIO_PACKET};
}

int eio_next(eio_payload *payload, eio_packet *packet) {
    int status;
    if (payload->status != EIO_PACKET) return payload->status;
    switch (payload->form) {
    case EIO_4: status = next_4(payload, packet); break;
    case EIO_3_TEXT: status = next_3_text(payload, packet); break;
    default: status = next_3_binary(payload, packet); break;
    }
    if (status < 0) payload->status = status;
    return status;
}

const char *eio_error_text(int error) {
    switch (error) {
    case EIO_EMPTY: return "a packet is empty";
    case EIO_BAD_TEXT: return "a text packet is not valid UTF-8";
    case EIO_BAD_LENGTH: return "a packet's length is not decimal digits and their mark";
    case EIO_LONG_LENGTH: return "a packet's length is beyond the end of the body";
    case EIO_SPLIT_LENGTH: return "a packet's length ends inside a surrogate pair";
    case EIO_BAD_KIND: return "a packet is neither a string (0) nor binary (1)";
    default: return "no error";
    }
}
