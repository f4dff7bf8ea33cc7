/* The parts of a check. Private to server/store/. */
#ifndef DESCENT_SERVER_STORE_CHECK_PRIVATE_H
#define DESCENT_SERVER_STORE_CHECK_PRIVATE_H

#include "server/store/check.h"
#include "server/store/data_dir.h"
#include "server/store/found_database.h"

struct check {
    struct data_dir dir;
    struct found_database database;
    int64_t version; /* of the schema */
    check_tell *tell;
    void *context;
    struct check_summary *summary;
};

void check_say(struct check *check, enum check_level level, const char *format, ...) PRINTF_LIKE(3, 4);

/* Each of these tells what it finds. A failure is one of the database or of memory that keeps it from going on. */
MUST_CHECK enum status check_rows(struct check *check, struct error *error);
MUST_CHECK enum status check_objects(struct check *check, struct error *error);

#endif
