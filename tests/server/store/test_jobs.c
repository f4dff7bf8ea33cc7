/* Jobs in the store: states, versions, events, curves, the end, deletion, lists, recovery. */
#include "tests/server/store/stored_job.h"

static void check_job(struct store *store, const char *id, enum job_status status, uint64_t version)
{
    struct job_view job;
    get_job(store, id, 0, &job);
    assert_string_equal(job_status_name(job.status), job_status_name(status));
    assert_int_equal(job.version, version);
    job_view_release(&job);
}

static void a_new_job_is_queued_with_its_first_event(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{\"team\":\"a\"}", -5, id);
    struct job_view job;
    get_job(fixture->store, id, JOB_SPEC | JOB_RESULTS, &job);
    assert_int_equal(job.status, JOB_QUEUED);
    assert_int_equal(job.version, 1);
    assert_int_equal(job.priority, -5);
    assert_true(job.seed == UINT64_MAX - 1);
    assert_true(job.created_at > 1600000000000);
    assert_int_equal(job.started_at, 0);
    assert_int_equal(job.stop_reason, STOP_NONE);
    assert_string_equal(job.spec, "{\"model\":{\"type\":\"mlp\"}}");
    assert_string_equal(job.metadata, "{\"team\":\"a\"}");
    assert_null(job.results);
    assert_null(job.error);
    assert_true(isnan(job.progress.train_loss));
    assert_int_equal(job.progress.total_steps, 1000);
    job_view_release(&job);
    get_job(fixture->store, id, 0, &job);
    assert_null(job.spec);
    job_view_release(&job);
    char *events = all_events(fixture->store, id);
    assert_string_equal(events, "state {\"status\":\"queued\"}\n");
    free(events);
}

static void a_job_brings_its_inline_data_sets_with_it(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char there[ID_TEXT];
    add_dataset(fixture->store, 500, 1, there);
    struct dataset_view train = describe_dataset("train", DATASET_READY), test = describe_dataset("test", DATASET_READY);
    struct object train_object, test_object;
    make_object(fixture->store, &train_object, 500, 1); /* its content is there already */
    make_object(fixture->store, &test_object, 600, 2);
    struct datasets_insert train_insert = {.dataset = &train, .object = &train_object};
    struct datasets_insert test_insert = {.dataset = &test, .object = &test_object};
    struct job_view job = {.progress = no_progress(), .spec = (char[]){"{}"}, .metadata = (char[]){"{}"}}, read;
    struct jobs_insert insert = {.job = &job, .dataset = &train_insert, .test = &test_insert};
    assert_ok(store_wait(fixture->store, jobs_insert(&insert), &error));
    get_job(fixture->store, job.id, 0, &read);
    assert_string_equal(read.dataset, there);
    assert_string_equal(read.test_dataset, test.id);
    assert_string_equal(read.dataset_sha256, train_object.sha256);
    job_view_release(&read);
    struct dataset_view stored;
    assert_ok(datasets_get(fixture->store, test.id, &stored, &error));
    assert_int_equal(stored.bytes, 600);
    dataset_view_release(&stored);
    object_release(&train_object);
    object_release(&test_object);
    dataset_view_release(&train);
    dataset_view_release(&test);
}

static void a_job_needs_its_data_set_to_be_there_and_ready(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct job_view job = {.progress = no_progress(), .spec = (char[]){"{}"}, .metadata = (char[]){"{}"}};
    struct jobs_insert insert = {.job = &job};
    snprintf(job.dataset, sizeof(job.dataset), "ds_00000000000000000000");
    assert_status(STATUS_DATASET_NOT_FOUND, store_wait(fixture->store, jobs_insert(&insert), &error));
    struct dataset_view images = describe_dataset("images", DATASET_AWAITING_LABELS);
    struct object object;
    make_object(fixture->store, &object, 500, 1);
    struct datasets_insert images_insert = {.dataset = &images, .object = &object};
    assert_ok(store_wait(fixture->store, datasets_insert(&images_insert), &error));
    job.dataset[0] = '\0';
    snprintf(job.test_dataset, sizeof(job.test_dataset), "%s", images.id);
    assert_status(STATUS_DATASET_NOT_READY, store_wait(fixture->store, jobs_insert(&insert), &error));
    struct job_list list;
    assert_ok(jobs_list(fixture->store, &(struct page_query){.limit = 10}, &(struct job_filter){0}, &list, &error));
    assert_int_equal(list.count, 0);
    job_list_release(&list);
    object_release(&object);
    dataset_view_release(&images);
}

