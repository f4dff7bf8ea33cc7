/* Checking a folder: a whole one has nothing wrong with it, each kind of damage is named, and nothing is changed. */
#include "tests/server/store/real_checkpoint.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "server/store/check.h"
#include "tests/server/store/run_sql.h"

struct findings {
    char text[8192]; /* a line each: "problem ..." or "note ..." */
    struct check_summary summary;
};

static void keep_finding(void *context, enum check_level level, const char *text)
{
    struct findings *findings = context;
    size_t used = strlen(findings->text);
    snprintf(findings->text + used, sizeof(findings->text) - used, "%s %s\n", level == CHECK_NOTE ? "note" : "problem",
             text);
}

static struct findings check(const struct fixture *fixture)
{
    struct error error;
    struct findings findings = {.text = ""};
    assert_ok(store_check(fixture->data, keep_finding, &findings, &findings.summary, &error));
    return findings;
}

/* Exactly one problem is found, and it says this. */
static void check_finds(const struct fixture *fixture, const char *says)
{
    struct findings findings = check(fixture);
    if (findings.summary.problems != 1 || strstr(findings.text, says) == NULL) {
        fail_msg("wanted one problem with \"%s\", got: %s", says, findings.text);
    }
}

static void close_store(struct fixture *fixture)
{
    store_close(fixture->store);
    fixture->store = NULL;
}

/* A job that ran and ended, with rows and two checkpoints; its large checkpoint's object. */
static void fill(struct store *store, char id[ID_TEXT], char object[SHA256_TEXT])
{
    char small[SHA256_TEXT], waiting[ID_TEXT];
    add_job(store, "", "{}", 0, id);
    set_status(store, id, JOB_RUNNING);
    append_rows(store, id, 1, 20, 0.5);
    add_real_checkpoint(store, id, 10, 4, small);
    add_real_checkpoint(store, id, 20, 100, object);
    set_status(store, id, JOB_SUCCEEDED);
    add_job(store, "", "{}", 0, waiting);
}

/* Names, sizes and times of what is in the folder, in no order that matters: summed. */
static uint64_t folder_state(const struct fixture *fixture)
{
    const char *const folders[] = {"", "objects", "tmp"};
    uint64_t sum = 0;
    for (int i = 0; i < 3; i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", fixture->data, folders[i]);
        DIR *directory = opendir(path);
        assert_non_null(directory);
        for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
            struct stat file;
            assert_int_equal(fstatat(dirfd(directory), entry->d_name, &file, AT_SYMLINK_NOFOLLOW), 0);
            if (S_ISREG(file.st_mode) && strcmp(entry->d_name, "descentd.db-shm") != 0) {
                sum +=
                    file.st_ino * 31 + (uint64_t)file.st_size * 7 + (uint64_t)file.st_mtim.tv_nsec + (uint64_t)file.st_nlink;
            }
            sum += 1;
        }
        closedir(directory);
    }
    return sum;
}

static void a_whole_folder_has_nothing_wrong_with_it_and_stays_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], object[SHA256_TEXT];
    fill(fixture->store, id, object);
    close_store(fixture);
    uint64_t before = folder_state(fixture);
    struct findings findings = check(fixture);
    assert_string_equal(findings.text, "");
    assert_int_equal(findings.summary.jobs, 2);
    assert_int_equal(findings.summary.objects, 2);
    assert_int_equal(findings.summary.checkpoints, 2);
    assert_int_equal(findings.summary.events, 27);
    assert_int_equal(folder_state(fixture), before);
}

static void a_folder_that_a_server_has_open_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct findings findings = {.text = ""};
    assert_status(STATUS_DATA_DIR_LOCKED, store_check(fixture->data, keep_finding, &findings, &findings.summary, &error));
    char path[128];
    snprintf(path, sizeof(path), "%s/nowhere", fixture->folder);
    assert_status(STATUS_DATA_DIR_INVALID, store_check(path, keep_finding, &findings, &findings.summary, &error));
    assert_int_equal(access(path, F_OK), -1); /* nor is one made */
}

