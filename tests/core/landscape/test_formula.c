#include "core/landscape/formula.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/landscape/landscape.h"
#include "tests/assert_close.h"

#define GOLDEN "tests/golden/landscapes.txt"

static struct formula *compile(const char *text)
{
    struct formula *formula;
    struct error error = {0};

    if (formula_compile(&formula, text, strlen(text), &error) != STATUS_OK) {
        print_error("%s: %s\n", text, error.message);
        fail();
    }
    return formula;
}

static double value_of(const char *text, double x, double y)
{
    struct formula *formula = compile(text);
    double value = formula_value(formula, x, y);

    formula_free(formula);
    return value;
}

static struct jet jet_of(const char *text, double x, double y)
{
    struct formula *formula = compile(text);
    struct jet jet;

    formula_jet(formula, x, y, &jet);
    formula_free(formula);
    return jet;
}

static void assert_jet(const char *text, double x, double y, const double want[6], double relative)
{
    struct jet jet = jet_of(text, x, y);
    const double got[6] = {jet.f, jet.gx, jet.gy, jet.hxx, jet.hxy, jet.hyy};

    for (int i = 0; i < 6; i++) {
        if (!(fabs(got[i] - want[i]) <= relative * fabs(want[i])) && !(isnan(got[i]) && isnan(want[i]))) {
            print_error("%s at %g, %g: component %d is %.17g, %.17g is wanted\n", text, x, y, i, got[i], want[i]);
            fail();
        }
    }
}

/* The message, and the offset, of a text that must be refused. */
static struct error refused(const char *text, size_t length)
{
    struct formula *formula;
    struct error error = {0};

    assert_int_equal(formula_compile(&formula, text, length, &error), STATUS_FORMULA_INVALID);
    assert_null(formula);
    assert_true(error.has_offset);
    return error;
}

static void every_landscape_has_its_golden_values_gradients_and_hessians(void **state)
{
    FILE *file = fopen(GOLDEN, "r");
    char line[512], name[64];
    int rows = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        double x, y, want[6], largest = 0;

        if (sscanf(line, "%63s %lf %lf %lf %lf %lf %lf %lf %lf", name, &x, &y, &want[0], &want[1], &want[2], &want[3],
                   &want[4], &want[5]) != 9) {
            assert_int_equal(line[0], '#');
            continue;
        }
        const struct landscape *landscape = landscape_find(name, strlen(name));
        assert_non_null(landscape);
        struct jet jet = jet_of(landscape->formula, x, y);
        const double got[6] = {jet.f, jet.gx, jet.gy, jet.hxx, jet.hxy, jet.hyy};
        for (int i = 0; i < 6; i++) {
            largest = fmax(largest, fabs(want[i]));
        }
        assert_all_close(got, want, 6, 0, 1e-13 * largest);
        assert_close(value_of(landscape->formula, x, y), jet.f, 0, 0);
        rows++;
    }
    fclose(file);
    assert_int_equal(rows, 5 * (int)landscape_count());
}

