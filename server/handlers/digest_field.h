/*
 * Digests in HTTP fields. Written: Repr-Digest (RFC 9530, `sha-256=:base64:`). Read, of a body: Content-Digest (the same
 * form), Digest (RFC 3230, `SHA-256=base64`), Content-MD5 (RFC 1864, base64), and X-Content-SHA256 (hexadecimal), which a
 * shell can write without an encoder.
 */
#ifndef DESCENT_SERVER_HANDLERS_DIGEST_FIELD_H
#define DESCENT_SERVER_HANDLERS_DIGEST_FIELD_H

#include "core/base/sha256.h"
#include "core/base/status.h"

#define DIGEST_FIELD_TEXT 56 /* "sha-256=:", 44 characters, ":" and a NUL, with room */

enum digest_algorithm { DIGEST_SHA256, DIGEST_MD5, DIGEST_COUNT };

#define DIGEST_BYTES_MAX SHA256_BYTES

/* Bytes of a digest. */
size_t digest_size(enum digest_algorithm algorithm);

/* The values of a request's fields; NULL: not sent. */
struct digest_fields {
    const char *content_digest, *digest, *content_md5, *x_content_sha256;
};

/* What a sender says the body hashes to. */
struct digests {
    int given[DIGEST_COUNT];
    unsigned char bytes[DIGEST_COUNT][DIGEST_BYTES_MAX]; /* [digest_size] of each */
};

/* The value of Repr-Digest. */
void digest_field_format(const unsigned char digest[SHA256_BYTES], char text[DIGEST_FIELD_TEXT]);

/*
 * Reads what was sent; other algorithms are passed over. STATUS_CHECKSUM_MISMATCH for a value that is none, or when two
 * fields contradict each other.
 */
MUST_CHECK enum status digest_fields_read(const struct digest_fields *fields, struct digests *digests, struct error *error);

#endif
