/* The request's fields by table; by hand, what has forms of its own: box, starts, noise, optimizers. */
#include "descent_request.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/job_request_decoder.h"
#include "api/json.h"
#include "api/problem.h"
#include "core/landscape/descent_result.h"

#define AT(member) .offset = offsetof(struct descent_request, member)

const struct field descent_request_fields[] = {
    {.name = "f",
     .kind = FIELD_OTHER,
     .required = 1,
     .default_value = NAN,
     .json_type = "string",
     .help = "a function of x and y: + - * / ^ ** ( ), numbers, pi, e, exp log sin cos sqrt abs tanh; at most 1,000 bytes"},
    {.name = "box",
     .kind = FIELD_OTHER,
     .default_value = NAN,
     .json_type = "array",
     .help =
         "[[x0, x1], [y0, y1]]: what is drawn, and where critical points of f are looked for; the landscape's own, or none"},
    {.name = "start",
     .kind = FIELD_OTHER,
     .default_value = NAN,
     .json_type = "array",
     .help = "[x, y]; without start and starts a landscape's own"},
    {.name = "starts",
     .kind = FIELD_OTHER,
     .default_value = NAN,
     .json_type = "array or object",
     .help = "many: [[x, y], ...], or {\"random\": n, \"box\", \"seed\"} for n places of a box at random; at most 5,000 and "
             "10,000"},
    {.name = "steps",
     .kind = FIELD_COUNT32,
     AT(steps),
     .default_value = 500,
     .maximum = DESCENT_MAX_STEPS,
     .help = "updates"},
    {.name = "noise",
     .kind = FIELD_OTHER,
     .default_value = 0,
     .json_type = "number or object",
     .help = "added to each coordinate of each gradient: s, uniform in [-s, s], or {\"type\": \"uniform\" or \"normal\", "
             "\"scale\": s}; all optimizers get the same at the same step"},
    {.name = "seed", .kind = FIELD_SEED, AT(seed), .maximum = FIELD_EXACT_INTEGER, .help = "of noise and random starts"},
    {.name = "gradient_norm",
     .kind = FIELD_NUMBER,
     AT(gradient_norm),
     .default_value = NAN,
     .minimum = 0,
     .maximum = 1e30,
     .word = "null",
     .word_flag = offsetof(struct descent_request, has_no_gradient_norm),
     .word_is_default = 1,
     .help = "ends a descent where the exact gradient is at most so long; null: nowhere"},
    {.name = "optimizers",
     .kind = FIELD_OTHER,
     .required = 1,
     .default_value = NAN,
     .json_type = "array",
     .help = "1 to 16, each as a job's optimizer, with a name and a schedule of its own if wanted"},
    {.name = "every",
     .kind = FIELD_COUNT32,
     AT(every),
     .default_value = NAN,
     .minimum = 1,
     .maximum = DESCENT_MAX_STEPS,
     .word = "auto",
     .word_flag = offsetof(struct descent_request, every_auto),
     .word_is_default = 1,
     .help = "paths keep every nth row, and the last; auto: as many as make 20,000 rows in all"},
    {.name = "path",
     .kind = FIELD_FLAG,
     AT(path),
     .default_value = 1,
     .maximum = 1,
     .help = "false: without paths, for many starts; pictures show where descents end"},
    {.name = "arrows",
     .kind = FIELD_COUNT32,
     AT(arrows),
     .default_value = 0,
     .maximum = DESCENT_MAX_STEPS,
     .help = "pictures: steepest-descent arrows at every nth point of each path; 0: none"},
};
const size_t descent_request_field_count = sizeof descent_request_fields / sizeof *descent_request_fields;
const size_t descent_request_named_field_count = sizeof descent_request_fields / sizeof *descent_request_fields - 1;

const struct field descent_optimizer_fields[DESCENT_OPTIMIZER_FIELDS] = {
    {.name = "name",
     .kind = FIELD_NAME,
     .offset = offsetof(struct descent_optimizer, name),
     .default_value = NAN,
     .help = "for the legend; the type by default"},
    {.name = "schedule",
     .kind = FIELD_OTHER,
     .default_value = NAN,
     .json_type = "object",
     .help = "as a job's; an update counts as an epoch"},
};