static void a_change_is_made_only_from_the_states_it_names(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    struct jobs_change start = {.id = id, .from = JOB_SET(JOB_QUEUED), .to = JOB_RUNNING, .threads = 3};
    assert_ok(store_wait(fixture->store, jobs_change(&start), &error));
    assert_int_equal(start.current, JOB_RUNNING);
    assert_status(STATUS_STATE_CONFLICT, store_wait(fixture->store, jobs_change(&start), &error));
    assert_int_equal(start.current, JOB_RUNNING);
    check_job(fixture->store, id, JOB_RUNNING, 2);

    struct jobs_change cancel = {.id = id, .from = JOB_SET_ACTIVE, .to = JOB_CANCELLING};
    struct jobs_change finish = {.id = id, .from = JOB_SET(JOB_RUNNING), .to = JOB_SUCCEEDED};
    store_submit(fixture->store, jobs_change(&cancel), NULL, NULL); /* at the instant of completion: one of them wins */
    assert_status(STATUS_STATE_CONFLICT, store_wait(fixture->store, jobs_change(&finish), &error));
    assert_int_equal(finish.current, JOB_CANCELLING);
    struct jobs_change end = {.id = id, .from = JOB_SET(JOB_CANCELLING), .to = JOB_CANCELLED};
    assert_ok(store_wait(fixture->store, jobs_change(&end), &error));
    for (int to = 0; to < JOB_STATUS_COUNT; to++) { /* a terminal state is the last */
        struct jobs_change after = {.id = id, .from = JOB_SET_ACTIVE, .to = (enum job_status)to};
        assert_status(STATUS_STATE_CONFLICT, store_wait(fixture->store, jobs_change(&after), &error));
    }
    struct job_view job;
    get_job(fixture->store, id, 0, &job);
    assert_int_equal(job.version, 4);
    assert_int_equal(job.threads, 3);
    assert_true(job.started_at >= job.created_at);
    assert_true(job.finished_at >= job.started_at);
    job_view_release(&job);
    char *events = all_events(fixture->store, id);
    assert_string_equal(events, "state {\"status\":\"queued\"}\n"
                                "state {\"status\":\"running\"}\n"
                                "state {\"status\":\"cancelling\"}\n"
                                "state {\"status\":\"cancelled\"}\n"
                                "done {\"status\":\"cancelled\"}\n");
    free(events);
    struct jobs_change nowhere = {.id = "job_00000000000000000000", .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP};
    assert_status(STATUS_NOT_FOUND, store_wait(fixture->store, jobs_change(&nowhere), &error));
}

static void rows_of_curves_come_with_progress_and_events_and_are_never_overwritten(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    set_status(fixture->store, id, JOB_RUNNING);
    append_rows(fixture->store, id, 1, 2, 0.1);
    append_rows(fixture->store, id, 2, 2, 99); /* step 2 is there already */
    struct metric_list list;
    for (int restarted = 0; restarted < 2; restarted++) {
        assert_ok(metrics_list(fixture->store, id, -1, &list, &error));
        assert_int_equal(list.count, 3);
        assert_int_equal(list.total, 3);
        assert_int_equal(list.last_step, 3);
        assert_int_equal(list.version, 4);
        assert_true(list.rows[1].point.batch_loss == 0.1);
        assert_true(list.rows[1].point.epoch == 2.0 / 3);
        assert_true(list.rows[2].point.batch_loss == 99);
        assert_true(list.rows[2].seconds == 1.5);
        assert_true(isnan(list.rows[2].point.train_loss));
        assert_true(isinf(list.rows[2].point.gradient_norm));
        metric_list_release(&list);
        reopen(fixture);
    }
    assert_ok(metrics_list(fixture->store, id, 2, &list, &error));
    assert_int_equal(list.count, 1);
    assert_int_equal(list.total, 3);
    assert_int_equal(list.rows[0].point.step, 3);
    metric_list_release(&list);
    assert_ok(metrics_list(fixture->store, id, 3, &list, &error));
    assert_int_equal(list.count, 0);
    metric_list_release(&list);
    struct job_view job;
    get_job(fixture->store, id, 0, &job);
    assert_int_equal(job.progress.step, 3);
    assert_int_equal(job.progress.best_metric, METRIC_TRAIN_ACCURACY);
    job_view_release(&job);
    char *events = all_events(fixture->store, id);
    assert_string_equal(events, "state {\"status\":\"queued\"}\n"
                                "state {\"status\":\"running\"}\n"
                                "metric {\"step\":1,\"epoch\":0.3333333333333333,\"seconds\":0.5,\"batch_loss\":0.1,"
                                "\"learning_rate\":0.05,\"gradient_norm\":null}\n"
                                "metric {\"step\":2,\"epoch\":0.6666666666666666,\"seconds\":1,\"batch_loss\":0.1,"
                                "\"learning_rate\":0.05,\"gradient_norm\":null}\n"
                                "metric {\"step\":3,\"epoch\":1,\"seconds\":1.5,\"batch_loss\":99,"
                                "\"learning_rate\":0.05,\"gradient_norm\":null}\n");
    free(events);
}

