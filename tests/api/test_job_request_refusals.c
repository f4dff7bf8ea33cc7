/* What a job's request is refused for, and where that points. */
#include "api/job_request.h"

#include "tests/api/job.h"

/* Members beside a good data set and model, or a whole body where it begins with '{'. */
static const struct {
    const char *members;
    enum status status;
    const char *pointer;
} MEANINGLESS[] = {
    {"\"epocs\":3", STATUS_UNKNOWN_FIELD, "/epocs"},
    {"\"NAME\":\"x\"", STATUS_UNKNOWN_FIELD, "/NAME"},
    {"\"diagnostics\":\"sharpness\"", STATUS_TYPE_MISMATCH, "/diagnostics"},
    {"\"diagnostics\":[\"sharpnes\"]", STATUS_UNKNOWN_VALUE, "/diagnostics/0"},
    {"\"diagnostics\":[\"sharpness\",7]", STATUS_TYPE_MISMATCH, "/diagnostics/1"},
    {"\"diagnostics\":[\"sharpness\",\"update_ratio\",\"sharpness\"]", STATUS_CONFLICTING_FIELDS, "/diagnostics/2"},
    {"\"kind\":\"range_test\"", STATUS_UNKNOWN_VALUE, "/kind"},
    {"\"range\":{}", STATUS_CONFLICTING_FIELDS, "/range"},
    {"\"kind\":\"lr_range_test\",\"range\":{\"steps\":99}", STATUS_OUT_OF_RANGE, "/range/steps"},
    {"\"kind\":\"lr_range_test\",\"range\":{\"steps\":501}", STATUS_OUT_OF_RANGE, "/range/steps"},
    {"\"kind\":\"lr_range_test\",\"range\":{\"start\":0}", STATUS_OUT_OF_RANGE, "/range/start"},
    {"\"kind\":\"lr_range_test\",\"range\":{\"start\":0.5,\"end\":0.5}", STATUS_OUT_OF_RANGE, "/range/end"},
    {"\"kind\":\"lr_range_test\",\"range\":{\"step\":200}", STATUS_UNKNOWN_FIELD, "/range/step"},
    {"\"precision\":\"fp16\"", STATUS_UNKNOWN_VALUE, "/precision"},
    {"\"precision\":null", STATUS_TYPE_MISMATCH, "/precision"},
    {"\"name\":\"../x\"", STATUS_NAME_INVALID, "/name"},
    {"\"init\":{}", STATUS_MISSING_FIELD, "/init/model"},
    {"\"init\":\"ones\"", STATUS_UNKNOWN_VALUE, "/init"},
    {"\"init\":1", STATUS_TYPE_MISMATCH, "/init"},
    {"\"preprocessing\":\"whiten\"", STATUS_UNKNOWN_VALUE, "/preprocessing"},
    {"\"calibration\":\"isotonic\"", STATUS_UNKNOWN_VALUE, "/calibration"},
    {"\"calibration\":null", STATUS_TYPE_MISMATCH, "/calibration"},
    {"\"split\":3", STATUS_TYPE_MISMATCH, "/split"},
    {"\"split\":{\"validation\":1.5}", STATUS_OUT_OF_RANGE, "/split/validation"},
    {"\"split\":{\"validation\":0.5,\"test\":0.5}", STATUS_OUT_OF_RANGE, "/split"},
    {"\"split\":{\"test\":0.5},\"test\":{\"dataset\":\"ds_0123456789abcdefghij\"}", STATUS_CONFLICTING_FIELDS,
     "/split/test"},
    {"\"test\":{}", STATUS_MISSING_FIELD, "/test/dataset"},
    {"\"test\":{\"dataset\":3}", STATUS_TYPE_MISMATCH, "/test/dataset"},
    {"\"loss\":{\"type\":\"hinge\"}", STATUS_UNKNOWN_VALUE, "/loss/type"},
    {"\"loss\":{\"label_smoothing\":1}", STATUS_OUT_OF_RANGE, "/loss/label_smoothing"},
    {"\"loss\":{\"l2\":-1}", STATUS_OUT_OF_RANGE, "/loss/l2"},
    {"\"loss\":{\"class_weights\":\"even\"}", STATUS_UNKNOWN_VALUE, "/loss/class_weights"},
    {"\"loss\":{\"class_weights\":7}", STATUS_TYPE_MISMATCH, "/loss/class_weights"},
    {"\"loss\":{\"class_weights\":[1]}", STATUS_OUT_OF_RANGE, "/loss/class_weights"},
    {"\"loss\":{\"class_weights\":[1,0]}", STATUS_OUT_OF_RANGE, "/loss/class_weights/1"},
    {"\"loss\":{\"class_weights\":[1,\"2\"]}", STATUS_TYPE_MISMATCH, "/loss/class_weights/1"},
    {"\"optimizer\":\"sgd\"", STATUS_TYPE_MISMATCH, "/optimizer"},
    {"\"optimizer\":{\"type\":\"adma\"}", STATUS_UNKNOWN_VALUE, "/optimizer/type"},
    {"\"optimizer\":{\"type\":3}", STATUS_TYPE_MISMATCH, "/optimizer/type"},
    {"\"optimizer\":{\"learning_rate\":0}", STATUS_OUT_OF_RANGE, "/optimizer/learning_rate"},
    {"\"optimizer\":{\"learning_rate\":-0.1}", STATUS_OUT_OF_RANGE, "/optimizer/learning_rate"},
    {"\"optimizer\":{\"learning_rate\":1e300}", STATUS_OUT_OF_RANGE, "/optimizer/learning_rate"},
    {"\"optimizer\":{\"learning_rate\":5e-324}", STATUS_OUT_OF_RANGE, "/optimizer/learning_rate"},
    {"\"optimizer\":{\"learning_rate\":1e999}", STATUS_NUMBER_OUT_OF_RANGE, "/optimizer/learning_rate"},
    {"\"optimizer\":{\"momentum\":1}", STATUS_OUT_OF_RANGE, "/optimizer/momentum"},
    {"\"optimizer\":{\"beta1\":0.9}", STATUS_UNKNOWN_FIELD, "/optimizer/beta1"},
    {"\"optimizer\":{\"nesterov\":\"lookback\"}", STATUS_UNKNOWN_VALUE, "/optimizer/nesterov"},
    {"\"optimizer\":{\"type\":\"nadam\",\"momentum_decay\":-1}", STATUS_OUT_OF_RANGE, "/optimizer/momentum_decay"},
    {"\"optimizer\":{\"type\":\"lion\",\"epsilon\":1e-8}", STATUS_UNKNOWN_FIELD, "/optimizer/epsilon"},
    {"\"optimizer\":{\"type\":\"schedule_free_sgd\",\"beta\":0}", STATUS_OUT_OF_RANGE, "/optimizer/beta"},
    {"\"optimizer\":{\"type\":\"schedule_free_sgd\",\"beta\":1}", STATUS_OUT_OF_RANGE, "/optimizer/beta"},
    {"\"optimizer\":{\"type\":\"schedule_free_adamw\",\"beta1\":0}", STATUS_OUT_OF_RANGE, "/optimizer/beta1"},
    {"\"optimizer\":{\"type\":\"schedule_free_sgd\"},\"schedule\":{\"type\":\"cosine\"}", STATUS_CONFLICTING_FIELDS,
     "/schedule/type"},
    {"\"optimizer\":{\"type\":\"schedule_free_adamw\"},\"schedule\":{\"warmup_steps\":5}", STATUS_CONFLICTING_FIELDS,
     "/schedule/warmup_steps"},
    {"\"optimizer\":{\"type\":\"muon\",\"ns_steps\":0}", STATUS_OUT_OF_RANGE, "/optimizer/ns_steps"},
    {"\"optimizer\":{\"type\":\"muon\",\"nesterov\":\"lecture\"}", STATUS_TYPE_MISMATCH, "/optimizer/nesterov"},
    {"\"optimizer\":{\"type\":\"muon\",\"muon_nesterov\":true}", STATUS_UNKNOWN_FIELD, "/optimizer/muon_nesterov"},
    {"\"schedule\":{\"type\":\"sawtooth\"}", STATUS_UNKNOWN_VALUE, "/schedule/type"},
    {"\"schedule\":{\"type\":\"step\"}", STATUS_MISSING_FIELD, "/schedule/every_epochs"},
    {"\"schedule\":null", STATUS_TYPE_MISMATCH, "/schedule"},
    {"\"training\":{\"epochs\":\"3\"}", STATUS_TYPE_MISMATCH, "/training/epochs"},
    {"\"training\":{\"epochs\":0}", STATUS_OUT_OF_RANGE, "/training/epochs"},
    {"\"training\":{\"epochs\":-1}", STATUS_OUT_OF_RANGE, "/training/epochs"},
    {"\"training\":{\"epochs\":2.5}", STATUS_NOT_INTEGER, "/training/epochs"},
    {"\"training\":{\"epochs\":1e9}", STATUS_OUT_OF_RANGE, "/training/epochs"},
    {"\"training\":{\"epochs\":9007199254740993}", STATUS_INTEGER_NOT_EXACT, "/training/epochs"},
    {"\"training\":{\"batch_size\":0}", STATUS_OUT_OF_RANGE, "/training/batch_size"},
    {"\"training\":{\"batch_size\":\"half\"}", STATUS_TYPE_MISMATCH, "/training/batch_size"},
    {"\"training\":{\"shuffle\":\"often\"}", STATUS_UNKNOWN_VALUE, "/training/shuffle"},
    {"\"training\":{\"seed\":9007199254740993}", STATUS_SEED_INVALID, "/training/seed"},
    {"\"training\":{\"shards\":2}", STATUS_NOT_SUPPORTED, "/training/shards"},
    {"\"training\":{\"shards\":0}", STATUS_OUT_OF_RANGE, "/training/shards"},
    {"\"training\":{\"clip_norm\":0}", STATUS_OUT_OF_RANGE, "/training/clip_norm"},
    {"\"training\":{\"eval_every\":\"step\"}", STATUS_TYPE_MISMATCH, "/training/eval_every"},
    {"\"stop\":{\"early\":{\"metric\":\"luck\"}}", STATUS_UNKNOWN_VALUE, "/stop/early/metric"},
    {"\"stop\":{\"early\":{\"patience\":0}}", STATUS_OUT_OF_RANGE, "/stop/early/patience"},
    {"\"stop\":{\"early\":true}", STATUS_TYPE_MISMATCH, "/stop/early"},
    {"\"stop\":{\"max_steps\":0}", STATUS_OUT_OF_RANGE, "/stop/max_steps"},
    {"\"checkpoint\":{\"keep\":0}", STATUS_OUT_OF_RANGE, "/checkpoint/keep"},
    {"\"resources\":{\"threads\":65}", STATUS_OUT_OF_RANGE, "/resources/threads"},
    {"\"resources\":{\"priority\":101}", STATUS_OUT_OF_RANGE, "/resources/priority"},
    {"\"metadata\":[]", STATUS_TYPE_MISMATCH, "/metadata"},
    {"\"metadata\":{\"a/b\":3}", STATUS_TYPE_MISMATCH, "/metadata/a~1b"},
    {"\"metadata\":{\"\":\"x\"}", STATUS_NAME_INVALID, "/metadata/"},
    {"\"expect\":{\"kernel_tier\":3}", STATUS_TYPE_MISMATCH, "/expect/kernel_tier"},
    {"\"expect\":{\"dataset_sha256\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}",
     STATUS_STRING_TOO_LONG, "/expect/dataset_sha256"},

    {"{" BLOBS "}", STATUS_MISSING_FIELD, "/model"},
    {"{" SOFTMAX "}", STATUS_MISSING_FIELD, "/dataset"},
    {"{" BLOBS ",\"model\":\"mlp\"}", STATUS_TYPE_MISMATCH, "/model"},
    {"{" BLOBS ",\"model\":{}}", STATUS_MISSING_FIELD, "/model/type"},
    {"{" BLOBS ",\"model\":{\"type\":\"forest\"}}", STATUS_UNKNOWN_VALUE, "/model/type"},
    {"{" BLOBS ",\"model\":{\"type\":\"softmax_regression\",\"hidden\":[3]}}", STATUS_UNKNOWN_FIELD, "/model/hidden"},
    {"{" BLOBS ",\"model\":{\"type\":\"mlp\"}}", STATUS_MISSING_FIELD, "/model/hidden"},
    {"{" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":3}}", STATUS_TYPE_MISMATCH, "/model/hidden"},
    {"{" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":[]}}", STATUS_OUT_OF_RANGE, "/model/hidden"},
    {"{" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":[4,1000000]}}", STATUS_OUT_OF_RANGE, "/model/hidden/1"},
    {"{" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":[4],\"dropout\":1}}", STATUS_OUT_OF_RANGE, "/model/dropout"},
    {"{" BLOBS ",\"model\":{\"type\":\"layers\",\"layers\":[]}}", STATUS_OUT_OF_RANGE, "/model/layers"},
    {"{" BLOBS ",\"model\":{\"type\":\"layers\",\"layers\":[{\"type\":\"relu\"}]}}", STATUS_CONFLICTING_FIELDS,
     "/model/layers/0/type"},
    {"{" BLOBS ",\"model\":{\"type\":\"layers\",\"layers\":[{\"type\":\"dense\"},{\"type\":\"dense\"}]}}",
     STATUS_MISSING_FIELD, "/model/layers/0/units"},
    {"{" BLOBS ",\"model\":{\"type\":\"layers\",\"layers\":[{\"type\":\"dropout\"},{\"type\":\"dense\"}]}}",
     STATUS_MISSING_FIELD, "/model/layers/0/rate"},
    {"{" BLOBS ",\"model\":{\"type\":\"layers\",\"layers\":[{\"type\":\"gelu\"},{\"type\":\"dense\"}]}}",
     STATUS_NOT_SUPPORTED, "/model/layers/0/type"},
    {"{" BLOBS ",\"model\":{\"type\":\"layers\",\"layers\":[7,{\"type\":\"dense\"}]}}", STATUS_TYPE_MISMATCH,
     "/model/layers/0"},

    {"{" SOFTMAX ",\"dataset\":3}", STATUS_TYPE_MISMATCH, "/dataset"},
    {"{" SOFTMAX ",\"dataset\":{}}", STATUS_MISSING_FIELD, "/dataset/generator"},
    {"{" SOFTMAX ",\"dataset\":{\"generator\":\"cubes\"}}", STATUS_UNKNOWN_VALUE, "/dataset/generator"},
    {"{" SOFTMAX ",\"dataset\":{\"generator\":\"moons\",\"classes\":3}}", STATUS_OUT_OF_RANGE, "/dataset/classes"},
    {"{" SOFTMAX ",\"dataset\":{\"generator\":\"blobs\",\"n\":2,\"classes\":3}}", STATUS_OUT_OF_RANGE, "/dataset/n"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1]]}}", STATUS_MISSING_FIELD, "/dataset/y"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":3,\"y\":[1]}}", STATUS_TYPE_MISMATCH, "/dataset/x"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[],\"y\":[]}}", STATUS_DATASET_EMPTY, "/dataset/x"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1,2],[1]],\"y\":[\"a\",\"b\"]}}", STATUS_FEATURE_COUNT_MISMATCH, "/dataset/x/1"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1,2],[1,\"z\"]],\"y\":[\"a\",\"b\"]}}", STATUS_TYPE_MISMATCH, "/dataset/x/1/1"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1],[1e40]],\"y\":[\"a\",\"b\"]}}", STATUS_NUMBER_OUT_OF_RANGE, "/dataset/x/1/0"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1],[2]],\"y\":[\"a\"]}}", STATUS_ROW_COUNT_MISMATCH, "/dataset/y"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1],[2]],\"y\":[\"a\",null]}}", STATUS_TYPE_MISMATCH, "/dataset/y/1"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1],[2]],\"y\":[\"a\",\"\"]}}", STATUS_LABEL_INVALID, "/dataset/y/1"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1],[2]],\"y\":[\"a\",\"a\"]}}", STATUS_LABELS_SINGLE_CLASS, "/dataset/y"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1],[2]],\"y\":[[1,0],[1]]}}", STATUS_CLASS_COUNT_MISMATCH, "/dataset/y/1"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1],[2]],\"y\":[[1,0],[0.5,0.1]]}}", STATUS_SOFT_LABEL_INVALID, "/dataset/y/1"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1],[2]],\"y\":[1,2],\"z\":3}}", STATUS_UNKNOWN_FIELD, "/dataset/z"},
    {"[]", STATUS_TYPE_MISMATCH, ""},
    {"3", STATUS_TYPE_MISMATCH, ""},
    {"null", STATUS_TYPE_MISMATCH, ""},
};

