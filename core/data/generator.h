/* Synthetic data sets for first steps and tests: points in the plane, deterministic in (kind, n, classes, noise, seed). */
#ifndef DESCENT_CORE_DATA_GENERATOR_H
#define DESCENT_CORE_DATA_GENERATOR_H

#include "core/data/sink.h"

enum generator { GENERATOR_BLOBS, GENERATOR_MOONS, GENERATOR_SPIRALS, GENERATOR_RINGS, GENERATOR_COUNT };
const char *generator_name(enum generator generator);
const char *generator_help(enum generator generator);

struct generator_spec {
    enum generator type;
    uint32_t n;       /* rows, classes ... 10,000,000; classes get equal shares, the first ones one more */
    uint32_t classes; /* 2 ... 64; moons: 2 */
    double noise;     /* standard deviation, >= 0 */
    uint64_t seed;
};

/* Writes the canonical block to the sink; feature names "x0", "x1", class names "0", "1", ... */
MUST_CHECK enum status generator_write(const struct generator_spec *spec, struct sink sink, struct error *error);

#endif