static void a_folder_of_a_newer_program_is_not_judged(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct findings findings = {.text = ""};
    close_store(fixture);
    run_sql(fixture, "PRAGMA user_version = 99");
    assert_status(STATUS_SCHEMA_TOO_NEW, store_check(fixture->data, keep_finding, &findings, &findings.summary, &error));
}

/* The log of a killed server is read with the database, and neither is touched. */
static void a_folder_of_a_killed_server_is_read_with_its_log(void **state)
{
    struct fixture *fixture = *state;
    char path[160];
    close_store(fixture);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char id[ID_TEXT], object[SHA256_TEXT];
        if (store_open(&fixture->store, fixture->data, NULL) != STATUS_OK) {
            _exit(1);
        }
        fill(fixture->store, id, object);
        _exit(0); /* as a kill: the log is not moved into the database */
    }
    int ended;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
    assert_true(file_exists(fixture, "", "descentd.db-wal"));
    for (int without_index = 0; without_index < 2; without_index++) {
        uint64_t before = folder_state(fixture);
        struct findings findings = check(fixture);
        assert_string_equal(findings.text, "");
        assert_int_equal(findings.summary.jobs, 2);
        assert_int_equal(folder_state(fixture), before);
        snprintf(path, sizeof(path), "%s/descentd.db-shm", fixture->data);
        remove(path);
    }
}

static void damage_to_rows_is_named(void **state)
{
    static const struct {
        const char *sql, *says;
    } damages[] = {
        {"DELETE FROM events WHERE job = 1 AND count = 20", "6 events, 1 to 26"},
        {"UPDATE events SET count = 19 WHERE count = 20", "25 events, 1 to 26"},
        {"UPDATE jobs SET last_event = 99 WHERE number = 1", "1 to 99 are expected"},
        {"INSERT INTO events SELECT job, 27, type, created_at, data, step, count FROM events WHERE type = 'done';"
         "UPDATE jobs SET last_event = 27 WHERE number = 1",
         "has 2 done events"},
        {"UPDATE events SET data = '{\"status\":\"running\"}' WHERE job = 2", "its last state event says running"},
        {"DELETE FROM curves", "is of the row of step 1, which is missing"},
        {"UPDATE curves SET count = 19", "the rows from step 1 to 20 cannot be read"},
        {"UPDATE curves SET count = 21", "the rows from step 1 to 20 cannot be read"},
        {"UPDATE curves SET rows = substr(rows, 1, length(rows) - 1)", "the rows from step 1 to 20 cannot be read"},
        {"INSERT INTO curves SELECT job, 20, 20, 1, substr(rows, 19 * 56 + 1) FROM curves", "overlap those from step 20"},
        {"UPDATE events SET data = '{' WHERE id = 2", "the data of event 2 is not JSON"},
        {"DELETE FROM job_documents WHERE job = 2", "its documents are missing"},
        {"UPDATE job_documents SET spec = 'spec' WHERE job = 2", "is not JSON"},
        {"UPDATE jobs SET model = 'mdl_x' WHERE number = 1", "names a model that never was, mdl_x"},
        {"UPDATE jobs SET test_dataset = 'ds_x' WHERE number = 1", "names a data set that never was, ds_x"},
        {"UPDATE checkpoints SET bytes = 101 WHERE step = 10", "has 101 bytes, its object "},
        {"INSERT INTO idempotency_keys VALUES('', 'k', 0, '', 'job_x', '{}')", "names a job that never was, job_x"},
        {"PRAGMA foreign_keys = OFF; DELETE FROM objects WHERE bytes IS NOT NULL", "refers to nothing in objects"},
        {"UPDATE objects SET bytes = zeroblob(size) WHERE bytes IS NOT NULL", "has the content of"},
        {"UPDATE objects SET size = size - 1 WHERE bytes IS NOT NULL; UPDATE checkpoints SET bytes = bytes - 1 WHERE step = "
         "10",
         " bytes instead of "},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        void *own;
        char id[ID_TEXT], object[SHA256_TEXT];
        open_fixture(&own);
        struct fixture *damaged = own;
        fill(damaged->store, id, object);
        close_store(damaged);
        run_sql(damaged, damages[i].sql);
        check_finds(damaged, damages[i].says);
        close_fixture(&own);
    }
    (void)fixture;
}

