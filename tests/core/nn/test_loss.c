#include "core/nn/loss.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "tests/assert_close.h"

/* ---- from logits ---- */

/* What one row of logits with hard or soft targets gives, through the whole function. */
struct row_result {
    double loss, plain, gradient[8];
    int32_t predicted;
};

static struct row_result row(const struct softmax_loss *rule, const double *z, int32_t label, const double *soft)
{
    struct row_result result;
    const struct softmax_loss_rows out = {&result.loss, &result.plain, &result.predicted};

    softmax_cross_entropy_rows_f64(rule, 1, z, rule->classes, soft == NULL ? &label : NULL, soft, 1, result.gradient,
                                   rule->classes, &out);
    return result;
}

static void losses_gradients_and_probabilities_have_their_known_values(void **state)
{
    static const struct {
        uint32_t n;
        double z[3], u[3], softmax[3], loss, gradient[3];
    } known[] = {
        {3,
         {1.0, 2.0, 3.0},
         {0.0, 0.0, 1.0},
         {0.09003057317038046, 0.24472847105479764, 0.6652409557748219},
         0.4076059644443803,
         {0.09003057317038046, 0.24472847105479764, -0.3347590442251781}},
        {3,
         {1.0, 2.0, 3.0},
         {0.7, 0.2, 0.1},
         {0.09003057317038046, 0.24472847105479764, 0.6652409557748219},
         2.00760596444438,
         {-0.6099694268296195, 0.04472847105479764, 0.5652409557748219}},
        {3, {1000.0, 0.0, -1000.0}, {1.0, 0.0, 0.0}, {1.0, 0.0, 0.0}, 0.0, {0.0, 0.0, 0.0}},
        {3, {1000.0, 0.0, -1000.0}, {0.0, 0.0, 1.0}, {1.0, 0.0, 0.0}, 2000.0, {1.0, 0.0, -1.0}},
        {3,
         {-1000.0, -1001.0, -1002.0},
         {1.0, 0.0, 0.0},
         {0.6652409557748219, 0.24472847105479764, 0.09003057317038046},
         0.4076059644443803,
         {-0.3347590442251781, 0.24472847105479764, 0.09003057317038046}},
        {2,
         {0.5, -0.25},
         {0.0, 1.0},
         {0.679178699175393, 0.320821300824607},
         1.1368710061148999,
         {0.679178699175393, -0.679178699175393}},
        /* the confident right answer: log1p and no cancellation */
        {2,
         {40.0, -40.0},
         {1.0, 0.0},
         {1.0, 1.8048513878454153e-35},
         1.8048513878454153e-35,
         {-1.8048513878454153e-35, 1.8048513878454153e-35}},
        {2,
         {20.0, -20.0},
         {1.0, 0.0},
         {1.0, 4.248354255291589e-18},
         4.248354255291589e-18,
         {-4.248354255291589e-18, 4.248354255291589e-18}},
        /* an impossible class, with and without a target */
        {3,
         {-HUGE_VAL, 0.0, 1.0},
         {1.0, 0.0, 0.0},
         {0.0, 0.2689414213699951, 0.7310585786300049},
         HUGE_VAL,
         {-1.0, 0.2689414213699951, 0.7310585786300049}},
        {3,
         {-HUGE_VAL, 0.0, 1.0},
         {0.0, 0.5, 0.5},
         {0.0, 0.2689414213699951, 0.7310585786300049},
         0.8132616875182228,
         {0.0, -0.2310585786300049, 0.2310585786300049}},
        {2, {88.8, 0.0}, {0.0, 1.0}, {1.0, 2.7205079978027812e-39}, 88.8, {1.0, -1.0}},
        {2, {1e4, -1e4}, {0.0, 1.0}, {1.0, 0.0}, 2e4, {1.0, -1.0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const struct softmax_loss rule = {.classes = known[i].n};
        struct row_result soft = row(&rule, known[i].z, 0, known[i].u);
        double probabilities[3];

        assert_close(soft.loss, known[i].loss, 1e-12, 0);
        assert_close(soft.plain, known[i].loss, 1e-12, 0);
        assert_all_close(soft.gradient, known[i].gradient, known[i].n, 1e-12, 1e-50);
        softmax_rows_f64(known[i].n, 1, known[i].z, known[i].n, probabilities);
        assert_all_close(probabilities, known[i].softmax, known[i].n, 1e-12, 0);
        for (int32_t label = 0; label < (int32_t)known[i].n; label++) {
            if (known[i].u[label] == 1) {
                struct row_result hard = row(&rule, known[i].z, label, NULL);

                assert_close(hard.loss, known[i].loss, 1e-12, 0);
                assert_all_close(hard.gradient, known[i].gradient, known[i].n, 1e-12, 1e-50);
            }
        }
    }
}

static void two_classes_are_logistic_regression(void **state)
{
    static const double known[][5] = {
        {-1000.0, 0.0, 1000.0, 0.0, -1.0},
        {-2.0, 0.11920292202211756, 2.1269280110429727, 0.1269280110429725, -0.8807970779778824},
        {0.0, 0.5, 0.6931471805599453, 0.6931471805599453, -0.5},
        {1.0, 0.7310585786300049, 0.3132616875182228, 1.3132616875182228, -0.2689414213699951},
        {36.0, 0.9999999999999998, 2.319522830243569e-16, 36.0, -2.3195228302435686e-16},
        {750.0, 1.0, 0.0, 750.0, 0.0},
    };
    const struct softmax_loss rule = {.classes = 2};

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const double z[2] = {0.25, 0.25 + known[i][0]};
        struct row_result one = row(&rule, z, 1, NULL), zero = row(&rule, z, 0, NULL);
        double probabilities[2];

        softmax_rows_f64(2, 1, z, 2, probabilities);
        assert_close(probabilities[1], known[i][1], 1e-12, 0);
        assert_close(one.loss, known[i][2], 1e-12, 1e-300);
        assert_close(zero.loss, known[i][3], 1e-12, 1e-300);
        assert_close(one.gradient[1], known[i][4], 1e-12, 1e-300);
    }
}

static void smoothing_spreads_over_all_classes_the_true_one_too(void **state)
{
    const double z[4] = {2, -1, 0.5, 0};
    const double gradient[4] = {-0.2149000771138258, 0.010353793408748868, 0.13344470951497972, 0.07110157419009722};
    const struct softmax_loss rule = {.classes = 4, .label_smoothing = 0.1};
    struct row_result result = row(&rule, z, 0, NULL);

    (void)state;
    assert_close(result.loss, 0.5048495823898221, 1e-12, 0); /* over the others only: 0.559 */
    assert_close(result.plain, 0.3423495823898221, 1e-12, 0);
    assert_all_close(result.gradient, gradient, 4, 1e-12, 0);
    const double one_hot[4] = {1, 0, 0, 0};
    result = row(&rule, z, 0, one_hot);
    assert_close(result.loss, 0.5048495823898221, 1e-12, 0);
}

static const double weighted_logits[4][3] = {{2, -1, 0.5}, {0.1, 0.2, 0.3}, {-1, 3, 0}, {0, 0, 0}};
static const int32_t weighted_labels[4] = {0, 2, 1, 2};
static const double weights[3] = {0.5, 2, 1};

static double weighted_sum(const struct softmax_loss *rule)
{
    double loss[4], sum = 0;
    const struct softmax_loss_rows out = {.loss = loss};

    softmax_cross_entropy_rows_f64(rule, 4, weighted_logits[0], 3, weighted_labels, NULL, 1, NULL, 0, &out);
    for (int i = 0; i < 4; i++) {
        sum += loss[i];
    }
    return sum;
}

static void class_weights_give_both_known_means(void **state)
{
    struct softmax_loss rule = {.classes = 3};

    (void)state;
    assert_close(weighted_sum(&rule) / softmax_cross_entropy_normaliser(&rule, weighted_labels, 4), 0.601937584327985, 1e-12,
                 0);
    rule.class_weights = weights;
    assert_close(softmax_cross_entropy_normaliser(&rule, weighted_labels, 4), 4.5, 0, 0);
    assert_close(weighted_sum(&rule) / 4.5, 0.5228841317201757, 1e-12, 0);
    assert_close(weighted_sum(&rule) / 4, 0.5882446481851977, 1e-12, 0);
    rule.label_smoothing = 0.1;
    assert_close(weighted_sum(&rule) / 4.5, 0.6278336902562455, 1e-12, 0);
    assert_close(softmax_cross_entropy_normaliser(&rule, NULL, 4), 4, 0, 0); /* soft targets: the number of rows */
}

/* ---- properties ---- */

enum { K = 5, ROWS = 7 };

/* Every combination of hard and soft targets, smoothing and weights. */
static struct softmax_loss combination(int i)
{
    static const double class_weights[K] = {0.5, 2, 1, 0, 3};

    return (struct softmax_loss){
        .classes = K, .label_smoothing = i & 1 ? 0.2 : 0, .class_weights = i & 2 ? class_weights : NULL};
}

static void fill(double z[ROWS][K], int32_t labels[ROWS], double soft[ROWS][K])
{
    for (uint64_t i = 0; i < ROWS; i++) {
        double sum = 0;

        labels[i] = (int32_t)(i % K);
        for (uint64_t c = 0; c < K; c++) {
            z[i][c] = 2 * rng_normal_f64(8, 60, 0, i * K + c);
            soft[i][c] = rng_uniform_f64(8, 60, 1, i * K + c);
            sum += soft[i][c];
        }
        for (size_t c = 0; c < K; c++) {
            soft[i][c] /= sum;
        }
    }
}

typedef void gradient_function(const struct softmax_loss *rule, const double *z, int32_t label, const double *soft,
                               double *gradient);

/* The largest difference between a gradient and central differences of the loss, over all rows and combinations. */
static double worst_difference(gradient_function *gradient)
{
    static const double step = 1e-5;
    double z[ROWS][K], soft[ROWS][K], worst = 0;
    int32_t labels[ROWS];

    fill(z, labels, soft);
    for (int i = 0; i < 8; i++) {
        const struct softmax_loss rule = combination(i);

        for (size_t r = 0; r < ROWS; r++) {
            const double *target = i & 4 ? soft[r] : NULL;
            double got[K];

            gradient(&rule, z[r], labels[r], target, got);
            for (size_t c = 0; c < K; c++) {
                double there = z[r][c], above, below, error;

                z[r][c] = there + step;
                above = row(&rule, z[r], labels[r], target).loss;
                z[r][c] = there - step;
                below = row(&rule, z[r], labels[r], target).loss;
                z[r][c] = there;
                error = fabs(got[c] - (above - below) / (2 * step));
                worst = error <= worst ? worst : error;
            }
        }
    }
    return worst;
}

static void real_gradient(const struct softmax_loss *rule, const double *z, int32_t label, const double *soft,
                          double *gradient)
{
    struct row_result result = row(rule, z, label, soft);

    memcpy(gradient, result.gradient, sizeof(double) * rule->classes);
}

static void zero_gradient(const struct softmax_loss *rule, const double *z, int32_t label, const double *soft,
                          double *gradient)
{
    (void)z;
    (void)label;
    (void)soft;
    memset(gradient, 0, sizeof(double) * rule->classes);
}

static void flipped_gradient(const struct softmax_loss *rule, const double *z, int32_t label, const double *soft,
                             double *gradient)
{
    real_gradient(rule, z, label, soft, gradient);
    for (uint32_t c = 0; c < rule->classes; c++) {
        gradient[c] = -gradient[c];
    }
}

static void gradient_without_smoothing(const struct softmax_loss *rule, const double *z, int32_t label, const double *soft,
                                       double *gradient)
{
    struct softmax_loss sharp = *rule;

    sharp.label_smoothing = 0;
    real_gradient(&sharp, z, label, soft, gradient);
}

static void gradient_without_weights(const struct softmax_loss *rule, const double *z, int32_t label, const double *soft,
                                     double *gradient)
{
    struct softmax_loss even = *rule;

    even.class_weights = NULL;
    real_gradient(&even, z, label, soft, gradient);
}

static void gradient_of_the_next_label(const struct softmax_loss *rule, const double *z, int32_t label, const double *soft,
                                       double *gradient)
{
    real_gradient(rule, z, (label + 1) % K, soft, gradient);
}

static void gradients_are_the_central_differences_and_wrong_ones_are_rejected(void **state)
{
    static gradient_function *const wrong[] = {zero_gradient, flipped_gradient, gradient_without_smoothing,
                                               gradient_without_weights, gradient_of_the_next_label};
    double worst = worst_difference(real_gradient);

    (void)state;
    if (!(worst < 1e-8)) {
        print_error("off by %.3g\n", worst);
        fail();
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_true(worst_difference(wrong[i]) > 1e-2);
    }
}

static void a_common_shift_of_the_logits_changes_nothing(void **state)
{
    double z[ROWS][K], soft[ROWS][K];
    int32_t labels[ROWS];

    (void)state;
    fill(z, labels, soft);
    for (int i = 0; i < 8; i++) {
        const struct softmax_loss rule = combination(i);

        for (size_t r = 0; r < ROWS; r++) {
            const double *target = i & 4 ? soft[r] : NULL;
            struct row_result here = row(&rule, z[r], labels[r], target), there;
            double shifted[K], sum = 0;

            for (size_t c = 0; c < K; c++) {
                shifted[c] = z[r][c] + 1000;
                sum += here.gradient[c];
            }
            there = row(&rule, shifted, labels[r], target);
            assert_close(there.loss, here.loss, 1e-11, 1e-15);
            assert_all_close(there.gradient, here.gradient, K, 1e-10, 1e-12);
            assert_int_equal(there.predicted, here.predicted);
            assert_close(sum, 0, 0, 3 * K * 0x1p-53); /* the direction of a shift has no slope */
        }
    }
}

static void rows_do_not_depend_on_their_neighbours_and_padding_becomes_0(void **state)
{
    enum { MANY = 1000, STRIDE = 16, CLASSES = 10 };
    static float z[MANY * STRIDE], d[MANY * STRIDE], one[STRIDE];
    static double loss[MANY], plain[MANY];
    static int32_t labels[MANY], predicted[MANY];
    const struct softmax_loss rule = {.classes = CLASSES, .label_smoothing = 0.1};
    const struct softmax_loss_rows out = {loss, plain, predicted};

    (void)state;
    for (uint64_t i = 0; i < MANY * STRIDE; i++) {
        z[i] = i % STRIDE < CLASSES ? (float)rng_normal_f64(1, 61, 0, i) : NAN; /* padding is never read */
        d[i] = 7;
        labels[i / STRIDE] = (int32_t)(i / STRIDE % CLASSES);
    }
    softmax_cross_entropy_rows_f32(&rule, MANY, z, STRIDE, labels, NULL, 1.0 / MANY, d, STRIDE, &out);
    for (size_t i = 0; i < MANY; i++) {
        double single_loss, single_plain;
        int32_t single_predicted;
        const struct softmax_loss_rows single = {&single_loss, &single_plain, &single_predicted};

        softmax_cross_entropy_rows_f32(&rule, 1, z + i * STRIDE, STRIDE, labels + i, NULL, 1.0 / MANY, one, STRIDE, &single);
        assert_memory_equal(one, d + i * STRIDE, sizeof(one));
        assert_true(single_loss == loss[i] && single_plain == plain[i] && single_predicted == predicted[i]);
        for (size_t c = CLASSES; c < STRIDE; c++) {
            assert_true(one[c] == 0);
        }
    }
    softmax_cross_entropy_rows_f32(&rule, MANY, z, STRIDE, labels, NULL, 1.0 / MANY, z, STRIDE, &out); /* in place */
    assert_memory_equal(z, d, sizeof(z));
}

static void float32_logits_are_computed_in_double(void **state)
{
    const float z[3] = {20, -20, -3.0e38f};
    const double wide[3] = {20, -20, (double)-3.0e38f};
    const int32_t label = 0;
    const struct softmax_loss rule = {.classes = 3};
    float gradient[3];
    double loss, got[3], want[3];
    const struct softmax_loss_rows out = {.loss = &loss};

    (void)state;
    softmax_cross_entropy_rows_f32(&rule, 1, z, 3, &label, NULL, 1, gradient, 3, &out);
    assert_close(loss, 4.248354255291589e-18, 1e-12, 0);
    assert_close((double)gradient[0], -4.248354255291589e-18, 1e-7, 0);
    softmax_rows_f32(3, 1, z, 3, got);
    softmax_rows_f64(3, 1, wide, 3, want);
    assert_memory_equal(got, want, sizeof(got));
}

static void a_row_without_a_softmax_has_a_loss_of_nan(void **state)
{
    static const double bad[][3] = {
        {NAN, 0, 1}, {0, 1, NAN}, {HUGE_VAL, 0, 1}, {-HUGE_VAL, -HUGE_VAL, -HUGE_VAL}, {HUGE_VAL, HUGE_VAL, 0}};
    const struct softmax_loss rule = {.classes = 3};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        for (int32_t label = 0; label < 3; label++) {
            struct row_result result = row(&rule, bad[i], label, NULL);

            assert_true(isnan(result.loss) && isnan(result.plain));
            for (size_t c = 0; c < 3; c++) {
                assert_true(isnan(result.gradient[c]));
            }
            assert_int_equal(result.predicted == -1, i < 2);
        }
    }
}

