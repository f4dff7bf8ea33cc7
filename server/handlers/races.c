/*
 * POST /v1/races: many jobs that differ in one thing. Each entry's text goes the way of any job's request, one after the
 * other so that only one has its data open; then all of them are stored in one operation, or none is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/encode_job.h"
#include "api/encode_race.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/race_request.h"
#include "core/base/kernel_tier.h"
#include "core/base/sha256.h"
#include "server/failpoint.h"
#include "server/handlers/handlers.h"
#include "server/handlers/job_draft.h"
#include "server/handlers/reply.h"
#include "server/ids.h"
#include "server/jobs/scheduler.h"
#include "server/log.h"
#include "server/store/races.h"

enum rows { ROWS_DATASET, ROWS_TEST, ROWS_COUNT };

/* Lives until the request is answered. */
struct race {
    struct app *app;
    struct request *request;
    struct idempotency_claim claim;
    struct race_request decoded;
    char id[ID_TEXT];
    char row_ids[ROWS_COUNT][ID_TEXT];
    struct known_dataset known[KNOWN_DATASETS_MAX]; /* rows that all entries share */
    struct inline_dataset datasets[ROWS_COUNT];     /* likewise, on their way into the store */
    struct job_draft *drafts;                       /* [decoded.count] */
    struct jobs_insert *inserts[RACE_MAX_ENTRIES];
    struct races_insert insert;
    int is_trial, reserved;
};

static void race_free(struct race *race)
{
    idempotency_end(&race->claim);
    if (race->reserved) {
        scheduler_release(race->app->scheduler, (uint32_t)race->decoded.count);
    }
    for (size_t i = 0; race->drafts != NULL && i < race->decoded.count; i++) {
        job_draft_release(&race->drafts[i]);
    }
    free(race->drafts);
    for (size_t r = 0; r < ROWS_COUNT; r++) {
        inline_dataset_release(&race->datasets[r]);
    }
    race_request_release(&race->decoded);
    free(race);
}

/* ---- answers: each ends the claim first, so that whoever has read one may use the key again ---- */

/* error may be the store operation's, which is the race's. */
static void refuse(struct race *race, const struct error *error)
{
    idempotency_end(&race->claim);
    request_respond_error(race->request, error);
    race_free(race);
}

static void refuse_all(struct race *race, const struct problem *problem)
{
    idempotency_end(&race->claim);
    request_respond_problem(race->request, problem);
    race_free(race);
}

static void answer_created(struct race *race)
{
    const struct job_view *jobs[RACE_MAX_ENTRIES];
    struct json_writer writer = {0};
    struct response response;

    for (size_t i = 0; i < race->decoded.count; i++) {
        jobs[i] = &race->drafts[i].job;
    }
    encode_race(race->id, jobs, race->decoded.count, &writer);
    reply_json_response(&response, race->request, 201, &writer);
    idempotency_end(&race->claim);
    FAILPOINT(JOB_BEFORE_REPLY);
    request_respond(race->request, &response);
    FAILPOINT(JOB_REPLIED);
    race_free(race);
}

/* On the store's writer thread. */
static void stored(void *context, enum status status, const struct error *error)
{
    struct race *race = context;
    struct error raced = {0};

    FAILPOINT(JOB_AFTER_COMMIT);
    if (status == STATUS_IDEMPOTENCY_KEY_REUSED) { /* since it was looked up: asking again gets that one's answer */
        (void)error_set(&raced, STATUS_IDEMPOTENCY_IN_PROGRESS, "another request with this key has just been carried out");
        refuse(race, &raced);
        return;
    }
    if (status != STATUS_OK) {
        refuse(race, error);
        return;
    }
    race->reserved = 0;
    for (size_t i = 0; i < race->decoded.count; i++) {
        const struct job_ticket ticket = job_ticket_of(&race->drafts[i].job);

        log_info(ticket.id, "%s", job_status_name(JOB_QUEUED));
        scheduler_enqueue(race->app->scheduler, &ticket);
    }
    answer_created(race);
}

/* ---- the entries ---- */

/* Describes and keeps rows that all entries name by one id; they are opened from memory. */
static enum status take_rows(struct race *race, enum rows which, const struct race_rows *rows, struct error *error)
{
    struct known_dataset *known = &race->known[which];
    struct dataset opened = {0};
    enum status status;

    if (rows->ref.type == DATASET_REF_NONE) {
        return STATUS_OK;
    }
    known->id = rows->id;
    known->block = &rows->ref.block;
    sha256_text(known->block->data, known->block->size, known->sha256);
    if (race->is_trial) {
        return STATUS_OK;
    }
    status = dataset_open(&opened, known->block->data, known->block->size, error);
    if (status == STATUS_OK) {
        status = inline_dataset_make(&race->datasets[which], race->app->store, &opened, known->block, rows->id, error);
        dataset_release(&opened);
    }
    return status;
}

static int names_shared(const struct race *race, enum rows which, const struct dataset_ref *ref)
{
    return race->known[which].id != NULL && ref->type == DATASET_REF_ID && strcmp(ref->id, race->known[which].id) == 0;
}

/* The insert of what a draft names by the id of shared rows. */
static struct datasets_insert *shared_insert(struct race *race, enum rows which, const struct dataset_ref *ref)
{
    return names_shared(race, which, ref) ? &race->datasets[which].insert : NULL;
}

static enum status make_draft(struct race *race, size_t i, const char *text, size_t size, struct error *error)
{
    struct job_draft *draft = &race->drafts[i];
    enum status status = job_draft_make(draft, race->app, text, size, error);

