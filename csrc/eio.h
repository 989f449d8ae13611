/* eio: the packets in the body of an Engine.IO POST, one after the other, without I/O.
 *
 *   EIO_4         <packet> 0x1e <packet> ...               (protocol 4)
 *   EIO_3_TEXT    <length>:<packet> ...                    (protocol 3) length in UTF-16 code units
 *   EIO_3_BINARY  <0|1> <length> 0xff <packet> ...         (protocol 3) length in bytes, its digits as bytes 0 to 9
 *
 * Nothing is allocated, from a length neither: a packet is a span of the caller's
 * bytes, found when it is asked for, so that those before a bad one are still
 * delivered. After an error nothing more comes. What is inside a packet (its type,
 * base64) is not looked at, but that text is valid UTF-8.
 */
#ifndef FASTSIO_EIO_H
#define FASTSIO_EIO_H

#include <stddef.h>
#include <stdint.h>

enum eio_form {
    EIO_4,
    EIO_3_TEXT,
    EIO_3_BINARY,
};

/* What eio_next says; eio_error_text names the errors, which are below 0. */
enum eio_status {
    EIO_END = 0,
    EIO_PACKET = 1,
    EIO_EMPTY = -1,        /* a packet, or the whole body, of no bytes */
    EIO_BAD_TEXT = -2,     /* not UTF-8 */
    EIO_BAD_LENGTH = -3,   /* not 1 to EIO_MAX_DIGITS digits and their mark */
    EIO_LONG_LENGTH = -4,  /* beyond the end of the body */
    EIO_SPLIT_LENGTH = -5, /* between the two halves of a surrogate pair */
    EIO_BAD_KIND = -6,     /* neither 0 nor 1 */
};

#define EIO_MAX_DIGITS 32 /* of a length, leading zeros among them */

typedef struct eio_payload {
    const uint8_t *cursor; /* borrowed; where the next packet starts */
    const uint8_t *end;
    int form;
    int status; /* EIO_PACKET: there is more to be read */
} eio_payload;

typedef struct eio_packet {
    const uint8_t *data; /* in the body; text with its type character, binary of protocol 3 with its type byte */
    size_t size;         /* never 0 */
    int is_binary;
} eio_packet;

/* A walk over the body, which has to stay where it is until its end. */
eio_payload eio_open(const uint8_t *body, size_t size, int form);

/* EIO_PACKET and the next packet, EIO_END after the last one, or an error. */
int eio_next(eio_payload *payload, eio_packet *packet);

const char *eio_error_text(int error);

#endif
