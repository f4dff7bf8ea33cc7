/* Two ways of compressing a block: as the standard writes it, and by the SHA instructions. The first use picks one. */
#include "core/base/sha256.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

/* Fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static void compress_block_plain(uint32_t state[8], const unsigned char *block)
{
    uint32_t w[64];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

    for (size_t t = 0; t < 16; t++) {
        const unsigned char *p = block + 4 * t;
        w[t] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
    for (size_t t = 16; t < 64; t++) {
        uint32_t s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }
    for (size_t t = 0; t < 64; t++) {
        uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + constants[t] + w[t];
        uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

void sha256_compress_plain(uint32_t state[8], const unsigned char *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        compress_block_plain(state, blocks + 64 * i);
    }
}

#if defined(__x86_64__)

/* The compiler's own table of processor features has no SHA bit: leaf 7, ebx bit 29; SSE4.1 is leaf 1, ecx bit 19. */
static int has_sha_instructions(void)
{
    unsigned a, b, c, d;

    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & (1u << 19)) == 0) {
        return 0;
    }
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 29)) != 0;
}

/*
 * The instructions hold the state as ABEF and CDGH, do two rounds at a time on the low half of w + k, and extend the
 * message four words at a time; w holds the last sixteen words.
 */
__attribute__((target("sha,sse4.1"))) static void compress_by_instructions(uint32_t state[8], const unsigned char *blocks,
                                                                           size_t count)
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i dcba = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)&state[0]), 0xb1);
    __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)&state[4]), 0x1b);
    __m128i abef = _mm_alignr_epi8(dcba, hgfe, 8);
    __m128i cdgh = _mm_blend_epi16(hgfe, dcba, 0xf0);

    for (size_t i = 0; i < count; i++) {
        const __m128i old_abef = abef, old_cdgh = cdgh;
        __m128i w[4];

        for (size_t j = 0; j < 4; j++) {
            const void *words = blocks + 64 * i + 16 * j;
            w[j] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)words), big_endian);
        }
        for (size_t j = 0; j < 16; j++) {
            __m128i k = _mm_loadu_si128((const __m128i *)(const void *)&constants[4 * j]);
            __m128i wk = _mm_add_epi32(w[j % 4], k);
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0e));
            if (j < 12) { /* w[j % 4] becomes the words 16 further on */
                __m128i back7 = _mm_alignr_epi8(w[(j + 3) % 4], w[(j + 2) % 4], 4);
                __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[j % 4], w[(j + 1) % 4]), back7);
                w[j % 4] = _mm_sha256msg2_epu32(sum, w[(j + 3) % 4]);
            }
        }
        abef = _mm_add_epi32(abef, old_abef);
        cdgh = _mm_add_epi32(cdgh, old_cdgh);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)&state[0], _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)&state[4], _mm_alignr_epi8(dchg, feba, 8));
}

void sha256_compress(uint32_t state[8], const unsigned char *blocks, size_t count)
{
    static _Atomic int way; /* 0: not asked yet */
    int chosen = way;

    if (chosen == 0) {
        way = chosen = has_sha_instructions() ? 2 : 1;
    }
    if (chosen == 2) {
        compress_by_instructions(state, blocks, count);
    } else {
        sha256_compress_plain(state, blocks, count);
    }
}

#else

void sha256_compress(uint32_t state[8], const unsigned char *blocks, size_t count)
{
    sha256_compress_plain(state, blocks, count);
}

#endif

void sha256_init(struct sha256 *hash)
{
    /* fractional parts of the square roots of the first 8 primes */
    *hash = (struct sha256){
        .state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_update(struct sha256 *hash, const void *bytes, size_t size)
{
    const unsigned char *in = bytes;
    size_t held = hash->length % 64, blocks;

    hash->length += size;
    if (held > 0) {
        size_t take = size < 64 - held ? size : 64 - held;
        memcpy(hash->block + held, in, take);
        in += take;
        size -= take;
        if (held + take < 64) {
            return;
        }
        sha256_compress(hash->state, hash->block, 1);
    }
    blocks = size / 64;
    if (blocks > 0) {
        sha256_compress(hash->state, in, blocks);
    }
    if (size % 64 > 0) {
        memcpy(hash->block, in + 64 * blocks, size % 64);
    }
}

static void put_big_endian(unsigned char *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        out[i] = (unsigned char)(value >> 8 * (size - 1 - i));
    }
}

void sha256_final(struct sha256 *hash, unsigned char digest[SHA256_BYTES])
{
    size_t held = hash->length % 64;

    hash->block[held++] = 0x80;
    if (held > 56) {
        memset(hash->block + held, 0, 64 - held);
        sha256_compress(hash->state, hash->block, 1);
        held = 0;
    }
    memset(hash->block + held, 0, 56 - held);
    put_big_endian(hash->block + 56, hash->length * 8, 8);
    sha256_compress(hash->state, hash->block, 1);
    for (size_t i = 0; i < 8; i++) {
        put_big_endian(digest + 4 * i, hash->state[i], 4);
    }
}

void sha256_hex(const unsigned char digest[SHA256_BYTES], char text[SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < SHA256_BYTES; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[2 * SHA256_BYTES] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int sha256_from_hex(const char *text, unsigned char digest[SHA256_BYTES])
{
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        int high = hex_digit(text[2 * i]), low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);

        if (low < 0) {
            return 0;
        }
        digest[i] = (unsigned char)(high << 4 | low);
    }
    return text[2 * SHA256_BYTES] == '\0';
}

void sha256_bytes(const void *bytes, size_t size, unsigned char digest[SHA256_BYTES])
{
    struct sha256 hash;

    sha256_init(&hash);
    sha256_update(&hash, bytes, size);
    sha256_final(&hash, digest);
}

void sha256_text(const void *bytes, size_t size, char text[SHA256_HEX])
{
    unsigned char digest[SHA256_BYTES];

    sha256_bytes(bytes, size, digest);
    sha256_hex(digest, text);
}
