/*
 * A stage that inflates gzip data (RFC 1952, several members too) and passes other data through.
 *
 * What comes out, and every error, is the same however the input is cut: compressed bytes are inflated in blocks of a
 * fixed size. The memory is fixed too. Output is not limited here but by what the next stage accepts, and by its
 * proportion to the input.
 */
#ifndef DESCENT_CORE_DATA_GUNZIP_H
#define DESCENT_CORE_DATA_GUNZIP_H

#include "core/data/sink.h"

#define GUNZIP_MAX_RATIO   200
#define GUNZIP_RATIO_SLACK 65536 /* bytes of output before the proportion counts */

struct gunzip;

MUST_CHECK enum status gunzip_new(struct gunzip **gunzip, struct sink next, struct error *error);
void gunzip_free(struct gunzip *gunzip);
/*
 * The first call must bring at least 2 bytes, or all there are. STATUS_GZIP_CORRUPT; STATUS_COMPRESSION_RATIO when more
 * than 200 bytes come out for each one; or what `next` returns.
 */
MUST_CHECK enum status gunzip_feed(struct gunzip *gunzip, const unsigned char *bytes, size_t size, struct error *error);
MUST_CHECK enum status gunzip_finish(struct gunzip *gunzip, struct error *error);
/* 1 once the input has turned out to be gzip data. */
int gunzip_is_compressed(const struct gunzip *gunzip);

#endif