static const struct field COORDINATE = {
    .name = "coordinate", .kind = FIELD_NUMBER, .minimum = -DESCENT_MAX_COORDINATE, .maximum = DESCENT_MAX_COORDINATE};

static void no_memory(const char *what, size_t count, struct problem *problem)
{
    struct error error = {.status = STATUS_OK};

    (void)error_set(&error, STATUS_OUT_OF_MEMORY, "no memory for %zu %s", count, what);
    problem_add(problem, &error);
}

/* ---- points and boxes ---- */

/* [a, b]; 1 when both are there. */
static int decode_pair(const struct json_value *value, const char *pointer, double pair[2], struct problem *problem)
{
    char place[FIELD_POINTER_TEXT];
    const struct json_value *item;
    int valid = 1;

    if (json_type(value) != JSON_ARRAY) {
        field_wrong_type(value, "a list of two numbers", pointer, problem);
        return 0;
    }
    if (json_count(value) != 2) {
        problem_add_field(problem, STATUS_OUT_OF_RANGE, pointer, NULL, "%zu numbers, two are wanted", json_count(value));
        return 0;
    }
    item = json_first(value);
    for (size_t i = 0; i < 2; i++, item = json_next(item)) {
        double number = 0;

        field_pointer_index(place, pointer, i);
        if (field_decode(&COORDINATE, item, &number, place, problem)) {
            pair[i] = number;
        } else {
            valid = 0;
        }
    }
    return valid;
}

static int decode_box(const struct json_value *value, const char *pointer, double box[2][2], struct problem *problem)
{
    char place[FIELD_POINTER_TEXT];
    const struct json_value *item;
    int valid = 1;

    if (json_type(value) != JSON_ARRAY || json_count(value) != 2) {
        field_wrong_type(value, "[[x0, x1], [y0, y1]]", pointer, problem);
        return 0;
    }
    item = json_first(value);
    for (size_t i = 0; i < 2; i++, item = json_next(item)) {
        field_pointer_index(place, pointer, i);
        if (!decode_pair(item, place, box[i], problem)) {
            valid = 0;
        } else if (!(box[i][0] < box[i][1])) {
            problem_add_field(problem, STATUS_OUT_OF_RANGE, place, NULL, "%.15g is not below %.15g", box[i][0], box[i][1]);
            valid = 0;
        }
    }
    return valid;
}

/* ---- starts ---- */

static int make_room(struct descent_request *request, size_t count, struct problem *problem)
{
    request->starts = calloc(count, sizeof *request->starts);
    if (request->starts == NULL) {
        no_memory("starts", count, problem);
        return 0;
    }
    request->start_count = count;
    return 1;
}

static void decode_start_list(struct descent_request *request, const struct json_value *list, struct problem *problem)
{
    char pointer[FIELD_POINTER_TEXT];
    size_t count = json_count(list), index = 0;

    if (count < 1 || count > DESCENT_MAX_LISTED) {
        problem_add_field(problem, STATUS_OUT_OF_RANGE, "/starts", NULL, "%zu starts, 1 to %d are allowed", count,
                          DESCENT_MAX_LISTED);
        return;
    }
    if (!make_room(request, count, problem)) {
        return;
    }
    for (const struct json_value *item = json_first(list); item != NULL; item = json_next(item), index++) {
        field_pointer_index(pointer, "/starts", index);
        (void)decode_pair(item, pointer, request->starts[index], problem); /* its error is in `problem` */
    }
}

/* {"random": n, "box", "seed"} */
struct random_starts {
    uint32_t count;
    uint64_t seed;
};

static void decode_random_starts(struct descent_request *request, const struct json_value *value, struct problem *problem)
{
    static const struct field FIELDS[] = {
        {.name = "random",
         .kind = FIELD_COUNT32,
         .required = 1,
         .offset = offsetof(struct random_starts, count),
         .minimum = 1,
         .maximum = DESCENT_MAX_STARTS},
        {.name = "box", .kind = FIELD_OTHER},
        {.name = "seed", .kind = FIELD_SEED, .offset = offsetof(struct random_starts, seed)},
    };
    struct random_starts random = {.count = 0, .seed = request->seed};
    const struct json_value *given = json_get(value, "box");
    double box[2][2];
    int has_box = request->has_box;

    memcpy(box, request->box, sizeof box);
    fields_decode(FIELDS, sizeof FIELDS / sizeof *FIELDS, value, &random, "/starts", problem);
    if (given != NULL) {
        has_box = decode_box(given, "/starts/box", box, problem);
    } else if (!has_box) {
        problem_add_field(problem, STATUS_MISSING_FIELD, "/starts/box", NULL, "a box is required for random starts");
    }
    if (!has_box || random.count == 0 || !make_room(request, random.count, problem)) {
        return;
    }
    for (uint32_t i = 0; i < random.count; i++) {
        descent_random_start(random.seed, (const double(*)[2])box, i, request->starts[i]);
    }
}

