/*
 * SHA-256 digests in HTTP fields: Content-Digest and Repr-Digest (RFC 9530, `sha-256=:base64:`), and X-Content-SHA256
 * (hexadecimal), which a shell can write without an encoder.
 */
#ifndef DESCENT_SERVER_HANDLERS_DIGEST_FIELD_H
#define DESCENT_SERVER_HANDLERS_DIGEST_FIELD_H

#include "core/base/sha256.h"
#include "core/base/status.h"

#define DIGEST_FIELD_TEXT 56 /* "sha-256=:", 44 characters, ":" and a NUL, with room */

/* The value of Repr-Digest. */
void digest_field_format(const unsigned char digest[SHA256_BYTES], char text[DIGEST_FIELD_TEXT]);

/*
 * What a sender says the body hashes to, from the values of Content-Digest and X-Content-SHA256 (NULL: not sent).
 * *given is 0 when neither names a SHA-256; other algorithms of a Content-Digest are passed over.
 * STATUS_CHECKSUM_MISMATCH for a value that is none, or when the two differ.
 */
MUST_CHECK enum status digest_field_expected(const char *content_digest, const char *x_content_sha256,
                                             unsigned char digest[SHA256_BYTES], int *given, struct error *error);

#endif
