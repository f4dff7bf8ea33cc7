#include "server/process_figures.h"

#include <dirent.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "server/text_file.h"

/* The second number of /proc/self/statm, in pages (proc(5)). */
static uint64_t resident_bytes(void)
{
    char text[128], *end;
    text_file_read_system("/proc/self/statm", text, sizeof(text));
    (void)strtoull(text, &end, 10);
    const char *second = end;
    uint64_t pages = strtoull(second, &end, 10);
    return end != second ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : PROCESS_UNKNOWN;
}

static uint64_t open_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    uint64_t count = 0;
    if (folder == NULL)
        return PROCESS_UNKNOWN;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count > 3 ? count - 3 : 0; /* ".", "..", and the one that looked */
}

struct process_figures process_figures(void)
{
    struct timespec cpu;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    return (struct process_figures){.resident_bytes = resident_bytes(),
                                    .open_fds = open_fds(),
                                    .cpu_nanoseconds = (uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec};
}
