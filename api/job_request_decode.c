/*
 * The body's form: everything that can be said without the data. Objects of plain fields are decoded by their tables
 * alone; what follows is the rest, in the order of the document.
 */
#include "job_request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/job_request_decoder.h"
#include "api/job_request_tables.h"
#include "api/json.h"
#include "api/metadata.h"
#include "core/train/diagnostics.h"

enum bulk { BULK_X, BULK_Y, BULK_TEST_X, BULK_TEST_Y, BULK_COUNT };
static const char *const BULK[BULK_COUNT] = {
    [BULK_X] = "/dataset/x",
    [BULK_Y] = "/dataset/y",
    [BULK_TEST_X] = "/test/dataset/x",
    [BULK_TEST_Y] = "/test/dataset/y",
};

/* ---- optimizer, schedule, loss, training, stop ---- */

size_t job_decode_optimizer(const struct json_value *value, const char *pointer, const struct field *extra,
                            size_t extra_count, struct optimizer_spec *optimizer, struct problem *problem)
{
    struct field_table table;
    size_t variant = job_decode_type(value, JOB_TABLE_OPTIMIZER, OPTIMIZER_SGD, pointer, &table, problem);

    if (variant == OPTIMIZER_FORM_COUNT) {
        return variant;
    }
    optimizer_defaults(optimizer, variant == OPTIMIZER_GD ? OPTIMIZER_SGD : (enum optimizer_type)variant);
    fields_set_defaults(table.fields, table.count, optimizer);
    assert(table.count + extra_count <= FIELD_TABLE_MAX);
    for (size_t i = 0; i < extra_count; i++) {
        table.fields[table.count++] = extra[i];
    }
    fields_decode(table.fields, table.count, value, optimizer, pointer, problem);
    return variant;
}

static void decode_optimizer(struct decoder *d, const struct json_value *value)
{
    struct optimizer_spec *optimizer = &d->request->train.optimizer;
    struct field_table table;

    if (value != NULL) {
        d->request->gradient_descent =
            job_decode_optimizer(value, "/optimizer", NULL, 0, optimizer, d->problem) == OPTIMIZER_GD;
        return;
    }
    job_table(JOB_TABLE_OPTIMIZER, OPTIMIZER_SGD, &table);
    optimizer_defaults(optimizer, OPTIMIZER_SGD);
    fields_set_defaults(table.fields, table.count, optimizer);
    optimizer->momentum = 0.9; /* who says nothing gets what usually works best */
    optimizer->nesterov = NESTEROV_LOOKAHEAD;
}

void job_decode_schedule(const struct json_value *value, const char *pointer, struct schedule_spec *schedule,
                         struct problem *problem)
{
    struct field_table table;
    size_t variant = SCHEDULE_CONSTANT;

    if (value != NULL) {
        variant = job_decode_type(value, JOB_TABLE_SCHEDULE, SCHEDULE_CONSTANT, pointer, &table, problem);
    }
    if (variant == SCHEDULE_COUNT) {
        return;
    }
    schedule_defaults(schedule, (enum schedule_type)variant);
    if (value != NULL) {
        fields_decode(table.fields, table.count, value, schedule, pointer, problem);
    }
}

static void decode_weight_list(struct decoder *d, const struct json_value *list)
{
    static const struct field WEIGHT = {.name = "weight", .kind = FIELD_NUMBER, .minimum = 1e-30, .maximum = 1e30};
    struct job_request *request = d->request;
    char pointer[FIELD_POINTER_TEXT];
    size_t count = json_count(list);

    if (count > DATASET_MAX_CLASSES || count < 2) {
        problem_add_field(d->problem, STATUS_OUT_OF_RANGE, "/loss/class_weights", NULL, "%zu weights, 2 to %d are allowed",
                          count, DATASET_MAX_CLASSES);
        return;
    }
    request->class_weights = calloc(count, sizeof *request->class_weights);
    if (request->class_weights == NULL) {
        struct error error = {.status = STATUS_OK};

        (void)error_set(&error, STATUS_OUT_OF_MEMORY, "no memory for %zu class weights", count);
        problem_add(d->problem, &error);
        return;
    }
    request->train.loss.weighting = CLASS_WEIGHTS_LIST;
    for (const struct json_value *weight = json_first(list); weight != NULL; weight = json_next(weight)) {
        double *place = &request->class_weights[request->class_weight_count];

        field_pointer_index(pointer, "/loss/class_weights", request->class_weight_count++);
        (void)field_decode(&WEIGHT, weight, place, pointer, d->problem); /* the problem has it */
    }
}

