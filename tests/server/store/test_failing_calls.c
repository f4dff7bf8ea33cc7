/*
 * Each thing that the store does, with its Nth call failing, for each N, once and for ever: a call on a file for want of
 * room or on a broken disk, a step of a statement, an allocation of ours or of SQLite's. Nothing crashes or leaks; what was
 * told to be done is done, what was told to have failed is done whole or not at all; the next request works.
 */
#include "tests/server/store/fault_shim.h"
#include "tests/server/store/stored_job.h"

#include <dlfcn.h>
#include <sqlite3.h>

#include "server/store/backup.h"
#include "server/store/check.h"
#include "server/store/races.h"

/* ---- steps and allocations ---- */

EXPORTED int sqlite3_step(sqlite3_stmt *statement)
{
    static int (*step)(sqlite3_stmt * statement);
    if (step == NULL) {
        void *symbol = dlsym(RTLD_NEXT, "sqlite3_step");
        memcpy(&step, &symbol, sizeof(step));
    }
    return comes_to_fail(FAULT_STEP) ? SQLITE_BUSY : step(statement);
}

/* The program is linked with --wrap of these (Makefile): calls from our own code come here. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
    return comes_to_fail(FAULT_MEMORY) ? NULL : __real_malloc(size);
}
void *__wrap_calloc(size_t count, size_t size)
{
    return comes_to_fail(FAULT_MEMORY) ? NULL : __real_calloc(count, size);
}
void *__wrap_realloc(void *old, size_t size)
{
    return comes_to_fail(FAULT_MEMORY) ? NULL : __real_realloc(old, size);
}
void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return comes_to_fail(FAULT_MEMORY) ? NULL : __real_reallocarray(old, count, size);
}
void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return comes_to_fail(FAULT_MEMORY) ? NULL : __real_aligned_alloc(alignment, size);
}
char *__wrap_strdup(const char *text)
{
    return comes_to_fail(FAULT_MEMORY) ? NULL : __real_strdup(text);
}

static sqlite3_mem_methods sqlite_memory;
static void *sqlite_malloc(int size)
{
    return comes_to_fail(FAULT_SQLITE_MEMORY) ? NULL : sqlite_memory.xMalloc(size);
}
static void *sqlite_realloc(void *old, int size)
{
    return comes_to_fail(FAULT_SQLITE_MEMORY) ? NULL : sqlite_memory.xRealloc(old, size);
}

static void take_sqlite_memory(void)
{
    sqlite3_mem_methods methods;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory), SQLITE_OK);
    methods = sqlite_memory;
    methods.xMalloc = sqlite_malloc;
    methods.xRealloc = sqlite_realloc;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods), SQLITE_OK);
}

/* ---- what is done ---- */

#define LARGE 100000

/* One round of one deed: what is prepared without faults, and what is looked at without them. */
struct round {
    struct fixture *fixture;
    unsigned number; /* each has other bytes and names */
    char job[ID_TEXT], model[ID_TEXT], key[32], copy[128], sha256[SHA256_TEXT];
    unsigned char *bytes; /* [LARGE] */
    uint64_t version;
};

/* Without its texts. */
static struct job_view read_job(const struct round *round)
{
    struct job_view job, numbers;
    get_job(round->fixture->store, round->job, 0, &job);
    numbers = job;
    job_view_release(&job);
    return numbers;
}

static enum status write_object(const struct round *round, struct object *object)
{
    struct object_writer *writer;
    *object = (struct object){.size = 0};
    enum status status = object_writer_new(&writer, round->fixture->store, 0, NULL);
    if (status == STATUS_OK) {
        struct sink sink = object_writer_sink(writer);
        status = sink.write(sink.context, round->bytes, LARGE, NULL);
        if (status == STATUS_OK) {
            status = object_writer_finish(writer, object, NULL);
        }
        object_writer_free(writer);
    }
    return status;
}

static void prepare_running(struct round *round)
{
    char object[SHA256_TEXT];
    add_job(round->fixture->store, "", "{}", 0, round->job);
    set_status(round->fixture->store, round->job, JOB_RUNNING);
    add_checkpoint(round->fixture->store, round->job, 1, 1, LARGE, 2 * round->number + 1000001, object);
    round->version = 3;
}

static void prepare_nothing(struct round *round)
{
    (void)round;
}

