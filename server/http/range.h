/* Range requests (RFC 9110, 14): one range of bytes at most. */
#ifndef DESCENT_SERVER_HTTP_RANGE_H
#define DESCENT_SERVER_HTTP_RANGE_H

#include <stdint.h>

/*
 * "bytes=2-5", "bytes=2-", "bytes=-3" of `whole` bytes; an end past the last byte counts as the last. 0 for several
 * ranges, other units, bad numbers, and a start past the end: 416.
 */
int range_parse(const char *value, uint64_t whole, uint64_t *offset, uint64_t *size);

/* Whether Range counts beside If-Range `condition` (NULL: none) when the answer's tag is `etag` (NULL: none). */
int range_applies(const char *condition, const char *etag);

#endif