static void decode_class_weights(struct decoder *d, const struct json_value *value)
{
    static const char *const WORDS[] = {"balanced"};
    static const struct field WORD = {.name = "class_weights", .kind = FIELD_CHOICE, .choices = WORDS, .choice_count = 1};
    unsigned index;

    switch (json_type(value)) {
    case JSON_NULL:
        break;
    case JSON_ARRAY:
        decode_weight_list(d, value);
        break;
    case JSON_STRING:
        if (field_decode(&WORD, value, &index, "/loss/class_weights", d->problem)) {
            d->request->train.loss.weighting = CLASS_WEIGHTS_BALANCED;
        }
        break;
    default:
        field_wrong_type(value, "null, \"balanced\" or a list of numbers", "/loss/class_weights", d->problem);
    }
}

static void decode_loss(struct decoder *d, const struct json_value *loss)
{
    struct field_table table;
    const struct json_value *type = json_get(loss, "type"), *weights = json_get(loss, "class_weights");
    unsigned only;

    job_table(JOB_TABLE_LOSS, 0, &table);
    if (type != NULL) {
        struct field field = *job_decode_find(&table, "type");

        field.kind = FIELD_CHOICE;
        (void)field_decode(&field, type, &only, "/loss/type", d->problem); /* there is one; others are errors */
    }
    if (weights != NULL) {
        decode_class_weights(d, weights);
    }
}

static void decode_training(struct decoder *d, const struct json_value *training)
{
    static const struct field SHARDS = {.name = "shards", .kind = FIELD_COUNT32, .minimum = 1, .maximum = 65536};
    const struct json_value *shards = json_get(training, "shards");
    uint32_t count = 1;

    d->request->batch_given = json_get(training, "batch_size") != NULL;
    if (shards != NULL && field_decode(&SHARDS, shards, &count, "/training/shards", d->problem) && count > 1) {
        problem_add_field(d->problem, STATUS_NOT_SUPPORTED, "/training/shards", NULL,
                          "more than 1 shard is not supported yet");
    }
}

static void decode_stop(struct decoder *d, const struct json_value *stop)
{
    const struct json_value *early = json_get(stop, "early");
    struct field_table table;

    if (early == NULL || json_type(early) == JSON_NULL) {
        return;
    }
    job_table(JOB_TABLE_EARLY, 0, &table);
    d->request->train.stop.early = 1;
    d->request->metric_given = json_get(early, "metric") != NULL;
    fields_set_defaults(table.fields, table.count, d->request);
    fields_decode(table.fields, table.count, early, d->request, "/stop/early", d->problem);
}

/* ---- texts ---- */

int job_decode_text(struct decoder *d, const struct json_value *object, const char *key, const char *base, char *text,
                    size_t room)
{
    const struct json_value *value = json_get(object, key);
    char pointer[FIELD_POINTER_TEXT];
    size_t size;

    if (value == NULL) {
        return 0;
    }
    field_pointer(pointer, base, key);
    if (json_type(value) != JSON_STRING) {
        field_wrong_type(value, "a string", pointer, d->problem);
        return 0;
    }
    size = strlen(json_to_string(value));
    if (size >= room) {
        problem_add_field(d->problem, STATUS_STRING_TOO_LONG, pointer, NULL, "%zu bytes, at most %zu are allowed", size,
                          room - 1);
        return 0;
    }
    memcpy(text, json_to_string(value), size + 1);
    return 1;
}

/* ---- diagnostics ---- */

static const char *diagnostic_choice(unsigned index)
{
    return diagnostic_name((enum diagnostic)index);
}

