#include "core/data/class_names.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/data/dataset.h"
#include "core/data/decimal.h"

void class_names_release(struct class_names *classes)
{
    for (uint32_t i = 0; i < classes->count; i++)
        free(classes->names[i]);
    free(classes->names);
    free(classes->by_name);
    *classes = (struct class_names){0};
}

/* < 0, 0, > 0 as text [size] stands before, at or behind name. */
static int compare_text(const char *text, size_t size, const char *name)
{
    size_t length = strlen(name);
    int order = memcmp(text, name, size < length ? size : length);

    return order != 0 ? order : (size > length) - (size < length);
}

/* Where in by_name the text stands or would stand. */
static uint32_t search(const struct class_names *classes, const char *text, size_t size, int *found)
{
    uint32_t low = 0, high = classes->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare_text(text, size, classes->names[classes->by_name[middle]]);

        if (order == 0) {
            *found = 1;
            return middle;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    *found = 0;
    return low;
}

static enum status check_name(const char *text, size_t size, struct error *error)
{
    if (size == 0)
        return error_set(error, STATUS_LABEL_INVALID, "the label is empty");
    if (size > DATASET_CLASS_NAME_MAX)
        return error_set(error, STATUS_LABEL_INVALID, "the label has %zu bytes, %d are allowed", size,
                         DATASET_CLASS_NAME_MAX);
    if (memchr(text, '\0', size) || !utf8_valid(text, size))
        return error_set(error, STATUS_LABEL_INVALID, "the label is not UTF-8 text");
    return STATUS_OK;
}

static enum status grow(struct class_names *classes, struct error *error)
{
    uint32_t capacity = classes->capacity > 0 ? 2 * classes->capacity : 16;
    char **names;
    int32_t *by_name;

    if (classes->count == DATASET_MAX_CLASSES)
        return error_set(error, STATUS_TOO_MANY_CLASSES, "more than %d different labels: is this the label column?",
                         DATASET_MAX_CLASSES);
    if (classes->count < classes->capacity)
        return STATUS_OK;
    names = realloc(classes->names, capacity * sizeof *names);
    if (names)
        classes->names = names;
    by_name = realloc(classes->by_name, capacity * sizeof *by_name);
    if (by_name)
        classes->by_name = by_name;
    if (!names || !by_name)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %u class names", capacity);
    classes->capacity = capacity;
    return STATUS_OK;
}

static enum status insert(struct class_names *classes, const char *text, size_t size, uint32_t place, struct error *error)
{
    enum status status;
    char *name;

    if ((status = check_name(text, size, error)) || (status = grow(classes, error)))
        return status;
    name = malloc(size + 1);
    if (!name)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a class name");
    memcpy(name, text, size);
    name[size] = '\0';
    memmove(classes->by_name + place + 1, classes->by_name + place, (classes->count - place) * sizeof *classes->by_name);
    classes->by_name[place] = (int32_t)classes->count;
    classes->names[classes->count++] = name;
    return STATUS_OK;
}

enum status class_names_number(struct class_names *classes, const char *text, size_t size, int32_t *number,
                               struct error *error)
{
    enum status status;
    uint32_t place;
    int found;

    if (classes->count > 0 && compare_text(text, size, classes->names[classes->last]) == 0) {
        *number = classes->last;
        return STATUS_OK;
    }
    place = search(classes, text, size, &found);
    if (!found && (status = insert(classes, text, size, place, error)))
        return status;
    *number = classes->last = classes->by_name[place];
    return STATUS_OK;
}

struct ranked_name {
    char *name;
    double value;
    int32_t number;
};

static int compare_values(const void *a, const void *b)
{
    const struct ranked_name *x = a, *y = b;

    return x->value != y->value ? (x->value < y->value ? -1 : 1) : strcmp(x->name, y->name);
}

enum status class_names_sort(struct class_names *classes, int32_t *renumbered, struct error *error)
{
    struct ranked_name *ranked = calloc((size_t)classes->count + 1, sizeof *ranked);
    int numeric = 1;

    if (!ranked)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory to sort the classes");
    for (uint32_t i = 0; i < classes->count; i++) {
        char *name = classes->names[classes->by_name[i]];

        ranked[i] = (struct ranked_name){.name = name, .number = classes->by_name[i]};
        numeric = numeric && decimal_f64(name, strlen(name), &ranked[i].value) == DECIMAL_FINITE;
    }
    if (numeric)
        qsort(ranked, classes->count, sizeof *ranked, compare_values);
    for (uint32_t i = 0; i < classes->count; i++) {
        classes->names[i] = ranked[i].name;
        renumbered[ranked[i].number] = (int32_t)i;
    }
    free(ranked);
    return STATUS_OK;
}