    if (draft->insert.dataset == NULL) {
        draft->insert.dataset = shared_insert(race, ROWS_DATASET, &draft->decoded.dataset);
    }
    if (draft->insert.test == NULL) {
        draft->insert.test = shared_insert(race, ROWS_TEST, &draft->decoded.test);
    }
    race->inserts[i] = &draft->insert;
    return status;
}

/* Shared rows are shown as they came: their id was made for this request, there will be no data set with it. */
static void write_estimate(const struct race *race, size_t i, struct json_writer *writer)
{
    const struct job_draft *draft = &race->drafts[i];
    struct job_request shown = draft->decoded; /* borrows all that it has */

    if (names_shared(race, ROWS_DATASET, &shown.dataset)) {
        shown.dataset = race->decoded.dataset.ref;
    }
    if (names_shared(race, ROWS_TEST, &shown.test)) {
        shown.test = race->decoded.test.ref;
    }
    encode_job_estimate(&shown, draft->data.train.sha256, kernel_tier_of(shown.train.precision), &draft->plan, writer);
}

/* Checks entry i's text; makes its job ready, or writes what it would cost, as long as nothing is wrong with any. */
static void take_text(struct race *race, size_t i, const char *text, size_t size, struct json_writer *estimates,
                      struct problem *problem)
{
    struct problem own;
    struct error error = {0};

    problem_init(&own);
    if (job_draft_check(&race->drafts[i], race->app, text, size, race->known, &own) != STATUS_OK) {
        race_request_add_problem(&race->decoded, i, &own, problem);
    } else if (problem->status == STATUS_OK && race->is_trial) {
        write_estimate(race, i, estimates);
    } else if (problem->status == STATUS_OK && make_draft(race, i, text, size, &error) != STATUS_OK) {
        problem_add(problem, &error);
    }
    job_draft_release_data(&race->drafts[i]);
    problem_release(&own);
}

/* No other entry's text or data is there meanwhile: each may be as large as a body may be. */
static void take_entry(struct race *race, size_t i, struct json_writer *estimates, struct problem *problem)
{
    struct error error = {0};
    char *text = NULL;
    size_t size = 0;

    if (race_request_text(&race->decoded, i, &text, &size, &error) == STATUS_OK) {
        take_text(race, i, text, size, estimates, problem);
    }
    problem_add(problem, &error);
    free(text);
}

static void take_entries(struct race *race, struct json_writer *estimates, struct problem *problem)
{
    struct error error = {0};
    enum status status = take_rows(race, ROWS_DATASET, &race->decoded.dataset, &error);

    if (status == STATUS_OK) {
        status = take_rows(race, ROWS_TEST, &race->decoded.test, &error);
    }
    race->drafts = calloc(race->decoded.count, sizeof *race->drafts);
    if (status == STATUS_OK && race->drafts == NULL) {
        status = error_set(&error, STATUS_OUT_OF_MEMORY, "no memory for %zu jobs", race->decoded.count);
    }
    if (status != STATUS_OK) {
        problem_add(problem, &error);
        return;
    }
    for (size_t i = 0; i < race->decoded.count; i++) {
        take_entry(race, i, estimates, problem);
    }
}

/* ---- the whole way ---- */

static enum status decode(struct race *race, struct problem *problem)
{
    size_t size;
    const char *body = request_body(race->request, &size);

    id_new(race->id, "race_");
    id_new(race->row_ids[ROWS_DATASET], "ds_");
    id_new(race->row_ids[ROWS_TEST], "ds_");
    const struct race_ids ids = {
        .race = race->is_trial ? NULL : race->id, .dataset = race->row_ids[ROWS_DATASET], .test = race->row_ids[ROWS_TEST]};
    return race_request_decode(&race->decoded, body, size, &ids, problem);
}

static void answer_estimates(struct race *race, struct json_writer *writer)
{
    reply_json(race->request, 200, writer); /* without a claim */
    race_free(race);
}

static void store_race(struct race *race)
{
    struct error error = {0};

    race->insert = (struct races_insert){
        .id = race->id, .inserts = race->inserts, .count = race->decoded.count, .key = idempotency_key(&race->claim)};
    if (atomic_load(&race->app->phase) != APP_READY) {
        (void)error_set(&error, STATUS_NOT_READY, "the server is draining and takes no more jobs");
        refuse(race, &error);
    } else if (scheduler_reserve(race->app->scheduler, (uint32_t)race->decoded.count, &error) != STATUS_OK) {
        refuse(race, &error);
    } else {
        race->reserved = 1;
        store_submit(race->app->store, races_insert(&race->insert), stored, race);
    }
}

static void run(struct race *race)
{
    struct json_writer estimates = {0};
    struct problem problem;

    problem_init(&problem);
    json_begin_object(&estimates);
    json_member_string(&estimates, "object", "race_estimate");
    json_key(&estimates, "jobs");
    json_begin_array(&estimates);
    if (decode(race, &problem) == STATUS_OK) {
        take_entries(race, &estimates, &problem);
    }
    json_end_array(&estimates);
    json_end_object(&estimates);
    if (problem.status != STATUS_OK) {
        refuse_all(race, &problem);
    } else if (race->is_trial) {
        answer_estimates(race, &estimates);
    } else {
        store_race(race);
    }
    json_writer_release(&estimates);
    problem_release(&problem);
}

void create_race(struct app *app, struct request *request)
{
    struct race *race = calloc(1, sizeof *race);

    if (race == NULL) {
        reply_error(request, STATUS_OUT_OF_MEMORY, "no memory for this request");
        return;
    }
    race->app = app;
    race->request = request;
    race->is_trial = query_integer(request_query(request), PARAMETER_VALIDATE_ONLY) != 0;
    if (!race->is_trial && !idempotency_begin(&race->claim, &app->claims, app->store, request)) {
        race_free(race);
        return;
    }
    run(race);
}
