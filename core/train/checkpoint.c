/*
 * Taking a checkpoint, and writing it.
 *
 * A copy shares nothing with its trainer: the plan, the rule's spec, scaling and class names are its own, so that it can be
 * written while training goes on, and after the trainer is gone. What takes time (finding values that are not finite,
 * bringing them into canonical order, the served point, hashing) is done while writing.
 */
#include "checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/kernel_tier.h"
#include "core/nn/model_file.h"
#include "core/nn/network_state.h"
#include "core/train/checkpoint_format.h"

#define PIECE 4096 /* values that are brought into order at a time */

struct checkpoint_copy {
    struct network_plan plan;
    struct optimizer_spec optimizer;
    struct network_state network;
    float *memory;      /* what network points into */
    size_t value_count; /* of weights and slots, as stored */
    double *solver;     /* a solver's state, [solver_count]; NULL: there is none */
    size_t solver_count;
    struct model model; /* its parameters: the best ones; where there are none yet, made while writing */

    struct train_state state;
    double seconds;
    int diverged;
};

/* ---- taking ---- */

static enum status copy_solver_memory(struct checkpoint_copy *copy, const struct trainer *trainer, struct error *error)
{
    if (trainer->convex == NULL) {
        return STATUS_OK;
    }
    copy->solver_count = trainer_convex_solver(trainer->convex)->state_count;
    copy->solver = malloc(copy->solver_count * sizeof *copy->solver);
    if (copy->solver == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a checkpoint of %zu values", copy->solver_count);
    }
    memset(copy->solver, 0, copy->solver_count * sizeof *copy->solver);
    return STATUS_OK;
}

enum status checkpoint_copy_new(struct checkpoint_copy **out, const struct trainer *trainer, struct error *error)
{
    struct checkpoint_copy *copy = calloc(1, sizeof *copy);
    struct network_state network = network_state_f32(trainer->network);
    enum status status;

    *out = NULL;
    if (copy == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a checkpoint");
    }
    copy->plan = *network.plan;
    copy->optimizer = trainer->spec.optimizer;
    copy->value_count = network.plan->stored * (1 + network.slot_count);
    copy->memory = aligned_alloc(64, (copy->value_count * sizeof *copy->memory + 63) / 64 * 64);
    status = copy->memory != NULL ? trainer_blank_model(trainer, &copy->model, error)
                                  : error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a checkpoint of %zu bytes",
                                              copy->value_count * sizeof *copy->memory);
    if (status == STATUS_OK) {
        status = copy_solver_memory(copy, trainer, error);
    }
    if (status != STATUS_OK) {
        checkpoint_copy_free(copy);
        return status;
    }
    /* touched now, so that the first copy need not wait for pages */
    memset(copy->memory, 0, copy->value_count * sizeof *copy->memory);
    memset(copy->model.parameters, 0, copy->model.parameter_count * sizeof *copy->model.parameters);
    copy->network = (struct network_state){.plan = &copy->plan,
                                           .slot_count = network.slot_count,
                                           .weights = copy->memory,
                                           .slots = copy->memory + network.plan->stored};
    *out = copy;
    return STATUS_OK;
}

void checkpoint_copy_free(struct checkpoint_copy *copy)
{
    if (copy != NULL) {
        model_release(&copy->model);
        free(copy->memory);
        free(copy->solver);
        free(copy);
    }
}

void checkpoint_take(struct checkpoint_copy *copy, const struct trainer *trainer, double seconds)
{
    struct network_state network = network_state_f32(trainer->network);

    copy->state = trainer->end_evaluated ? trainer->before_end : trainer->state;
    copy->seconds = seconds;
    copy->diverged = trainer->diverged;
    memcpy(copy->network.weights, network.weights, copy->plan.stored * sizeof(float));
    memcpy(copy->network.slots, network.slots, copy->plan.stored * network.slot_count * sizeof(float));
    if (copy->solver != NULL) {
        memcpy(copy->solver, trainer_convex_solver(trainer->convex)->state, copy->solver_count * sizeof *copy->solver);
    }
    if (copy->state.best_step > 0) {
        memcpy(copy->model.parameters, trainer->best_parameters, copy->model.parameter_count * sizeof(float));
    }
}

/* ---- writing ---- */

/* The served point of all parameters, canonical. */
static void serve(const struct checkpoint_copy *copy, float *parameters)
{
    float slots[PIECE];

    for (uint64_t first = 0, count; first < copy->model.parameter_count; first += count) {
        count = copy->model.parameter_count - first < PIECE ? copy->model.parameter_count - first : PIECE;
        network_state_get(&copy->network, 0, first, count, parameters + first);
        if (optimizer_look_ahead(&copy->optimizer) != 0) { /* by its first slot */
            network_state_get(&copy->network, 1, first, count, slots);
            optimizer_served_f32(&copy->optimizer, count, parameters + first, slots, parameters + first);
        }
    }
}