static void decode_diagnostics(struct decoder *d, const struct json_value *list)
{
    static const struct field ONE = {
        .name = "diagnostic", .kind = FIELD_CHOICE, .choice = diagnostic_choice, .choice_count = DIAGNOSTIC_COUNT};
    char pointer[FIELD_POINTER_TEXT];
    size_t place = 0;
    unsigned which;

    if (list == NULL) {
        return;
    }
    if (json_type(list) != JSON_ARRAY) {
        field_wrong_type(list, "a list of names", "/diagnostics", d->problem);
        return;
    }
    for (const struct json_value *name = json_first(list); name != NULL; name = json_next(name)) {
        field_pointer_index(pointer, "/diagnostics", place++);
        if (!field_decode(&ONE, name, &which, pointer, d->problem)) {
            continue;
        }
        if ((d->request->train.diagnostics & DIAGNOSTIC_BIT(which)) != 0) {
            problem_add_field(d->problem, STATUS_CONFLICTING_FIELDS, pointer, NULL, "%s stands there twice",
                              diagnostic_choice(which));
        }
        d->request->train.diagnostics |= DIAGNOSTIC_BIT(which);
    }
}

static void decode_expect(struct decoder *d, const struct json_value *expect)
{
    (void)job_decode_text(d, expect, "dataset_sha256", "/expect", d->request->expect_dataset_sha256,
                          sizeof d->request->expect_dataset_sha256);
    (void)job_decode_text(d, expect, "kernel_tier", "/expect", d->request->expect_kernel_tier,
                          sizeof d->request->expect_kernel_tier);
}

/* ---- the whole ---- */

static void decode_test(struct decoder *d, const struct json_value *test)
{
    const struct json_value *dataset = json_get(test, "dataset");

    if (dataset != NULL) {
        dataset_ref_decode(&d->request->test, dataset, json_bulk(d->document, BULK_TEST_X),
                           json_bulk(d->document, BULK_TEST_Y), "/test/dataset", d->problem);
    }
}

/* Objects whose fields a table decodes; what it leaves, `rest` does, once the object is known to be one. */
static const struct {
    enum job_table table;
    const char *key, *pointer;
    void (*rest)(struct decoder *d, const struct json_value *object);
} OBJECTS[] = {
    {JOB_TABLE_SPLIT, "split", "/split", NULL},
    {JOB_TABLE_LOSS, "loss", "/loss", decode_loss},
    {JOB_TABLE_TRAINING, "training", "/training", decode_training},
    {JOB_TABLE_STOP, "stop", "/stop", decode_stop},
    {JOB_TABLE_CHECKPOINT, "checkpoint", "/checkpoint", NULL},
    {JOB_TABLE_RESOURCES, "resources", "/resources", NULL},
    {JOB_TABLE_EXPECT, "expect", "/expect", decode_expect},
    {JOB_TABLE_TEST, "test", "/test", decode_test},
    {JOB_TABLE_RANGE, "range", "/range", NULL},
};

static void decode_objects(struct decoder *d)
{
    struct field_table table;

    for (size_t i = 0; i < sizeof OBJECTS / sizeof *OBJECTS; i++) {
        const struct json_value *value = json_get(d->root, OBJECTS[i].key);

        job_table(OBJECTS[i].table, 0, &table);
        fields_set_defaults(table.fields, table.count, d->request);
        if (value == NULL) {
            continue;
        }
        fields_decode(table.fields, table.count, value, d->request, OBJECTS[i].pointer, d->problem);
        if (OBJECTS[i].rest != NULL && json_type(value) == JSON_OBJECT) {
            OBJECTS[i].rest(d, value);
        }
    }
}

/* A rule that is its own schedule, and another one beside it. */
static void check_schedule(struct decoder *d)
{
    const struct train_spec *train = &d->request->train;
    const char *rule = optimizer_name(train->optimizer.type);

    if (!optimizer_has(train->optimizer.type, OPTIMIZER_OWN_SCHEDULE)) {
        return;
    }
    if (train->schedule.type != SCHEDULE_CONSTANT) {
        problem_add_field(d->problem, STATUS_CONFLICTING_FIELDS, "/schedule/type", NULL,
                          "%s is its own schedule: with %s only constant is allowed, not %s", rule, rule,
                          schedule_name(train->schedule.type));
    }
    if (train->schedule.warmup_steps > 0) {
        problem_add_field(d->problem, STATUS_CONFLICTING_FIELDS, "/schedule/warmup_steps", NULL,
                          "%s warms up by its own warmup_steps, in /optimizer/warmup_steps", rule);
    }
}

