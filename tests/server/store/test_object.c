/* Objects: written once, named by their content, verified when read, shared, and gone when nothing names them. */
#include "tests/server/store/temporary_store.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "core/base/sha256.h"

#define LARGE (OBJECT_INLINE_BYTES + 1)

/* Stores an object by the data set that it is the content of. */
static void store_object(struct fixture *fixture, size_t size, unsigned seed, char id[ID_TEXT], char sha256[SHA256_TEXT])
{
    struct error error;
    struct dataset_view dataset;
    add_dataset(fixture->store, size, seed, id);
    assert_ok(datasets_get(fixture->store, id, &dataset, &error));
    memcpy(sha256, dataset.sha256, SHA256_TEXT);
    assert_int_equal(dataset.bytes, size);
    dataset_view_release(&dataset);
}

static void what_was_written_is_read_back_under_its_hash(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    const size_t sizes[] = {0, 1, 63, 4096, OBJECT_INLINE_BYTES, LARGE, 3 * OBJECT_INLINE_BYTES + 17, 5000000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char id[ID_TEXT], sha256[SHA256_TEXT], wanted[SHA256_HEX];
        store_object(fixture, sizes[i], (unsigned)i, id, sha256);
        unsigned char *bytes = pattern(sizes[i], (unsigned)i);
        sha256_text(bytes, sizes[i], wanted);
        assert_string_equal(sha256, wanted);
        assert_int_equal(file_exists(fixture, "objects", sha256), sizes[i] > OBJECT_INLINE_BYTES);
        struct object_map map;
        assert_ok(object_map(&map, fixture->store, sha256, &error));
        assert_int_equal(map.size, sizes[i]);
        assert_int_equal((uintptr_t)map.bytes % 64, 0);
        assert_memory_equal(map.bytes, bytes, sizes[i]);
        object_unmap(fixture->store, &map);
        assert_null(map.bytes);
        free(bytes);
    }
    assert_int_equal(count_files(fixture, "tmp"), 0);
}

static void large_and_small_writes_may_be_mixed(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    const size_t pieces[] = {1, 100000, 3, 0, 65536, 65535, 7, 200000};
    struct object_writer *writer;
    struct object object;
    unsigned char *bytes = pattern(600000, 9);
    size_t at = 0;
    assert_ok(object_writer_new(&writer, fixture->store, 0, &error));
    struct sink sink = object_writer_sink(writer);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        assert_ok(sink.write(sink.context, bytes + at, pieces[i], &error));
        at += pieces[i];
    }
    assert_ok(object_writer_finish(writer, &object, &error));
    object_writer_free(writer);
    struct dataset_view dataset = describe_dataset("mixed", DATASET_READY);
    struct datasets_insert insert = {.dataset = &dataset, .object = &object};
    assert_ok(store_wait(fixture->store, datasets_insert(&insert), &error));
    struct object_map map;
    assert_ok(object_map(&map, fixture->store, object.sha256, &error)); /* verifies the hash of the file */
    assert_int_equal(map.size, at);
    assert_memory_equal(map.bytes, bytes, at);
    object_unmap(fixture->store, &map);
    object_release(&object);
    dataset_view_release(&dataset);
    free(bytes);
}

static void an_object_that_is_given_up_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct object_writer *writer;
    unsigned char *bytes = pattern(200000, 1);
    assert_ok(object_writer_new(&writer, fixture->store, 0, &error));
    struct sink sink = object_writer_sink(writer);
    assert_ok(sink.write(sink.context, bytes, 200000, &error));
    assert_int_equal(count_files(fixture, "tmp"), 1);
    object_writer_free(writer); /* never finished */
    assert_int_equal(count_files(fixture, "tmp"), 0);

    struct object object;
    make_object(fixture->store, &object, 200000, 1);
    assert_int_equal(count_files(fixture, "tmp"), 1);
    object_release(&object); /* never stored */
    assert_int_equal(count_files(fixture, "tmp"), 0);
    assert_int_equal(count_files(fixture, "objects"), 0);
    free(bytes);
}

static void a_limit_on_the_bytes_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct object_writer *writer;
    struct object object;
    unsigned char *bytes = pattern(200000, 1);
    assert_ok(object_writer_new(&writer, fixture->store, 100000, &error));
    struct sink sink = object_writer_sink(writer);
    assert_ok(sink.write(sink.context, bytes, 100000, &error));
    assert_status(STATUS_BODY_TOO_LARGE, sink.write(sink.context, bytes, 1, &error));
    assert_int_equal(count_files(fixture, "tmp"), 0);
    assert_status(STATUS_BODY_TOO_LARGE, sink.write(sink.context, bytes, 1, &error)); /* and it stays so */
    assert_status(STATUS_BODY_TOO_LARGE, object_writer_finish(writer, &object, &error));
    object_writer_free(writer);
    free(bytes);
}

