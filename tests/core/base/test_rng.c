#include "core/base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/assert_close.h"

static void philox_gives_the_published_words(void **state)
{
    static const struct {
        uint32_t counter[4], key[2], want[4];
    } vectors[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
        {{1, 0, 0, 0}, {0, 0}, {0xf8e4cca4, 0x5cb200db, 0xb1a574eb, 0x097eff67}},
        {{0, 0, 0, 1}, {0x2a, 0}, {0x20439b04, 0x9807e022, 0x5419fa3f, 0xc8fa5a2d}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        uint32_t got[4];

        philox4x32(vectors[i].counter, vectors[i].key, got);
        assert_memory_equal(got, vectors[i].want, sizeof(got));
    }
}

static void a_block_puts_each_coordinate_where_the_header_says(void **state)
{
    const uint32_t counter[4] = {0x11111111, 7, RNG_INIT, 0x22222222}, key[2] = {0x44444444, 0x33333333};
    uint32_t got[4], want[4];

    (void)state;
    rng_block(UINT64_C(0x3333333344444444), RNG_INIT, 7, UINT64_C(0x2222222211111111), got);
    philox4x32(counter, key, want);
    assert_memory_equal(got, want, sizeof(got));
    assert_int_equal(rng_substream(RNG_DROPOUT, 0), RNG_DROPOUT);
    assert_int_equal(rng_substream(RNG_DROPOUT, 5), 0x503);
}

static void words_become_the_published_fractions(void **state)
{
    static const uint32_t words[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};

    (void)state;
    assert_true(rng_to_f32(words[0]) == 0.3990464210510254f);
    assert_true(rng_to_f32(words[1]) == 0.8805201649665833f);
    assert_true(rng_to_f32(words[2]) == 0.7357127666473389f);
    assert_true(rng_to_f32(words[3]) == 0.6054818034172058f);
    assert_true(rng_to_f64(words[0], words[1]) == 0.39904647231489565);
    assert_true(rng_to_f64(words[2], words[3]) == 0.7357127860596914);
    assert_true(rng_to_f32(UINT32_MAX) < 1 && rng_to_f64(UINT32_MAX, UINT32_MAX) < 1);
}

static void words_become_the_published_normal_values(void **state)
{
    static const uint32_t words[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    static const double want[4] = {0.9911374751458971, -0.9246627803544332, -0.6176090549848544, -0.4820683472644963};
    static const uint32_t extremes[4] = {0, 0, UINT32_MAX, UINT32_MAX};
    double got[4];

    (void)state;
    rng_to_normal(words, got);
    assert_all_close(got, want, 4, 1e-15, 0);
    rng_to_normal(extremes, got);
    assert_close(got[0], sqrt(48 * log(2)), 1e-15, 0); /* u1 = 2^-24 */
    assert_true(got[2] == 0 && got[3] == 0);           /* u1 = 1 */
}

static void single_values_and_fills_agree_wherever_a_fill_starts(void **state)
{
    enum { N = 23 };
    float normal[N], uniform[N], part[N];

    (void)state;
    rng_fill_normal(42, RNG_INIT, 3, 0, 0.5, N, normal);
    rng_fill_uniform(42, RNG_INIT, 3, 0, -2, 2, N, uniform);
    for (size_t i = 0; i < N; i++) {
        assert_true(normal[i] == (float)(0.5 * rng_normal_f64(42, RNG_INIT, 3, i)));
        assert_true(uniform[i] == (float)(-2 + 4 * rng_uniform_f64(42, RNG_INIT, 3, i)));
    }
    for (size_t first = 0; first < 8; first++) {
        rng_fill_normal(42, RNG_INIT, 3, first, 0.5, N - first, part);
        assert_memory_equal(part, normal + first, (N - first) * sizeof(float));
        rng_fill_uniform(42, RNG_INIT, 3, first, -2, 2, N - first, part);
        assert_memory_equal(part, uniform + first, (N - first) * sizeof(float));
    }
}

static void seeds_streams_epochs_and_indices_all_matter(void **state)
{
    const double base = rng_uniform_f64(1, 2, 3, 4);

    (void)state;
    assert_true(base == rng_uniform_f64(1, 2, 3, 4));
    assert_true(base != rng_uniform_f64(1 | UINT64_C(1) << 32, 2, 3, 4));
    assert_true(base != rng_uniform_f64(2, 2, 3, 4));
    assert_true(base != rng_uniform_f64(1, 3, 3, 4));
    assert_true(base != rng_uniform_f64(1, 2, 4, 4));
    assert_true(base != rng_uniform_f64(1, 2, 3, 5));
    assert_true(base != rng_uniform_f64(1, 2, 3, 4 + (UINT64_C(1) << 33)));
}

static void moments_are_those_of_the_distributions(void **state)
{
    enum { N = 100000 };
    double uniform = 0, uniform_square = 0, normal = 0, normal_square = 0, lagged = 0, last = 0;

    (void)state;
    for (uint64_t i = 0; i < N; i++) {
        double u = rng_uniform_f64(5, RNG_GENERATOR, 0, i), z = rng_normal_f64(5, RNG_GENERATOR, 1, i);

        uniform += u;
        uniform_square += u * u;
        normal += z;
        normal_square += z * z;
        lagged += z * last;
        last = z;
    }
    /* four standard errors each */
    assert_close(uniform / N, 0.5, 0, 4 * sqrt(1.0 / 12 / N));
    assert_close(uniform_square / N, 1.0 / 3, 0, 4 * sqrt(4.0 / 45 / N));
    assert_close(normal / N, 0, 0, 4 * sqrt(1.0 / N));
    assert_close(normal_square / N, 1, 0, 4 * sqrt(2.0 / N));
    assert_close(lagged / N, 0, 0, 4 * sqrt(1.0 / N));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_words),
        cmocka_unit_test(a_block_puts_each_coordinate_where_the_header_says),
        cmocka_unit_test(words_become_the_published_fractions),
        cmocka_unit_test(words_become_the_published_normal_values),
        cmocka_unit_test(single_values_and_fills_agree_wherever_a_fill_starts),
        cmocka_unit_test(seeds_streams_epochs_and_indices_all_matter),
        cmocka_unit_test(moments_are_those_of_the_distributions),
    };
    return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