static void decode_starts(struct descent_request *request, const struct json_value *root, struct problem *problem)
{
    const struct json_value *start = json_get(root, "start"), *starts = json_get(root, "starts");

    if (start != NULL && starts != NULL) {
        problem_add_field(problem, STATUS_CONFLICTING_FIELDS, "/starts", NULL, "there is a start already, in /start");
    } else if (starts != NULL && json_type(starts) == JSON_ARRAY) {
        decode_start_list(request, starts, problem);
    } else if (starts != NULL && json_type(starts) == JSON_OBJECT) {
        decode_random_starts(request, starts, problem);
    } else if (starts != NULL) {
        field_wrong_type(starts, "a list of points or an object", "/starts", problem);
    } else if (start == NULL && request->landscape == NULL) {
        problem_add_field(problem, STATUS_MISSING_FIELD, "/start", NULL, "start or starts is required");
    } else if (make_room(request, 1, problem)) {
        if (start != NULL) {
            (void)decode_pair(start, "/start", request->starts[0], problem); /* its error is in `problem` */
        } else {
            memcpy(request->starts[0], request->landscape->start, sizeof request->starts[0]);
        }
    }
}

/* ---- noise ---- */

static const char *noise_choice(unsigned index)
{
    return noise_type_name((enum noise_type)index);
}

static void decode_noise(struct descent_request *request, const struct json_value *value, struct problem *problem)
{
    static const struct field FIELDS[] = {
        {.name = "scale",
         .kind = FIELD_NUMBER,
         .required = 1,
         .offset = offsetof(struct descent_noise, scale),
         .minimum = 0,
         .maximum = 1e30},
        {.name = "type",
         .kind = FIELD_CHOICE,
         .offset = offsetof(struct descent_noise, type),
         .choice = noise_choice,
         .choice_count = NOISE_TYPE_COUNT},
    };

    request->noise = (struct descent_noise){.type = NOISE_UNIFORM};
    if (value == NULL) {
        return;
    }
    if (json_type(value) == JSON_OBJECT) {
        fields_decode(FIELDS, sizeof FIELDS / sizeof *FIELDS, value, &request->noise, "/noise", problem);
    } else if (json_type(value) == JSON_NUMBER) {
        (void)field_decode(&FIELDS[0], value, &request->noise, "/noise", problem); /* its error is in `problem` */
    } else {
        field_wrong_type(value, "a number or an object", "/noise", problem);
    }
}

/* ---- optimizers ---- */

/* Rules that treat whole layers, or search along lines, have nothing to do on two numbers. */
static void check_optimizer(const struct descent_optimizer *optimizer, const char *pointer, struct problem *problem)
{
    const char *name = optimizer_name(optimizer->spec.type);
    char place[FIELD_POINTER_TEXT];

    if (!optimizer_has(optimizer->spec.type, OPTIMIZER_ELEMENT_WISE)) {
        field_pointer(place, pointer, "type");
        problem_add_field(problem, STATUS_NOT_SUPPORTED, place, NULL,
                          "%s does not update element by element: it cannot descend on a function of two variables", name);
    } else if (optimizer_has(optimizer->spec.type, OPTIMIZER_OWN_SCHEDULE) &&
               (optimizer->schedule.type != SCHEDULE_CONSTANT || optimizer->schedule.warmup_steps > 0)) {
        field_pointer(place, pointer, "schedule");
        problem_add_field(problem, STATUS_CONFLICTING_FIELDS, place, NULL,
                          "%s is its own schedule, with its own warmup_steps", name);
    }
}

static void decode_optimizer(struct descent_optimizer *optimizer, const struct json_value *value, const char *pointer,
                             struct problem *problem)
{
    char place[FIELD_POINTER_TEXT];

