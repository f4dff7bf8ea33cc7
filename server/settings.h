/*
 * A table of options: one row says an option's name, type, default, limits and help; the command line, the
 * environment and --help all come from it.
 *
 * `--name value` and `--name=value` are read, in any order; the environment variable of --max-body-bytes with the
 * prefix DESCENTD_ is DESCENTD_MAX_BODY_BYTES. The command line wins over the environment, which wins over the default.
 */
#ifndef DESCENT_SERVER_SETTINGS_H
#define DESCENT_SERVER_SETTINGS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/status.h"

#define SETTING_LIST_MAX 16

enum setting_type {
    SETTING_TEXT,   /* const char * */
    SETTING_SIZE,   /* uint64_t bytes: 4G, 512M, 64K, 100 */
    SETTING_COUNT,  /* uint64_t */
    SETTING_CHOICE, /* int: index into `choices` */
    SETTING_LIST,   /* struct setting_list; the option may be repeated, the variable is comma-separated */
    SETTING_FLAG,   /* int: --name alone; in the environment 1, true, yes or 0, false, no */
};

/* Items are borrowed; each may itself hold several names divided by commas. */
struct setting_list {
    const char *items[SETTING_LIST_MAX];
    size_t count;
};

struct setting {
    const char *name;     /* without the dashes */
    const char *argument; /* what --help calls the value; NULL for a flag */
    enum setting_type type;
    size_t offset;             /* of the field in the target struct */
    const char *fallback;      /* the default as it would be typed; NULL: 0, NULL, none */
    uint64_t minimum, maximum; /* SIZE, COUNT */
    const char *const *choices;
    const char *help;
};

/*
 * Fills the fields of `target` that `table` [count] names, from argv[1 … argc-1] and the environment (prefix NULL: no
 * environment). STATUS_USAGE names the option or variable and, where the name is unknown, the nearest known one.
 * Text is borrowed from argv and the environment.
 */
MUST_CHECK enum status settings_parse(const struct setting *table, size_t count, const char *prefix, void *target, int argc,
                                      char *const argv[], struct error *error);

/* Is --help among argv[1 … argc-1]? */
int settings_want_help(int argc, char *const argv[]);

/* Writes one paragraph an option. */
void settings_help(const struct setting *table, size_t count, const char *prefix, FILE *out);

#endif
