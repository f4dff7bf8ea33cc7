#include "server/store/races.h"

#include <assert.h>
#include <stdlib.h>

#include "api/encode_race.h"
#include "api/json_writer.h"
#include "api/race_request.h"
#include "server/failpoint.h"
#include "server/store/store_private.h"
#include "server/store/tables.h"

static enum status keep_answer(struct connection *connection, const struct races_insert *insert, struct error *error)
{
    const struct job_view *jobs[RACE_MAX_ENTRIES];
    struct json_writer writer = {.depth = 0};
    char *answer;
    size_t size;
    for (size_t i = 0; i < insert->count; i++) {
        jobs[i] = insert->inserts[i]->job;
    }
    encode_race(insert->id, jobs, insert->count, &writer);
    enum status status = json_writer_take(&writer, &answer, &size, error);
    if (status == STATUS_OK) { /* under the first of them: a key names a job */
        status = idempotency_add(connection, insert->key, jobs[0]->id, answer, error);
        free(answer);
    }
    json_writer_release(&writer);
    return status;
}

static enum status apply_insert(struct store_op *op, struct connection *connection, struct error *error)
{
    struct races_insert *insert = OP_OF(op, struct races_insert);
    assert(insert->count >= 1 && insert->count <= RACE_MAX_ENTRIES);
    enum status status = insert->key == NULL ? STATUS_OK : idempotency_check(connection, insert->key, error);
    for (size_t i = 0; i < insert->count && status == STATUS_OK; i++) {
        status = jobs_insert_row(connection, insert->inserts[i], error);
    }
    if (status == STATUS_OK && insert->key != NULL) {
        status = keep_answer(connection, insert, error);
    }
    FAILPOINT(JOB_BEFORE_COMMIT);
    return status;
}

struct store_op *races_insert(struct races_insert *insert)
{
    insert->op.apply = apply_insert;
    return &insert->op;
}
