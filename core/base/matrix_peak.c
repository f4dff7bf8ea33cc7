#include "core/base/matrix_peak.h"

#include <stdint.h>
#include <stdlib.h>

#include "core/base/bf16_product.h"
#include "core/base/matrix_library.h"

/* A layer's product over a minibatch: some 0.3 ms, less than a time slice, and its operands fit the cache of a core. */
enum { ROWS = 128, COLUMNS = 128, TERMS = 784 };

#define LEAST_RUNS 4 /* the first one warms up */
#define MOST_RUNS  60
#define ENOUGH     0.02 /* seconds */

static void fill(float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = (float)(i % 7) * 0.25F - 0.75F;
    }
}

double matrix_peak(enum precision precision, double (*seconds)(void))
{
    bf16_product_kernel *product = precision == PRECISION_BF16 ? bf16_product : matrix_library_sgemm;
    float *a = malloc(sizeof *a * ROWS * TERMS), *b = malloc(sizeof *b * TERMS * COLUMNS);
    float *c = malloc(sizeof *c * ROWS * COLUMNS);
    double peak = 0, begin, now;

    if (a != NULL && b != NULL && c != NULL) {
        matrix_library_thread_init();
        fill(a, (size_t)ROWS * TERMS);
        fill(b, (size_t)TERMS * COLUMNS);
        begin = now = seconds();
        for (int run = 0; run < LEAST_RUNS || (run < MOST_RUNS && now - begin < ENOUGH); run++) {
            double before = seconds(), rate;

            product(0, 0, ROWS, COLUMNS, TERMS, a, TERMS, b, COLUMNS, 0, c, COLUMNS);
            now = seconds();
            rate = now > before ? 2.0 * ROWS * COLUMNS * TERMS / (now - before) : 0;
            peak = rate > peak ? rate : peak;
        }
    }
    free(a);
    free(b);
    free(c);
    return peak;
}