static enum status submit(struct round *round)
{
    static char spec[] = "{}";
    struct idempotency_key key = {.token = "", .key = round->key};
    struct job_view job = {.progress = job_progress_none(), .spec = spec, .metadata = spec, .request = spec};
    struct jobs_insert insert = {.job = &job, .key = &key};
    memset(key.fingerprint, '7', sizeof(key.fingerprint) - 1);
    enum status status = store_wait(round->fixture->store, jobs_insert(&insert), NULL);
    memcpy(round->job, job.id, ID_TEXT);
    return status;
}

static int was_submitted(struct round *round)
{
    struct error error = {.status = STATUS_OK};
    struct idempotency_record record;
    struct job_view job = {.version = 0};
    int found, there = 0;
    assert_ok(idempotency_find(round->fixture->store, "", round->key, &record, &found, &error));
    if (round->job[0] != '\0') {
        there = jobs_get(round->fixture->store, round->job, 0, &job, &error) == STATUS_OK;
        job_view_release(&job);
    }
    assert_int_equal(found, there); /* the job and its key, or neither */
    free(record.answer);
    return there;
}

enum { RACE_JOBS = 3 };

static enum status submit_race(struct round *round)
{
    static char spec[] = "{}";
    struct idempotency_key key = {.token = "", .key = round->key};
    struct job_view jobs[RACE_JOBS];
    struct jobs_insert items[RACE_JOBS], *inserts[RACE_JOBS];
    for (size_t i = 0; i < RACE_JOBS; i++) {
        jobs[i] = (struct job_view){.progress = job_progress_none(), .spec = spec, .metadata = spec, .request = spec};
        items[i] = (struct jobs_insert){.job = &jobs[i]};
        inserts[i] = &items[i];
    }
    struct races_insert insert = {.id = "race_x", .inserts = inserts, .count = RACE_JOBS, .key = &key};
    memset(key.fingerprint, '7', sizeof(key.fingerprint) - 1);
    enum status status = store_wait(round->fixture->store, races_insert(&insert), NULL);
    memcpy(round->job, jobs[0].id, ID_TEXT);
    return status;
}

static int was_raced(struct round *round)
{
    struct error error = {.status = STATUS_OK};
    uint64_t counts[JOB_STATUS_COUNT];
    int done = was_submitted(round);
    assert_ok(jobs_count(round->fixture->store, counts, &error));
    assert_int_equal(counts[JOB_QUEUED], done ? RACE_JOBS : 0);
    return done;
}

static enum status advance(struct round *round)
{
    struct object object;
    static const struct metric_row rows[] = {{.point = {.step = 2}}, {.point = {.step = 3}}};
    enum status status = write_object(round, &object);
    const struct checkpoint_new checkpoint = {.step = 3, .object = &object, .data = "{}", .keep = 1};
    struct jobs_change change = {.id = round->job,
                                 .from = JOB_SET(JOB_RUNNING),
                                 .to = JOB_STATUS_KEEP,
                                 .rows = rows,
                                 .row_count = 2,
                                 .checkpoint = &checkpoint};
    if (status == STATUS_OK) {
        status = store_wait(round->fixture->store, jobs_change(&change), NULL);
    }
    object_release(&object);
    return status;
}

static int was_advanced(struct round *round)
{
    struct error error;
    struct metric_list metrics;
    struct checkpoint_list checkpoints;
    struct object_map map;
    int done = read_job(round).version == round->version + 1;
    assert_ok(metrics_list(round->fixture->store, round->job, -1, &metrics, &error));
    assert_int_equal(metrics.count, done ? 2 : 0);
    metric_list_release(&metrics);
    assert_ok(checkpoints_list(round->fixture->store, round->job, &checkpoints, &error));
    assert_int_equal(checkpoints.count, 1);
    assert_int_equal(checkpoints.items[0].step, done ? 3 : 1);
    assert_ok(object_map(&map, round->fixture->store, checkpoints.items[0].object, &error));
    object_unmap(round->fixture->store, &map);
    checkpoint_list_release(&checkpoints);
    return done;
}