static void a_job_that_ended_twice_is_named(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], object[SHA256_TEXT];
    fill(fixture->store, id, object);
    close_store(fixture);
    run_sql(fixture, "UPDATE events SET data = '{\"status\":\"failed\"}' WHERE job = 1 AND id = 2");
    check_finds(fixture, "entered 2 final states");
}

static void damage_to_files_is_named(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], object[SHA256_TEXT], path[256], other[256], says[160];
    fill(fixture->store, id, object);
    close_store(fixture);
    snprintf(path, sizeof(path), "%s/objects/%s", fixture->data, object);
    snprintf(other, sizeof(other), "%s/objects/aside", fixture->data);
    assert_int_equal(rename(path, other), 0);
    snprintf(says, sizeof(says), "objects/%s: is missing", object);
    check_finds(fixture, says);
    assert_int_equal(rename(other, path), 0);
    assert_int_equal(check(fixture).summary.problems, 0);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "x", 1, 5000), 1);
    check_finds(fixture, "has the content of");
    assert_int_equal(ftruncate(fd, 99999), 0);
    check_finds(fixture, "has 99999 bytes instead of ");
    close(fd);
}

static void contents_that_cannot_be_read_are_named(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    add_dataset(fixture->store, 500, 1, id); /* the right bytes, but not those of a data set */
    close_store(fixture);
    check_finds(fixture, id);
    run_sql(fixture, "PRAGMA foreign_keys = ON; DELETE FROM datasets; DELETE FROM objects");
    struct error error;
    char object[SHA256_TEXT];
    assert_ok(store_open(&fixture->store, fixture->data, &error));
    add_job(fixture->store, "", "{}", 0, id);
    add_checkpoint(fixture->store, id, 1, 1, 500, 1, object); /* nor those of a checkpoint */
    close_store(fixture);
    check_finds(fixture, "as the content of a checkpoint of job_");
}

static void a_database_that_cannot_be_read_is_one_finding(void **state)
{
    struct fixture *fixture = *state;
    char path[160];
    close_store(fixture);
    snprintf(path, sizeof(path), "%s/descentd.db", fixture->data);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_true(fputs("this is no database", file) >= 0);
    assert_int_equal(fclose(file), 0);
    check_finds(fixture, "file is not a database");
    assert_int_equal(remove(path), 0);
    check_finds(fixture, "descentd.db is missing");
}

static void what_the_next_start_removes_is_a_note(void **state)
{
    struct fixture *fixture = *state;
    const char *const names[] = {"tmp/x-1.part", "objects/0000000000000000000000000000000000000000000000000000000000000000"};
    close_store(fixture);
    for (int i = 0; i < 2; i++) {
        char path[256];
        snprintf(path, sizeof(path), "%s/%s", fixture->data, names[i]);
        int fd = open(path, O_CREAT | O_WRONLY, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    struct findings findings = check(fixture);
    assert_int_equal(findings.summary.problems, 0);
    assert_int_equal(findings.summary.notes, 2);
    for (int i = 0; i < 2; i++) {
        assert_non_null(strstr(findings.text, names[i]));
    }
    struct error error;
    assert_ok(store_open(&fixture->store, fixture->data, &error)); /* and it does */
    close_store(fixture);
    assert_int_equal(check(fixture).summary.notes, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_folder_has_nothing_wrong_with_it_and_stays_as_it_is),
        TEST(a_folder_that_a_server_has_open_is_left_alone),
        TEST(a_folder_of_a_newer_program_is_not_judged),
        TEST(a_folder_of_a_killed_server_is_read_with_its_log),
        TEST(damage_to_rows_is_named),
        TEST(a_job_that_ended_twice_is_named),
        TEST(damage_to_files_is_named),
        TEST(contents_that_cannot_be_read_are_named),
        TEST(a_database_that_cannot_be_read_is_one_finding),
        TEST(what_the_next_start_removes_is_a_note),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
