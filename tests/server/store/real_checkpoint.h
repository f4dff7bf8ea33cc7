/* A checkpoint as training writes it, where the store looks into one. */
#ifndef DESCENT_TESTS_SERVER_STORE_REAL_CHECKPOINT_H
#define DESCENT_TESTS_SERVER_STORE_REAL_CHECKPOINT_H

#include "tests/server/store/stored_job.h"

#define fixture training /* the training tests' own, under another name */
#include "tests/core/train/training.h"
#undef fixture

/* Stores a checkpoint of a network with two layers of so many units: 4 make a small object, 100 one with a file. */
static inline void add_real_checkpoint(struct store *store, const char *id, uint64_t step, uint32_t units,
                                       char sha256[SHA256_TEXT])
{
    struct error error;
    struct training training;
    struct buffer_sink file = {0};
    struct object_writer *writer;
    struct object object;
    fixture_init(&training, GENERATOR_BLOBS, 60, 3, 0.4, 0.2);
    struct train_spec spec = spec_of(&training, units, 0);
    struct trainer *trainer = new_trainer(&training, &spec, 1);
    write_checkpoint(trainer, &file);
    trainer_free(trainer);
    fixture_release(&training);
    assert_ok(object_writer_new(&writer, store, 0, &error));
    struct sink sink = object_writer_sink(writer);
    assert_ok(sink.write(sink.context, file.data, file.size, &error));
    assert_ok(object_writer_finish(writer, &object, &error));
    object_writer_free(writer);
    buffer_sink_release(&file);
    const struct checkpoint_new checkpoint = {.step = step, .object = &object, .data = "{}", .keep = 2};
    struct jobs_change change = {.id = id, .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP, .checkpoint = &checkpoint};
    assert_ok(store_wait(store, jobs_change(&change), &error));
    memcpy(sha256, object.sha256, SHA256_TEXT);
    object_release(&object);
}

#endif
