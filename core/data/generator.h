/* Synthetic data sets for first steps and tests: points in the plane, deterministic in (kind, n, classes, noise, seed). */
#ifndef DESCENT_CORE_DATA_GENERATOR_H
#define DESCENT_CORE_DATA_GENERATOR_H

#include "core/data/sink.h"

enum generator { GENERATOR_BLOBS, GENERATOR_MOONS, GENERATOR_SPIRALS, GENERATOR_RINGS, GENERATOR_COUNT };
const char *generator_name(enum generator generator); /* "blobs", ... */
const char *generator_help(enum generator generator); /* one line of English */
uint32_t generator_max_classes(enum generator generator);

#define GENERATOR_MAX_ROWS    1000000 /* made anew for each request that asks: a fraction of a second */
#define GENERATOR_MAX_CLASSES 64
#define GENERATOR_MAX_NOISE   1e6

struct generator_spec {
    enum generator type;
    uint32_t n;       /* rows, classes ... GENERATOR_MAX_ROWS; classes get equal shares, the first ones one more */
    uint32_t classes; /* 2 ... generator_max_classes */
    double noise;     /* standard deviation in each coordinate, 0 ... GENERATOR_MAX_NOISE */
    uint64_t seed;
};

/*
 * Writes the canonical block to the sink; feature names "x0", "x1", class names "0", "1", ...
 * STATUS_OUT_OF_RANGE names the field.
 */
MUST_CHECK enum status generator_write(const struct generator_spec *spec, struct sink sink, struct error *error);

#endif