static void operators_bind_as_in_mathematics(void **state)
{
    static const struct {
        const char *text;
        double value; /* at x = 3, y = 2 */
    } rows[] = {
        {"x - y - 1", 0},
        {"x / y / 3", 0.5},
        {"x - y*2", -1},
        {"-x^2", -9},
        {"(-x)^2", 9},
        {"2^x^y", 512},
        {"2^-y", 0.25},
        {"2**-y", 0.25},
        {"--x", 3},
        {"x - -y", 5},
        {"-x*y", -6},
        {"x*-y", -6},
        {"x**y*2", 18},
        {"2*x^y", 18},
        {" ( x ) * ( y ) ", 6},
        {"x\t+\n\ry", 5},
        {".5*x", 1.5},
        {"2.*x", 6},
        {"1e2 + x", 103},
        {"1.5E+1*y", 30},
        {"25e-1", 2.5},
        {"abs(-x) + sqrt(x*x)", 6},
        {"exp(0)*tanh(0)", 0},
        {"x^0 + y^1", 3},
        {"x*x*x - x^3", 0},
        {"-2^2", -4},
        {"4^0.5", 2},
        {"-(x - y)", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double value = value_of(rows[i].text, 3, 2);

        if (!(fabs(value - rows[i].value) <= 4e-15 * fabs(rows[i].value))) {
            print_error("%s is %.17g, %.17g is wanted\n", rows[i].text, value, rows[i].value);
            fail();
        }
    }
    assert_close(value_of("pi", 0, 0), 3.14159265358979323846, 0, 0);
    assert_close(value_of("e", 0, 0), 2.71828182845904523536, 0, 0);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    static const struct {
        const char *text;
        int offset;
        const char *words;
    } rows[] = {
        {"", 0, "the end"},
        {"   ", 3, "the end"},
        {"x +", 3, "expected is a number, a name"},
        {"x + * y", 4, "\"*\""},
        {"2x", 1, "an operator or the end"},
        {"x y", 2, "\"y\""},
        {"(x", 2, "\")\""},
        {"x)", 1, "\")\""},
        {"()", 1, "\")\""},
        {"sin x", 4, "after a function's name"},
        {"sin", 3, "after a function's name"},
        {"x + foo(y)", 4, "\"foo\" is not a known name: x, y, pi, e, exp, log, sin, cos, sqrt, abs, tanh"},
        {"X", 0, "\"X\" is not a known name"},
        {"sinh(x)", 0, "\"sinh\" is not a known name"},
        {"x^", 2, "the end"},
        {"x***y", 3, "\"*\""},
        {"1..2", 2, "\".\""},
        {".", 0, "expected is a number"},
        {"x + 1e999", 4, "too large"},
        {"0x10", 1, "\"x10\""},
        {"+x", 0, "\"+\""},
        {"x, y", 1, "\",\""},
        {"x\xc3\xa9", 1, "the byte 0xC3"},
        {"x = 1", 2, "\"=\""},
        {"1000000000000000000000000000000000000000000000000", 0, "49 characters"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error = refused(rows[i].text, strlen(rows[i].text));

        if (error.offset != rows[i].offset || strstr(error.message, rows[i].words) == NULL) {
            print_error("%s: byte %d, \"%s\"\n", rows[i].text, (int)error.offset, error.message);
            fail();
        }
    }
    assert_int_equal(refused("x\0+ y", 5).offset, 1); /* a NUL is a byte like any other */
}

static void length_depth_and_size_have_limits(void **state)
{
    char text[FORMULA_MAX_LENGTH + 2];
    struct formula *formula;
    size_t used = 0;

    (void)state;
    memset(text, ' ', sizeof text);
    text[0] = 'x';
    assert_int_equal(formula_compile(&formula, text, FORMULA_MAX_LENGTH, NULL), STATUS_OK);
    formula_free(formula);
    assert_int_equal(refused(text, FORMULA_MAX_LENGTH + 1).offset, FORMULA_MAX_LENGTH);

    memset(text, '(', FORMULA_MAX_DEPTH);
    text[FORMULA_MAX_DEPTH - 1] = 'x';
    memset(text + FORMULA_MAX_DEPTH, ')', FORMULA_MAX_DEPTH - 1);
    assert_int_equal(formula_compile(&formula, text, 2 * FORMULA_MAX_DEPTH - 1, NULL), STATUS_OK);
    formula_free(formula);
    memset(text, '-', FORMULA_MAX_LENGTH);
    assert_int_equal(refused(text, FORMULA_MAX_LENGTH).offset, FORMULA_MAX_DEPTH);
    for (int i = 0; i < FORMULA_MAX_LENGTH; i += 2) {
        memcpy(text + i, "x^", 2);
    }
    assert_non_null(strstr(refused(text, FORMULA_MAX_LENGTH).message, "nested"));

    while (used + 8 < FORMULA_MAX_LENGTH) { /* each is a number and an operation of its own */
        used += (size_t)snprintf(text + used, sizeof text - used, "%d-x+", (int)used);
    }
    text[used++] = 'x';
    assert_int_equal(formula_compile(&formula, text, used, NULL), STATUS_FORMULA_INVALID);
    assert_non_null(strstr(refused(text, used).message, "different operations"));
}

/* Every function u of v = x y + x, whose derivatives are v_x = y + 1, v_y = x, v_xy = 1: the chain rule in full. */
static void functions_have_their_first_and_second_derivatives(void **state)
{
    const double x = 0.7, y = 0.9, v = x * y + x, c = cos(v), s = sin(v), t = tanh(v), q = 1 - t * t;
    const struct {
        const char *text;
        double u, first, second;
    } rows[] = {
        {"exp(x*y+x)", exp(v), exp(v), exp(v)},
        {"log(x*y+x)", log(v), 1 / v, -1 / (v * v)},
        {"sin(x*y+x)", s, c, -s},
        {"cos(x*y+x)", c, -s, -c},
        {"sqrt(x*y+x)", sqrt(v), 0.5 / sqrt(v), -0.25 / (v * sqrt(v))},
        {"abs(x*y+x)", v, 1, 0},
        {"abs(-(x*y+x))", v, 1, 0},
        {"tanh(x*y+x)", t, q, -2 * t * q},
        {"(x*y+x)^3", v * v * v, 3 * v * v, 6 * v},
        {"(x*y+x)^-2", 1 / (v * v), -2 / (v * v * v), 6 / (v * v * v * v)},
        {"(x*y+x)^1.5", v * sqrt(v), 1.5 * sqrt(v), 0.75 / sqrt(v)},
        {"2^(x*y+x)", exp2(v), log(2) * exp2(v), log(2) * log(2) * exp2(v)},
        {"1/(x*y+x)", 1 / v, -1 / (v * v), 2 / (v * v * v)},
        {"-(x*y+x)", -v, -1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const double first = rows[i].first, second = rows[i].second,
                     want[6] = {
                         rows[i].u,
                         first * (y + 1),
                         first * x,
                         second * (y + 1) * (y + 1),
                         second * (y + 1) * x + first,
                         second * x * x,
                     };

        assert_jet(rows[i].text, x, y, want, 4e-15);
    }
}

static void products_and_quotients_keep_their_cross_terms(void **state)
{
    /* (x^2 y)(x + y^3) at (2, 3) and the same divided by x - 2 y = -4 */
    const double product[6] = {12 * 29,         12 * 29 + 12,         4 * 29 + 12 * 27,
                               6 * 29 + 2 * 12, 4 * 29 + 12 * 27 + 4, 2 * 4 * 27 + 12 * 18};

    (void)state;
    assert_jet("(x^2*y)*(x + y^3)", 2, 3, product, 1e-15);
    /* x / y: 1/y, -x/y^2; 0, -1/y^2, 2x/y^3 */
    assert_jet("x/y", 3, -2, (const double[]){-1.5, -0.5, -0.75, 0, -0.25, -0.75}, 0);
    /* x y / (x + y) at (1, 3): y^2/s^2, x^2/s^2; -2y^2/s^3, 2xy/s^3, -2x^2/s^3 with s = 4 */
    assert_jet("x*y/(x+y)", 1, 3, (const double[]){0.75, 9.0 / 16, 1.0 / 16, -18.0 / 64, 6.0 / 64, -2.0 / 64}, 1e-15);
}

static void whole_powers_are_exact_at_zero_and_of_negative_numbers(void **state)
{
    (void)state;
    assert_jet("x^4 + y^4", 0, 0, (const double[]){0, 0, 0, 0, 0, 0}, 0);
    assert_jet("x^2 + y^3", 0, 0, (const double[]){0, 0, 0, 2, 0, 0}, 0);
    assert_jet("x^1", 0, 0, (const double[]){0, 1, 0, 0, 0, 0}, 0);
    assert_jet("x^0", 0, 0, (const double[]){1, 0, 0, 0, 0, 0}, 0);
    assert_jet("x^5", -2, 0, (const double[]){-32, 80, 0, -160, 0, 0}, 0);
    assert_jet("x^-3", -2, 0, (const double[]){-0.125, -0.1875, 0, -0.375, 0, 0}, 0);
    assert_jet("x^2.0", -3, 0, (const double[]){9, -6, 0, 2, 0, 0}, 0);
    assert_jet("x^2.5", 0, 0, (const double[]){0, 0, 0, 0, 0, 0}, 0);
}

static void outside_of_a_domain_nothing_is_a_number(void **state)
{
    static const char *const texts[] = {"log(x)", "sqrt(x)", "x^0.5", "x^y", "2*log(x) + y"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct jet jet = jet_of(texts[i], -1, 2);

        assert_true(isnan(jet.f) && isnan(jet.gx) && isnan(jet.hxx));
    }
    assert_close(value_of("log(x)", 0, 0), -HUGE_VAL, 0, 0);
    assert_close(value_of("1/x", 0, 0), HUGE_VAL, 0, 0);
    assert_close(value_of("0/0", 0, 0), NAN, 0, 0);
    assert_close(value_of("log(x)^0", -1, 0), NAN, 0, 0);
    assert_close(value_of("1/-x", 0, 0), -HUGE_VAL, 0, 0); /* a zero keeps its sign, in jets too */
    assert_close(jet_of("1/-x", 0, 0).f, -HUGE_VAL, 0, 0);
}

static void where_there_is_no_derivative_it_is_not_finite_but_for_abs(void **state)
{
    struct jet root = jet_of("sqrt(x^2 + y^2)", 0, 0);

    (void)state;
    assert_close(root.f, 0, 0, 0);
    assert_false(isfinite(root.gx) || isfinite(root.gy) || isfinite(root.hxx));
    assert_close(jet_of("sqrt(x)", 0, 0).gx, HUGE_VAL, 0, 0);
    assert_jet("abs(x)", 0, 0, (const double[]){0, 0, 0, 0, 0, 0}, 0);
}

static void the_slope_of_tanh_keeps_its_digits_where_tanh_is_one(void **state)
{
    struct jet jet = jet_of("tanh(x)", 25, 0);

    (void)state;
    assert_close(jet.f, 1, 0, 0);
    assert_close(jet.gx, 4 * exp(-50.0), 1e-14, 0);
    assert_close(jet.hxx, -8 * exp(-50.0), 1e-14, 0);
    assert_close(jet_of("tanh(x)", -25, 0).hxx, 8 * exp(-50.0), 1e-14, 0);
}

static void lengths_do_not_overflow(void **state)
{
    (void)state;
    assert_close(jet_gradient_norm(&(struct jet){.gx = -3, .gy = 4}), 5, 0, 0);
    assert_close(jet_gradient_norm(&(struct jet){.gx = 3e300, .gy = -4e300}), 5e300, 1e-15, 0);
    assert_close(jet_gradient_norm(&(struct jet){.gx = 3e-200, .gy = 4e-200}), 5e-200, 1e-15, 0);
    assert_close(jet_gradient_norm(&(struct jet){.gx = 0}), 0, 0, 0);
    assert_close(vector_length(1e300, NAN), NAN, 0, 0);
    assert_close(jet_gradient_norm(&(struct jet){.gx = NAN, .gy = 1}), NAN, 0, 0);
    assert_close(jet_gradient_norm(&(struct jet){.gx = 1, .gy = NAN}), NAN, 0, 0);
    assert_close(jet_gradient_norm(&(struct jet){.gx = 1, .gy = -HUGE_VAL}), HUGE_VAL, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_landscape_has_its_golden_values_gradients_and_hessians),
        cmocka_unit_test(operators_bind_as_in_mathematics),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(length_depth_and_size_have_limits),
        cmocka_unit_test(functions_have_their_first_and_second_derivatives),
        cmocka_unit_test(products_and_quotients_keep_their_cross_terms),
        cmocka_unit_test(whole_powers_are_exact_at_zero_and_of_negative_numbers),
        cmocka_unit_test(outside_of_a_domain_nothing_is_a_number),
        cmocka_unit_test(where_there_is_no_derivative_it_is_not_finite_but_for_abs),
        cmocka_unit_test(the_slope_of_tanh_keeps_its_digits_where_tanh_is_one),
        cmocka_unit_test(lengths_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
