#include "rerun_request.h"

#include <inttypes.h>
#include <stdio.h>

#include "api/job_request_decoder.h"
#include "api/merge_patch.h"
#include "api/views.h"

/* As many as a request may ask for. */
static double epochs_max(void)
{
    struct field_table table;

    job_table(JOB_TABLE_TRAINING, 0, &table);
    return job_decode_find(&table, "epochs")->maximum;
}

static void decode_extension(uint32_t *extend_epochs, const struct json_value *root, const struct json_value *value,
                             struct problem *problem)
{
    const struct field field = {.name = "extend_epochs", .kind = FIELD_COUNT32, .minimum = 1, .maximum = epochs_max()};

    (void)field_decode(&field, value, extend_epochs, "/extend_epochs", problem); /* the problem has it */
    if (json_count(root) > 1) {
        problem_add_field(problem, STATUS_CONFLICTING_FIELDS, "/extend_epochs", NULL,
                          "this stands alone: training that goes on cannot be changed");
    }
}

/* The field of that name in whichever variant has it, with its table; NULL: none has. */
static const struct field *find_field(enum job_table id, const char *name, struct field_table *table)
{
    const struct field *field = NULL;

    for (size_t variant = 0; variant < job_table_variants(id) && field == NULL; variant++) {
        job_table(id, variant, table);
        field = job_decode_find(table, name);
    }
    return field;
}

/* Other members come into the merged request, whose decoder sees them. */
static void check_removals(enum job_table id, const struct json_value *patch, const char *pointer, struct problem *problem)
{
    char place[FIELD_POINTER_TEXT];
    struct field_table table = {.count = 0};

    for (const struct json_value *member = json_first(patch); member != NULL; member = json_next(member)) {
        const struct field *field = find_field(id, json_name(member), &table);
        enum job_table below = field != NULL ? job_table_of(&table, field) : JOB_TABLE_COUNT;

        field_pointer(place, pointer, json_name(member));
        if (field == NULL && json_type(member) == JSON_NULL) {
            field_unknown(table.fields, table.count, json_name(member), place, problem);
        } else if (below != JOB_TABLE_COUNT && json_type(member) == JSON_OBJECT) {
            check_removals(below, member, place, problem);
        }
    }
}

void rerun_request_check_removals(const struct json_value *patch, const char *pointer, struct problem *problem)
{
    check_removals(JOB_TABLE_JOB, patch, pointer, problem);
}

enum status rerun_request_decode(uint32_t *extend_epochs, const char *body, size_t size, struct problem *problem)
{
    struct json_document *document = NULL;
    struct error error = {.status = STATUS_OK};

    *extend_epochs = 0;
    if (size == 0) {
        return STATUS_OK;
    }
    if (job_document_parse(&document, body, size, &error) != STATUS_OK) {
        problem_add(problem, &error);
        return problem->status;
    }
    const struct json_value *root = json_root(document);
    const struct json_value *value = json_type(root) == JSON_OBJECT ? json_get(root, "extend_epochs") : NULL;
    if (value != NULL) {
        decode_extension(extend_epochs, root, value, problem);
    } else if (json_type(root) != JSON_OBJECT) {
        field_wrong_type(root, "an object", "", problem);
    } else {
        rerun_request_check_removals(root, "", problem);
    }
    json_free(document);
    return problem->status;
}

enum status rerun_request_check_extension(const struct job_view *job, const struct job_request *request, uint32_t epochs,
                                          struct error *error)
{
    const struct train_spec *train = &request->train;
    uint64_t end = job->progress.step;

    if (job->status != JOB_SUCCEEDED) {
        return error_set(error, STATUS_NOT_EXTENDABLE, "the job %s", job_status_name(job->status));
    }
    if (job->stop_reason != STOP_EPOCHS) {
        return error_set(error, STATUS_NOT_EXTENDABLE, "the job was ended by %s, not by its last epoch",
                         stop_reason_name(job->stop_reason));
    }
    if (schedule_depends_on_length(train->schedule.type)) {
        return error_set(error, STATUS_NOT_EXTENDABLE,
                         "the schedule is %s: each learning rate depends on how many epochs were planned",
                         schedule_name(train->schedule.type));
    }
    if (train->eval_every_steps > 0 && end % train->eval_every_steps != 0) {
        return error_set(error, STATUS_NOT_EXTENDABLE,
                         "the job was evaluated at its end, step %" PRIu64 ", which is not one of every %" PRIu64, end,
                         train->eval_every_steps);
    }
    if (train->stop.max_steps > 0 && train->stop.max_steps <= end) {
        return error_set(error, STATUS_NOT_EXTENDABLE, "the job has made all the steps that stop.max_steps allows");
    }
    if ((double)train->epochs + epochs > epochs_max()) {
        return error_set_pointer(error, STATUS_OUT_OF_RANGE, "/extend_epochs",
                                 "%u epochs were made, at most %.0f are allowed", train->epochs, epochs_max());
    }
    return STATUS_OK;
}

enum status rerun_request_merge(const char *request, size_t request_size, const char *patch, size_t patch_size,
                                char **merged, size_t *merged_size, struct error *error)
{
    struct json_document *document = NULL;
    struct text text = {.data = NULL};
    enum status status = job_document_parse(&document, request, request_size, error);

    json_free(document);
    document = NULL;
    if (status == STATUS_OK) {
        status = job_document_parse(&document, patch, patch_size, error);
        json_free(document);
    }
    if (status != STATUS_OK) {
        return status;
    }
    merge_patch(request, request_size, patch, patch_size, &text);
    return text_take(&text, merged, merged_size, error);
}