static void a_damaged_file_is_found_at_its_first_use(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], sha256[SHA256_TEXT], path[240];
    store_object(fixture, 100000, 3, id, sha256);
    snprintf(path, sizeof(path), "%s/objects/%s", fixture->data, sha256);
    struct object_map map;
    assert_ok(object_map(&map, fixture->store, sha256, &error));
    object_unmap(fixture->store, &map);

    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 77777, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, 77777, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 1, file), byte ^ 1);
    assert_int_equal(fclose(file), 0);
    assert_status(STATUS_OBJECT_CORRUPT, object_map(&map, fixture->store, sha256, &error)); /* it changed: verified anew */
    assert_null(map.bytes);
    reopen(fixture);
    assert_status(STATUS_OBJECT_CORRUPT, object_map(&map, fixture->store, sha256, &error));

    assert_int_equal(truncate(path, 99999), 0);
    assert_status(STATUS_OBJECT_CORRUPT, object_map(&map, fixture->store, sha256, &error));
    assert_int_equal(unlink(path), 0);
    assert_status(STATUS_OBJECT_CORRUPT, object_map(&map, fixture->store, sha256, &error));
    assert_non_null(strstr(error.message, "missing"));
}

static void an_object_that_is_not_there_is_not_found(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct object_map map;
    char sha256[SHA256_HEX];
    sha256_text("nothing", 7, sha256);
    assert_status(STATUS_NOT_FOUND, object_map(&map, fixture->store, sha256, &error));
    assert_status(STATUS_NOT_FOUND, object_map(&map, fixture->store, "../lock", &error));
}

static void mappings_are_shared_and_outlive_deletion(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], sha256[SHA256_TEXT];
    store_object(fixture, 100000, 3, id, sha256);
    struct object_map first, second;
    assert_ok(object_map(&first, fixture->store, sha256, &error));
    assert_ok(object_map(&second, fixture->store, sha256, &error));
    assert_ptr_equal(first.bytes, second.bytes);
    object_unmap(fixture->store, &first);
    struct datasets_delete deletion = {.id = id};
    assert_ok(store_wait(fixture->store, datasets_delete(&deletion), &error));
    assert_false(file_exists(fixture, "objects", sha256));
    unsigned char *bytes = pattern(100000, 3);
    assert_memory_equal(second.bytes, bytes, 100000);
    object_unmap(fixture->store, &second);
    assert_status(STATUS_NOT_FOUND, object_map(&second, fixture->store, sha256, &error));
    free(bytes);
}

static void the_same_content_is_one_file_until_the_last_owner_goes(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    /* Data sets that await labels are never merged, so they may share an object. */
    struct dataset_view one = describe_dataset("one", DATASET_AWAITING_LABELS);
    struct dataset_view two = describe_dataset("two", DATASET_AWAITING_LABELS);
    struct object object, again;
    make_object(fixture->store, &object, 100000, 5);
    make_object(fixture->store, &again, 100000, 5);
    struct datasets_insert first = {.dataset = &one, .object = &object}, second = {.dataset = &two, .object = &again};
    assert_ok(store_wait(fixture->store, datasets_insert(&first), &error));
    assert_ok(store_wait(fixture->store, datasets_insert(&second), &error));
    assert_string_not_equal(one.id, two.id);
    object_release(&object);
    object_release(&again);
    assert_int_equal(count_files(fixture, "objects"), 1);
    assert_int_equal(count_files(fixture, "tmp"), 0);
    struct datasets_delete deletion = {.id = one.id};
    assert_ok(store_wait(fixture->store, datasets_delete(&deletion), &error));
    assert_int_equal(count_files(fixture, "objects"), 1);
    deletion = (struct datasets_delete){.id = two.id};
    assert_ok(store_wait(fixture->store, datasets_delete(&deletion), &error));
    assert_int_equal(count_files(fixture, "objects"), 0);
    dataset_view_release(&one);
    dataset_view_release(&two);
}

