/*
 * The last line of a process that dies of a signal: which one. It dies all the same, with a core where the system keeps
 * them; nothing that was acknowledged is lost by it.
 */
#ifndef DESCENT_SERVER_FATAL_SIGNAL_H
#define DESCENT_SERVER_FATAL_SIGNAL_H

#include "server/config.h"

/*
 * From now on SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT write a line in `format` to standard error before they end the
 * process. A signal that has a handler already (a sanitizer's) keeps it. Before the first thread starts.
 */
void fatal_signal_log(enum log_format format);

/*
 * From now on a fatal signal in a thread that works for a job (core/base/thread_tag.h) also writes "<ms since 1970> <job>"
 * to the start of this file, durably. The descriptor stays open as long as the process lives.
 */
void fatal_signal_mark(int fd);

#endif
