/*
 * The Nth call on a file fails, or the Nth step of a statement, or the Nth allocation. The functions below stand in for the
 * C library's, for SQLite's calls, too. One program includes this once.
 */
#ifndef DESCENT_TESTS_SERVER_STORE_FAULT_SHIM_H
#define DESCENT_TESTS_SERVER_STORE_FAULT_SHIM_H

#include "tests/server/store/temporary_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#define SYNCED_MAX 256 /* inodes that were synced, a ring */

/* What is counted, and fails. */
enum fault_kind { FAULT_FILE, FAULT_STEP, FAULT_MEMORY, FAULT_SQLITE_MEMORY };

static struct {
    atomic_int armed, kind, calls, fail_at, sticky, error, tripped, short_writes;
    atomic_int folders; /* only syncs of folders fail */
    atomic_ulong synced[SYNCED_MAX], sync_count;
} fault;

/* Is it this call's turn? */
static inline int comes_to_fail(enum fault_kind kind)
{
    if (!atomic_load(&fault.armed) || atomic_load(&fault.kind) != (int)kind) {
        return 0;
    }
    int call = atomic_fetch_add(&fault.calls, 1) + 1, at = atomic_load(&fault.fail_at);
    if (call < at || (call > at && !atomic_load(&fault.sticky))) {
        return 0;
    }
    atomic_store(&fault.tripped, 1);
    return 1;
}

enum call { TAKES_ROOM, SYNCS };

/* Want of room shows when writing; a sync fails on a broken disk only. */
static inline int fails(enum call call_type)
{
    if ((call_type == SYNCS && atomic_load(&fault.error) != EIO) ||
        (call_type == TAKES_ROOM && atomic_load(&fault.folders)) || !comes_to_fail(FAULT_FILE)) {
        return 0;
    }
    errno = atomic_load(&fault.error);
    return 1;
}

static inline ssize_t cut_short(size_t *size)
{
    if (atomic_load(&fault.short_writes) && *size > 0) {
        if (atomic_fetch_add(&fault.calls, 1) % 2 == 0) {
            errno = EINTR;
            return -1;
        }
        *size = *size > 5000 ? 5000 : 1;
    }
    return 0;
}

#define EXPORTED __attribute__((visibility("default")))
EXPORTED ssize_t write(int fd, const void *bytes, size_t size)
{
    return fd > 2 && (fails(TAKES_ROOM) || cut_short(&size) < 0) ? -1 : syscall(SYS_write, fd, bytes, size);
}
EXPORTED ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    return fails(TAKES_ROOM) || cut_short(&size) < 0 ? -1 : syscall(SYS_pwrite64, fd, bytes, size, offset);
}
EXPORTED int fsync(int fd)
{
    struct stat file;
    if (fstat(fd, &file) == 0) {
        atomic_store(&fault.synced[atomic_fetch_add(&fault.sync_count, 1) % SYNCED_MAX], file.st_ino);
    }
    int spared = atomic_load(&fault.folders) && !S_ISDIR(file.st_mode);
    return !spared && fails(SYNCS) ? -1 : (int)syscall(SYS_fsync, fd);
}
EXPORTED int fdatasync(int fd)
{
    return fails(SYNCS) ? -1 : (int)syscall(SYS_fdatasync, fd);
}
EXPORTED int ftruncate64(int fd, off64_t size)
{
    return fails(TAKES_ROOM) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}
EXPORTED int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
    return fails(TAKES_ROOM) ? -1 : (int)syscall(SYS_linkat, from_fd, from, to_fd, to, flags);
}
EXPORTED int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    return fails(TAKES_ROOM) ? -1 : (int)syscall(SYS_renameat, from_fd, from, to_fd, to);
}

/* The call number `at` of this kind fails, and with `sticky` all later ones. error: of a file's. */
static inline void arm(enum fault_kind kind, int at, int sticky, int error)
{
    atomic_store(&fault.kind, (int)kind);
    atomic_store(&fault.calls, 0);
    atomic_store(&fault.fail_at, at);
    atomic_store(&fault.sticky, sticky);
    atomic_store(&fault.error, error);
    atomic_store(&fault.tripped, 0);
    atomic_store(&fault.armed, 1);
}

static inline void disarm(void)
{
    atomic_store(&fault.armed, 0);
    atomic_store(&fault.short_writes, 0);
}

#endif
