#include "server/settings.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/nearest.h"

#define VARIABLE_TEXT 64
#define HELP_INDENT   6
#define HELP_WIDTH    78

/* Where a value came from, for messages: "--threads" or "DESCENTD_THREADS". */
struct source {
    const char *name;
    struct error *error;
};

static void *field(const struct setting *setting, void *target)
{
    return (char *)target + setting->offset;
}

static enum status read_number(const struct setting *setting, const char *text, uint64_t *number, struct source source)
{
    static const char units[] = "KMGT"; /* 2^10, 2^20, … */
    char *end = NULL;
    errno = 0;
    unsigned long long value = isdigit((unsigned char)text[0]) ? strtoull(text, &end, 10) : 0;
    if (end == NULL)
        return error_set(source.error, STATUS_USAGE, "%s is \"%.40s\", a number%s is wanted", source.name, text,
                         setting->type == SETTING_SIZE ? " of bytes (like 512M or 4G)" : "");
    const char *unit = *end != '\0' && setting->type == SETTING_SIZE ? strchr(units, toupper((unsigned char)*end)) : NULL;
    unsigned shift = 0;
    if (unit != NULL) {
        shift = 10 * (unsigned)(unit - units + 1);
        end++;
    }
    if (*end != '\0')
        return error_set(source.error, STATUS_USAGE, "%s is \"%.40s\": \"%.20s\" is not understood", source.name, text, end);
    if (errno == ERANGE || value > UINT64_MAX >> shift || value << shift < setting->minimum ||
        value << shift > setting->maximum)
        return error_set(source.error, STATUS_USAGE, "%s is %.40s, %llu to %llu are allowed", source.name, text,
                         (unsigned long long)setting->minimum, (unsigned long long)setting->maximum);
    *number = value << shift;
    return STATUS_OK;
}

static enum status read_choice(const struct setting *setting, const char *text, int *choice, struct source source)
{
    char known[128] = "";
    size_t used = 0;
    for (int i = 0; setting->choices[i] != NULL; i++) {
        if (strcmp(setting->choices[i], text) == 0) {
            *choice = i;
            return STATUS_OK;
        }
        int written = snprintf(known + used, sizeof(known) - used, "%s%s", i == 0 ? "" : ", ", setting->choices[i]);
        assert(written > 0 && (size_t)written < sizeof(known) - used);
        used += (size_t)written;
    }
    return error_set(source.error, STATUS_USAGE, "%s is \"%.40s\", one of %s is wanted", source.name, text, known);
}

static enum status read_flag(const char *text, int *flag, struct source source)
{
    static const char *const words[][2] = {{"0", "1"}, {"false", "true"}, {"no", "yes"}, {"", "on"}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        for (int value = 0; value < 2; value++) {
            if (strcmp(words[i][value], text) == 0) {
                *flag = value;
                return STATUS_OK;
            }
        }
    }
    return error_set(source.error, STATUS_USAGE, "%s is \"%.40s\", 0 or 1 is wanted", source.name, text);
}

static enum status read_value(const struct setting *setting, void *target, const char *text, struct source source)
{
    switch (setting->type) {
    case SETTING_TEXT:
        if (text[0] == '\0')
            return error_set(source.error, STATUS_USAGE, "%s is empty", source.name);
        *(const char **)field(setting, target) = text;
        return STATUS_OK;
    case SETTING_SIZE:
    case SETTING_COUNT:
        return read_number(setting, text, field(setting, target), source);
    case SETTING_CHOICE:
        return read_choice(setting, text, field(setting, target), source);
    case SETTING_FLAG:
        return read_flag(text, field(setting, target), source);
    case SETTING_LIST: {
        struct setting_list *list = field(setting, target);
        if (list->count == SETTING_LIST_MAX)
            return error_set(source.error, STATUS_USAGE, "%s is given more than %d times", source.name, SETTING_LIST_MAX);
        list->items[list->count++] = text;
        return STATUS_OK;
    }
    }
    assert(!"a setting's type is unknown");
    return STATUS_INTERNAL;
}

static void variable_name(const struct setting *setting, const char *prefix, char name[VARIABLE_TEXT])
{
    int size = snprintf(name, VARIABLE_TEXT, "%s%s", prefix, setting->name);
    assert(size > 0 && size < VARIABLE_TEXT);
    for (char *letter = name; *letter != '\0'; letter++)
        *letter = *letter == '-' ? '_' : (char)toupper((unsigned char)*letter);
}

static enum status read_environment(const struct setting *setting, const char *prefix, void *target, struct error *error)
{
    char name[VARIABLE_TEXT];
    variable_name(setting, prefix, name);
    const char *text = getenv(name);
    if (text == NULL)
        return STATUS_OK;
    return read_value(setting, target, text, (struct source){name, error});
}