static void events_are_paged_both_ways(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], other[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    add_job(fixture->store, "", "{}", 0, other); /* its events are not mixed in */
    set_status(fixture->store, id, JOB_RUNNING);
    set_status(fixture->store, other, JOB_RUNNING);
    append_rows(fixture->store, id, 1, 20, 1);
    append_rows(fixture->store, other, 1, 20, 2);
    struct event_list page;
    uint64_t next = 1;
    do {
        assert_ok(events_list(fixture->store, id, next - 1, 5, 0, &page, &error));
        for (size_t i = 0; i < page.count; i++) {
            assert_int_equal(page.items[i].id, next++);
        }
        assert_int_equal(page.has_more, next <= 22);
        event_list_release(&page);
    } while (next <= 22);
    assert_ok(events_list(fixture->store, id, 22, 5, 0, &page, &error));
    assert_int_equal(page.count, 0);
    event_list_release(&page);
    assert_ok(events_list(fixture->store, id, 0, 3, 1, &page, &error));
    assert_int_equal(page.items[0].id, 22);
    assert_int_equal(page.has_more, 1);
    event_list_release(&page);
    assert_ok(events_list(fixture->store, id, 3, 3, 1, &page, &error));
    assert_int_equal(page.count, 2);
    assert_int_equal(page.items[0].id, 2);
    assert_int_equal(page.has_more, 0);
    event_list_release(&page);
    assert_ok(events_list(fixture->store, id, UINT64_MAX, 3, 0, &page, &error));
    assert_int_equal(page.count, 0);
    event_list_release(&page);
    assert_status(STATUS_NOT_FOUND, events_list(fixture->store, "job_00000000000000000000", 0, 3, 0, &page, &error));
}

static void finish_with_model(struct store *store, const char *id, char model_id[ID_TEXT], size_t size, unsigned seed)
{
    struct error error;
    struct object object;
    make_object(store, &object, size, seed);
    struct model_view model = {.parameters = 42,
                               .step = 7,
                               .spec = (char[]){"{\"type\":\"mlp\"}"},
                               .classes = (char[]){"[\"a\",\"b\"]"},
                               .scores = (char[]){"{}"},
                               .calibration = (char[]){"{\"temperature\":2}"}};
    id_new(model.id, "mdl_");
    snprintf(model.name, sizeof(model.name), "its name");
    snprintf(model.digest, sizeof(model.digest), "%064d", 5);
    snprintf(model.kernel_tier, sizeof(model.kernel_tier), "avx2/n1");
    const struct job_outcome outcome = {
        .stop_reason = STOP_EARLY, .results = "{\"object\":\"results\"}", .model = &model, .object = &object};
    const struct event_new log = {EVENT_LOG, "{\"message\":\"evaluated\"}"};
    struct jobs_change change = {
        .id = id, .from = JOB_SET(JOB_RUNNING), .to = JOB_SUCCEEDED, .events = &log, .event_count = 1, .outcome = &outcome};
    assert_ok(store_wait(store, jobs_change(&change), &error));
    memcpy(model_id, model.id, ID_TEXT);
    object_release(&object);
}