static void files_without_a_row_go_at_the_next_start_and_strangers_stay(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], sha256[SHA256_TEXT], orphan[SHA256_HEX], path[240];
    store_object(fixture, 100000, 3, id, sha256);
    sha256_text("orphan", 6, orphan);
    const char *const names[] = {orphan, "README"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/objects/%s", fixture->data, names[i]);
        int fd = open(path, O_CREAT | O_WRONLY, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    reopen(fixture);
    assert_false(file_exists(fixture, "objects", orphan));
    assert_true(file_exists(fixture, "objects", "README"));
    assert_true(file_exists(fixture, "objects", sha256));
}

struct mapper {
    struct store *store;
    const char *sha256;
    const unsigned char *wanted;
    int failures;
};

static void *map_often(void *context)
{
    struct mapper *mapper = context;
    for (int i = 0; i < 50; i++) {
        struct object_map map;
        if (object_map(&map, mapper->store, mapper->sha256, NULL) != STATUS_OK) {
            mapper->failures++;
            continue;
        }
        mapper->failures += map.size != 300000 || memcmp(map.bytes, mapper->wanted, map.size) != 0;
        object_unmap(mapper->store, &map);
    }
    return NULL;
}

static void many_threads_map_one_object(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], sha256[SHA256_TEXT];
    store_object(fixture, 300000, 3, id, sha256);
    unsigned char *wanted = pattern(300000, 3);
    pthread_t threads[8];
    struct mapper mappers[8];
    for (int i = 0; i < 8; i++) {
        mappers[i] = (struct mapper){fixture->store, sha256, wanted, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, map_often, &mappers[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(mappers[i].failures, 0);
    }
    free(wanted);
}

/* ---- disks that are full ---- */

/* Every file of the process may have `bytes` at most: writing past that fails like a full quota. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_file_that_cannot_grow_is_no_room(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct object_writer *writer;
    struct object object;
    unsigned char *bytes = pattern(1000000, 1);
    assert_ok(object_writer_new(&writer, fixture->store, 0, &error));
    struct sink sink = object_writer_sink(writer);
    limit_files(500000);
    enum status status = sink.write(sink.context, bytes, 1000000, &error);
    limit_files(RLIM_INFINITY);
    assert_string_equal(status_code(status), "insufficient_storage");
    assert_int_equal(count_files(fixture, "tmp"), 0);
    assert_status(STATUS_INSUFFICIENT_STORAGE, object_writer_finish(writer, &object, &error));
    object_writer_free(writer);
    free(bytes);
    char id[ID_TEXT], sha256[SHA256_TEXT];
    store_object(fixture, 1000000, 1, id, sha256); /* the next one is well */
}

static void a_full_disk_fails_operations_whole_and_the_store_recovers(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char path[160];
    snprintf(path, sizeof(path), "%s/small", fixture->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    if (mount("tmpfs", path, "tmpfs", 0, "size=1m") != 0) {
        print_message("    not permitted to mount a small disk: skipped\n");
        skip();
    }
    struct store *store = NULL;
    char data[176], id[ID_TEXT], filler[192];
    snprintf(data, sizeof(data), "%s/data", path);
    assert_ok(store_open(&store, data, &error));
    add_job(store, "", "{}", 0, id);
    snprintf(filler, sizeof(filler), "%s/filler", path);
    FILE *file = fopen(filler, "w"); /* takes all the room there is */
    assert_non_null(file);
    setvbuf(file, NULL, _IONBF, 0);
    char block[4096] = {0};
    while (fwrite(block, 1, sizeof(block), file) == sizeof(block)) {
    }
    fclose(file);

    struct object_writer *writer;
    assert_ok(object_writer_new(&writer, store, 0, &error));
    struct sink sink = object_writer_sink(writer);
    unsigned char *bytes = pattern(200000, 1);
    assert_status(STATUS_INSUFFICIENT_STORAGE, sink.write(sink.context, bytes, 200000, &error));
    object_writer_free(writer);
    free(bytes);

    struct job_view before, after;
    assert_ok(jobs_get(store, id, 0, &before, &error));
    uint64_t version = before.version;
    struct jobs_change change = {.id = id, .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP};
    enum status status = STATUS_OK;
    for (int i = 0; i < 200 && status == STATUS_OK; i++) { /* what is left of the last pages may hold a few */
        status = store_wait(store, jobs_change(&change), &error);
        version += status == STATUS_OK;
    }
    assert_string_equal(status_code(status), "insufficient_storage");
    assert_false(store_is_read_only(store));
    assert_ok(jobs_get(store, id, 0, &after, &error));
    assert_int_equal(after.version, version);
    assert_int_equal(unlink(filler), 0);
    assert_ok(store_wait(store, jobs_change(&change), &error));
    store_close(store);
    assert_ok(store_open(&store, data, &error));
    job_view_release(&after);
    assert_ok(jobs_get(store, id, 0, &after, &error));
    assert_int_equal(after.version, version + 1);
    job_view_release(&before);
    job_view_release(&after);
    store_close(store);
    assert_int_equal(umount(path), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_read_back_under_its_hash),
        TEST(large_and_small_writes_may_be_mixed),
        TEST(an_object_that_is_given_up_leaves_nothing),
        TEST(a_limit_on_the_bytes_is_kept),
        TEST(a_damaged_file_is_found_at_its_first_use),
        TEST(an_object_that_is_not_there_is_not_found),
        TEST(mappings_are_shared_and_outlive_deletion),
        TEST(the_same_content_is_one_file_until_the_last_owner_goes),
        TEST(files_without_a_row_go_at_the_next_start_and_strangers_stay),
        TEST(many_threads_map_one_object),
        TEST(a_file_that_cannot_grow_is_no_room),
        TEST(a_full_disk_fails_operations_whole_and_the_store_recovers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