/* What two fields say about each other. */
static void check_together(struct decoder *d)
{
    const struct job_request *request = d->request;

    if (request->split.validation + request->split.test >= 1) {
        problem_add_field(d->problem, STATUS_OUT_OF_RANGE, "/split", NULL,
                          "validation and test take %.15g of the rows, nothing is left to train on",
                          request->split.validation + request->split.test);
    }
    if (request->split.test > 0 && json_get(d->root, "test") != NULL) {
        problem_add_field(d->problem, STATUS_CONFLICTING_FIELDS, "/split/test", NULL,
                          "there is a test set already, in /test/dataset");
    }
    check_schedule(d);
    if (request->train.kind == TRAIN_LR_RANGE_TEST && optimizer_has(request->train.optimizer.type, OPTIMIZER_OWN_SCHEDULE)) {
        problem_add_field(d->problem, STATUS_CONFLICTING_FIELDS, "/optimizer/type", NULL,
                          "%s averages over steps of one learning rate, and a range test has another one each step",
                          optimizer_name(request->train.optimizer.type));
    }
    if (request->train.kind != TRAIN_LR_RANGE_TEST && json_get(d->root, "range") != NULL) {
        problem_add_field(d->problem, STATUS_CONFLICTING_FIELDS, "/range", NULL,
                          "only a range test sweeps its learning rate; set /kind to %s",
                          train_kind_name(TRAIN_LR_RANGE_TEST));
    }
    if (!(request->train.range.start < request->train.range.end)) {
        problem_add_field(d->problem, STATUS_OUT_OF_RANGE, "/range/end", NULL, "%.15g is not above the start, %.15g",
                          request->train.range.end, request->train.range.start);
    }
    job_check_convex(d);
}

static void decode_root(struct decoder *d)
{
    struct field_table table;
    const struct json_value *model = json_get(d->root, "model"), *dataset = json_get(d->root, "dataset");

    job_table(JOB_TABLE_JOB, 0, &table);
    fields_set_defaults(table.fields, table.count, d->request);
    fields_decode(table.fields, table.count, d->root, d->request, "", d->problem);
    if (json_type(d->root) != JSON_OBJECT) {
        return;
    }
    if (model != NULL) {
        job_decode_model(d, model);
    }
    job_decode_init(d, json_get(d->root, "init"));
    decode_optimizer(d, json_get(d->root, "optimizer"));
    job_decode_schedule(json_get(d->root, "schedule"), "/schedule", &d->request->train.schedule, d->problem);
    decode_diagnostics(d, json_get(d->root, "diagnostics"));
    decode_objects(d);
    metadata_decode(json_get(d->root, "metadata"), &d->request->metadata, d->problem);
    check_together(d);
    if (dataset != NULL) { /* last, as an id that is none is told only when nothing else is wrong */
        dataset_ref_decode(&d->request->dataset, dataset, json_bulk(d->document, BULK_X), json_bulk(d->document, BULK_Y),
                           "/dataset", d->problem);
    }
}

enum status job_document_parse(struct json_document **document, const char *body, size_t size, struct error *error)
{
    return json_parse(document, body, size, BULK, BULK_COUNT, error);
}

enum status job_request_decode(struct job_request *request, const char *body, size_t size, struct problem *problem)
{
    struct json_document *document = NULL;
    struct error error = {.status = STATUS_OK};

    *request = (struct job_request){.train.stop.early_metric = METRIC_COUNT};
    if (job_document_parse(&document, body, size, &error) != STATUS_OK) {
        problem_add(problem, &error);
        return problem->status;
    }
    decode_root(
        &(struct decoder){.request = request, .problem = problem, .document = document, .root = json_root(document)});
    json_free(document);
    request->train.loss.class_weights = request->class_weights;
    return problem->status;
}

void job_request_release(struct job_request *request)
{
    dataset_ref_release(&request->dataset);
    dataset_ref_release(&request->test);
    free(request->metadata);
    free(request->class_weights);
    request->metadata = NULL;
    request->class_weights = NULL;
    request->train.loss.class_weights = NULL;
}
