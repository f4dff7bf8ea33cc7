#include "server/last_death.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/fatal_signal.h"
#include "server/log.h"
#include "server/text_file.h"

#define MARK_FACT  "crash_mark_ms"
#define KILLS_FACT "oom_kills"
#define MARK_TEXT  80

/* ---- the mark of a fatal signal ---- */

static enum status open_mark(struct last_death *death, const char *data, char text[MARK_TEXT], struct error *error)
{
    char path[PATH_MAX];
    ssize_t size;

    snprintf(path, sizeof path, "%s/crash", data);
    death->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (death->fd < 0) {
        return errno == ENOSPC || errno == EDQUOT
                   ? error_set(error, STATUS_INSUFFICIENT_STORAGE, "there is no room for %s", path)
                   : error_set(error, STATUS_DATA_DIR_INVALID, "%s cannot be opened (error %d)", path, errno);
    }
    size = pread(death->fd, text, MARK_TEXT - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    return STATUS_OK;
}

/* "<ms since 1970> <job>": a mark that was not counted yet accuses the job. */
static enum status read_mark(struct last_death *death, struct store *store, const char *text, struct error *error)
{
    struct fact *fact = &death->facts[0];
    int64_t counted, at;
    char *job;
    int found;
    enum status status = facts_get(store, MARK_FACT, &counted, &found, error);

    *fact = (struct fact){.name = MARK_FACT, .value = status == STATUS_OK ? counted : 0};
    at = strtoll(text, &job, 10);
    if (status == STATUS_OK && *job == ' ' && at != counted) {
        fact->value = at;
        snprintf(death->accused, sizeof death->accused, "%.*s", (int)strcspn(job + 1, "\n"), job + 1);
    }
    return status;
}

/* ---- kills for want of memory ---- */

int64_t last_death_oom_kills(const char *memory_events)
{
    static const char name[] = "oom_kill ";
    const char *line = strstr(memory_events, name);
    char *end;
    int64_t kills;

    if (line == NULL) {
        return -1;
    }
    line += sizeof name - 1;
    kills = strtoll(line, &end, 10);
    return end > line ? kills : -1;
}

/* Of this process's control group (version 2). */
static int64_t kills_now(void)
{
    char groups[512], path[640], events[512], *group;

    text_file_read_system("/proc/self/cgroup", groups, sizeof groups);
    group = strstr(groups, "0::/");
    if (group == NULL) {
        return -1;
    }
    group += strlen("0::");
    group[strcspn(group, "\n")] = '\0';
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.events", group);
    text_file_read_system(path, events, sizeof events);
    return last_death_oom_kills(events);
}

/* More kills than at the last start. Fewer: the machine, or the group, began anew. */
static enum status compare_kills(struct last_death *death, struct store *store, struct error *error)
{
    int64_t counted, now = kills_now();
    int found;
    enum status status = facts_get(store, KILLS_FACT, &counted, &found, error);

    death->facts[1] = (struct fact){.name = KILLS_FACT, .value = now};
    death->oom_kill = status == STATUS_OK && found && counted >= 0 && now > counted;
    return status;
}

/* ---- both ---- */

enum status last_death_find(struct last_death *death, struct store *store, const char *data, struct error *error)
{
    char text[MARK_TEXT];
    enum status status;

    *death = (struct last_death){.fd = -1};
    status = open_mark(death, data, text, error);
    if (status == STATUS_OK) {
        status = read_mark(death, store, text, error);
    }
    if (status == STATUS_OK) {
        status = compare_kills(death, store, error);
    }
    if (status == STATUS_OK && death->accused[0] != '\0') {
        log_warning(death->accused, "the last process died of a signal in a thread of this job");
    }
    if (status == STATUS_OK && death->oom_kill) {
        log_warning(NULL, "the last process, or one beside it, was killed for want of memory");
    }
    return status;
}

void last_death_watch(const struct last_death *death)
{
    fatal_signal_mark(death->fd);
}