    optimizer->variant =
        job_decode_optimizer(value, pointer, descent_optimizer_fields, DESCENT_OPTIMIZER_FIELDS, &optimizer->spec, problem);
    if (optimizer->variant == OPTIMIZER_FORM_COUNT) {
        return;
    }
    field_pointer(place, pointer, "schedule");
    job_decode_schedule(json_get(value, "schedule"), place, &optimizer->schedule, problem);
    check_optimizer(optimizer, pointer, problem);
}

/* An optimizer without a name is called as its type; the second of that name "sgd 2". */
static void name_optimizers(struct descent_request *request)
{
    for (size_t i = 0; i < request->optimizer_count; i++) {
        struct descent_optimizer *optimizer = &request->optimizers[i];
        struct field_table table;
        unsigned same = 1;

        if (optimizer->name[0] != '\0') {
            continue;
        }
        job_table(JOB_TABLE_OPTIMIZER, optimizer->variant, &table);
        for (size_t before = 0; before < i; before++) {
            same += request->optimizers[before].variant == optimizer->variant;
        }
        (void)snprintf(optimizer->name, sizeof optimizer->name, same == 1 ? "%s" : "%s %u", table.variant, same);
    }
}

static void decode_optimizers(struct descent_request *request, const struct json_value *list, struct problem *problem)
{
    char pointer[FIELD_POINTER_TEXT];
    size_t count;

    if (list == NULL) {
        return; /* the table says that it is missing */
    }
    if (json_type(list) != JSON_ARRAY) {
        field_wrong_type(list, "a list of optimizers", "/optimizers", problem);
        return;
    }
    count = json_count(list);
    if (count < 1 || count > DESCENT_MAX_OPTIMIZERS) {
        problem_add_field(problem, STATUS_OUT_OF_RANGE, "/optimizers", NULL, "%zu optimizers, 1 to %d are allowed", count,
                          DESCENT_MAX_OPTIMIZERS);
        return;
    }
    for (const struct json_value *item = json_first(list); item != NULL; item = json_next(item)) {
        field_pointer_index(pointer, "/optimizers", request->optimizer_count);
        decode_optimizer(&request->optimizers[request->optimizer_count++], item, pointer, problem);
    }
}

/* ---- the formula ---- */

static void decode_formula(struct descent_request *request, const struct json_value *value, struct problem *problem)
{
    struct error error = {.status = STATUS_OK};
    const char *text;

    if (value == NULL) {
        return; /* the table says that it is missing */
    }
    if (json_type(value) != JSON_STRING) {
        field_wrong_type(value, "a string", "/f", problem);
        return;
    }
    text = json_to_string(value);
    if (strlen(text) > FORMULA_MAX_LENGTH) {
        problem_add_field(problem, STATUS_STRING_TOO_LONG, "/f", NULL, "%zu bytes, at most %d are allowed", strlen(text),
                          FORMULA_MAX_LENGTH);
        return;
    }
    memcpy(request->text, text, strlen(text) + 1);
    if (formula_compile(&request->own_formula, text, strlen(text), &error) == STATUS_FORMULA_INVALID) {
        char extra[32];

        (void)snprintf(extra, sizeof extra, "\"offset\":%lld", (long long)error.offset);
        problem_add_field(problem, error.status, "/f", extra, "%s", error.message);
    } else {
        problem_add(problem, &error);
    }
    request->formula = request->own_formula;
}

/* ---- the whole ---- */

uint64_t descent_request_every(const struct descent_request *request)
{
    uint64_t descents = request->start_count * request->optimizer_count;
    uint64_t each = descents > 0 ? DESCENT_AUTO_ROWS / descents : 0; /* rows of one path */

    if (!request->path) {
        return 0;
    }
    if (!request->every_auto) {
        return request->every;
    }
    return each <= 2 ? request->steps + 1 : (request->steps + each - 2) / (each - 1) + (request->steps == 0);
}

uint64_t descent_request_operations(const struct descent_request *request)
{
    return (uint64_t)request->start_count * request->optimizer_count * request->steps * descent_cost(request->formula);
}