static void a_job_ends_with_its_model_and_results_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], model_id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    set_status(fixture->store, id, JOB_RUNNING);
    finish_with_model(fixture->store, id, model_id, 100000, 1);
    reopen(fixture);
    struct job_view job;
    get_job(fixture->store, id, JOB_RESULTS, &job);
    assert_int_equal(job.status, JOB_SUCCEEDED);
    assert_int_equal(job.stop_reason, STOP_EARLY);
    assert_string_equal(job.model, model_id);
    assert_string_equal(job.results, "{\"object\":\"results\"}");
    assert_int_equal(job.digest_step, 7);
    struct model_view model;
    assert_ok(models_get(fixture->store, model_id, &model, &error));
    assert_string_equal(model.job, id);
    assert_string_equal(model.digest, job.digest);
    assert_string_equal(model.classes, "[\"a\",\"b\"]");
    assert_int_equal(model.bytes, 100000);
    assert_int_equal(model.created_at, job.finished_at);
    struct object_map map;
    assert_ok(object_map(&map, fixture->store, model.object, &error));
    object_unmap(fixture->store, &map);
    char *events = all_events(fixture->store, id), last[160];
    snprintf(last, sizeof(last), "log {\"message\":\"evaluated\"}\ndone {\"status\":\"succeeded\",\"model\":\"%s\"}\n",
             model_id);
    assert_non_null(strstr(events, last));
    free(events);
    model_view_release(&model);
    job_view_release(&job);
}

static void a_failed_job_keeps_its_error(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    const struct job_outcome outcome = {.error = "{\"code\":\"diverged\",\"step\":3}"};
    struct jobs_change change = {.id = id, .from = JOB_SET_ACTIVE, .to = JOB_FAILED, .outcome = &outcome};
    assert_ok(store_wait(fixture->store, jobs_change(&change), &error));
    struct job_view job;
    get_job(fixture->store, id, 0, &job);
    assert_string_equal(job.error, "{\"code\":\"diverged\",\"step\":3}");
    assert_string_equal(job.model, "");
    job_view_release(&job);
    char *events = all_events(fixture->store, id);
    assert_non_null(strstr(events, "done {\"status\":\"failed\",\"error\":{\"code\":\"diverged\",\"step\":3}}\n"));
    free(events);
}

static void a_deleted_job_is_gone_but_its_model_stays(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], model_id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    set_status(fixture->store, id, JOB_RUNNING);
    append_rows(fixture->store, id, 1, 50, 1);
    struct jobs_delete deletion = {.id = id};
    assert_status(STATUS_STATE_CONFLICT, store_wait(fixture->store, jobs_delete(&deletion), &error));
    assert_int_equal(deletion.current, JOB_RUNNING);
    finish_with_model(fixture->store, id, model_id, 100000, 1);
    assert_ok(store_wait(fixture->store, jobs_delete(&deletion), &error));
    for (int restarted = 0; restarted < 2; restarted++) {
        struct job_view job;
        struct event_list events;
        struct metric_list metrics;
        struct model_view model;
        assert_status(STATUS_DELETED, jobs_get(fixture->store, id, 0, &job, &error));
        assert_status(STATUS_DELETED, events_list(fixture->store, id, 0, 10, 0, &events, &error));
        assert_status(STATUS_DELETED, metrics_list(fixture->store, id, -1, &metrics, &error));
        assert_status(STATUS_DELETED, store_wait(fixture->store, jobs_delete(&deletion), &error));
        assert_ok(models_get(fixture->store, model_id, &model, &error));
        model_view_release(&model);
        reopen(fixture);
    }
}

static void a_deleted_model_takes_its_file_along(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char jobs[3][ID_TEXT], models[3][ID_TEXT];
    for (int i = 0; i < 3; i++) {
        add_job(fixture->store, "", "{}", 0, jobs[i]);
        set_status(fixture->store, jobs[i], JOB_RUNNING);
        finish_with_model(fixture->store, jobs[i], models[i], 100000, i == 2 ? 9 : 1); /* two jobs, the same bits */
    }
    struct model_view first, third, gone;
    assert_ok(models_get(fixture->store, models[0], &first, &error));
    assert_ok(models_get(fixture->store, models[2], &third, &error));
    struct model_list list;
    assert_ok(models_list(fixture->store, &(struct page_query){.limit = 2}, &list, &error));
    assert_int_equal(list.count, 2);
    assert_int_equal(list.has_more, 1);
    assert_string_equal(list.items[0].id, models[0]);
    model_list_release(&list);
    struct models_delete deletion = {.id = models[0]};
    assert_ok(store_wait(fixture->store, models_delete(&deletion), &error));
    assert_true(file_exists(fixture, "objects", first.object));
    deletion = (struct models_delete){.id = models[1]};
    assert_ok(store_wait(fixture->store, models_delete(&deletion), &error));
    assert_false(file_exists(fixture, "objects", first.object));
    assert_true(file_exists(fixture, "objects", third.object));
    assert_status(STATUS_DELETED, models_get(fixture->store, models[1], &gone, &error));
    assert_status(STATUS_DELETED, store_wait(fixture->store, models_delete(&deletion), &error));
    deletion = (struct models_delete){.id = "mdl_00000000000000000000"};
    assert_status(STATUS_NOT_FOUND, store_wait(fixture->store, models_delete(&deletion), &error));
    model_view_release(&first);
    model_view_release(&third);
}

