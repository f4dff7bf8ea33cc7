/*
 * Is a data folder whole? Everything that the store promises about its files and rows is looked at, and what is wrong is
 * named. Nothing in the folder is changed; a folder of an older program is checked as what it is.
 */
#ifndef DESCENT_SERVER_STORE_CHECK_H
#define DESCENT_SERVER_STORE_CHECK_H

#include "core/base/status.h"

/* A note tells what the next start puts right by itself. */
enum check_level { CHECK_NOTE, CHECK_PROBLEM };
/* One finding, one line. */
typedef void check_tell(void *context, enum check_level level, const char *text);

struct check_summary {
    uint64_t problems, notes;
    uint64_t objects, datasets, jobs, events, models, checkpoints; /* that were looked at */
};

/*
 * Checks the folder while no server has it open. STATUS_DATA_DIR_LOCKED: one has. STATUS_DATA_DIR_INVALID: it is none.
 * STATUS_SCHEMA_TOO_NEW. Whatever else is wrong is a finding: STATUS_OK with summary->problems.
 */
MUST_CHECK enum status store_check(const char *path, check_tell *tell, void *context, struct check_summary *summary,
                                   struct error *error);

#endif