static enum status end(struct round *round)
{
    static char texts[] = "{}", classes[] = "[]";
    struct object object;
    enum status status = write_object(round, &object);
    struct model_view model = {.step = 3, .spec = texts, .classes = classes, .scores = texts, .calibration = texts};
    memcpy(model.id, round->model, ID_TEXT);
    const struct job_outcome outcome = {.stop_reason = STOP_EARLY, .results = "{}", .model = &model, .object = &object};
    struct jobs_change change = {
        .id = round->job, .from = JOB_SET(JOB_RUNNING), .to = JOB_SUCCEEDED, .drop_checkpoints = 1, .outcome = &outcome};
    if (status == STATUS_OK) {
        status = store_wait(round->fixture->store, jobs_change(&change), NULL);
    }
    object_release(&object);
    return status;
}

static int has_ended(struct round *round)
{
    struct error error = {.status = STATUS_OK};
    struct model_view model;
    struct object_map map;
    int done = read_job(round).status == JOB_SUCCEEDED;
    enum status status = models_get(round->fixture->store, round->model, &model, &error);
    assert_int_equal(status, done ? STATUS_OK : STATUS_NOT_FOUND);
    if (done) {
        assert_ok(object_map(&map, round->fixture->store, model.object, &error));
        object_unmap(round->fixture->store, &map);
    }
    model_view_release(&model);
    return done;
}

static void prepare_ended(struct round *round)
{
    prepare_running(round);
    set_status(round->fixture->store, round->job, JOB_FAILED);
}

static enum status delete (struct round *round) {
    struct jobs_delete deletion = {.id = round->job}; return store_wait(round->fixture->store, jobs_delete(&deletion), NULL);
}

static int was_deleted(struct round *round)
{
    struct error error = {.status = STATUS_OK};
    struct job_view job;
    enum status status = jobs_get(round->fixture->store, round->job, 0, &job, &error);
    assert_true(status == STATUS_OK || status == STATUS_DELETED);
    job_view_release(&job);
    return status == STATUS_DELETED;
}

static enum status recover(struct round *round)
{
    char accused[1][ID_TEXT];
    const struct fact fact = {"rounds", round->number};
    memcpy(accused[0], round->job, ID_TEXT);
    struct jobs_recover recovery = {.accused = accused, .accused_count = 1, .facts = &fact, .fact_count = 1};
    return store_wait(round->fixture->store, jobs_recover(&recovery), NULL);
}

static int was_recovered(struct round *round)
{
    struct error error;
    int64_t value;
    int found;
    struct job_view job = read_job(round);
    assert_ok(facts_get(round->fixture->store, "rounds", &value, &found, &error));
    assert_int_equal(job.status == JOB_QUEUED, found && value == round->number);
    assert_int_equal(job.status == JOB_QUEUED, job.suspect);
    int done = job.status == JOB_QUEUED;
    if (!done) {
        assert_int_equal(job.status, JOB_RUNNING);
    }
    set_status(round->fixture->store, round->job, JOB_FAILED);
    return done;
}

static enum status back_up(struct round *round)
{
    struct backup_summary summary;
    return store_backup(round->fixture->data, round->copy, &summary, NULL);
}

static void keep_problem(void *context, enum check_level level, const char *text)
{
    if (level == CHECK_PROBLEM && strstr(text, "as the content of") == NULL) { /* our objects are only bytes */
        print_error("%s\n", text);
        ++*(int *)context;
    }
}

static void check_folder(const char *path)
{
    struct error error;
    struct check_summary summary;
    int problems = 0;
    assert_ok(store_check(path, keep_problem, &problems, &summary, &error));
    assert_int_equal(problems, 0);
}

static int was_backed_up(struct round *round)
{
    char database[160];
    snprintf(database, sizeof(database), "%s/descentd.db", round->copy);
    int done = access(database, F_OK) == 0;
    if (done) {
        check_folder(round->copy);
    }
    remove_folder(round->copy);
    return done;
}

static enum status open_again(struct round *round)
{
    store_close(round->fixture->store);
    round->fixture->store = NULL;
    return store_open(&round->fixture->store, round->fixture->data, NULL);
}

static int is_open(struct round *round)
{
    struct error error;
    int done = round->fixture->store != NULL;
    if (!done) {
        assert_ok(store_open(&round->fixture->store, round->fixture->data, &error));
    }
    assert_int_equal(read_job(round).version, round->version);
    return done;
}

/* ---- the rounds ---- */

