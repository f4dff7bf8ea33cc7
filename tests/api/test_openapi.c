#include "api/openapi.h"

#include <stdio.h>

#include "api/cross_entropy_request.h"
#include "api/curve.h"
#include "api/encode_cross_entropy.h"
#include "api/encode_dataset.h"
#include "api/encode_info.h"
#include "api/encode_job.h"
#include "api/encode_metrics.h"
#include "api/encode_model.h"
#include "api/encode_race.h"
#include "api/encode_results.h"
#include "api/json.h"
#include "api/point_comparison.h"
#include "api/problem.h"
#include "api/routes.h"
#include "tests/api/written.h"

static char *text;
static struct json_document *document;

static int read_document(void **state)
{
    struct json_writer writer = {.depth = 0};
    size_t size;

    (void)state;
    openapi_write("1.2.3", &writer);
    return json_writer_take(&writer, &text, &size, NULL) != STATUS_OK ||
           json_parse(&document, text, size, NULL, 0, NULL) != STATUS_OK;
}

static int free_document(void **state)
{
    (void)state;
    json_free(document);
    free(text);
    return 0;
}

static const struct json_value *schemas(void)
{
    return json_get(json_get(json_root(document), "components"), "schemas");
}

/* The operation of a route in the document. */
static const struct json_value *operation(const struct route *route)
{
    char method[16] = "";

    for (size_t i = 0; method_name(route->method)[i] != '\0'; i++) {
        method[i] = (char)(method_name(route->method)[i] | 0x20);
    }
    return json_get(json_get(json_get(json_root(document), "paths"), route->path), method);
}

static void the_document_names_itself(void **state)
{
    (void)state;
    assert_string_equal(json_to_string(json_get(json_root(document), "openapi")), "3.1.0");
    assert_string_equal(json_to_string(json_get(json_get(json_root(document), "info"), "version")), "1.2.3");
}

static void every_route_is_an_operation_with_its_answers_and_parameters(void **state)
{
    char status[16];

    (void)state;
    for (int i = 0; i < ROUTE_COUNT; i++) {
        const struct route *route = route_get((enum route_id)i);
        const struct json_value *found = operation(route);
        size_t parameters = 0;

        assert_non_null(found);
        assert_string_equal(json_to_string(json_get(found, "operationId")), route->operation);
        assert_string_equal(json_to_string(json_get(found, "x-scope")), scope_name(route->scope));
        assert_int_equal(json_count(json_get(found, "security")), route->scope != SCOPE_NONE);
        assert_int_equal(json_get(found, "requestBody") != NULL, route->body.kind != BODY_NONE);
        for (size_t a = 0; a < ROUTE_ANSWERS_MAX && route->answers[a].status != 0; a++) {
            (void)snprintf(status, sizeof status, "%d", route->answers[a].status);
            assert_non_null(json_get(json_get(found, "responses"), status));
        }
        while (parameters < ROUTE_QUERY_MAX && route->query[parameters] != PARAMETER_NONE) {
            parameters++;
        }
        parameters += strchr(route->path, '{') != NULL;
        assert_true(json_count(json_get(found, "parameters")) >= parameters);
    }
}

static void every_schema_that_a_route_names_is_there(void **state)
{
    (void)state;
    for (int i = 0; i < ROUTE_COUNT; i++) {
        const struct route *route = route_get((enum route_id)i);

        assert_true(route->body.schema == NULL || json_get(schemas(), route->body.schema) != NULL);
        for (size_t a = 0; a < ROUTE_ANSWERS_MAX && route->answers[a].status != 0; a++) {
            assert_true(route->answers[a].schema == NULL || json_get(schemas(), route->answers[a].schema) != NULL);
        }
    }
}

static void every_reference_leads_to_a_schema(void **state)
{
    static const char mark[] = "\"$ref\":", prefix[] = "#/components/schemas/";
    size_t seen = 0;

    (void)state;
    for (const char *at = strstr(text, "\"$ref\""); at != NULL; at = strstr(at + 1, "\"$ref\"")) {
        char name[64];
        const char *value = strchr(at + sizeof mark - 2, '"'); /* literal schemas keep their spaces */

        assert_non_null(value);
        assert_memory_equal(value + 1, prefix, sizeof prefix - 1);
        value += sizeof prefix;
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(value, "\""), value);
        if (json_get(schemas(), name) == NULL) {
            print_error("%s leads nowhere\n", name);
            fail();
        }
        seen++;
    }
    assert_true(seen > 100);
}

static void no_name_stands_twice_among_the_schemas(void **state)
{
    (void)state;
    for (const struct json_value *a = json_first(schemas()); a != NULL; a = json_next(a)) {
        for (const struct json_value *b = json_next(a); b != NULL; b = json_next(b)) {
            assert_string_not_equal(json_name(a), json_name(b));
        }
    }
}

