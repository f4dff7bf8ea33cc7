/*
 * What a formula is compiled to: operations in an order in which operands stand before what needs them, each different one
 * once. Evaluation (of numbers, jets, intervals) is one walk from the first to the last, whose result is the formula's.
 */
#ifndef DESCENT_CORE_LANDSCAPE_FORMULA_PROGRAM_H
#define DESCENT_CORE_LANDSCAPE_FORMULA_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "core/landscape/formula.h"

enum formula_operation {
    FORMULA_NUMBER,
#define FORMULA_VARIABLE(NAME, name) FORMULA_##NAME,
#define FORMULA_CONSTANT(name, value)
#define FORMULA_FUNCTION(NAME, name) FORMULA_##NAME,
#include "core/landscape/formula_names.def"
#undef FORMULA_VARIABLE
#undef FORMULA_CONSTANT
#undef FORMULA_FUNCTION
    FORMULA_NEGATE,
    FORMULA_ADD,
    FORMULA_SUBTRACT,
    FORMULA_MULTIPLY,
    FORMULA_DIVIDE,
    FORMULA_POWER_WHOLE, /* a^n */
    FORMULA_POWER_REAL,  /* a^number */
};

struct formula_node {
    enum formula_operation operation;
    int16_t a, b;  /* operands: their places in the program; -1: none */
    int32_t n;     /* FORMULA_POWER_WHOLE: the exponent */
    double number; /* FORMULA_NUMBER; FORMULA_POWER_REAL: the exponent */
};

struct formula {
    size_t count;
    struct formula_node nodes[];
};

/* The value of one node from those of all before it. */
double formula_node_value(const struct formula_node *node, const double *values, double x, double y);

/* a^n by repeated squaring; 0^0 is 1. */
double formula_power_whole(double a, int32_t n);

#endif
