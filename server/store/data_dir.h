/*
 * The folder DATA and the files in it, all but the database's own. Private to server/store/.
 *
 * The database's files are never opened here: closing any descriptor of them would drop SQLite's locks.
 */
#ifndef DESCENT_SERVER_STORE_DATA_DIR_H
#define DESCENT_SERVER_STORE_DATA_DIR_H

#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "api/views.h"
#include "core/base/status.h"

#define TEMPORARY_TEXT 64

struct data_dir {
    char path[PATH_MAX - 32]; /* absolute, no symbolic links */
    char database[PATH_MAX];  /* path of descentd.db */
    int fd, objects_fd, tmp_fd, lock_fd;
    char boot[ID_TEXT];
    atomic_uint_fast64_t temporaries; /* made so far */
};

/*
 * Makes what is missing, takes the lock, empties DATA/tmp. STATUS_DATA_DIR_INVALID, STATUS_DATA_DIR_LOCKED,
 * STATUS_INSUFFICIENT_STORAGE. From then on everything that the process creates is private to its user (umask 077).
 */
MUST_CHECK enum status data_dir_open(struct data_dir *dir, const char *path, struct error *error);
/*
 * Opens a folder as it is, to read it: nothing is made, nothing removed. exclusive: no server may have it open, nor open it
 * until data_dir_close (STATUS_DATA_DIR_LOCKED). STATUS_DATA_DIR_INVALID.
 */
MUST_CHECK enum status data_dir_look(struct data_dir *dir, const char *path, int exclusive, struct error *error);
void data_dir_close(struct data_dir *dir);

/* A new file in DATA/tmp for writing; its name goes to `name`. -1: errno tells why. */
int data_dir_new_temporary(struct data_dir *dir, char name[TEMPORARY_TEXT]);
void data_dir_remove_temporary(const struct data_dir *dir, const char *name);

/* Moves a synced temporary file to objects/<sha256>, durably; *moved although it failed: but not durably. Writer thread. */
MUST_CHECK enum status data_dir_publish(const struct data_dir *dir, const char *temporary, const char *sha256, int *moved,
                                        struct error *error);
/* Moves a file that was published back to its temporary name; 0: it is not there. */
int data_dir_withdraw(const struct data_dir *dir, const char *sha256, const char *temporary);
/* Removes objects/<sha256>. Writer thread. */
void data_dir_remove_object(const struct data_dir *dir, const char *sha256);
/* Calls `visit` with the name of each object file. */
MUST_CHECK enum status data_dir_each_object(const struct data_dir *dir,
                                            enum status (*visit)(void *context, const char *sha256, struct error *error),
                                            void *context, struct error *error);

/* Calls `visit` with each name in an open folder but "." and "..". */
MUST_CHECK enum status data_dir_each_name(int folder_fd,
                                          enum status (*visit)(void *context, const char *name, struct error *error),
                                          void *context, struct error *error);

/* All of [size] bytes. 0: errno tells why not. */
int file_write(int fd, const void *bytes, size_t size);
/* What a failed call on a file means: *error gets "what: reason". */
enum status file_failed(int system_error, const char *what, struct error *error);

#endif
