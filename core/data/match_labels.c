#include "core/data/match_labels.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int same_classes(const struct dataset *dataset, const char *const *class_names, uint32_t classes)
{
    if (dataset->classes != classes) {
        return 0;
    }
    for (uint32_t i = 0; i < classes; i++) {
        if (strcmp(dataset->class_names[i], class_names[i]) != 0) {
            return 0;
        }
    }
    return 1;
}

/* The number of a name, -1 where there is no such class. */
static int32_t find_class(const char *name, const char *const *class_names, uint32_t classes)
{
    for (uint32_t i = 0; i < classes; i++) {
        if (strcmp(name, class_names[i]) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

enum status dataset_match_labels(const struct dataset *dataset, const char *const *class_names, uint32_t classes,
                                 int32_t **labels, struct error *error)
{
    int32_t numbers[DATASET_MAX_CLASSES];

    *labels = NULL;
    if (same_classes(dataset, class_names, classes)) {
        return STATUS_OK;
    }
    if (dataset->label_type != LABEL_CLASS) {
        return error_set(error, STATUS_UNKNOWN_VALUE, "the classes of soft labels must be the same, in the same order");
    }
    for (uint32_t i = 0; i < dataset->classes; i++) {
        numbers[i] = find_class(dataset->class_names[i], class_names, classes);
    }
    int32_t *matched = malloc((size_t)dataset->rows * sizeof(*matched));
    if (matched == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %" PRIu64 " labels", dataset->rows);
    }
    for (uint64_t row = 0; row < dataset->rows; row++) {
        matched[row] = numbers[dataset->labels[row]];
        if (matched[row] < 0) {
            free(matched);
            return error_set(error, STATUS_UNKNOWN_VALUE, "row %" PRIu64 " is of class \"%s\", which is not known here", row,
                             dataset->class_names[dataset->labels[row]]);
        }
    }
    *labels = matched;
    return STATUS_OK;
}