/* ---- lists ---- */

static size_t count_listed(struct store *store, unsigned statuses, const struct job_label *labels, size_t label_count)
{
    struct error error;
    struct job_list list;
    const struct job_filter filter = {.statuses = statuses, .labels = labels, .label_count = label_count};
    assert_ok(jobs_list(store, &(struct page_query){.limit = 100}, &filter, &list, &error));
    size_t count = list.count;
    job_list_release(&list);
    return count;
}

static void pages_of_jobs_do_not_overlap_while_jobs_come_and_go(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char ids[10][ID_TEXT], extra[ID_TEXT];
    for (int i = 0; i < 10; i++) {
        add_job(fixture->store, "", "{}", 0, ids[i]);
    }
    int next = 9;
    char after[ID_TEXT] = "";
    for (int page = 0; page < 4; page++) {
        struct job_list list;
        const struct page_query query = {.after = after, .limit = 3, .descending = 1};
        assert_ok(jobs_list(fixture->store, &query, &(struct job_filter){0}, &list, &error));
        for (size_t i = 0; i < list.count; i++) {
            assert_string_equal(list.items[i].id, ids[next--]);
        }
        assert_int_equal(list.has_more, page < 3);
        memcpy(after, list.items[list.count - 1].id, ID_TEXT);
        job_list_release(&list);
        add_job(fixture->store, "", "{}", 0, extra); /* newer ones do not shift the pages */
        set_status(fixture->store, after, JOB_CANCELLED);
        struct jobs_delete deletion = {.id = after};
        assert_ok(store_wait(fixture->store, jobs_delete(&deletion), &error));
    }
    assert_int_equal(next, -1);
}

static void jobs_are_filtered_by_status_and_metadata(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    const char *const metadata[] = {
        "{\"team\":\"a\",\"n\":\"1\"}",
        "{\"team\":\"a\",\"n\":\"2\"}",
        "{\"team\":\"b\"}",
        "{\"a.b\":\"dot\",\"q\\\"uote\":\"x\",\"$\":\"dollar\",\"\":\"empty\",\"\\u00e4\":\"umlaut\",\"'; --\":\"sql\"}",
        "{}",
    };
    char ids[5][ID_TEXT];
    for (int i = 0; i < 5; i++) {
        add_job(fixture->store, "", metadata[i], 0, ids[i]);
    }
    set_status(fixture->store, ids[0], JOB_RUNNING);
    set_status(fixture->store, ids[1], JOB_FAILED);
    assert_int_equal(count_listed(fixture->store, 0, NULL, 0), 5);
    assert_int_equal(count_listed(fixture->store, JOB_SET(JOB_QUEUED), NULL, 0), 3);
    assert_int_equal(count_listed(fixture->store, JOB_SET(JOB_RUNNING) | JOB_SET(JOB_FAILED), NULL, 0), 2);
    assert_int_equal(count_listed(fixture->store, JOB_SET(JOB_PAUSED), NULL, 0), 0);
    const struct job_label team_a[] = {{"team", "a"}, {"n", "2"}};
    assert_int_equal(count_listed(fixture->store, 0, team_a, 1), 2);
    assert_int_equal(count_listed(fixture->store, 0, team_a, 2), 1);
    assert_int_equal(count_listed(fixture->store, JOB_SET(JOB_RUNNING), team_a, 1), 1);
    assert_int_equal(count_listed(fixture->store, JOB_SET(JOB_RUNNING), team_a, 2), 0);
    const struct job_label odd[] = {{"a.b", "dot"}, {"q\"uote", "x"},       {"$", "dollar"},
                                    {"", "empty"},  {"\xc3\xa4", "umlaut"}, {"'; --", "sql"}};
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        assert_int_equal(count_listed(fixture->store, 0, &odd[i], 1), 1);
    }
    const struct job_label none[] = {{"a", "dot"}, {"team", "A"}, {"team", "%"}, {"n", "1.0"}, {"$.team", "a"}};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_int_equal(count_listed(fixture->store, 0, &none[i], 1), 0);
    }
    struct job_list list;
    const struct job_filter too_many = {.labels = team_a, .label_count = JOB_LABELS_MAX + 1};
    assert_status(STATUS_QUERY_INVALID,
                  jobs_list(fixture->store, &(struct page_query){.limit = 1}, &too_many, &list, &error));
}