static void every_code_of_a_route_stands_at_its_status(void **state)
{
    char status[16];

    (void)state;
    for (int i = 0; i < ROUTE_COUNT; i++) {
        const struct route *route = route_get((enum route_id)i);

        for (int s = STATUS_OK + 1; s < STATUS_COUNT; s++) {
            if (route_can_give(route, (enum status)s)) {
                (void)snprintf(status, sizeof status, "%d", status_http((enum status)s));
                const struct json_value *answer = json_get(json_get(operation(route), "responses"), status);
                assert_non_null(answer);
                assert_non_null(strstr(json_to_string(json_get(answer, "description")), status_code((enum status)s)));
            }
        }
    }
}

static void routes_give_the_codes_of_their_sort(void **state)
{
    const struct route *health = route_get(ROUTE_HEALTH), *create = route_get(ROUTE_CREATE_JOB);
    const struct route *upload = route_get(ROUTE_CREATE_DATASET), *get = route_get(ROUTE_GET_JOB);

    (void)state;
    assert_true(route_can_give(health, STATUS_BAD_TARGET) && route_can_give(health, STATUS_BODY_NOT_ALLOWED));
    assert_false(route_can_give(health, STATUS_AUTH_REQUIRED) || route_can_give(health, STATUS_NOT_FOUND));
    assert_true(route_can_give(create, STATUS_AUTH_REQUIRED) && route_can_give(create, STATUS_JSON_INVALID));
    assert_true(route_can_give(create, STATUS_QUEUE_FULL) && route_can_give(create, STATUS_ORIGIN_FORBIDDEN));
    assert_false(route_can_give(create, STATUS_CSV_RAGGED_ROW) || route_can_give(create, STATUS_BODY_NOT_ALLOWED));
    assert_true(route_can_give(upload, STATUS_CSV_RAGGED_ROW) && route_can_give(upload, STATUS_IDX_TRUNCATED));
    assert_true(route_can_give(get, STATUS_NOT_FOUND) && route_can_give(get, STATUS_DELETED));
    assert_false(route_can_give(get, STATUS_ORIGIN_FORBIDDEN) || route_can_give(get, STATUS_BODY_REQUIRED));
}

static int requires(const struct json_value *schema, const char *member)
{
    for (const struct json_value *name = json_first(json_get(schema, "required")); name != NULL; name = json_next(name)) {
        if (strcmp(json_to_string(name), member) == 0) {
            return 1;
        }
    }
    return 0;
}

/* What was written has every member that the schema requires, and none that the schema does not know. */
static void assert_fits(struct json_writer *writer, const char *name)
{
    const struct json_value *schema = json_get(schemas(), name), *required;
    struct json_document *written;
    char *answer;
    size_t size;

    assert_non_null(schema);
    assert_int_equal(json_writer_take(writer, &answer, &size, NULL), STATUS_OK);
    assert_int_equal(json_parse(&written, answer, size, NULL, 0, NULL), STATUS_OK);
    for (required = json_first(json_get(schema, "required")); required != NULL; required = json_next(required)) {
        if (json_get(json_root(written), json_to_string(required)) == NULL) {
            print_error("%s lacks %s\n", name, json_to_string(required));
            fail();
        }
    }
    for (const struct json_value *member = json_first(json_root(written)); member != NULL; member = json_next(member)) {
        if (json_get(json_get(schema, "properties"), json_name(member)) == NULL) {
            print_error("%s does not know %s\n", name, json_name(member));
            fail();
        }
    }
    json_free(written);
    free(answer);
    *writer = (struct json_writer){.depth = 0};
}