/* What is asked for together may be too much. */
static void check_size(const struct descent_request *request, struct problem *problem)
{
    uint64_t descents = (uint64_t)request->start_count * request->optimizer_count, rows, operations;

    if (request->formula == NULL || descents == 0) {
        return;
    }
    rows = descents * descent_path_rows(request->steps, descent_request_every(request));
    operations = descent_request_operations(request);
    if (descents > DESCENT_MAX_DESCENTS) {
        problem_add_field(problem, STATUS_OUT_OF_RANGE, "/starts", NULL,
                          "%zu starts of %zu optimizers are %llu descents, "
                          "at most %d are allowed",
                          request->start_count, request->optimizer_count, (unsigned long long)descents,
                          DESCENT_MAX_DESCENTS);
    }
    if (operations > DESCENT_MAX_OPERATIONS) {
        problem_add_field(problem, STATUS_OUT_OF_RANGE, "/steps", NULL,
                          "%llu descents of %u steps with a formula of %llu operations are %llu operations, at most %d are "
                          "allowed",
                          (unsigned long long)descents, request->steps, (unsigned long long)descent_cost(request->formula),
                          (unsigned long long)operations, DESCENT_MAX_OPERATIONS);
    }
    if (request->path && rows > DESCENT_MAX_ROWS) {
        problem_add_field(problem, STATUS_OUT_OF_RANGE, "/every", NULL,
                          "the paths have %llu rows in all, at most %d are allowed: every has to be %llu times as large, or "
                          "path false",
                          (unsigned long long)rows, DESCENT_MAX_ROWS,
                          (unsigned long long)((rows + DESCENT_MAX_ROWS - 1) / DESCENT_MAX_ROWS));
    }
}

static void decode_root(struct descent_request *request, const struct json_value *root, struct problem *problem)
{
    const struct field *fields = descent_request_fields + (request->landscape != NULL ? 1 : 0);
    size_t count = request->landscape != NULL ? descent_request_named_field_count : descent_request_field_count;

    fields_set_defaults(fields, count, request);
    fields_decode(fields, count, root, request, "", problem);
    if (json_type(root) != JSON_OBJECT) {
        return;
    }
    if (request->landscape == NULL) {
        decode_formula(request, json_get(root, "f"), problem);
    }
    if (json_get(root, "box") != NULL) {
        request->has_box = 1; /* or the problem has it */
        (void)decode_box(json_get(root, "box"), "/box", request->box, problem);
    }
    decode_starts(request, root, problem);
    decode_noise(request, json_get(root, "noise"), problem);
    decode_optimizers(request, json_get(root, "optimizers"), problem);
    if (problem->status == STATUS_OK) {
        name_optimizers(request);
        check_size(request, problem);
    }
}

enum status descent_request_decode(struct descent_request *request, const struct landscape *landscape,
                                   const struct formula *formula, const char *body, size_t size, struct problem *problem)
{
    struct json_document *document = NULL;
    struct error error = {.status = STATUS_OK};

    *request = (struct descent_request){.landscape = landscape, .formula = formula};
    if (landscape != NULL) {
        memcpy(request->box, landscape->box, sizeof request->box);
        request->has_box = 1;
        (void)snprintf(request->text, sizeof request->text, "%s", landscape->formula);
    }
    if (json_parse(&document, body, size, NULL, 0, &error) != STATUS_OK) {
        problem_add(problem, &error);
        return problem->status;
    }
    decode_root(request, json_root(document), problem);
    json_free(document);
    return problem->status;
}

void descent_request_release(struct descent_request *request)
{
    formula_free(request->own_formula);
    free(request->starts);
    request->own_formula = NULL;
    request->starts = NULL;
}

void descent_request_task(const struct descent_request *request, size_t index, struct descent_task *task)
{
    size_t start = index / request->optimizer_count;
    const struct descent_optimizer *optimizer = &request->optimizers[index % request->optimizer_count];

    *task = (struct descent_task){.formula = request->formula,
                                  .optimizer = optimizer->spec,
                                  .schedule = optimizer->schedule,
                                  .start = {request->starts[start][0], request->starts[start][1]},
                                  .steps = request->steps,
                                  .gradient_norm = request->has_no_gradient_norm ? -1 : request->gradient_norm,
                                  .noise = request->noise,
                                  .seed = request->seed,
                                  .stream = (uint32_t)start};
}