static void the_queue_is_by_priority_then_age(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    const int32_t priorities[] = {0, 5, -3, 5, 0, 9};
    const int order[] = {1, 3, 0, 4, 2}; /* without the last one, which runs */
    char ids[6][ID_TEXT];
    for (int i = 0; i < 6; i++) {
        add_job(fixture->store, "", "{}", priorities[i], ids[i]);
    }
    set_status(fixture->store, ids[5], JOB_RUNNING);
    struct job_ticket *tickets;
    size_t count;
    assert_ok(jobs_queue(fixture->store, &tickets, &count, &error));
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(tickets[i].id, ids[order[i]]);
        assert_int_equal(tickets[i].priority, priorities[order[i]]);
    }
    free(tickets);
}

static void jobs_that_a_dead_process_left_are_taken_up_or_ended(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    const enum job_status left[] = {JOB_QUEUED, JOB_RUNNING, JOB_CANCELLING, JOB_SUCCEEDED, JOB_RUNNING};
    const enum job_status then[] = {JOB_QUEUED, JOB_QUEUED, JOB_CANCELLED, JOB_SUCCEEDED, JOB_QUEUED};
    char ids[5][ID_TEXT];
    for (int i = 0; i < 5; i++) {
        add_job(fixture->store, "", "{}", 0, ids[i]);
        set_status(fixture->store, ids[i], left[i] == JOB_QUEUED ? JOB_STATUS_KEEP : JOB_RUNNING);
        set_status(fixture->store, ids[i], left[i]);
    }
    append_rows(fixture->store, ids[1], 1, 5, 0.5);
    reopen(fixture);
    struct jobs_recover recovery = {.requeued = 77};
    assert_ok(store_wait(fixture->store, jobs_recover(&recovery), &error));
    assert_int_equal(recovery.requeued, 2);
    assert_int_equal(recovery.cancelled, 1);
    for (int i = 0; i < 5; i++) {
        struct job_view job;
        get_job(fixture->store, ids[i], 0, &job);
        assert_string_equal(job_status_name(job.status), job_status_name(then[i]));
        assert_int_equal(job.restarts, left[i] == JOB_RUNNING);
        assert_int_equal(job.finished_at != 0, job_status_is_terminal(then[i]));
        job_view_release(&job);
    }
    char *events = all_events(fixture->store, ids[1]);
    assert_non_null(strstr(events, "state {\"status\":\"queued\",\"reason\":\"restart\"}\n"));
    free(events);
    struct metric_list metrics; /* what was shown stays */
    assert_ok(metrics_list(fixture->store, ids[1], -1, &metrics, &error));
    assert_int_equal(metrics.count, 5);
    metric_list_release(&metrics);
    assert_ok(store_wait(fixture->store, jobs_recover(&recovery), &error));
    assert_int_equal(recovery.requeued + recovery.cancelled, 0);
}

/* ---- patches, extensions, initial models ---- */

static void a_patch_changes_what_it_names_in_any_state(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    const int32_t priority = -7;
    add_job(fixture->store, "", "{\"a\":\"1\"}", 3, id);
    struct jobs_patch patch = {.id = id, .name = "another", .if_version = 1};
    assert_ok(store_wait(fixture->store, jobs_patch(&patch), &error));
    assert_status(STATUS_PRECONDITION_FAILED, store_wait(fixture->store, jobs_patch(&patch), &error));
    set_status(fixture->store, id, JOB_CANCELLED);
    patch = (struct jobs_patch){.id = id, .metadata = "{\"b\":\"2\"}", .priority = &priority};
    assert_ok(store_wait(fixture->store, jobs_patch(&patch), &error));
    struct job_view job;
    get_job(fixture->store, id, 0, &job);
    assert_string_equal(job.name, "another");
    assert_string_equal(job.metadata, "{\"b\":\"2\"}");
    assert_int_equal(job.priority, -7);
    assert_int_equal(job.version, 4);
    assert_int_equal(job.status, JOB_CANCELLED);
    job_view_release(&job);
    patch.id = "job_00000000000000000000";
    assert_status(STATUS_NOT_FOUND, store_wait(fixture->store, jobs_patch(&patch), &error));
}

