/* Copies of a folder: whole at any moment, at rest, with a log that was left, and while it is written to. */
#include "tests/server/store/stored_job.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "server/store/backup.h"
#include "server/store/check.h"

/* Stands in for the C library's: two file systems. */
static atomic_int is_other_disk;
__attribute__((visibility("default"))) int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
    if (atomic_load(&is_other_disk)) {
        errno = EXDEV;
        return -1;
    }
    return (int)syscall(SYS_linkat, from_fd, from, to_fd, to, flags);
}

/* Our checkpoints are only bytes, which is no matter here. */
static void keep_finding(void *context, enum check_level level, const char *text)
{
    if (strstr(text, "as the content of a checkpoint") == NULL) {
        print_message("%s: %s\n", level == CHECK_NOTE ? "note" : "problem", text);
        ++*(int *)context;
    }
}

static struct check_summary check(const char *path)
{
    struct error error;
    struct check_summary summary;
    int findings = 0;
    assert_ok(store_check(path, keep_finding, &findings, &summary, &error));
    assert_int_equal(findings, 0);
    return summary;
}

static void copy_path(const struct fixture *fixture, int number, char path[128])
{
    snprintf(path, 128, "%s/copy-%d", fixture->folder, number);
}

/* A finished job with checkpoints, large and small, one that runs, one that waits. */
static void fill(struct store *store, char ids[3][ID_TEXT])
{
    char object[SHA256_TEXT];
    for (int i = 0; i < 3; i++) {
        add_job(store, "", "{}", 0, ids[i]);
        if (i < 2) {
            set_status(store, ids[i], JOB_RUNNING);
            append_rows(store, ids[i], 1, 20, 0.5);
            add_checkpoint(store, ids[i], 10, 2, 100, 1, object);
            add_checkpoint(store, ids[i], 20, 2, 100000, 2 + (unsigned)i, object);
        }
    }
    set_status(store, ids[0], JOB_SUCCEEDED);
}

/* A server started on the copy has all jobs, and takes up those that have not ended. */
static void check_copy(const char *path, char ids[3][ID_TEXT])
{
    struct error error;
    struct store *copy;
    check(path);
    assert_ok(store_open(&copy, path, &error));
    struct jobs_recover recovery = {.requeued = 0};
    assert_ok(store_wait(copy, jobs_recover(&recovery), &error));
    assert_int_equal(recovery.requeued, 1);
    for (int i = 0; i < 3; i++) {
        struct job_view job;
        get_job(copy, ids[i], 0, &job);
        assert_int_equal(job.status, i == 0 ? JOB_SUCCEEDED : JOB_QUEUED);
        job_view_release(&job);
        struct checkpoint_list list;
        assert_ok(checkpoints_list(copy, ids[i], &list, &error));
        assert_int_equal(list.count, i < 2 ? 2 : 0);
        for (size_t c = 0; c < list.count; c++) {
            struct object_map map;
            assert_ok(object_map(&map, copy, list.items[c].object, &error));
            object_unmap(copy, &map);
        }
        checkpoint_list_release(&list);
    }
    store_close(copy);
}

static void a_folder_is_copied_whole_by_linking_or_by_copying(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char ids[3][ID_TEXT];
    fill(fixture->store, ids);
    for (int in_use = 1; in_use >= 0; in_use--) {
        for (int other_disk = 0; other_disk < 2; other_disk++) {
            struct backup_summary summary;
            char path[128];
            copy_path(fixture, 2 * in_use + other_disk, path);
            atomic_store(&is_other_disk, other_disk);
            assert_ok(store_backup(fixture->data, path, &summary, &error));
            atomic_store(&is_other_disk, 0);
            assert_int_equal(summary.was_running, in_use);
            assert_int_equal(summary.linked, other_disk ? 0 : 2);
            assert_int_equal(summary.copied, other_disk ? 2 : 0);
            assert_int_equal(summary.object_bytes, 200000);
            assert_true(summary.database_bytes > 0);
            check_copy(path, ids);
        }
        store_close(fixture->store);
        fixture->store = NULL;
    }
    check(fixture->data);
}

