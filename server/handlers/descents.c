/* Descents: worked out on the executor's thread, within bounds that descent_request.h sets; nothing is stored. */
#include <stdlib.h>
#include <string.h>

#include "api/descent_request.h"
#include "api/encode_descent.h"
#include "api/json_writer.h"
#include "api/landscape_svg.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/routes.h"
#include "core/landscape/descent_result.h"
#include "core/landscape/landscape_facts.h"
#include "server/handlers/handlers.h"
#include "server/handlers/landscape_named.h"
#include "server/handlers/long_work.h"
#include "server/handlers/reply.h"

/* Operations on boxes while a formula's critical points are looked for: a second or so. */
#define CRITICAL_OPERATIONS 5000000
#define CRITICAL_BOXES      100000
/* Of descents; above these a request is long work: a tenth of a second or more. */
#define LONG_OPERATIONS 10000000

/* All that an answer is made of. */
struct work {
    const struct descent_request *wanted;
    const struct critical_points *known; /* NULL: none are */
    struct critical_points own;          /* of a formula in its box */
    struct descent_result *results;      /* [count], owned */
    size_t count;
};

static enum status find_known(struct work *work, struct error *error)
{
    const struct descent_request *wanted = work->wanted;

    if (wanted->landscape != NULL) {
        return landscape_critical_points(wanted->landscape, &work->known, error);
    }
    if (!wanted->has_box) {
        return STATUS_OK;
    }
    work->known = &work->own;
    uint64_t boxes = CRITICAL_OPERATIONS / formula_operations(wanted->formula);
    return critical_points_find(&work->own, wanted->formula, wanted->box, boxes < CRITICAL_BOXES ? boxes : CRITICAL_BOXES,
                                error);
}

static enum status run(struct work *work, struct error *error)
{
    const struct descent_request *wanted = work->wanted;
    size_t descents = wanted->start_count * wanted->optimizer_count;
    struct descent_row *rows = malloc(((size_t)wanted->steps + 1) * sizeof *rows);
    enum status status = find_known(work, error);

    work->results = calloc(descents, sizeof *work->results);
    if (status == STATUS_OK && (rows == NULL || work->results == NULL)) {
        status = error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %zu descents of %u steps", descents, wanted->steps);
    }
    while (status == STATUS_OK && work->count < descents) {
        struct descent_task task;

        descent_request_task(wanted, work->count, &task);
        status = descent_result_make(&work->results[work->count++], &task, work->known, descent_request_every(wanted), rows,
                                     error);
    }
    free(rows);
    return status;
}

static void release(struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        descent_result_release(&work->results[i]);
    }
    free(work->results);
    critical_points_release(&work->own);
}

/* The same, as one of few at a time where it takes long. */
static enum status run_in_turn(const struct app *app, struct work *work, struct error *error)
{
    int is_long = (work->wanted->own_formula != NULL && work->wanted->has_box) ||
                  descent_request_operations(work->wanted) > LONG_OPERATIONS;
    enum status status = is_long ? long_work_begin(app, error) : STATUS_OK;

    if (status != STATUS_OK) {
        return status;
    }
    status = run(work, error);
    if (is_long) {
        long_work_end();
    }
    return status;
}

static void answer(const struct app *app, struct request *request, const struct descent_request *wanted, enum media media)
{
    struct work work = {.wanted = wanted};
    struct json_writer writer = {.depth = 0};
    struct error error = {.status = STATUS_OK};
    enum status status = run_in_turn(app, &work, &error);

    if (status == STATUS_OK && media == MEDIA_SVG) {
        status = descents_svg(wanted, work.results, work.known, &writer.text, &error);
    } else if (status == STATUS_OK) {
        encode_descents(wanted, work.results, work.known, &writer);
    }
    release(&work);
    if (status == STATUS_OK) {
        reply_text(request, 200, media, &writer);
    } else {
        json_writer_release(&writer);
        request_respond_error(request, &error);
    }
}

static void descend(const struct app *app, struct request *request, const struct landscape *landscape,
                    const struct formula *formula)
{
    struct descent_request *wanted = malloc(sizeof *wanted); /* too much for a thread's stack */
    struct problem problem;
    struct error error = {.status = STATUS_OK};
    enum media media;
    size_t size;
    const char *body = request_body(request, &size);

    problem_init(&problem);
    if (wanted == NULL) {
        reply_error(request, STATUS_OUT_OF_MEMORY, "no memory for the request");
    } else if (reply_negotiate(request, PARAMETER_PICTURE_FORMAT, &media, &error) != STATUS_OK) {
        request_respond_error(request, &error);
    } else {
        if (descent_request_decode(wanted, landscape, formula, body, size, &problem) == STATUS_OK) {
            answer(app, request, wanted, media);
        } else {
            request_respond_problem(request, &problem);
        }
        descent_request_release(wanted);
    }
    free(wanted);
    problem_release(&problem);
}

void descend_landscape(struct app *app, struct request *request)
{
    const struct landscape *landscape = landscape_of(request);
    const struct formula *formula;
    struct error error = {.status = STATUS_OK};

    if (landscape == NULL) {
        return;
    }
    if (landscape_formula(landscape, &formula, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    descend(app, request, landscape, formula);
}

void descend_formula(struct app *app, struct request *request)
{
    descend(app, request, NULL, NULL);
}
