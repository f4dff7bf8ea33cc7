/*
 * A file without a name, for answers that are made once and sent at the pace of whoever reads them: their bytes then
 * wait on the disk rather than in memory, and are gone with the descriptor, also after a crash.
 */
#ifndef DESCENT_SERVER_UNLINKED_FILE_H
#define DESCENT_SERVER_UNLINKED_FILE_H

#include <stdio.h>

#include "core/base/sha256.h"
#include "core/data/sink.h"

struct unlinked_file {
    FILE *stream;
    uint64_t size;
    struct sha256 hash; /* of all bytes so far */
};

/* Makes one in DATA/tmp; `data` is the data folder. STATUS_INSUFFICIENT_STORAGE, STATUS_STORAGE_ERROR, _OUT_OF_MEMORY. */
MUST_CHECK enum status unlinked_file_open(struct unlinked_file *file, const char *data, struct error *error);
/* Writes to its end; borrows `file`. STATUS_INSUFFICIENT_STORAGE, STATUS_STORAGE_ERROR. */
struct sink unlinked_file_sink(struct unlinked_file *file);
/* Ends writing: gives the descriptor, for reading, and the SHA-256 of the content. The file is closed in any case. */
MUST_CHECK enum status unlinked_file_finish(struct unlinked_file *file, int *fd, unsigned char digest[SHA256_BYTES],
                                            struct error *error);
/* Instead of finishing. A zeroed file: nothing. */
void unlinked_file_close(struct unlinked_file *file);

#endif