static void a_job_keeps_what_it_was_made_of(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct job_view job = {.progress = no_progress(),
                           .spec = (char[]){"{}"},
                           .metadata = (char[]){"{}"},
                           .request = (char[]){"{\"as\":\"sent\"}"},
                           .memory_bytes = (uint64_t)5 << 32,
                           .kernel_tier = "reference/n1"};
    struct jobs_insert insert = {.job = &job};
    assert_ok(store_wait(fixture->store, jobs_insert(&insert), &error));
    struct job_view read;
    get_job(fixture->store, job.id, JOB_REQUEST, &read);
    assert_string_equal(read.request, "{\"as\":\"sent\"}");
    assert_null(read.spec);
    assert_true(read.memory_bytes == (uint64_t)5 << 32);
    assert_string_equal(read.kernel_tier, "reference/n1");
    job_view_release(&read);
    get_job(fixture->store, job.id, JOB_SPEC | JOB_RESULTS, &read);
    assert_null(read.request);
    assert_string_equal(read.spec, "{}");
    job_view_release(&read);
    get_job(fixture->store, job.id, JOB_SPEC | JOB_REQUEST, &read);
    assert_non_null(read.request);
    assert_string_equal(read.spec, "{}");
    job_view_release(&read);
    struct job_ticket *tickets;
    size_t count;
    assert_ok(jobs_queue(fixture->store, &tickets, &count, &error));
    assert_true(count == 1 && tickets[0].memory_bytes == (uint64_t)5 << 32);
    free(tickets);
}

static enum status extend(struct store *store, const char *from, struct job_view *job, struct error *error)
{
    static char empty[] = "{}";
    *job = (struct job_view){.progress = no_progress(), .spec = empty, .metadata = empty};
    job->progress.total_steps = 40;
    snprintf(job->extended_from, sizeof(job->extended_from), "%s", from);
    struct jobs_insert insert = {.job = job};
    return store_wait(store, jobs_insert(&insert), error);
}

static void an_extension_begins_where_the_last_checkpoint_stands(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], object[SHA256_TEXT];
    struct job_view job, read;
    add_job(fixture->store, "", "{}", 0, id);
    set_status(fixture->store, id, JOB_RUNNING);
    append_rows(fixture->store, id, 1, 20, 0.5);
    assert_status(STATUS_NOT_EXTENDABLE, extend(fixture->store, id, &job, &error));
    add_checkpoint(fixture->store, id, 5, 2, 100000, 1, object);
    add_checkpoint(fixture->store, id, 10, 2, 100000, 2, object);
    set_status(fixture->store, id, JOB_SUCCEEDED);
    assert_ok(extend(fixture->store, id, &job, &error));
    get_job(fixture->store, job.id, 0, &read);
    assert_string_equal(read.extended_from, id);
    assert_int_equal(read.progress.step, 10);
    assert_int_equal(read.progress.total_steps, 40);
    assert_true(read.progress.fraction == 0.25);
    assert_int_equal(read.progress.best_metric, METRIC_TRAIN_ACCURACY);
    assert_int_equal(job.progress.step, 10); /* and the answer says so */
    job_view_release(&read);
    struct metric_list metrics;
    assert_ok(metrics_list(fixture->store, job.id, -1, &metrics, &error));
    assert_int_equal(metrics.count, 10);
    assert_true(metrics.rows[9].point.batch_loss == 0.5);
    metric_list_release(&metrics);
    struct jobs_delete deletion = {.id = id}; /* the checkpoint's file is the new job's, too */
    assert_ok(store_wait(fixture->store, jobs_delete(&deletion), &error));
    struct checkpoint_list list;
    assert_ok(checkpoints_list(fixture->store, job.id, &list, &error));
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].step, 10);
    assert_string_equal(list.items[0].object, object);
    assert_true(file_exists(fixture, "objects", object));
    checkpoint_list_release(&list);
    assert_status(STATUS_DELETED, extend(fixture->store, id, &job, &error));
}

