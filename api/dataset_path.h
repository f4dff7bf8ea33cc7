/* POST /v1/datasets with a JSON body: a file below the server's data root stands for the body. */
#ifndef DESCENT_API_DATASET_PATH_H
#define DESCENT_API_DATASET_PATH_H

#include <stddef.h>

#include "api/fields.h"
#include "core/data/parser.h"

#define DATASET_PATH_TEXT 1024

struct dataset_path {
    char path[DATASET_PATH_TEXT];
    char labels[DATASET_PATH_TEXT]; /* IDX: the labels' file; "": none */
    enum data_format format;
};

/* Errors go to `problem`, all of them; returns STATUS_OK or the problem's status. Whether files exist is not looked at. */
MUST_CHECK enum status dataset_path_decode(struct dataset_path *request, const char *body, size_t size,
                                           struct problem *problem);

/* Its fields, for those who describe them. */
extern const struct field dataset_path_fields[];
extern const size_t dataset_path_field_count;

#endif
