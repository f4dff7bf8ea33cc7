#include "core/data/generator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "core/base/sha256.h"
#include "core/data/dataset.h"
#include "tests/assert_close.h"

struct generated {
    struct buffer_sink block;
    struct dataset dataset;
};

static struct generated generate(enum generator type, uint32_t n, uint32_t classes, double noise, uint64_t seed)
{
    const struct generator_spec spec = {.type = type, .n = n, .classes = classes, .noise = noise, .seed = seed};
    struct generated made = {0};

    assert_int_equal(generator_write(&spec, buffer_sink(&made.block), NULL), STATUS_OK);
    assert_int_equal(dataset_open(&made.dataset, made.block.data, made.block.size, NULL), STATUS_OK);
    return made;
}

static void generated_release(struct generated *made)
{
    dataset_release(&made->dataset);
    buffer_sink_release(&made->block);
}

static void generators_give_equal_shares_and_names(void **state)
{
    (void)state;
    for (enum generator type = 0; type < GENERATOR_COUNT; type++) {
        uint32_t classes = generator_max_classes(type) < 3 ? 2 : 3;
        struct generated made = generate(type, 301, classes, 0.1, 7);
        uint64_t counts[3];

        dataset_class_counts(&made.dataset, counts);
        assert_int_equal(made.dataset.classes, classes);
        assert_int_equal(counts[0], (301 + classes - 1) / classes);
        assert_int_equal(counts[classes - 1], 301 / classes);
        assert_string_equal(made.dataset.class_names[1], "1");
        assert_string_equal(made.dataset.feature_names[0], "x0");
        assert_string_equal(made.dataset.feature_names[1], "x1");
        generated_release(&made);
    }
}

static void generators_depend_on_the_seed_alone(void **state)
{
    (void)state;
    for (enum generator type = 0; type < GENERATOR_COUNT; type++) {
        struct generated a = generate(type, 100, 2, 0.1, 7), b = generate(type, 100, 2, 0.1, 7),
                         c = generate(type, 100, 2, 0.1, 8), longer = generate(type, 1000, 2, 0.1, 7);

        assert_memory_equal(a.block.data, b.block.data, a.block.size);
        assert_memory_not_equal(a.block.data, c.block.data, a.block.size);
        assert_memory_equal(a.dataset.x, longer.dataset.x, 100 * 2 * sizeof(float)); /* rows do not depend on n */
        generated_release(&a);
        generated_release(&b);
        generated_release(&c);
        generated_release(&longer);
    }
}

/* Without noise every point lies on its class's shape. */
static void generators_draw_their_shapes(void **state)
{
    (void)state;
    for (enum generator type = 0; type < GENERATOR_COUNT; type++) {
        struct generated made = generate(type, 400, 2, 0, 3);
        const float *x = made.dataset.x;

        for (uint64_t row = 0; row < 400; row++) {
            double px = (double)x[2 * row], py = (double)x[2 * row + 1], radius = hypot(px, py);
            int class = made.dataset.labels[row];

            if (type == GENERATOR_BLOBS)
                assert_close(px, class == 0 ? 2.5 : -2.5, 1e-6, 0);
            if (type == GENERATOR_RINGS)
                assert_close(radius, class + 1, 1e-6, 0);
            if (type == GENERATOR_SPIRALS) {
                double turns = 0.75 * (radius - 0.2) / 2.8 + 0.5 * class;

                assert_close(px, radius * cos(2 * acos(-1) * turns), 0, 1e-5);
                assert_close(py, radius * sin(2 * acos(-1) * turns), 0, 1e-5);
            }
            if (type == GENERATOR_MOONS) {
                assert_close(hypot(px - class, py - 0.5 * class), 1, 1e-6, 0);
                assert_true(class == 0 ? py >= 0 : py <= 0.5);
            }
        }
        generated_release(&made);
    }
}