static void a_model_that_a_waiting_job_begins_with_stays(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char maker[ID_TEXT], model_id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, maker);
    set_status(fixture->store, maker, JOB_RUNNING);
    finish_with_model(fixture->store, maker, model_id, 100, 1);
    struct job_view job = {.progress = no_progress(), .spec = (char[]){"{}"}, .metadata = (char[]){"{}"}};
    snprintf(job.initial_model, sizeof(job.initial_model), "%s", model_id);
    struct jobs_insert insert = {.job = &job};
    assert_ok(store_wait(fixture->store, jobs_insert(&insert), &error));
    struct models_delete deletion = {.id = model_id};
    assert_status(STATUS_IN_USE, store_wait(fixture->store, models_delete(&deletion), &error));
    assert_int_equal(deletion.users.count, 1);
    assert_string_equal(deletion.users.ids[0], job.id);
    set_status(fixture->store, job.id, JOB_CANCELLED);
    assert_ok(store_wait(fixture->store, models_delete(&deletion), &error));
    struct job_view late = {.progress = no_progress(), .spec = (char[]){"{}"}, .metadata = (char[]){"{}"}};
    snprintf(late.initial_model, sizeof(late.initial_model), "%s", model_id);
    insert = (struct jobs_insert){.job = &late};
    assert_status(STATUS_MODEL_NOT_FOUND, store_wait(fixture->store, jobs_insert(&insert), &error));
}

static void jobs_are_counted_by_state_and_stopping_ones_queue_for_their_end(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    const enum job_status states[] = {JOB_QUEUED, JOB_STOPPING, JOB_RUNNING, JOB_STOPPING};
    const int32_t priorities[] = {1, 2, 9, 0};
    char ids[4][ID_TEXT];
    for (int i = 0; i < 4; i++) {
        add_job(fixture->store, "", "{}", priorities[i], ids[i]);
        set_status(fixture->store, ids[i], states[i] == JOB_QUEUED ? JOB_QUEUED : JOB_RUNNING);
        set_status(fixture->store, ids[i], states[i]);
    }
    uint64_t counts[JOB_STATUS_COUNT];
    assert_ok(jobs_count(fixture->store, counts, &error));
    for (int i = 0; i < JOB_STATUS_COUNT; i++) {
        assert_int_equal(counts[i], i == JOB_QUEUED || i == JOB_RUNNING ? 1 : i == JOB_STOPPING ? 2 : 0);
    }
    struct job_ticket *tickets;
    size_t count;
    assert_ok(jobs_queue(fixture->store, &tickets, &count, &error));
    assert_int_equal(count, 3);
    assert_string_equal(tickets[0].id, ids[1]);
    assert_string_equal(tickets[1].id, ids[0]);
    assert_string_equal(tickets[2].id, ids[3]);
    free(tickets);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_new_job_is_queued_with_its_first_event),
        TEST(a_job_brings_its_inline_data_sets_with_it),
        TEST(a_job_needs_its_data_set_to_be_there_and_ready),
        TEST(a_change_is_made_only_from_the_states_it_names),
        TEST(rows_of_curves_come_with_progress_and_events_and_are_never_overwritten),
        TEST(events_are_paged_both_ways),
        TEST(a_job_ends_with_its_model_and_results_at_once),
        TEST(a_failed_job_keeps_its_error),
        TEST(a_deleted_job_is_gone_but_its_model_stays),
        TEST(a_deleted_model_takes_its_file_along),
        TEST(pages_of_jobs_do_not_overlap_while_jobs_come_and_go),
        TEST(jobs_are_filtered_by_status_and_metadata),
        TEST(the_queue_is_by_priority_then_age),
        TEST(jobs_that_a_dead_process_left_are_taken_up_or_ended),
        TEST(a_patch_changes_what_it_names_in_any_state),
        TEST(a_job_keeps_what_it_was_made_of),
        TEST(an_extension_begins_where_the_last_checkpoint_stands),
        TEST(a_model_that_a_waiting_job_begins_with_stays),
        TEST(jobs_are_counted_by_state_and_stopping_ones_queue_for_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