static enum status check_finite(const struct checkpoint_copy *copy, struct error *error)
{
    const char *what = copy->diverged ? "the loss or a weight" : train_state_not_finite(&copy->state);

    if (what == NULL && !floats_are_finite(copy->memory, copy->value_count)) {
        what = "a weight or a value of the optimizer";
    }
    if (what == NULL && !doubles_are_finite(copy->solver, copy->solver_count)) {
        what = "a value of the optimizer";
    }
    if (what == NULL && !floats_are_finite(copy->model.parameters, copy->model.parameter_count)) {
        what = "a parameter of the model";
    }
    return what == NULL ? STATUS_OK
                        : error_set(error, STATUS_DIVERGED, "after update %llu %s is not finite",
                                    (unsigned long long)copy->state.step, what);
}

/* A sink that hashes what passes through it. */
struct hashing_sink {
    struct sink sink;
    struct sha256 hash;
};

static enum status hash_and_write(void *context, const void *bytes, size_t size, struct error *error)
{
    struct hashing_sink *through = context;

    sha256_update(&through->hash, bytes, size);
    return through->sink.write(through->sink.context, bytes, size, error);
}

static uint64_t state_size(const struct checkpoint_copy *copy)
{
    return sizeof(struct checkpoint_state_header) + sizeof(struct train_state) +
           (1 + copy->network.slot_count) * copy->model.parameter_count * sizeof(float) +
           copy->solver_count * sizeof(double);
}

static enum status write_header(const struct checkpoint_copy *copy, const struct checkpoint_owner *owner, struct sink sink,
                                struct error *error)
{
    struct checkpoint_header header = {.magic = CHECKPOINT_MAGIC,
                                       .version = CHECKPOINT_VERSION,
                                       .endianness = CHECKPOINT_ENDIANNESS,
                                       .state_size = state_size(copy),
                                       .model_size = model_file_size(&copy->model),
                                       .owner = *owner,
                                       .seconds = copy->seconds,
                                       .solver_values = copy->solver_count};

    static_assert(sizeof header.kernel_tier == sizeof copy->model.kernel_tier, "the model's text fits");
    memcpy(header.kernel_tier, copy->model.kernel_tier, strlen(copy->model.kernel_tier));
    header.size = sizeof header + header.state_size + header.model_size + SHA256_BYTES;
    return sink.write(sink.context, &header, sizeof header, error);
}

static enum status write_array(const struct checkpoint_copy *copy, uint32_t array, struct sink sink, struct error *error)
{
    float values[PIECE];
    enum status status = STATUS_OK;

    for (uint64_t first = 0, count; status == STATUS_OK && first < copy->model.parameter_count; first += count) {
        count = copy->model.parameter_count - first < PIECE ? copy->model.parameter_count - first : PIECE;
        network_state_get(&copy->network, array, first, count, values);
        status = sink.write(sink.context, values, count * sizeof *values, error);
    }
    return status;
}

static enum status write_state(const struct checkpoint_copy *copy, struct sink sink, struct error *error)
{
    struct checkpoint_state_header header = {
        .parameters = copy->model.parameter_count, .slot_count = copy->network.slot_count, .state_size = sizeof copy->state};
    enum status status;

    checkpoint_put_optimizer(&header, copy->optimizer.type);
    status = sink.write(sink.context, &header, sizeof header, error);
    if (status == STATUS_OK) {
        status = sink.write(sink.context, &copy->state, sizeof copy->state, error);
    }
    for (uint32_t array = 0; status == STATUS_OK && array <= copy->network.slot_count; array++) {
        status = write_array(copy, array, sink, error);
    }
    return status == STATUS_OK && copy->solver_count > 0
               ? sink.write(sink.context, copy->solver, copy->solver_count * sizeof *copy->solver, error)
               : status;
}

enum status checkpoint_write(struct checkpoint_copy *copy, const struct checkpoint_owner *owner, struct sink sink,
                             struct error *error)
{
    struct hashing_sink through = {.sink = sink};
    struct sink hashed = {.write = hash_and_write, .context = &through};
    unsigned char digest[SHA256_BYTES];
    enum status status;

    if (copy->state.best_step == 0) {
        serve(copy, copy->model.parameters);
    }
    status = check_finite(copy, error);
    sha256_init(&through.hash);
    if (status == STATUS_OK) {
        status = write_header(copy, owner, hashed, error);
    }
    if (status == STATUS_OK) {
        status = write_state(copy, hashed, error);
    }
    if (status == STATUS_OK) {
        status = model_file_write(&copy->model, hashed, error);
    }
    if (status == STATUS_OK) {
        sha256_final(&through.hash, digest);
        status = sink.write(sink.context, digest, sizeof digest, error);
    }
    return status;
}