static void the_lowest_of_equal_logits_is_predicted(void **state)
{
    const double z[4] = {1, 3, 3, 2}, equal[4] = {0, 0, 0, 0};
    const struct softmax_loss rule = {.classes = 4};

    (void)state;
    assert_int_equal(row(&rule, z, 0, NULL).predicted, 1);
    assert_int_equal(row(&rule, equal, 3, NULL).predicted, 0);
    assert_close(row(&rule, equal, 3, NULL).loss, log(4), 1e-15, 0);
}

static void the_most_classes_there_may_be_fit(void **state)
{
    static double z[2 * LOSS_MAX_CLASSES], d[2 * LOSS_MAX_CLASSES], p[2 * LOSS_MAX_CLASSES];
    const struct softmax_loss rule = {.classes = LOSS_MAX_CLASSES};
    const int32_t labels[2] = {0, LOSS_MAX_CLASSES - 1};
    double loss[2], sum = 0;
    const struct softmax_loss_rows out = {.loss = loss};

    (void)state;
    softmax_cross_entropy_rows_f64(&rule, 2, z, LOSS_MAX_CLASSES, labels, NULL, 1, d, LOSS_MAX_CLASSES, &out);
    assert_close(loss[1], log(LOSS_MAX_CLASSES), 1e-13, 0);
    softmax_rows_f64(LOSS_MAX_CLASSES, 2, z, LOSS_MAX_CLASSES, p);
    for (size_t c = 0; c < LOSS_MAX_CLASSES; c++) {
        sum += p[LOSS_MAX_CLASSES + c];
    }
    assert_close(sum, 1, 1e-12, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_gradients_and_probabilities_have_their_known_values),
        cmocka_unit_test(two_classes_are_logistic_regression),
        cmocka_unit_test(smoothing_spreads_over_all_classes_the_true_one_too),
        cmocka_unit_test(class_weights_give_both_known_means),
        cmocka_unit_test(gradients_are_the_central_differences_and_wrong_ones_are_rejected),
        cmocka_unit_test(a_common_shift_of_the_logits_changes_nothing),
        cmocka_unit_test(rows_do_not_depend_on_their_neighbours_and_padding_becomes_0),
        cmocka_unit_test(float32_logits_are_computed_in_double),
        cmocka_unit_test(a_row_without_a_softmax_has_a_loss_of_nan),
        cmocka_unit_test(the_lowest_of_equal_logits_is_predicted),
        cmocka_unit_test(the_most_classes_there_may_be_fit),
    };
    return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
