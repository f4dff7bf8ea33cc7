/* Numeric assertions that can fail: any NaN or infinity mismatch, any value out of tolerance; says where and how much. */
#ifndef DESCENT_TESTS_ASSERT_CLOSE_H
#define DESCENT_TESTS_ASSERT_CLOSE_H

#include <stddef.h>

/* |got - want| <= relative * |want| + absolute, elementwise; infinities must be equal, NaN equals NaN only. */
#define assert_close(got, want, relative, absolute)                                                                         \
    assert_close_at((got), (want), (relative), (absolute), #got, __FILE__, __LINE__)
#define assert_all_close(got, want, n, relative, absolute)                                                                  \
    assert_all_close_at((got), (want), (n), (relative), (absolute), #got, __FILE__, __LINE__)
#define assert_all_close_f32(got, want, n, relative, absolute)                                                              \
    assert_all_close_f32_at((got), (want), (n), (relative), (absolute), #got, __FILE__, __LINE__)

void assert_close_at(double got, double want, double relative, double absolute, const char *what, const char *file,
                     int line);
void assert_all_close_at(const double *got, const double *want, size_t n, double relative, double absolute, const char *what,
                         const char *file, int line);
void assert_all_close_f32_at(const float *got, const float *want, size_t n, double relative, double absolute,
                             const char *what, const char *file, int line);

#endif
