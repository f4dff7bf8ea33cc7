/*
 * The largest eigenvalue of a symmetric matrix that is known by its products with vectors only.
 *
 * Lanczos' iteration: the power iteration that keeps what it has seen. From the same products it gives the best estimate of
 * all vectors in their span (the largest eigenvalue of a tridiagonal matrix), so that it finds the largest eigenvalue also
 * where another one is larger in magnitude but negative, which the plain power iteration would return. Without
 * reorthogonalisation, which an extreme eigenvalue does not need. Source: Golub, Van Loan 2013, 10.1.
 */
#ifndef DESCENT_CORE_TRAIN_LARGEST_EIGENVALUE_H
#define DESCENT_CORE_TRAIN_LARGEST_EIGENVALUE_H

#include <stddef.h>

#define LARGEST_EIGENVALUE_PRODUCTS 50 /* at most */

/* product [n] = A v [n] */
typedef void matrix_product(void *context, const double *v, double *product);

/*
 * start [n], not 0: destroyed. work [2 n]. Stops where the estimate's error is at most `tolerance` of it, by the residual
 * r = |A x - theta x|: at most r, and about r^2 / gap, gap being the distance from the second largest eigenvalue as it is
 * known so far; but not before the eighth product, as of eigenvalues close together a bound knows only once the products
 * have told them apart (or where the vectors so far span an invariant space: then it is exact). NaN where a product was not
 * finite. *products (or NULL): how many were made.
 */
double largest_eigenvalue(size_t n, matrix_product *multiply, void *context, double tolerance, double *start, double *work,
                          unsigned *products);

#endif
