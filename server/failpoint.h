/*
 * Failpoints: named places (failpoint.def) at which a program built with -DFAILPOINTS (`make MODE=crash`) dies or fails on
 * purpose, so that tests can look at what it leaves behind. In every other build the macros are nothing.
 *
 *     DESCENTD_FAILPOINT=upload.renamed:1:kill,boot.purge_mid:2+:sleep:50     NAME:HIT[+]:ACTION, at most FAILPOINTS_ARMED
 *     DESCENTD_FAILPOINT_LOG=FILE                                             a line for each hit (below)
 *
 * HIT says at which one of this process it happens, from 1; with "+" at all later ones, too. ACTION:
 *
 *     kill        the process is gone, as by kill -9 or a power failure of the program alone
 *     exit        _exit(1)
 *     abort, segv the thread gets SIGABRT or SIGSEGV
 *     sleep:MS    goes on after MS milliseconds
 *     error:EIO   the call at the place fails with EIO, ENOSPC, EDQUOT, EROFS or ENOMEM, where it can (FAILPOINT_FAILS)
 *     torn:BYTES  so many bytes of the next ones are written, then as kill (FAILPOINT_WRITES)
 *
 * A setting that cannot be understood, or an action that a place cannot take, ends the process with exit status 64 and a
 * line on standard error: a failpoint that silently never fires proves nothing. Any thread; nothing is allocated, no lock
 * taken.
 */
#ifndef DESCENT_SERVER_FAILPOINT_H
#define DESCENT_SERVER_FAILPOINT_H

#include <stddef.h>

#define FAILPOINTS_ARMED  8
#define FAILPOINT_LOGGED  100 /* hits of one name that one process logs: a line is the name, and " fired" where it did */
#define FAILPOINT_MISUSED 64

enum failpoint {
#define FAILPOINT(name, text) FAILPOINT_##name,
#include "server/failpoint.def"
#undef FAILPOINT
    FAILPOINT_COUNT
};

/* What an object is, as far as the names of its stages go. */
enum failpoint_object { FAILPOINT_UPLOAD, FAILPOINT_MODEL, FAILPOINT_CHECKPOINT, FAILPOINT_OBJECTS };
enum failpoint_stage {
    FAILPOINT_CREATED,
    FAILPOINT_MID,
    FAILPOINT_WRITTEN,
    FAILPOINT_FSYNCED,
    FAILPOINT_RENAMED,
    FAILPOINT_DIR_FSYNCED,
    FAILPOINT_STAGES
};

void failpoint_pass(enum failpoint point);
/* 1: the call at this place is to fail, errno says of what. */
int failpoint_fails(enum failpoint point);
/* Likewise before [size] bytes go to fd: torn writes some of them itself. */
int failpoint_writes(enum failpoint point, int fd, const void *bytes, size_t size);

/* The point of a stage for the objects that this thread is at work on: data sets, unless it said something else. */
enum failpoint failpoint_of(enum failpoint_stage stage);
/* Says it, and gives what it was before. */
enum failpoint_object failpoint_object(enum failpoint_object object);
void failpoint_object_back(const enum failpoint_object *before);

/*
 *     FAILPOINT(JOB_PICKED);                                      a place where the process can die
 *     if (fsync(fd) != 0 || FAILPOINT_FAILS(X)) ...               ... or where what was just done can have failed
 *     if (FAILPOINT_OBJECT_WRITES(MID, fd, bytes, size)) ...      ... or where it can be done in part
 *     FAILPOINT_OBJECTS_ARE(MODEL);                               to the end of the block, of this thread
 *     FAILPOINT_OBJECT(FSYNCED); FAILPOINT_OBJECT_FAILS(FSYNCED)  a stage of such an object
 */
#ifdef FAILPOINTS
#define FAILPOINT(name)                                 failpoint_pass(FAILPOINT_##name)
#define FAILPOINT_FAILS(name)                           failpoint_fails(FAILPOINT_##name)
#define FAILPOINT_OBJECT(stage)                         failpoint_pass(failpoint_of(FAILPOINT_##stage))
#define FAILPOINT_OBJECT_FAILS(stage)                   failpoint_fails(failpoint_of(FAILPOINT_##stage))
#define FAILPOINT_OBJECT_WRITES(stage, fd, bytes, size) failpoint_writes(failpoint_of(FAILPOINT_##stage), fd, bytes, size)
#define FAILPOINT_OBJECTS_ARE(object)                                                                                       \
    __attribute__((cleanup(failpoint_object_back))) const enum failpoint_object objects_before =                            \
        failpoint_object(FAILPOINT_##object)
#else
#define FAILPOINT(name)                                 ((void)FAILPOINT_##name)
#define FAILPOINT_FAILS(name)                           ((void)FAILPOINT_##name, 0)
#define FAILPOINT_OBJECT(stage)                         ((void)FAILPOINT_##stage)
#define FAILPOINT_OBJECT_FAILS(stage)                   ((void)FAILPOINT_##stage, 0)
#define FAILPOINT_OBJECT_WRITES(stage, fd, bytes, size) ((void)FAILPOINT_##stage, 0)
#define FAILPOINT_OBJECTS_ARE(object)                   ((void)FAILPOINT_##object)
#endif

#endif
