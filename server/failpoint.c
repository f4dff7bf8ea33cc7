/* The settings are read at the first hit and never change; what counts hits is atomic. */
#include "server/failpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SETTING "DESCENTD_FAILPOINT"
#define LOG     "DESCENTD_FAILPOINT_LOG"

#undef FAILPOINT /* from here on it is the table's */
static const char *const names[] = {
#define FAILPOINT(name, text) text,
#include "server/failpoint.def"
#undef FAILPOINT
};

/* A place can take PASS always, FAIL and TEAR where it says so. */
enum ability { PASS, FAIL, TEAR };

enum action_kind { ACTION_KILL, ACTION_EXIT, ACTION_ABORT, ACTION_SEGV, ACTION_SLEEP, ACTION_ERROR, ACTION_TORN };
static const struct {
    const char *name;
    enum ability needs;
    int has_value;
} actions[] = {
    [ACTION_KILL] = {"kill", PASS, 0}, [ACTION_EXIT] = {"exit", PASS, 0},   [ACTION_ABORT] = {"abort", PASS, 0},
    [ACTION_SEGV] = {"segv", PASS, 0}, [ACTION_SLEEP] = {"sleep", PASS, 1}, [ACTION_ERROR] = {"error", FAIL, 1},
    [ACTION_TORN] = {"torn", TEAR, 1},
};
static const struct {
    const char *name;
    int code;
} errors[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS}, {"ENOMEM", ENOMEM}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct armed {
    enum failpoint point;
    unsigned long hit;
    int and_later;
    enum action_kind action;
    unsigned long value; /* of sleep: milliseconds, of error: errno, of torn: bytes */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct armed armed[FAILPOINTS_ARMED];
static size_t armed_count;
static int log_fd = -1;
static atomic_ulong hits[FAILPOINT_COUNT];
static _Thread_local enum failpoint_object current_object = FAILPOINT_UPLOAD;

static _Noreturn void misused(const char *what, const char *text)
{
    dprintf(STDERR_FILENO, "descentd: %s: %s: %s\n", SETTING, what, text);
    _exit(FAILPOINT_MISUSED);
}

/* ---- settings ---- */

/* Cuts the part before `end` (or the end of the text) off *rest; an empty one when there is no more. */
static char *cut(char **rest, char end)
{
    char *part = *rest, *stop = strchr(part, end);
    *rest = stop == NULL ? part + strlen(part) : stop + 1;
    if (stop != NULL) {
        *stop = '\0';
    }
    return part;
}

static unsigned long number(const char *text, const char *setting)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || text[0] < '0' || text[0] > '9') {
        misused("a number is missing", setting);
    }
    return value;
}

static enum failpoint point_named(const char *name)
{
    for (size_t i = 0; i < COUNT(names); i++) {
        if (strcmp(names[i], name) == 0) {
            return (enum failpoint)i;
        }
    }
    misused("there is no failpoint", name);
}

static enum action_kind action_named(const char *name)
{
    for (size_t i = 0; i < COUNT(actions); i++) {
        if (strcmp(actions[i].name, name) == 0) {
            return (enum action_kind)i;
        }
    }
    misused("there is no action", name);
}

static unsigned long error_named(const char *name)
{
    for (size_t i = 0; i < COUNT(errors); i++) {
        if (strcmp(errors[i].name, name) == 0) {
            return (unsigned long)errors[i].code;
        }
    }
    misused("there is no error", name);
}

/* One NAME:HIT[+]:ACTION[:VALUE]; `setting` is cut up. */
static struct armed read_one(char *setting)
{
    struct armed one = {.point = point_named(cut(&setting, ':'))};
    char *hit = cut(&setting, ':');
    size_t length = strlen(hit);
    if (length > 0 && hit[length - 1] == '+') {
        one.and_later = 1;
        hit[length - 1] = '\0';
    }
    one.hit = number(hit, names[one.point]);
    one.action = action_named(cut(&setting, ':'));
    if (one.action == ACTION_ERROR) {
        one.value = error_named(setting);
    } else if (actions[one.action].has_value) {
        one.value = number(setting, names[one.point]);
    } else if (setting[0] != '\0') {
        misused("more than an action", setting);
    }
    return one;
}

