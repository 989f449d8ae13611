#include "accept_key.h"

#include <stdint.h>
#include <string.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define TEXT_LENGTH (KEY_LENGTH + sizeof(GUID) - 1) /* 60: with the padding it fills two blocks */
#define BLOCK 64

static uint32_t rotate(uint32_t word, int bits) { return word << bits | word >> (32 - bits); }

/* FIPS 180-4, 6.1.2 */
static void sha1_block(uint32_t hash[5], const uint8_t *block) {
    uint32_t words[80], a = hash[0], b = hash[1], c = hash[2], d = hash[3], e = hash[4];
    for (int i = 0; i < 16; i++)
        words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
                   block[4 * i + 3];
    for (int i = 16; i < 80; i++) words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t mixed, constant;
        if (i < 20) mixed = (b & c) | (~b & d), constant = 0x5a827999;
        else if (i < 40) mixed = b ^ c ^ d, constant = 0x6ed9eba1;
        else if (i < 60) mixed = (b & c) | (b & d) | (c & d), constant = 0x8f1bbcdc;
        else mixed = b ^ c ^ d, constant = 0xca62c1d6;
        uint32_t next = rotate(a, 5) + mixed + e + constant + words[i];
        e = d, d = c, c = rotate(b, 30), b = a, a = next;
    }
    hash[0] += a, hash[1] += b, hash[2] += c, hash[3] += d, hash[4] += e;
}

static void sha1(const uint8_t text[TEXT_LENGTH], uint8_t digest[20]) {
    uint32_t hash[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint8_t padded[2 * BLOCK] = {0};
    memcpy(padded, text, TEXT_LENGTH);
    padded[TEXT_LENGTH] = 0x80;
    padded[2 * BLOCK - 2] = (TEXT_LENGTH * 8) >> 8;
    padded[2 * BLOCK - 1] = (TEXT_LENGTH * 8) & 0xff;
    sha1_block(hash, padded);
    sha1_block(hash, padded + BLOCK);
    for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(hash[i / 4] >> (24 - 8 * (i % 4)));
}

static void base64(const uint8_t digest[20], char accept[ACCEPT_LENGTH + 1]) {
    static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < 7; i++) {
        uint32_t group = (uint32_t)digest[3 * i] << 16 | (uint32_t)digest[3 * i + 1] << 8 |
                         (i < 6 ? digest[3 * i + 2] : 0);
        for (int j = 0; j < 4; j++) accept[4 * i + j] = LETTERS[group >> (18 - 6 * j) & 63];
    }
    accept[ACCEPT_LENGTH - 1] = '=';
    accept[ACCEPT_LENGTH] = '\0';
}

void accept_key(const char key[KEY_LENGTH], char accept[ACCEPT_LENGTH + 1]) {
    uint8_t text[TEXT_LENGTH], digest[20];
    memcpy(text, key, KEY_LENGTH);
    memcpy(text + KEY_LENGTH, GUID, sizeof(GUID) - 1);
    sha1(text, digest);
    base64(digest, accept);
}