/* Every field zero, then as the table says: the caller's struct need not be initialised. */
static enum status read_default(const struct setting *setting, void *target, struct error *error)
{
    switch (setting->type) {
    case SETTING_TEXT:
        *(const char **)field(setting, target) = NULL;
        break;
    case SETTING_SIZE:
    case SETTING_COUNT:
        *(uint64_t *)field(setting, target) = 0;
        break;
    case SETTING_CHOICE:
    case SETTING_FLAG:
        *(int *)field(setting, target) = 0;
        break;
    case SETTING_LIST:
        ((struct setting_list *)field(setting, target))->count = 0;
        break;
    }
    if (setting->fallback == NULL)
        return STATUS_OK;
    return read_value(setting, target, setting->fallback, (struct source){setting->name, error});
}

static enum status unknown(const struct setting *table, size_t count, const char *name, size_t size, struct error *error)
{
    struct nearest nearest = nearest_to(name, size);
    for (size_t i = 0; i < count; i++)
        nearest_offer(&nearest, table[i].name);
    if (nearest.name != NULL)
        return error_set(error, STATUS_USAGE, "--%.*s is not known, did you mean --%s?", (int)size, name, nearest.name);
    return error_set(error, STATUS_USAGE, "--%.*s is not known", (int)(size < 60 ? size : 60), name);
}

static enum status read_argument(const struct setting *table, size_t count, void *target, char *const argv[], int *at,
                                 int argc, struct error *error)
{
    const char *argument = argv[*at];
    if (strncmp(argument, "--", 2) != 0 || argument[2] == '\0')
        return error_set(error, STATUS_USAGE, "\"%.60s\" is not an option; options begin with --", argument);
    const char *equals = strchr(argument, '=');
    size_t size = equals != NULL ? (size_t)(equals - argument) - 2 : strlen(argument) - 2;
    for (size_t i = 0; i < count; i++) {
        const struct setting *setting = &table[i];
        if (strlen(setting->name) != size || strncmp(setting->name, argument + 2, size) != 0)
            continue;
        char name[VARIABLE_TEXT];
        snprintf(name, sizeof(name), "--%s", setting->name);
        const char *value = equals != NULL ? equals + 1 : NULL;
        if (value == NULL && setting->type == SETTING_FLAG)
            value = "1";
        if (value == NULL && *at + 1 == argc)
            return error_set(error, STATUS_USAGE, "%s needs a value: %s %s", name, name, setting->argument);
        if (value == NULL)
            value = argv[++*at];
        return read_value(setting, target, value, (struct source){name, error});
    }
    return unknown(table, count, argument + 2, size, error);
}

enum status settings_parse(const struct setting *table, size_t count, const char *prefix, void *target, int argc,
                           char *const argv[], struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        enum status status = read_default(&table[i], target, error);
        if (status == STATUS_OK && prefix != NULL)
            status = read_environment(&table[i], prefix, target, error);
        if (status != STATUS_OK)
            return status;
    }
    for (int at = 1; at < argc; at++) {
        enum status status = read_argument(table, count, target, argv, &at, argc, error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

int settings_want_help(int argc, char *const argv[])
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            return 1;
    }
    return 0;
}

/* A paragraph of help: words divided by single blanks. */
struct paragraph {
    FILE *out;
    size_t column; /* 0: nothing is written yet */
};

static void put_words(struct paragraph *paragraph, const char *text)
{
    while (*text != '\0') {
        size_t size = strcspn(text, " ");
        if (paragraph->column > 0 && paragraph->column + 1 + size > HELP_WIDTH) {
            fputc('\n', paragraph->out);
            paragraph->column = 0;
        }
        fprintf(paragraph->out, "%*s%.*s", paragraph->column == 0 ? HELP_INDENT : 1, "", (int)size, text);
        paragraph->column += (paragraph->column == 0 ? HELP_INDENT : 1) + size;
        text += size + (text[size] == ' ');
    }
}

void settings_help(const struct setting *table, size_t count, const char *prefix, FILE *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct setting *setting = &table[i];
        struct paragraph paragraph = {.out = out};
        char name[VARIABLE_TEXT];
        fprintf(out, "  --%s%s%s\n", setting->name, setting->argument != NULL ? " " : "",
                setting->argument != NULL ? setting->argument : "");
        put_words(&paragraph, setting->help);
        if (setting->fallback != NULL) {
            put_words(&paragraph, "Default:");
            put_words(&paragraph, setting->fallback);
        }
        if (prefix != NULL) {
            variable_name(setting, prefix, name);
            fprintf(out, "\n%*s[%s]", HELP_INDENT, "", name);
        }
        fputc('\n', out);
    }
}