static void the_log_of_a_killed_server_is_copied_and_stays(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct backup_summary summary;
    char path[128];
    copy_path(fixture, 0, path);
    store_close(fixture->store);
    fixture->store = NULL;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char ids[3][ID_TEXT];
        if (store_open(&fixture->store, fixture->data, NULL) != STATUS_OK) {
            _exit(1);
        }
        fill(fixture->store, ids);
        _exit(0);
    }
    int ended;
    struct stat before, after;
    char log[128];
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
    snprintf(log, sizeof(log), "%s/descentd.db-wal", fixture->data);
    assert_int_equal(stat(log, &before), 0);
    assert_true(before.st_size > 0);
    assert_ok(store_backup(fixture->data, path, &summary, &error));
    assert_int_equal(check(path).jobs, 3);
    assert_int_equal(stat(log, &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    assert_int_equal(check(fixture->data).jobs, 3);
}

struct busy {
    struct store *store;
    char id[ID_TEXT];
    atomic_int stop;
    enum status status;
};

/* Checkpoints whose files come and go as fast as the disk allows. No asserts here: this is not the main thread. */
static void *make_checkpoints(void *context)
{
    struct busy *busy = context;
    for (unsigned step = 1; busy->status == STATUS_OK && !atomic_load(&busy->stop); step++) {
        struct object_writer *writer;
        struct object object = {.size = 0};
        unsigned char bytes[70000] = {(unsigned char)step, (unsigned char)(step >> 8), (unsigned char)(step >> 16)};
        busy->status = object_writer_new(&writer, busy->store, 0, NULL);
        if (busy->status != STATUS_OK) {
            break;
        }
        struct sink sink = object_writer_sink(writer);
        busy->status = sink.write(sink.context, bytes, sizeof(bytes), NULL);
        if (busy->status == STATUS_OK) {
            busy->status = object_writer_finish(writer, &object, NULL);
        }
        object_writer_free(writer);
        const struct checkpoint_new checkpoint = {.step = step, .object = &object, .data = "{}", .keep = 1};
        struct jobs_change change = {
            .id = busy->id, .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP, .checkpoint = &checkpoint};
        if (busy->status == STATUS_OK) {
            busy->status = store_wait(busy->store, jobs_change(&change), NULL);
        }
        object_release(&object);
    }
    return NULL;
}

static void a_folder_that_is_written_to_is_copied_as_of_one_moment(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct busy busy = {.store = fixture->store};
    pthread_t thread;
    add_job(fixture->store, "", "{}", 0, busy.id);
    set_status(fixture->store, busy.id, JOB_RUNNING);
    assert_int_equal(pthread_create(&thread, NULL, make_checkpoints, &busy), 0);
    for (int i = 0; i < 8; i++) {
        struct backup_summary summary;
        char path[128];
        copy_path(fixture, i, path);
        assert_ok(store_backup(fixture->data, path, &summary, &error));
        assert_int_equal(check(path).jobs, 1);
    }
    atomic_store(&busy.stop, 1);
    pthread_join(thread, NULL);
    assert_int_equal(busy.status, STATUS_OK);
}

static void a_copy_goes_to_an_empty_folder_only(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct backup_summary summary;
    char path[128], inside[160];
    copy_path(fixture, 0, path);
    snprintf(inside, sizeof(inside), "%s/mine", path);
    assert_int_equal(mkdir(path, 0700), 0);
    int fd = open(inside, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_status(STATUS_DATA_DIR_INVALID, store_backup(fixture->data, path, &summary, &error));
    assert_non_null(strstr(error.message, "mine"));
    assert_int_equal(access(inside, F_OK), 0);
    assert_int_equal(remove(inside), 0);
    assert_ok(store_backup(fixture->data, path, &summary, &error));
    check(path);
    snprintf(inside, sizeof(inside), "%s/copy", fixture->data);
    assert_status(STATUS_DATA_DIR_INVALID, store_backup(fixture->data, inside, &summary, &error));
    assert_int_equal(access(inside, F_OK), -1);
    assert_status(STATUS_DATA_DIR_INVALID, store_backup("/nowhere/at/all", path, &summary, &error));
}

static void a_folder_with_a_missing_file_is_no_backup(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct backup_summary summary;
    char ids[3][ID_TEXT], path[128], object[256];
    struct checkpoint_list list;
    fill(fixture->store, ids);
    assert_ok(checkpoints_list(fixture->store, ids[1], &list, &error));
    snprintf(object, sizeof(object), "%s/objects/%s", fixture->data, list.items[0].object);
    assert_int_equal(remove(object), 0);
    copy_path(fixture, 0, path);
    assert_status(STATUS_STORAGE_ERROR, store_backup(fixture->data, path, &summary, &error));
    checkpoint_list_release(&list);
    assert_int_equal(access(path, F_OK), -1); /* it was made for the copy */
    assert_int_equal(mkdir(path, 0700), 0);
    assert_status(STATUS_STORAGE_ERROR, store_backup(fixture->data, path, &summary, &error));
    assert_int_equal(rmdir(path), 0); /* nothing was left in it */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_folder_is_copied_whole_by_linking_or_by_copying),
        TEST(the_log_of_a_killed_server_is_copied_and_stays),
        TEST(a_folder_that_is_written_to_is_copied_as_of_one_moment),
        TEST(a_copy_goes_to_an_empty_folder_only),
        TEST(a_folder_with_a_missing_file_is_no_backup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
