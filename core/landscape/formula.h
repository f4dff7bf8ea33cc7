/*
 * Functions of two variables that a user may write, compiled once and differentiated exactly.
 *
 *     sum      = product { ("+" | "-") product }
 *     product  = unary { ("*" | "/") unary }
 *     unary    = "-" unary | power
 *     power    = operand [ ("^" | "**") unary ]          right-associative, binds tighter than the minus before it
 *     operand  = number | "x" | "y" | "pi" | "e" | function "(" sum ")" | "(" sum ")"
 *     function = "exp" | "log" | "sin" | "cos" | "sqrt" | "abs" | "tanh"
 *
 * Blanks may stand between these. A number is a decimal without a sign, as in core/data/decimal.h; it ends before what
 * would not continue it.
 *
 * Everything is computed in float64 by mathx's functions. Outside of a function's domain (log or a power that is not
 * whole of a negative number) the value is NaN. Derivatives are forward-mode automatic differentiation of second order,
 * exact up to rounding; where there is none they are not finite, but for abs, whose derivative at 0 is 0.
 * Powers with a whole constant exponent are products: exact at 0 and of negative numbers. Other powers with a constant
 * exponent c are exp(c log a); a^b with a b that varies is exp(b log a), and at a = 0 has no derivatives.
 */
#ifndef DESCENT_CORE_LANDSCAPE_FORMULA_H
#define DESCENT_CORE_LANDSCAPE_FORMULA_H

#include <stddef.h>

#include "core/base/status.h"

#define FORMULA_MAX_LENGTH 1000 /* bytes */
#define FORMULA_MAX_DEPTH  64   /* parentheses, functions, exponents and minus signs within each other */
#define FORMULA_MAX_NODES  400  /* different operations, variables and numbers */
#define FORMULA_MAX_NUMBER 40   /* characters of a number */

/* A compiled formula in x and y; immutable, may be shared between threads. */
struct formula;

/* Value, gradient and Hessian at a point. */
struct jet {
    double f, gx, gy, hxx, hxy, hyy;
};

/*
 * Compiles text [length]. STATUS_FORMULA_INVALID says in words and as the error's offset at which byte (from 0) what was
 * found and what is expected there. Free with formula_free (NULL is fine).
 */
MUST_CHECK enum status formula_compile(struct formula **formula, const char *text, size_t length, struct error *error);
void formula_free(struct formula *formula);

/* Operations that a value is. */
size_t formula_operations(const struct formula *formula);
double formula_value(const struct formula *formula, double x, double y);
void formula_jet(const struct formula *formula, double x, double y, struct jet *jet);
/* sqrt(a^2 + b^2), without overflow or underflow on the way. */
double vector_length(double a, double b);
/* The gradient's Euclidean norm. */
double jet_gradient_norm(const struct jet *jet);

/* The names that formulas know, one after the other (variables, constants, functions); NULL beyond the last. */
const char *formula_name(size_t i);

#endif
