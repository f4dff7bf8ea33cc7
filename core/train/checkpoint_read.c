/* Reading a checkpoint: nothing of it is believed before all of it was checked. */
#include <math.h>
#include <string.h>

#include "core/nn/model_file.h"
#include "core/nn/network_state.h"
#include "core/train/checkpoint_format.h"

#define CORRUPT(...)  error_set(error, STATUS_OBJECT_CORRUPT, "checkpoint: " __VA_ARGS__)
#define MISMATCH(...) error_set(error, STATUS_CHECKPOINT_CONFIG_MISMATCH, "checkpoint: " __VA_ARGS__)
#define PIECE         4096 /* values that are copied at a time: the bytes need not be aligned */

/* ---- values ---- */

int floats_are_finite(const void *values, size_t count)
{
    int finite = 1;

    for (size_t i = 0; i < count; i++) {
        float value;

        memcpy(&value, (const char *)values + i * sizeof value, sizeof value);
        finite &= isfinite(value) != 0;
    }
    return finite;
}

int doubles_are_finite(const void *values, size_t count)
{
    int finite = 1;

    for (size_t i = 0; i < count; i++) {
        double value;

        memcpy(&value, (const char *)values + i * sizeof value, sizeof value);
        finite &= isfinite(value) != 0;
    }
    return finite;
}

static const struct {
    const char *name;
    enum train_state_rule rule;
    size_t offset;
} fields[] = {
#define COUNT(name, meaning)         {#name, TRAIN_STATE_COUNT, offsetof(struct train_state, name)},
#define VALUE(name, rule, meaning)   {#name, TRAIN_STATE_##rule, offsetof(struct train_state, name)},
#define VALUES(name, count, meaning) /* of any value */
#include "core/train/train_state.def"
#undef COUNT
#undef VALUE
#undef VALUES
};

const char *train_state_not_finite(const struct train_state *state)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        double value;

        memcpy(&value, (const char *)state + fields[i].offset, sizeof value);
        if (fields[i].rule == TRAIN_STATE_FINITE && !isfinite(value)) {
            return fields[i].name;
        }
    }
    return NULL;
}

/* The name of a field that contradicts another, or its own range; NULL: none. */
static const char *contradiction(const struct train_state *state)
{
    if (state->ended_by != STOP_NONE && state->ended_by != STOP_GRADIENT_NORM && state->ended_by != STOP_EARLY &&
        state->ended_by != STOP_RANGE_TEST && state->ended_by != STOP_CONVERGED) {
        return "ended_by";
    }
    if (state->validated > 1) {
        return "validated";
    }
    if (state->logged_step > state->step) {
        return "logged_step";
    }
    if (state->epoch_samples > state->samples_seen) {
        return "epoch_samples";
    }
    if (state->best_step > state->step) {
        return "best_step";
    }
    return state->best_step > 0 && !isfinite(state->best_value) ? "best_value" : NULL;
}

/* ---- the file ---- */

/* A text shorter than its room, which NULs fill up. */
static int is_filled_up(const char *text, size_t room)
{
    size_t length = strnlen(text, room);

    for (size_t i = length; i < room; i++) {
        if (text[i] != '\0') {
            return 0;
        }
    }
    return length < room;
}

static enum status check_header(const struct checkpoint_header *header, size_t size, struct error *error)
{
    static const unsigned char zeros[sizeof header->reserved] = {0};

    if (memcmp(header->magic, CHECKPOINT_MAGIC, sizeof header->magic) != 0) {
        return CORRUPT("%zu bytes that are none", size);
    }
    if (header->version != CHECKPOINT_VERSION) {
        return CORRUPT("version %u, this program reads version %d", header->version, CHECKPOINT_VERSION);
    }
    if (header->endianness != CHECKPOINT_ENDIANNESS) {
        return CORRUPT("its numbers are in another byte order");
    }
    if (header->size != size || header->state_size > CHECKPOINT_SECTION || header->model_size > CHECKPOINT_SECTION ||
        sizeof *header + header->state_size + header->model_size + SHA256_BYTES != size) {
        return CORRUPT("%zu bytes, which is not what its lengths add up to", size);
    }
    if (!is_filled_up(header->kernel_tier, sizeof header->kernel_tier) || !isfinite(header->seconds) ||
        header->seconds < 0 || memcmp(header->reserved, zeros, sizeof zeros) != 0) {
        return CORRUPT("its header has a value that is none");
    }
    return STATUS_OK;
}