static void read_settings(void)
{
    char text[1024];
    const char *setting = getenv(SETTING), *log = getenv(LOG); /* NOLINT(concurrency-mt-unsafe): nobody sets them here */
    if (setting != NULL && strlen(setting) >= sizeof(text)) {
        misused("longer than it may be", setting);
    }
    snprintf(text, sizeof(text), "%s", setting == NULL ? "" : setting);
    for (char *rest = text; *rest != '\0'; armed_count++) {
        if (armed_count == COUNT(armed)) {
            misused("too many", setting);
        }
        armed[armed_count] = read_one(cut(&rest, ','));
    }
    if (log != NULL) {
        log_fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (log_fd < 0) {
            misused("the log cannot be opened", log);
        }
    }
}

/* ---- hits ---- */

/* One write: lines of several threads, and of processes one after the other, stay whole. */
static void log_hit(enum failpoint point, int fires)
{
    char line[64];
    int size = snprintf(line, sizeof(line), "%s%s\n", names[point], fires ? " fired" : "");
    if (write(log_fd, line, (size_t)size) != size) {
        misused("the log cannot be written", names[point]);
    }
}

/* Counts the hit; what is armed for it, or NULL. */
static const struct armed *hit(enum failpoint point)
{
    pthread_once(&once, read_settings);
    unsigned long number_of_hit = atomic_fetch_add(&hits[point], 1) + 1;
    const struct armed *found = NULL;
    for (size_t i = 0; i < armed_count && found == NULL; i++) {
        const struct armed *one = &armed[i];
        if (one->point == point && (one->hit == number_of_hit || (one->and_later && number_of_hit > one->hit))) {
            found = one;
        }
    }
    if (log_fd >= 0 && (found != NULL || number_of_hit <= FAILPOINT_LOGGED)) {
        log_hit(point, found != NULL);
    }
    return found;
}

static void sleep_ms(unsigned long ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000L};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

static _Noreturn void die(void)
{
    raise(SIGKILL);
    _exit(FAILPOINT_MISUSED); /* never reached */
}

static int act(const struct armed *one, enum ability ability)
{
    if (actions[one->action].needs > ability) {
        misused("this place cannot take the action", names[one->point]);
    }
    switch (one->action) {
    case ACTION_KILL:
    case ACTION_TORN: /* what was to be written is */
        die();
    case ACTION_EXIT:
        _exit(EXIT_FAILURE);
    case ACTION_ABORT:
        raise(SIGABRT);
        break;
    case ACTION_SEGV:
        raise(SIGSEGV);
        break;
    case ACTION_SLEEP:
        sleep_ms(one->value);
        break;
    case ACTION_ERROR:
        errno = (int)one->value;
        return 1;
    }
    return 0;
}

void failpoint_pass(enum failpoint point)
{
    int before = errno;
    const struct armed *one = hit(point);
    if (one != NULL) {
        (void)act(one, PASS); /* what fails needs more than PASS */
    }
    errno = before;
}

int failpoint_fails(enum failpoint point)
{
    const struct armed *one = hit(point);
    return one != NULL && act(one, FAIL);
}

int failpoint_writes(enum failpoint point, int fd, const void *bytes, size_t size)
{
    const struct armed *one = hit(point);
    if (one != NULL && one->action == ACTION_TORN) {
        size_t part = one->value < size ? one->value : size;
        if (write(fd, bytes, part) != (ssize_t)part) {
            misused("the torn bytes cannot be written", names[point]);
        }
    }
    return one != NULL && act(one, TEAR);
}

/* ---- objects ---- */

#define STAGES_OF(object)                                                                                                   \
    {                                                                                                                       \
        [FAILPOINT_CREATED] = FAILPOINT_##object##_CREATED, [FAILPOINT_MID] = FAILPOINT_##object##_MID,                     \
        [FAILPOINT_WRITTEN] = FAILPOINT_##object##_WRITTEN, [FAILPOINT_FSYNCED] = FAILPOINT_##object##_FSYNCED,             \
        [FAILPOINT_RENAMED] = FAILPOINT_##object##_RENAMED, [FAILPOINT_DIR_FSYNCED] = FAILPOINT_##object##_DIR_FSYNCED,     \
    }
static const enum failpoint stages[FAILPOINT_OBJECTS][FAILPOINT_STAGES] = {
    [FAILPOINT_UPLOAD] = STAGES_OF(UPLOAD),
    [FAILPOINT_MODEL] = STAGES_OF(MODEL),
    [FAILPOINT_CHECKPOINT] = STAGES_OF(CHECKPOINT),
};

enum failpoint failpoint_of(enum failpoint_stage stage)
{
    return stages[current_object][stage];
}

enum failpoint_object failpoint_object(enum failpoint_object object)
{
    enum failpoint_object before = current_object;
    current_object = object;
    return before;
}

void failpoint_object_back(const enum failpoint_object *before)
{
    current_object = *before;
}
