/* Data sets in the store: descriptions come back whole, the same content is one data set, labels, deletion, pages. */
#include "tests/server/store/temporary_store.h"

#include <pthread.h>

#include "core/base/sha256.h"

static void a_description_is_read_back_as_it_was_stored(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct dataset_view stored = describe_dataset("my trees", DATASET_READY), read;
    struct object object;
    make_object(fixture->store, &object, 1000, 1);
    struct datasets_insert insert = {.dataset = &stored, .object = &object};
    assert_ok(store_wait(fixture->store, datasets_insert(&insert), &error));
    assert_true(id_valid(stored.id, "ds_"));
    assert_string_equal(stored.sha256, object.sha256);
    assert_true(stored.created_at > 1600000000000);
    for (int restarted = 0; restarted < 2; restarted++) {
        assert_ok(datasets_get(fixture->store, stored.id, &read, &error));
        assert_string_equal(read.id, stored.id);
        assert_string_equal(read.name, "my trees");
        assert_int_equal(read.status, DATASET_READY);
        assert_int_equal(read.created_at, stored.created_at);
        assert_int_equal(read.rows, 150);
        assert_int_equal(read.width, 3);
        assert_int_equal(read.bytes, 1000);
        assert_string_equal(read.format, "csv");
        assert_string_equal(read.feature_type, "f32");
        assert_string_equal(read.sha256, object.sha256);
        assert_true(read.overall.deviation == 1.0 / 3);
        assert_true(read.overall.minimum == -1.5f);
        assert_int_equal(read.class_count, 2);
        assert_string_equal(read.class_list[0].name, "oak, red");
        assert_string_equal(read.class_list[1].name, "it's \"pine\"");
        assert_int_equal(read.class_list[1].count, 50);
        assert_int_equal(read.feature_count, 3);
        assert_string_equal(read.feature_list[0].name, "width");
        assert_true(read.feature_list[0].stats.mean == 0.7);
        assert_null(read.feature_list[2].name);
        assert_true(isnan(read.feature_list[2].stats.mean));
        assert_true(read.feature_list[2].stats.maximum == 3.25f);
        dataset_view_release(&read);
        reopen(fixture);
    }
    object.store = fixture->store;
    object_release(&object);
    dataset_view_release(&stored);
}

static void the_same_content_is_the_same_data_set(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char first[ID_TEXT], second[ID_TEXT], other[ID_TEXT], found[ID_TEXT], sha256[SHA256_HEX];
    assert_int_equal(add_dataset(fixture->store, 100000, 1, first), 0);
    assert_int_equal(add_dataset(fixture->store, 100000, 1, second), 1);
    assert_int_equal(add_dataset(fixture->store, 100000, 2, other), 0);
    assert_string_equal(first, second);
    assert_string_not_equal(first, other);
    struct dataset_list list;
    assert_ok(datasets_list(fixture->store, &(struct page_query){.limit = 10}, &list, &error));
    assert_int_equal(list.count, 2);
    dataset_list_release(&list);
    unsigned char *bytes = pattern(100000, 1);
    sha256_text(bytes, 100000, sha256);
    assert_ok(datasets_find(fixture->store, sha256, found, &error));
    assert_string_equal(found, first);
    sha256_text(bytes, 99999, sha256);
    assert_ok(datasets_find(fixture->store, sha256, found, &error));
    assert_string_equal(found, "");
    free(bytes);
}

#define UPLOADS 8

struct upload {
    struct datasets_insert insert;
    struct dataset_view dataset;
    struct object object;
};

static void of_uploads_that_race_with_one_content_one_is_stored(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct upload uploads[UPLOADS];
    for (int i = 0; i < UPLOADS; i++) {
        uploads[i] = (struct upload){.dataset = describe_dataset("race", DATASET_READY)};
        make_object(fixture->store, &uploads[i].object, 100000, 1);
        uploads[i].insert.dataset = &uploads[i].dataset;
        uploads[i].insert.object = &uploads[i].object;
    }
    for (int i = 0; i + 1 < UPLOADS; i++) {
        store_submit(fixture->store, datasets_insert(&uploads[i].insert), NULL, NULL);
    }
    assert_ok(store_wait(fixture->store, datasets_insert(&uploads[UPLOADS - 1].insert), &error));
    for (int i = 0; i < UPLOADS; i++) {
        assert_int_equal(uploads[i].insert.op.status, STATUS_OK);
        assert_int_equal(uploads[i].insert.existed, i > 0);
        assert_string_equal(uploads[i].dataset.id, uploads[0].dataset.id);
    }
    for (int i = 0; i < UPLOADS; i++) {
        object_release(&uploads[i].object);
        dataset_view_release(&uploads[i].dataset);
    }
}

/* Images that await labels, and the description that labels give them. */
static void add_images(struct store *store, unsigned seed, char id[ID_TEXT])
{
    struct error error;
    struct dataset_view images = describe_dataset("digits", DATASET_AWAITING_LABELS);
    struct object object;
    make_object(store, &object, 100000, seed);
    struct datasets_insert insert = {.dataset = &images, .object = &object};
    assert_ok(store_wait(store, datasets_insert(&insert), &error));
    assert_int_equal(insert.existed, 0);
    memcpy(id, images.id, ID_TEXT);
    object_release(&object);
    dataset_view_release(&images);
}

static enum status label_images(struct store *store, const char *id, unsigned seed, int *existed, struct error *error)
{
    struct dataset_view labelled = describe_dataset("not this name", DATASET_AWAITING_LABELS);
    struct object object;
    snprintf(labelled.id, sizeof(labelled.id), "%s", id);
    make_object(store, &object, 120000, seed);
    struct datasets_label label = {.dataset = &labelled, .object = &object};
    enum status status = store_wait(store, datasets_label(&label), error);
    *existed = label.existed;
    object_release(&object);
    dataset_view_release(&labelled);
    return status;
}