static enum status check_trailer(const unsigned char *bytes, size_t size, struct error *error)
{
    struct sha256 hash;
    unsigned char digest[SHA256_BYTES];

    sha256_init(&hash);
    sha256_update(&hash, bytes, size - SHA256_BYTES);
    sha256_final(&hash, digest);
    return memcmp(digest, bytes + size - SHA256_BYTES, SHA256_BYTES) == 0
               ? STATUS_OK
               : CORRUPT("its bytes are not those that were written");
}

/* The parts of a state section that fits its own counts. */
struct state_section {
    struct checkpoint_state_header header;
    struct train_state state;
    const unsigned char *values; /* [1 + slot_count][parameters] float32, not aligned */
    const unsigned char *solver; /* [solver_values] float64, not aligned */
    size_t solver_values;
};

/* What an earlier program did not know yet, its state is shorter by; that is as before the first step. */
static enum status take_state(struct state_section *section, const unsigned char *bytes, size_t size, uint64_t solver_values,
                              struct error *error)
{
    size_t fixed, values;

    if (size < sizeof section->header) {
        return CORRUPT("its state has %zu bytes", size);
    }
    memcpy(&section->header, bytes, sizeof section->header);
    fixed = sizeof section->header + section->header.state_size;
    if (section->header.state_size < CHECKPOINT_LEAST_STATE || section->header.state_size > sizeof section->state ||
        section->header.state_size % sizeof(uint64_t) != 0 || size < fixed ||
        solver_values > (size - fixed) / sizeof(double)) {
        return CORRUPT("its state has %zu bytes, %u of them before the weights", size, section->header.state_size);
    }
    section->state = train_state_initial();
    memcpy(&section->state, bytes + sizeof section->header, section->header.state_size);
    size -= solver_values * sizeof(double);
    section->solver = bytes + size;
    section->solver_values = solver_values;
    values = (size - fixed) / sizeof(float);
    section->values = bytes + fixed;
    if (section->header.slot_count > OPTIMIZER_MAX_SLOTS || section->header.parameters > values ||
        (size - fixed) % sizeof(float) != 0 || (1 + section->header.slot_count) * section->header.parameters != values) {
        return CORRUPT("its state is not as long as its counts say");
    }
    return STATUS_OK;
}

static enum status check_state(const struct state_section *section, struct error *error)
{
    const char *fault = train_state_not_finite(&section->state);

    if (!is_filled_up(section->header.optimizer, sizeof section->header.optimizer)) {
        return CORRUPT("the name of its optimizer is none");
    }
    fault = fault != NULL ? fault : contradiction(&section->state);
    if (fault != NULL) {
        return CORRUPT("%s has a value that no step leaves", fault);
    }
    if (!floats_are_finite(section->values, (1 + section->header.slot_count) * section->header.parameters)) {
        return CORRUPT("a weight or a value of the optimizer is not finite");
    }
    if (!doubles_are_finite(section->solver, section->solver_values)) {
        return CORRUPT("a value of the solver is not finite");
    }
    return STATUS_OK;
}

enum status checkpoint_read(struct checkpoint *checkpoint, const void *bytes, size_t size, struct error *error)
{
    const unsigned char *file = bytes;
    struct checkpoint_header header;
    struct state_section section;
    enum status status;

