/*
 * MD5, as GnuTLS has it: for Content-MD5 alone, which old clients send. It tells accidents, not attacks.
 */
#ifndef DESCENT_SERVER_HTTP_MD5_H
#define DESCENT_SERVER_HTTP_MD5_H

#include <stddef.h>

#include "core/base/status.h"

#define MD5_BYTES 16

struct md5;

/* STATUS_OUT_OF_MEMORY, also where the system's cryptography has no MD5. */
MUST_CHECK enum status md5_new(struct md5 **md5, struct error *error);
MUST_CHECK enum status md5_update(struct md5 *md5, const void *data, size_t size, struct error *error);
/* Of all that came since the last one. */
void md5_final(struct md5 *md5, unsigned char digest[MD5_BYTES]);
/* NULL is fine. */
void md5_free(struct md5 *md5);

#endif