static void generators_noise_is_a_standard_deviation(void **state)
{
    struct generated made = generate(GENERATOR_BLOBS, 20000, 2, 0.5, 3);
    uint32_t rows[10000];
    struct feature_stats stats[2];

    (void)state;
    for (uint32_t i = 0; i < 10000; i++)
        rows[i] = 2 * i;
    assert_int_equal(dataset_stats(&made.dataset, rows, 10000, stats, NULL), STATUS_OK);
    assert_close(stats[0].mean, 2.5, 0, 0.02);
    assert_close(stats[1].mean, 0, 0, 0.02);
    assert_close(stats[0].deviation, 0.5, 0, 0.015);
    assert_close(stats[1].deviation, 0.5, 0, 0.015);
    generated_release(&made);
}

/* Data sets are known by their hash: these bytes may not change between versions, compilers or processors. */
static void generators_give_the_bytes_they_always_gave(void **state)
{
    static const char *const SHA256[GENERATOR_COUNT] = {
        [GENERATOR_BLOBS] = "527edad6f8422e1bad0a021f1049aadd178b3f1a49618eb9dc8f40c6494a4af1",
        [GENERATOR_MOONS] = "9c153cf73574cfce2801d4b52e81a12fc72ae8f84161d7a317bc38c8799566c5",
        [GENERATOR_SPIRALS] = "66b17c76620a5ccf4e537fef2a90baea8af5c8e5f1ab6c890184a83b91542f4d",
        [GENERATOR_RINGS] = "f4cf555d32ca29db91b027967be7418190f9572e731044e8cad58c1d4c8309fd",
    };

    (void)state;
    for (enum generator type = 0; type < GENERATOR_COUNT; type++) {
        struct generated made = generate(type, 1000, 2, 0.2, 7);
        char text[SHA256_HEX];

        sha256_text(made.block.data, made.block.size, text);
        assert_string_equal(text, SHA256[type]);
        generated_release(&made);
    }
}

static void generators_refuse_what_they_cannot_make(void **state)
{
    static const struct generator_spec BAD[] = {
        {.type = GENERATOR_BLOBS, .n = 10, .classes = 1},
        {.type = GENERATOR_BLOBS, .n = 100, .classes = GENERATOR_MAX_CLASSES + 1},
        {.type = GENERATOR_MOONS, .n = 10, .classes = 3},
        {.type = GENERATOR_BLOBS, .n = 2, .classes = 3},
        {.type = GENERATOR_BLOBS, .n = GENERATOR_MAX_ROWS + 1, .classes = 3},
        {.type = GENERATOR_BLOBS, .n = 10, .classes = 2, .noise = -1},
        {.type = GENERATOR_BLOBS, .n = 10, .classes = 2, .noise = NAN},
        {.type = GENERATOR_BLOBS, .n = 10, .classes = 2, .noise = INFINITY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct buffer_sink block = {0};
        struct error error = {0};

        assert_int_equal(generator_write(&BAD[i], buffer_sink(&block), &error), STATUS_OUT_OF_RANGE);
        assert_true(strlen(error.message) > 0);
        assert_int_equal(block.size, 0);
        buffer_sink_release(&block);
    }
}

static void generators_have_names_and_help(void **state)
{
    (void)state;
    assert_string_equal(generator_name(GENERATOR_BLOBS), "blobs");
    assert_string_equal(generator_name(GENERATOR_MOONS), "moons");
    assert_string_equal(generator_name(GENERATOR_SPIRALS), "spirals");
    assert_string_equal(generator_name(GENERATOR_RINGS), "rings");
    for (enum generator type = 0; type < GENERATOR_COUNT; type++)
        assert_true(strlen(generator_help(type)) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generators_give_equal_shares_and_names),
        cmocka_unit_test(generators_depend_on_the_seed_alone),
        cmocka_unit_test(generators_draw_their_shapes),
        cmocka_unit_test(generators_noise_is_a_standard_deviation),
        cmocka_unit_test(generators_give_the_bytes_they_always_gave),
        cmocka_unit_test(generators_refuse_what_they_cannot_make),
        cmocka_unit_test(generators_have_names_and_help),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