    if (size < sizeof header + SHA256_BYTES) {
        return CORRUPT("%zu bytes are too few", size);
    }
    memcpy(&header, file, sizeof header);
    status = check_header(&header, size, error);
    if (status == STATUS_OK) {
        status = check_trailer(file, size, error);
    }
    if (status == STATUS_OK) {
        status = take_state(&section, file + sizeof header, header.state_size, header.solver_values, error);
    }
    if (status == STATUS_OK) {
        status = check_state(&section, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    *checkpoint = (struct checkpoint){.step = section.state.step,
                                      .seconds = header.seconds,
                                      .owner = header.owner,
                                      .state = file + sizeof header,
                                      .state_size = header.state_size,
                                      .solver_values = header.solver_values,
                                      .model = file + sizeof header + header.state_size,
                                      .model_size = header.model_size};
    memcpy(checkpoint->kernel_tier, header.kernel_tier, sizeof checkpoint->kernel_tier);
    return STATUS_OK;
}

enum status checkpoint_model(const struct checkpoint *checkpoint, struct model *model, struct error *error)
{
    return model_file_read(model, checkpoint->model, checkpoint->model_size, error);
}

/* ---- going on from there ---- */

static int scalers_equal(const struct scaler *a, const struct scaler *b)
{
    size_t bytes = a->features * sizeof(float);

    return a->type == b->type && a->features == b->features && a->uniform == b->uniform &&
           (a->uniform || (memcmp(a->shift, b->shift, bytes) == 0 && memcmp(a->factor, b->factor, bytes) == 0));
}

static size_t solver_values(const struct trainer *trainer)
{
    return trainer->convex != NULL ? trainer_convex_solver(trainer->convex)->state_count : 0;
}

static enum status check_match(const struct trainer *trainer, const struct state_section *section, const struct model *model,
                               struct error *error)
{
    struct checkpoint_state_header expected = {0};
    struct error inner = {0};

    checkpoint_put_optimizer(&expected, trainer->spec.optimizer.type);
    if (strcmp(section->header.optimizer, expected.optimizer) != 0 ||
        section->header.slot_count != optimizer_slots(&trainer->spec.optimizer)) {
        return MISMATCH("of another optimizer, %s with %u values a parameter", section->header.optimizer,
                        section->header.slot_count);
    }
    if (model_fits(model, &trainer->spec.model, &inner) != STATUS_OK) {
        return MISMATCH("of another network, %.200s", inner.message);
    }
    if (section->header.parameters != trainer->plan.parameters) {
        return MISMATCH("of %llu parameters, not %llu", (unsigned long long)section->header.parameters,
                        (unsigned long long)trainer->plan.parameters);
    }
    if (section->solver_values != solver_values(trainer)) {
        return MISMATCH("of another solver, with a state of %zu values", section->solver_values);
    }
    return scalers_equal(&model->scaler, &trainer->scaler) ? STATUS_OK : MISMATCH("of other data, scaled otherwise");
}

static void put_values(struct trainer *trainer, const struct state_section *section)
{
    struct network_state network = network_state_f32(trainer->network);
    const unsigned char *bytes = section->values;
    float values[PIECE];

    for (uint32_t array = 0; array <= network.slot_count; array++) {
        for (uint64_t first = 0, count; first < section->header.parameters; first += count) {
            count = section->header.parameters - first < PIECE ? section->header.parameters - first : PIECE;
            memcpy(values, bytes, count * sizeof *values);
            network_state_put(&network, array, first, count, values);
            bytes += count * sizeof *values;
        }
    }
}

static enum status put_solver(struct trainer *trainer, const struct state_section *section, struct error *error)
{
    if (trainer->convex == NULL) {
        return STATUS_OK;
    }
    return trainer_convex_restore(trainer->convex, section->solver) ? STATUS_OK
                                                                    : CORRUPT("its solver has a state that no step leaves");
}

enum status trainer_restore(struct trainer *trainer, const struct checkpoint *checkpoint, struct error *error)
{
    struct state_section section;
    struct model model;
    enum status status = take_state(&section, checkpoint->state, checkpoint->state_size, checkpoint->solver_values, error);

    assert(trainer->state.step == 0 && !trainer->prepared); /* a new trainer: no minibatch of another step is gathered */
    if (status == STATUS_OK) {
        status = checkpoint_model(checkpoint, &model, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = check_match(trainer, &section, &model, error);
    if (status == STATUS_OK) {
        status = put_solver(trainer, &section, error);
    }
    if (status == STATUS_OK) {
        put_values(trainer, &section);
        memcpy(trainer->best_parameters, model.parameters, trainer->plan.parameters * sizeof *model.parameters);
        trainer->state = section.state;
        status = trainer_settle(trainer, error);
    }
    model_release(&model);
    return status;
}