static const struct deed {
    const char *name;
    void (*prepare)(struct round *round);
    enum status (*act)(struct round *round);
    int (*is_done)(struct round *round);
} deeds[] = {
    {"submit with a key", prepare_nothing, submit, was_submitted},
    {"a race with a key", prepare_nothing, submit_race, was_raced},
    {"rows and a checkpoint", prepare_running, advance, was_advanced},
    {"the end with a model", prepare_running, end, has_ended},
    {"delete", prepare_ended, delete, was_deleted},
    {"recover", prepare_running, recover, was_recovered},
    {"backup", prepare_running, back_up, was_backed_up},
    {"open", prepare_running, open_again, is_open},
};

/* A request like any other. */
static void check_next(struct fixture *fixture)
{
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    set_status(fixture->store, id, JOB_CANCELLED);
}

/* One deed in a store of its own, so that the calls are the same each time. 0: there are no so many. */
static int try_round(const char *parent, const struct deed *deed, enum fault_kind kind, int at, int sticky, int system_error)
{
    void *own;
    struct round round = {.number = 7};
    open_fixture_in(&own, parent);
    round.fixture = own;
    round.bytes = pattern(LARGE, 1);
    id_new(round.model, "mdl_");
    snprintf(round.key, sizeof(round.key), "a key");
    snprintf(round.copy, sizeof(round.copy), "%s/copy", round.fixture->folder);
    deed->prepare(&round);
    arm(kind, at, sticky, system_error);
    enum status told = deed->act(&round);
    disarm();
    int tripped = atomic_load(&fault.tripped);
    if (round.fixture->store != NULL && store_is_read_only(round.fixture->store)) {
        assert_int_equal(kind == FAULT_FILE ? system_error : EIO, EIO);
        reopen(round.fixture);
    }
    int done = deed->is_done(&round);
    if (told == STATUS_OK && !done) {
        fail_msg("%s: told to be done, with call %d failing, and is not", deed->name, at);
    }
    assert_true(tripped || told == STATUS_OK);
    check_next(round.fixture);
    store_close(round.fixture->store);
    round.fixture->store = NULL;
    check_folder(round.fixture->data);
    assert_int_equal(count_files(round.fixture, "tmp"), 0);
    close_fixture(&own);
    free(round.bytes);
    return tripped;
}

/* Preparing a statement is hundreds of allocations of SQLite's, all alike to us. */
#define SQLITE_EACH   20
#define SQLITE_STRIDE 41
/* Under AddressSanitizer, which takes its time: the odd ones fail once, the even ones for ever. */
#ifdef __SANITIZE_ADDRESS__
#define STRIDE 2
#else
#define STRIDE 1
#endif

/* In memory where there is such a folder: what matters here are thousands of failures, not how a disk takes them. */
static void try_all(enum fault_kind kind, int system_error)
{
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
        for (int sticky = 0; sticky < 2; sticky++) {
            const int first = sticky ? STRIDE : 1;
            int at = first;
            while (try_round(parent, &deeds[i], kind, at, sticky, system_error)) {
                at += kind == FAULT_SQLITE_MEMORY && at >= SQLITE_EACH ? SQLITE_STRIDE : STRIDE;
            }
            assert_in_range(at, kind == FAULT_MEMORY ? first : first + 1, 5000); /* some were met, and they came to an end */
        }
    }
}

static void calls_that_find_no_room_leave_the_state_before_or_after(void **state)
{
    (void)state;
    try_all(FAULT_FILE, ENOSPC);
}

static void calls_on_a_broken_disk_leave_the_state_before_or_after(void **state)
{
    (void)state;
    try_all(FAULT_FILE, EIO);
}

static void steps_that_fail_leave_the_state_before_or_after(void **state)
{
    (void)state;
    try_all(FAULT_STEP, 0);
}

static void allocations_that_fail_leave_the_state_before_or_after(void **state)
{
    (void)state;
    try_all(FAULT_MEMORY, 0);
}

static void allocations_of_sqlite_that_fail_leave_the_state_before_or_after(void **state)
{
    (void)state;
    try_all(FAULT_SQLITE_MEMORY, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_that_find_no_room_leave_the_state_before_or_after),
        cmocka_unit_test(calls_on_a_broken_disk_leave_the_state_before_or_after),
        cmocka_unit_test(steps_that_fail_leave_the_state_before_or_after),
        cmocka_unit_test(allocations_that_fail_leave_the_state_before_or_after),
        cmocka_unit_test(allocations_of_sqlite_that_fail_leave_the_state_before_or_after),
    };
    take_sqlite_memory();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
