/*
 * What the ways in which a data set comes in share (uploads.c), and what each of them is: a file as the body
 * (upload_file.c), a file below the data root named in the body (upload_path.c), labels for images that are there
 * (upload_labels.c). Private to these files.
 */
#ifndef DESCENT_SERVER_HANDLERS_UPLOAD_H
#define DESCENT_SERVER_HANDLERS_UPLOAD_H

#include "api/text.h"
#include "server/dataset_import.h"
#include "server/handlers/body_check.h"
#include "server/handlers/handlers.h"
#include "server/labels_import.h"

struct problem;
struct upload;

/* Where an upload ended: which data set has the content now, and whether one had it before. */
struct upload_outcome {
    char id[ID_TEXT];
    int existed;
};

/* All run on executor threads and may block for the disk. */
struct upload_kind {
    enum status (*begin)(struct upload *upload, struct request *request, struct error *error);
    enum status (*chunk)(struct upload *upload, const void *data, size_t size, struct error *error);
    /* The body is complete and its checksum right: stores the data set. */
    enum status (*finish)(struct upload *upload, struct request *request, struct upload_outcome *outcome,
                          struct problem *problem);
};
extern const struct upload_kind upload_file, upload_path, upload_labels;

struct upload {
    struct app *app;
    const struct upload_kind *kind;
    struct body_check check;
    struct dataset_import *import; /* file */
    struct text body;              /* path */
    struct labels_import *labels;  /* labels */
    struct dataset_view images;    /* labels: the data set that gets them */
    struct object_map content;     /* labels: its content, held from the beginning: it may be replaced meanwhile */
};

/* What the request's query tells the parser; borrows from the request. STATUS_QUERY_INVALID: that is for CSV only. */
MUST_CHECK enum status upload_parse_options(const struct request *request, enum data_format format,
                                            struct parse_options *options, struct error *error);

/* Stores what was imported, under the name that the query gives, and releases it. */
MUST_CHECK enum status upload_insert(struct upload *upload, const struct request *request, struct imported_dataset *imported,
                                     struct upload_outcome *outcome, struct error *error);

/* Adds an error to a problem, and returns its status. */
enum status upload_problem(struct problem *problem, const struct error *error);

#endif
