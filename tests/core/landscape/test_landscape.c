#include "core/landscape/landscape.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/landscape/landscape_facts.h"
#include "tests/assert_close.h"

static void there_are_forty_and_each_is_found_by_its_name(void **state)
{
    (void)state;
    assert_int_equal(landscape_count(), 40);
    for (size_t i = 0; i < landscape_count(); i++) {
        const struct landscape *landscape = landscape_at(i);

        assert_ptr_equal(landscape_find(landscape->name, strlen(landscape->name)), landscape);
        assert_true(strlen(landscape->title) > 0 && strlen(landscape->note) > 10);
    }
    assert_null(landscape_find("rosenbroc", 9));
    assert_null(landscape_find("rosenbrockx", 11));
    assert_null(landscape_find("", 0));
}

static void starts_lie_in_their_boxes_with_a_slope_to_go_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < landscape_count(); i++) {
        const struct landscape *landscape = landscape_at(i);
        const struct formula *formula;
        struct jet jet;

        for (int k = 0; k < 2; k++) {
            assert_true(landscape->box[k][0] <= landscape->start[k] && landscape->start[k] <= landscape->box[k][1]);
        }
        assert_int_equal(landscape_formula(landscape, &formula, NULL), STATUS_OK);
        formula_jet(formula, landscape->start[0], landscape->start[1], &jet);
        assert_true(isfinite(jet.hxx) && jet_gradient_norm(&jet) > 0);
    }
}

/* A convex function's Hessian has no negative eigenvalue anywhere; one that is said not to be has some. */
static void convexity_is_told_rightly(void **state)
{
    (void)state;
    for (size_t i = 0; i < landscape_count(); i++) {
        const struct landscape *landscape = landscape_at(i);
        const struct formula *formula;
        double lowest = 0;

        assert_int_equal(landscape_formula(landscape, &formula, NULL), STATUS_OK);
        for (int k = 0; k < 61 * 61; k++) {
            double x = landscape->box[0][0] + (landscape->box[0][1] - landscape->box[0][0]) * (k % 61 + 0.5) / 61;
            double y =
                landscape->box[1][0] + (landscape->box[1][1] - landscape->box[1][0]) * ((k - k % 61) / 61.0 + 0.5) / 61;
            double eigenvalues[2];
            struct jet jet;

            formula_jet(formula, x, y, &jet);
            critical_classify(&jet, eigenvalues);
            lowest = fmin(lowest, eigenvalues[0] / fmax(fabs(eigenvalues[0]), fabs(eigenvalues[1])));
        }
        if (landscape->convex != (lowest > -1e-9)) {
            print_error("%s: convex is %d, and an eigenvalue's share is %g\n", landscape->name, landscape->convex, lowest);
            fail();
        }
    }
}

struct asking {
    const struct landscape *landscape;
    const struct critical_points *points;
    enum status status;
};

static void *ask(void *context)
{
    struct asking *asking = context;

    asking->status = landscape_critical_points(asking->landscape, &asking->points, NULL);
    return NULL;
}

static void facts_are_worked_out_once_whoever_asks(void **state)
{
    struct asking askings[4];
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        askings[i] = (struct asking){.landscape = landscape_find("himmelblau", 10)};
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &askings[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(askings[i].status, STATUS_OK);
        assert_ptr_equal(askings[i].points, askings[0].points);
        assert_int_equal(askings[i].points->count, 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_forty_and_each_is_found_by_its_name),
        cmocka_unit_test(starts_lie_in_their_boxes_with_a_slope_to_go_down),
        cmocka_unit_test(convexity_is_told_rightly),
        cmocka_unit_test(facts_are_worked_out_once_whoever_asks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
