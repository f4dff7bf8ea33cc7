/* Objects: their bytes are there and are those that their name says; whoever names one can read it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/sha256.h"
#include "core/data/dataset.h"
#include "core/nn/model_file.h"
#include "core/train/checkpoint.h"
#include "server/store/check_private.h"

#define ALIGNMENT   64
#define CHUNK_BYTES 65536

/* ---- what is in them ---- */

static enum status read_dataset(const void *bytes, size_t size, struct error *error)
{
    struct dataset dataset;
    enum status status = dataset_open(&dataset, bytes, size, error);
    if (status == STATUS_OK) {
        dataset_release(&dataset);
    }
    return status;
}

static enum status read_model(const void *bytes, size_t size, struct error *error)
{
    struct model model;
    enum status status = model_file_read(&model, bytes, size, error);
    if (status == STATUS_OK) {
        model_release(&model);
    }
    return status;
}

static enum status read_checkpoint(const void *bytes, size_t size, struct error *error)
{
    struct checkpoint checkpoint;
    return checkpoint_read(&checkpoint, bytes, size, error);
}

/* Who names an object, and how to read it then. */
static const struct {
    int64_t since;
    const char *what, *sql;
    enum status (*read)(const void *bytes, size_t size, struct error *error);
} users[] = {
    {1, "data set", "SELECT id FROM datasets WHERE sha256 = ? LIMIT 1", read_dataset},
    {1, "model", "SELECT id FROM models WHERE object = ? LIMIT 1", read_model},
    {2, "a checkpoint of", "SELECT id FROM checkpoints JOIN jobs ON number = job WHERE object = ? LIMIT 1", read_checkpoint},
};

/* *name: the first that names the object, "": none. */
static enum status find_user(struct check *check, const char *sql, const char *sha256, char name[ID_TEXT],
                             struct error *error)
{
    struct statement query;
    int row;
    name[0] = '\0';
    statement_begin(&query, &check->database.connection, sql);
    statement_bind_text(&query, sha256);
    enum status status = statement_step(&query, &row, error);
    if (row) {
        status = statement_text(&query, 0, name, ID_TEXT, error);
    }
    statement_end(&query);
    return status;
}

