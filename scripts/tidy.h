/* For clang-tidy only: what its analyzer cannot see from one file, that error_set gives back the status it was given. */
#include "core/base/status.h"

#define error_set(error, status, ...)            (error_set(error, status, __VA_ARGS__), (status))
#define error_set_pointer(error, status, ...)    (error_set_pointer(error, status, __VA_ARGS__), (status))
#define error_set_offset(error, status, ...)     (error_set_offset(error, status, __VA_ARGS__), (status))
#define error_set_line(error, status, line, ...) (error_set_line(error, status, line, __VA_ARGS__), (status))
