#include "core/train/evaluator.h"

#include "core/nn/loss.h"
#include "tests/assert_close.h"
#include "tests/core/train/training.h"

/* A trained network and 1,300 rows: two whole chunks of the evaluator and a part of one. */
struct bench {
    struct fixture fixture;
    struct result *trained;
    struct pool *pool;
    struct evaluator *evaluator;
    struct evaluation job;
};

static void bench_open(struct bench *bench, uint32_t threads)
{
    struct train_spec spec;

    fixture_init(&bench->fixture, GENERATOR_SPIRALS, 1300, 3, 0.3, 0);
    spec = spec_of(&bench->fixture, 24, 0);
    bench->trained = run_until(&bench->fixture, &spec, 1, 0, 0);
    assert_int_equal(bench->trained->status, STATUS_OK);
    assert_int_equal(pool_new(&bench->pool, threads, NULL), STATUS_OK);
    assert_int_equal(evaluator_new(&bench->evaluator, &spec.model, bench->pool, NULL), STATUS_OK);
    network_load_f32(evaluator_network(bench->evaluator), bench->trained->model.parameters);
    bench->job = (struct evaluation){.dataset = &bench->fixture.dataset,
                                     .scaler = &bench->trained->model.scaler,
                                     .rows = bench->fixture.split.train,
                                     .count = bench->fixture.split.train_count};
}

static void bench_close(struct bench *bench)
{
    evaluator_free(bench->evaluator);
    pool_free(bench->pool);
    result_free(bench->trained);
    fixture_release(&bench->fixture);
}

static void the_fit_is_the_same_with_logits_kept_or_not_and_for_any_team(void **state)
{
    static const uint32_t teams[] = {1, 2, 5};
    struct temperature_fit first = {.temperature = 0};

    (void)state;
    for (size_t i = 0; i < sizeof teams / sizeof *teams; i++) {
        for (uint64_t kept = 0; kept <= 1300 * 3; kept += 1300 * 3) {
            struct temperature_fit fit;
            struct bench bench;

            bench_open(&bench, teams[i]);
            evaluator_fit_temperature(bench.evaluator, &bench.job, kept, &fit);
            first = first.temperature == 0 ? fit : first;
            assert_int_equal(fit.outcome, TEMPERATURE_FITTED);
            assert_int_equal(fit.rows, 1300);
            assert_true(fit.temperature == first.temperature && fit.slope == first.slope && fit.passes == first.passes);
            assert_close(fit.slope, 0, 0, 1e-14);
            bench_close(&bench);
        }
    }
}

static void no_other_temperature_costs_less(void **state)
{
    static const double factors[] = {0.97, 0.999, 1, 1.001, 1.03};
    struct temperature_fit fit;
    struct bench bench;
    double losses[5];

    (void)state;
    bench_open(&bench, 2);
    evaluator_fit_temperature(bench.evaluator, &bench.job, EVALUATOR_KEPT_LOGITS, &fit);
    for (size_t i = 0; i < 5; i++) {
        struct scores scores;

        assert_int_equal(scores_init(&scores, 3, NULL), STATUS_OK);
        assert_int_equal(scores_reserve(&scores, bench.job.count, factors[i] * fit.temperature, NULL), STATUS_OK);
        evaluator_run(bench.evaluator, &bench.job, &scores);
        losses[i] = scores.calibrated.nll;
        assert_true(scores.calibrated.accuracy == scores.accuracy);
        scores_release(&scores);
    }
    for (size_t i = 0; i < 5; i++) {
        assert_true(i == 2 || losses[i] > losses[2]);
    }
    bench_close(&bench);
}

static void at_temperature_1_both_sets_of_measures_are_the_same(void **state)
{
    struct bench bench;
    struct scores scores;

    (void)state;
    bench_open(&bench, 2);
    assert_int_equal(scores_init(&scores, 3, NULL), STATUS_OK);
    assert_int_equal(scores_reserve(&scores, bench.job.count, 1, NULL), STATUS_OK);
    evaluator_run(bench.evaluator, &bench.job, &scores);
    const struct calibration *a = &scores.calibration, *b = &scores.calibrated;
    assert_int_equal(b->samples, 1300);
    assert_true(a->nll == b->nll && a->brier == b->brier && a->ece == b->ece && a->ace == b->ace);
    assert_true(a->classwise_ece == b->classwise_ece && a->mce == b->mce && a->rmsce == b->rmsce);
    assert_memory_equal(a->bins, b->bins, sizeof a->bins);
    scores_release(&scores);
    bench_close(&bench);
}

/* p_c(T) is in proportion to p_c(1)^(1/T). */
static void a_temperature_flattens_probabilities_and_changes_no_label(void **state)
{
    enum { ROWS = 1300 };
    static float plain[ROWS][3], flat[ROWS][3];
    static uint32_t labels[ROWS], same[ROWS];
    struct bench bench;

    (void)state;
    bench_open(&bench, 2);
    evaluator_probabilities(bench.evaluator, &bench.job, 1, plain[0], labels);
    evaluator_probabilities(bench.evaluator, &bench.job, 2, flat[0], same);
    assert_memory_equal(labels, same, sizeof labels);
    for (size_t i = 0; i < ROWS; i++) {
        double sum = 0;

        for (size_t c = 0; c < 3; c++) {
            sum += sqrt((double)plain[i][c]);
            assert_true(plain[i][c] <= plain[i][labels[i]]);
        }
        for (size_t c = 0; c < 3; c++) {
            assert_close((double)flat[i][c], sqrt((double)plain[i][c]) / sum, 1e-6, 1e-7);
        }
    }
    bench_close(&bench);
}

static void the_hardest_rows_are_those_of_the_largest_losses(void **state)
{
    struct bench bench;
    struct hardest hardest;
    static float probabilities[1300][3];
    static uint32_t labels[1300];

    (void)state;
    bench_open(&bench, 2);
    evaluator_probabilities(bench.evaluator, &bench.job, 1, probabilities[0], labels);
    assert_int_equal(hardest_init(&hardest, 1300, NULL), STATUS_OK);
    evaluator_hardest(bench.evaluator, &bench.job, &hardest);
    assert_int_equal(hardest.count, 1300);
    for (uint64_t i = 0; i < hardest.count; i++) {
        uint64_t place = hardest.rows[i].place;
        int32_t truth = bench.fixture.dataset.labels[bench.job.rows[place]];

        assert_close(exp(-hardest.rows[i].loss), (double)probabilities[place][truth], 1e-5, 1e-7);
        assert_true(i == 0 || hardest.rows[i - 1].loss >= hardest.rows[i].loss);
    }
    hardest_release(&hardest);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fit_is_the_same_with_logits_kept_or_not_and_for_any_team),
        cmocka_unit_test(no_other_temperature_costs_less),
        cmocka_unit_test(at_temperature_1_both_sets_of_measures_are_the_same),
        cmocka_unit_test(a_temperature_flattens_probabilities_and_changes_no_label),
        cmocka_unit_test(the_hardest_rows_are_those_of_the_largest_losses),
    };
    return cmocka_run_group_tests_name("evaluator", tests, NULL, NULL);
}
