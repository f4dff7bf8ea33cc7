/*
 * How every fallible function of descentd reports: an `enum status`, and a caller-owned `struct error` that says where.
 *
 * An error is set once, where it happens, and never overwritten on the way up (error_set keeps the first).
 * User mistakes become errors; broken invariants of our own are asserts.
 */
#ifndef DESCENT_CORE_BASE_STATUS_H
#define DESCENT_CORE_BASE_STATUS_H

#include <stdint.h>

/* What sort of failure a status is. */
enum status_kind {
    KIND_NONE,
    KIND_MALFORMED,
    KIND_UNAUTHENTICATED,
    KIND_FORBIDDEN,
    KIND_NOT_FOUND,
    KIND_METHOD,
    KIND_NOT_ACCEPTABLE,
    KIND_CONFLICT,
    KIND_GONE,
    KIND_PRECONDITION,
    KIND_TOO_LARGE,
    KIND_MEDIA_TYPE,
    KIND_RANGE,
    KIND_EXPECTATION,
    KIND_MISDIRECTED,
    KIND_INVALID,
    KIND_RATE,
    KIND_HEADERS,
    KIND_INTERNAL,
    KIND_UNSUPPORTED,
    KIND_UNAVAILABLE,
    KIND_TIMEOUT,
    KIND_STORAGE_FULL,
};

enum status {
    STATUS_OK,
#define STATUS(name, kind, title) STATUS_##name,
#include "core/base/status.def"
#undef STATUS
    STATUS_COUNT
};

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/*
 * What went wrong and where. Zero-initialised means "nothing". Places that do not apply are empty or 0:
 *   pointer  RFC 6901 pointer into a JSON document ("/training/epochs")
 *   line, column  1-based place in a text file; column is a field's number in CSV
 *   offset   byte offset into the input, 0-based; meaningful only if has_offset
 */
struct error {
    enum status status;
    char message[256];
    char pointer[192];
    int64_t line;
    int64_t column;
    int64_t offset;
    int has_offset;
};

/* snake_case code of the contract, e.g. "csv_ragged_row"; "ok" for STATUS_OK. Never NULL. */
const char *status_code(enum status status);
const char *status_title(enum status status);
enum status_kind status_kind(enum status status);

/*
 * Fills *error unless it already holds one, and returns `status`, so that failing reads
 *     return error_set(error, STATUS_OUT_OF_RANGE, "epochs is %d, 1 to %d are allowed", n, max);
 * error may be NULL.
 */
enum status error_set(struct error *error, enum status status, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same at a place: JSON pointer; line and column of a text; byte offset. */
enum status error_set_pointer(struct error *error, enum status status, const char *pointer, const char *format, ...)
    PRINTF_LIKE(4, 5);
enum status error_set_line(struct error *error, enum status status, int64_t line, int64_t column, const char *format, ...)
    PRINTF_LIKE(5, 6);
enum status error_set_offset(struct error *error, enum status status, int64_t offset, const char *format, ...)
    PRINTF_LIKE(4, 5);

#endif
