/* SHA-256 (FIPS 180-4), streaming; by the processor's SHA instructions where it has them. */
#ifndef DESCENT_CORE_BASE_SHA256_H
#define DESCENT_CORE_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32
#define SHA256_HEX   65 /* 64 lower-case hexadecimal digits and a NUL */

struct sha256 {
    uint32_t state[8];
    uint64_t length;         /* bytes so far */
    unsigned char block[64]; /* the last, incomplete block */
};

void sha256_init(struct sha256 *hash);
void sha256_update(struct sha256 *hash, const void *bytes, size_t size);
/* Ends the hash; sha256_init starts a new one. */
void sha256_final(struct sha256 *hash, unsigned char digest[SHA256_BYTES]);

void sha256_hex(const unsigned char digest[SHA256_BYTES], char text[SHA256_HEX]);
/* 64 lower-case hexadecimal digits and a NUL back into bytes; 0: the text is something else. */
int sha256_from_hex(const char *text, unsigned char digest[SHA256_BYTES]);
/* The digest of one piece of memory, as bytes and as text. */
void sha256_bytes(const void *bytes, size_t size, unsigned char digest[SHA256_BYTES]);
void sha256_text(const void *bytes, size_t size, char text[SHA256_HEX]);

/* One or more blocks of 64 bytes into the state: the best way, and the plain one that it must equal. */
void sha256_compress(uint32_t state[8], const unsigned char *blocks, size_t count);
void sha256_compress_plain(uint32_t state[8], const unsigned char *blocks, size_t count);

#endif
