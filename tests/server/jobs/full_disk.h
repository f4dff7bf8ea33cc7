/* A disk without room for the store, as a limit on the size of its files; it lasts until disk_has_room. */
#ifndef DESCENT_TESTS_SERVER_JOBS_FULL_DISK_H
#define DESCENT_TESTS_SERVER_JOBS_FULL_DISK_H

#include <signal.h>
#include <sys/resource.h>

#include "tests/server/store/temporary_store.h"

/* No file grows past `bytes`; the write-ahead log of a store is larger than 64 KiB from its start. */
static inline void disk_is_full(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static inline void disk_has_room(void)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#endif