static void answers_have_the_members_of_their_schemas(void **state)
{
    struct json_writer writer = {.depth = 0};
    const struct server_info info = {.version = "1", .commit = "c", .kernel_tiers = {"t", "u"}, .cores = 2, .threads = 2};
    const struct job_view job = {.id = "job_1", .status = JOB_SUCCEEDED};
    const struct dataset_view dataset = {.id = "ds_1"};
    const struct model_view model = {.id = "mdl_1"};
    const struct event_view event = {.id = 1};
    const struct results_view results = {.job = "job_1", .digest = "d", .model = "mdl_1"};
    const struct predictions predictions = {.model = "mdl_1"};
    const struct curve curve = {.count = 0};
    const struct job_view *const race = &job;
    static const struct comparison comparison;
    static const struct point_comparison points = {.against = "/a"};
    const struct cross_entropy_request pair = {.u = (double[]){1}, .v = (double[]){1}, .ends = (size_t[]){1}, .pairs = 1};

    (void)state;
    encode_health(&writer);
    assert_fits(&writer, "Health");
    encode_info(&info, &writer);
    assert_fits(&writer, "Info");
    encode_job(&job, &writer);
    assert_fits(&writer, "Job");
    encode_job_list(&job, 1, 0, &writer);
    assert_fits(&writer, "JobList");
    encode_event_list(&event, 1, 0, &writer);
    assert_fits(&writer, "EventList");
    encode_metrics_json(&curve, "job_1", &writer);
    assert_fits(&writer, "Curves");
    encode_results(&results, &writer);
    assert_fits(&writer, "Results");
    encode_dataset(&dataset, &writer);
    assert_fits(&writer, "Dataset");
    encode_dataset_list(&dataset, 1, 0, &writer);
    assert_fits(&writer, "DatasetList");
    encode_model(&model, &writer);
    assert_fits(&writer, "Model");
    encode_model_list(&model, 1, 0, &writer);
    assert_fits(&writer, "ModelList");
    encode_predictions(&predictions, &writer);
    assert_fits(&writer, "Predictions");
    encode_race("race_1", &race, 1, &writer);
    assert_fits(&writer, "Race");
    comparison_encode(&comparison, &writer);
    assert_fits(&writer, "Comparison");
    point_comparison_encode(&points, &writer);
    assert_fits(&writer, "Comparison");
    encode_cross_entropy(&pair, &writer);
    assert_fits(&writer, "CrossEntropy");
}

static const struct json_value *property(const char *schema, const char *name)
{
    return json_get(json_get(json_get(schemas(), schema), "properties"), name);
}

static void the_job_request_is_described_by_the_tables_that_decode_it(void **state)
{
    const struct json_value *momentum = property("JobOptimizerSgd", "momentum");

    (void)state;
    assert_true(requires(json_get(schemas(), "JobRequest"), "dataset"));
    assert_true(requires(json_get(schemas(), "JobRequest"), "model"));
    assert_string_equal(json_to_string(json_get(property("JobRequest", "training"), "$ref")),
                        "#/components/schemas/JobTraining");
    assert_string_equal(json_to_string(json_get(property("JobTest", "dataset"), "$ref")), "#/components/schemas/JobDataset");
    assert_string_equal(json_to_string(json_get(json_get(property("JobModelLayers", "layers"), "items"), "$ref")),
                        "#/components/schemas/JobLayer");
    assert_string_equal(json_to_string(json_get(momentum, "type")), "number");
    assert_int_equal((int)json_to_number(json_get(momentum, "exclusiveMaximum")), 1);
    assert_int_equal(json_count(json_get(property("JobRequest", "precision"), "enum")), PRECISION_COUNT);
    assert_false(json_is_true(json_get(json_get(schemas(), "JobTraining"), "additionalProperties")));
}

static void a_type_may_be_left_out_where_there_is_a_default(void **state)
{
    (void)state;
    assert_false(requires(json_get(schemas(), "JobOptimizerSgd"), "type"));
    assert_true(requires(json_get(schemas(), "JobOptimizerAdam"), "type"));
    assert_false(requires(json_get(schemas(), "JobScheduleConstant"), "type"));
    assert_true(requires(json_get(schemas(), "JobModelMlp"), "type"));
    assert_string_equal(json_to_string(json_get(property("JobOptimizerAdam", "type"), "const")), "adam");
}

static void enumerations_come_from_the_code(void **state)
{
    (void)state;
    assert_int_equal(json_count(json_get(json_get(schemas(), "JobStatus"), "enum")), JOB_STATUS_COUNT);
    assert_int_equal(json_count(json_get(json_get(schemas(), "ProblemCode"), "enum")), STATUS_COUNT - 1);
    assert_int_equal(json_count(json_get(json_get(schemas(), "StopReason"), "enum")), STOP_REASON_COUNT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_names_itself),
        cmocka_unit_test(every_route_is_an_operation_with_its_answers_and_parameters),
        cmocka_unit_test(every_schema_that_a_route_names_is_there),
        cmocka_unit_test(every_reference_leads_to_a_schema),
        cmocka_unit_test(no_name_stands_twice_among_the_schemas),
        cmocka_unit_test(every_code_of_a_route_stands_at_its_status),
        cmocka_unit_test(routes_give_the_codes_of_their_sort),
        cmocka_unit_test(answers_have_the_members_of_their_schemas),
        cmocka_unit_test(the_job_request_is_described_by_the_tables_that_decode_it),
        cmocka_unit_test(a_type_may_be_left_out_where_there_is_a_default),
        cmocka_unit_test(enumerations_come_from_the_code),
    };

    return cmocka_run_group_tests(tests, read_document, free_document);
}
