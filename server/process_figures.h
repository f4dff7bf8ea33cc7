/* What the kernel says about this process. */
#ifndef DESCENT_SERVER_PROCESS_FIGURES_H
#define DESCENT_SERVER_PROCESS_FIGURES_H

#include <stdint.h>

#define PROCESS_UNKNOWN UINT64_MAX /* the kernel does not tell: there is no /proc */

struct process_figures {
    uint64_t resident_bytes;
    uint64_t open_fds;
    uint64_t cpu_nanoseconds; /* of all threads, user and system */
};

/* Any thread; reads /proc, where open_fds costs a look at each of them. */
struct process_figures process_figures(void);

#endif