/* Bytes that are those of their name, 64-byte aligned, read by all kinds of things that name them. */
static enum status check_content(struct check *check, const char *sha256, const void *bytes, size_t size,
                                 struct error *error)
{
    for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
        char name[ID_TEXT];
        struct error wrong = {.status = STATUS_OK};
        if (users[i].since > check->version) {
            continue;
        }
        enum status status = find_user(check, users[i].sql, sha256, name, error);
        if (status == STATUS_OK && name[0] != '\0') {
            status = users[i].read(bytes, size, &wrong);
            if (status == STATUS_OUT_OF_MEMORY) {
                return error_set(error, status, "%s", wrong.message);
            }
            if (status != STATUS_OK) {
                check_say(check, CHECK_PROBLEM, "object %s: as the content of %s %s: %.200s", sha256, users[i].what, name,
                          wrong.message);
            }
        } else if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

/* ---- where they are ---- */

static enum status check_inline(struct check *check, const char *sha256, const struct statement *query, struct error *error)
{
    size_t size = (size_t)sqlite3_column_bytes(query->statement, 2);
    char actual[SHA256_HEX];
    if ((int64_t)size != statement_i64(query, 1)) {
        check_say(check, CHECK_PROBLEM, "object %s: has %zu bytes instead of %lld", sha256, size,
                  (long long)statement_i64(query, 1));
        return STATUS_OK;
    }
    void *bytes = aligned_alloc(ALIGNMENT, (size / ALIGNMENT + 1) * ALIGNMENT);
    if (bytes == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for an object of %zu bytes", size);
    }
    if (size > 0) {
        memcpy(bytes, sqlite3_column_blob(query->statement, 2), size);
    }
    enum status status = STATUS_OK;
    sha256_text(bytes, size, actual);
    if (strcmp(actual, sha256) != 0) {
        check_say(check, CHECK_PROBLEM, "object %s: has the content of %s", sha256, actual);
    } else {
        status = check_content(check, sha256, bytes, size, error);
    }
    free(bytes);
    return status;
}

/* By reading, so that a bad place on the disk is an error and no signal. 0: errno tells why it could not be read. */
static int hash_file(int fd, char text[SHA256_HEX])
{
    unsigned char chunk[CHUNK_BYTES], digest[SHA256_BYTES];
    struct sha256 hash;
    ssize_t got;
    sha256_init(&hash);
    do {
        got = read(fd, chunk, sizeof(chunk));
        if (got > 0) {
            sha256_update(&hash, chunk, (size_t)got);
        }
    } while (got > 0 || (got < 0 && errno == EINTR));
    sha256_final(&hash, digest);
    sha256_hex(digest, text);
    return got == 0;
}

static enum status check_open_file(struct check *check, const char *sha256, int fd, int64_t size, struct error *error)
{
    struct stat file;
    char actual[SHA256_HEX], text[96];
    if (fstat(fd, &file) != 0 || !hash_file(fd, actual)) {
        check_say(check, CHECK_PROBLEM, "objects/%s: %s", sha256, strerror_r(errno, text, sizeof(text)));
        return STATUS_OK;
    }
    if (file.st_size != size) {
        check_say(check, CHECK_PROBLEM, "objects/%s: has %lld bytes instead of %lld", sha256, (long long)file.st_size,
                  (long long)size);
        return STATUS_OK;
    }
    if (strcmp(actual, sha256) != 0) {
        check_say(check, CHECK_PROBLEM, "objects/%s: has the content of %s", sha256, actual);
        return STATUS_OK;
    }
    void *bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "objects/%s cannot be mapped", sha256);
    }
    enum status status = check_content(check, sha256, bytes, (size_t)size, error);
    munmap(bytes, (size_t)size);
    return status;
}

static enum status check_file(struct check *check, const char *sha256, int64_t size, struct error *error)
{
    char text[96];
    int fd = openat(check->dir.objects_fd, sha256, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        check_say(check, CHECK_PROBLEM, "objects/%s: %s", sha256,
                  errno == ENOENT ? "is missing" : strerror_r(errno, text, sizeof(text)));
        return STATUS_OK;
    }
    enum status status = check_open_file(check, sha256, fd, size, error);
    close(fd);
    return status;
}

/* A file that no row names: of an operation that did not come to its end, or of a job, data set or model that went. */
static enum status say_stray(void *context, const char *sha256, struct error *error)
{
    struct check *check = context;
    struct statement query;
    int found;
    statement_begin(&query, &check->database.connection, "SELECT 1 FROM objects WHERE sha256 = ?");
    statement_bind_text(&query, sha256);
    enum status status = statement_step(&query, &found, error);
    statement_end(&query);
    if (status == STATUS_OK && !found) {
        check_say(check, CHECK_NOTE, "objects/%s: belongs to nothing, the next start removes it", sha256);
    }
    return status;
}

enum status check_objects(struct check *check, struct error *error)
{
    struct statement query;
    int row;
    statement_begin(&query, &check->database.connection, "SELECT sha256, size, bytes FROM objects ORDER BY sha256");
    enum status status = statement_step(&query, &row, error);
    while (status == STATUS_OK && row) {
        char sha256[SHA256_TEXT];
        status = statement_text(&query, 0, sha256, sizeof(sha256), error);
        if (status == STATUS_OK) {
            check->summary->objects++;
            status = sqlite3_column_type(query.statement, 2) == SQLITE_NULL
                         ? check_file(check, sha256, statement_i64(&query, 1), error)
                         : check_inline(check, sha256, &query, error);
        }
        if (status == STATUS_OK) {
            status = statement_step(&query, &row, error);
        }
    }
    statement_end(&query);
    return status == STATUS_OK ? data_dir_each_object(&check->dir, say_stray, check, error) : status;
}