static void labels_make_images_ready_and_replace_their_object(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], again[ID_TEXT];
    int existed;
    struct dataset_view before, after;
    add_images(fixture->store, 1, id);
    assert_ok(datasets_get(fixture->store, id, &before, &error));
    assert_int_equal(before.status, DATASET_AWAITING_LABELS);
    assert_ok(label_images(fixture->store, id, 2, &existed, &error));
    assert_int_equal(existed, 0);
    assert_ok(datasets_get(fixture->store, id, &after, &error));
    assert_int_equal(after.status, DATASET_READY);
    assert_string_equal(after.name, "digits");
    assert_int_equal(after.created_at, before.created_at);
    assert_int_equal(after.class_count, 2);
    assert_int_equal(after.bytes, 120000);
    assert_false(file_exists(fixture, "objects", before.sha256));
    assert_true(file_exists(fixture, "objects", after.sha256));

    assert_ok(label_images(fixture->store, id, 2, &existed, &error)); /* the same labels again */
    assert_int_equal(existed, 1);
    assert_true(file_exists(fixture, "objects", after.sha256));
    assert_status(STATUS_STATE_CONFLICT, label_images(fixture->store, id, 3, &existed, &error));

    add_images(fixture->store, 1, again); /* the same images and labels: both data sets stay */
    assert_string_not_equal(again, id);
    assert_ok(label_images(fixture->store, again, 2, &existed, &error));
    assert_int_equal(existed, 1);
    struct datasets_delete deletion = {.id = id};
    assert_ok(store_wait(fixture->store, datasets_delete(&deletion), &error));
    assert_true(file_exists(fixture, "objects", after.sha256));
    assert_status(STATUS_DELETED, label_images(fixture->store, id, 2, &existed, &error));
    assert_status(STATUS_NOT_FOUND, label_images(fixture->store, "ds_00000000000000000000", 2, &existed, &error));
    dataset_view_release(&before);
    dataset_view_release(&after);
}

static void a_data_set_in_use_stays_until_its_jobs_have_ended(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char dataset[ID_TEXT], jobs[3][ID_TEXT];
    add_dataset(fixture->store, 100000, 1, dataset);
    for (int i = 0; i < 3; i++) {
        add_job(fixture->store, dataset, "{}", 0, jobs[i]);
    }
    set_status(fixture->store, jobs[0], JOB_RUNNING);
    set_status(fixture->store, jobs[1], JOB_CANCELLED);
    struct datasets_delete deletion = {.id = dataset};
    assert_status(STATUS_IN_USE, store_wait(fixture->store, datasets_delete(&deletion), &error));
    assert_int_equal(deletion.users.count, 2);
    assert_string_equal(deletion.users.ids[0], jobs[0]);
    assert_string_equal(deletion.users.ids[1], jobs[2]);
    set_status(fixture->store, jobs[0], JOB_FAILED);
    set_status(fixture->store, jobs[2], JOB_CANCELLED);
    assert_ok(store_wait(fixture->store, datasets_delete(&deletion), &error));
    struct dataset_view gone;
    assert_status(STATUS_DELETED, datasets_get(fixture->store, dataset, &gone, &error));
    assert_status(STATUS_DELETED, store_wait(fixture->store, datasets_delete(&deletion), &error));
    reopen(fixture);
    assert_status(STATUS_DELETED, datasets_get(fixture->store, dataset, &gone, &error));
    assert_status(STATUS_NOT_FOUND, datasets_get(fixture->store, "ds_00000000000000000000", &gone, &error));
}

static void pages_follow_one_another_over_deletions(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char ids[7][ID_TEXT];
    for (unsigned i = 0; i < 7; i++) {
        add_dataset(fixture->store, 100, i, ids[i]);
    }
    struct dataset_list page;
    struct page_query query = {.limit = 3, .descending = 1};
    assert_ok(datasets_list(fixture->store, &query, &page, &error));
    assert_int_equal(page.count, 3);
    assert_int_equal(page.has_more, 1);
    assert_string_equal(page.items[2].id, ids[4]);
    dataset_list_release(&page);
    struct datasets_delete deletion = {.id = ids[4]};
    assert_ok(store_wait(fixture->store, datasets_delete(&deletion), &error));
    query.after = ids[4];
    assert_ok(datasets_list(fixture->store, &query, &page, &error));
    assert_int_equal(page.count, 3);
    assert_string_equal(page.items[0].id, ids[3]);
    assert_int_equal(page.has_more, 1);
    dataset_list_release(&page);
    query.after = ids[1];
    assert_ok(datasets_list(fixture->store, &query, &page, &error));
    assert_int_equal(page.count, 1);
    assert_int_equal(page.has_more, 0);
    dataset_list_release(&page);
    query.after = "ds_00000000000000000000";
    assert_status(STATUS_QUERY_INVALID, datasets_list(fixture->store, &query, &page, &error));
    assert_int_equal(page.count, 0);
    char job[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, job);
    query.after = job; /* an id, but of another list */
    assert_status(STATUS_QUERY_INVALID, datasets_list(fixture->store, &query, &page, &error));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_description_is_read_back_as_it_was_stored),         TEST(the_same_content_is_the_same_data_set),
        TEST(of_uploads_that_race_with_one_content_one_is_stored), TEST(labels_make_images_ready_and_replace_their_object),
        TEST(a_data_set_in_use_stays_until_its_jobs_have_ended),   TEST(pages_follow_one_another_over_deletions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