static void what_means_nothing_is_refused_at_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof MEANINGLESS / sizeof *MEANINGLESS; i++) {
        int whole = strncmp(MEANINGLESS[i].members, "\"", 1) != 0;
        struct job job;
        char body[512];

        (void)snprintf(body, sizeof body, whole ? "%s" : "{" BLOBS "," SOFTMAX ",%s}", MEANINGLESS[i].members);
        (void)job_decode(&job, body);
        assert_int_equal(job.problem.status, STATUS_VALIDATION_FAILED);
        if (!refusal_is_only(&job.problem, MEANINGLESS[i].status, MEANINGLESS[i].pointer)) {
            fail_msg("%s", MEANINGLESS[i].members);
        }
        job_release(&job);
    }
}

static void what_does_not_fit_the_data_is_refused(void **state)
{
    static const struct {
        const char *body;
        enum status status;
        const char *pointer;
    } ROWS[] = {
        {"{" BLOBS "," SOFTMAX ",\"training\":{\"batch_size\":301}}", STATUS_BATCH_TOO_LARGE, "/training/batch_size"},
        {"{" BLOBS ",\"model\":{\"type\":\"logistic_regression\"}}", STATUS_CLASS_COUNT_MISMATCH, "/model/type"},
        {"{" BLOBS ",\"model\":{\"type\":\"layers\",\"layers\":[{\"type\":\"dense\",\"units\":5}]}}",
         STATUS_CLASS_COUNT_MISMATCH, "/model/layers/0/units"},
        {"{" BLOBS "," SOFTMAX ",\"loss\":{\"class_weights\":[1,2]}}", STATUS_CLASS_COUNT_MISMATCH, "/loss/class_weights"},
        {"{" BLOBS "," SOFTMAX ",\"optimizer\":{\"type\":\"muon\"}}", STATUS_CONFLICTING_FIELDS, "/optimizer/type"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct job job;

        assert_int_equal(job_resolve(&job, ROWS[i].body), STATUS_VALIDATION_FAILED);
        assert_true(refusal_is_only(&job.problem, ROWS[i].status, ROWS[i].pointer));
        assert_int_equal(problem_http_status(&job.problem), 422);
        job_release(&job);
    }
}

static void an_id_that_cannot_be_one_is_not_found(void **state)
{
    static const char *const IDS[] = {
        "", "nope", "ds_", "ds_0123456789ABCDEFGHIJ", "mdl_0123456789abcdefghij", "ds_0123456789abcdefghijk"};

    (void)state;
    for (size_t i = 0; i < sizeof IDS / sizeof *IDS; i++) {
        struct job job;
        char body[128];

        (void)snprintf(body, sizeof body, "{\"dataset\":\"%s\"," SOFTMAX "}", IDS[i]);
        assert_int_equal(job_decode(&job, body), STATUS_DATASET_NOT_FOUND);
        assert_int_equal(problem_http_status(&job.problem), 404);
        assert_string_equal(job.problem.whole.pointer, "/dataset");
        job_release(&job);
    }
}

static void metadata_is_limited(void **state)
{
    char body[2048];
    size_t at;
    struct job job;

    (void)state;
    for (int members = 16; members <= 17; members++) {
        at = (size_t)snprintf(body, sizeof body, "{" BLOBS "," SOFTMAX ",\"metadata\":{");
        for (int i = 0; i < members; i++) {
            at += (size_t)snprintf(body + at, sizeof body - at, "%s\"k%d\":\"v\"", i > 0 ? "," : "", i);
        }
        (void)snprintf(body + at, sizeof body - at, "}}");
        assert_int_equal(job_decode(&job, body), members == 16 ? STATUS_OK : STATUS_VALIDATION_FAILED);
        job_release(&job);
    }
    for (int length = 512; length <= 513; length++) {
        (void)snprintf(body, sizeof body, "{" BLOBS "," SOFTMAX ",\"metadata\":{\"k\":\"%0*d\"}}", length, 0);
        assert_int_equal(job_decode(&job, body), length == 512 ? STATUS_OK : STATUS_VALIDATION_FAILED);
        job_release(&job);
    }
}

static void all_errors_come_at_once(void **state)
{
    static const struct {
        enum status status;
        const char *pointer;
    } WANTED[] = {
        {STATUS_OUT_OF_RANGE, "/model/hidden/0"},
        {STATUS_UNKNOWN_VALUE, "/model/activation"},
        {STATUS_UNKNOWN_FIELD, "/optimizer/learning_rat"},
        {STATUS_OUT_OF_RANGE, "/optimizer/momentum"},
        {STATUS_OUT_OF_RANGE, "/training/batch_size"},
        {STATUS_TYPE_MISMATCH, "/training/epochs"},
        {STATUS_SEED_INVALID, "/training/seed"},
        {STATUS_UNKNOWN_VALUE, "/stop/early/metric"},
        {STATUS_UNKNOWN_FIELD, "/surprise"},
    };
    struct job job;

    (void)state;
    assert_int_equal(job_decode(&job, "{" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":[0],\"activation\":\"step\"},"
                                      "\"optimizer\":{\"learning_rat\":0.1,\"momentum\":2},\"training\":{\"batch_size\":0,"
                                      "\"epochs\":\"many\",\"seed\":-1},\"stop\":{\"early\":{\"metric\":\"luck\"}},"
                                      "\"surprise\":1}"),
                     STATUS_VALIDATION_FAILED);
    for (size_t i = 0; i < sizeof WANTED / sizeof *WANTED; i++) {
        assert_non_null(refusal_find(&job.problem, WANTED[i].status, WANTED[i].pointer));
    }
    assert_int_equal(job.problem.field_total, sizeof WANTED / sizeof *WANTED);
    assert_non_null(
        strstr(refusal_find(&job.problem, STATUS_UNKNOWN_FIELD, "/optimizer/learning_rat")->detail, "learning_rate"));
    job_release(&job);
}

static void what_is_no_json_is_told_with_its_byte(void **state)
{
    struct job job;

    (void)state;
    assert_int_equal(job_decode(&job, "{\"dataset\": 01}"), STATUS_JSON_INVALID);
    assert_int_equal(job.problem.whole.has_offset, 1);
    assert_int_equal(job.problem.whole.offset, 13);
    job_release(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_means_nothing_is_refused_at_its_place),
        cmocka_unit_test(what_does_not_fit_the_data_is_refused),
        cmocka_unit_test(an_id_that_cannot_be_one_is_not_found),
        cmocka_unit_test(metadata_is_limited),
        cmocka_unit_test(all_errors_come_at_once),
        cmocka_unit_test(what_is_no_json_is_told_with_its_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
