/* A copy of a data folder, whether a server has it open or not. */
#ifndef DESCENT_SERVER_STORE_BACKUP_H
#define DESCENT_SERVER_STORE_BACKUP_H

#include <stdint.h>

#include "core/base/status.h"

struct backup_summary {
    uint64_t linked, copied; /* object files: another name for the same one, or a file of its own */
    uint64_t object_bytes, database_bytes;
    int was_running; /* a server had the folder open */
};

/*
 * Copies the folder `from`, as of one moment, to the folder `to`, which is made, or is there and empty. Everything is
 * durable when it returns; before that, and after a failure, `to` has no database, and what was made there is removed.
 *
 * STATUS_DATA_DIR_INVALID: one of the folders cannot be used. STATUS_INSUFFICIENT_STORAGE, STATUS_STORAGE_ERROR.
 */
MUST_CHECK enum status store_backup(const char *from, const char *to, struct backup_summary *summary, struct error *error);

#endif
