/* One descent is a loop without any memory but its weights, its slots and the rows that it writes. */
#include "core/landscape/descent.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/landscape/formula_program.h"

/* What random numbers of RNG_LANDSCAPE are for. */
enum { STREAM_NOISE = 1, STREAM_START = 2 };

#define AS_GOOD_AS_ZERO 1e-6
#define RULE_COST       20 /* an update by adam, in operations of a formula */

const char *noise_type_name(enum noise_type type)
{
    static const char *const names[NOISE_TYPE_COUNT] = {[NOISE_UNIFORM] = "uniform", [NOISE_NORMAL] = "normal"};

    assert((unsigned)type < NOISE_TYPE_COUNT);
    return names[type];
}

const char *descent_stop_name(enum descent_stop stop)
{
    static const char *const names[DESCENT_STOP_COUNT] = {
        [DESCENT_STEPS] = "steps", [DESCENT_GRADIENT_NORM] = "gradient_norm", [DESCENT_DIVERGED] = "diverged"};

    assert((unsigned)stop < DESCENT_STOP_COUNT);
    return names[stop];
}

static void add_noise(const struct descent_task *task, uint64_t k, double gradient[2])
{
    uint32_t words[4];
    double normal[4];

    if (task->noise.scale == 0) {
        return;
    }
    rng_block(task->seed, rng_substream(RNG_LANDSCAPE, STREAM_NOISE), task->stream, k, words);
    if (task->noise.type == NOISE_NORMAL) {
        rng_to_normal(words, normal);
        gradient[0] += task->noise.scale * normal[0];
        gradient[1] += task->noise.scale * normal[1];
    } else {
        gradient[0] += task->noise.scale * (2 * rng_to_f64(words[0], words[1]) - 1);
        gradient[1] += task->noise.scale * (2 * rng_to_f64(words[2], words[3]) - 1);
    }
}

static int is_finite_jet(const struct jet *jet)
{
    return isfinite(jet->f) && isfinite(jet->gx) && isfinite(jet->gy);
}

static int is_far(const double point[2])
{
    return !(fabs(point[0]) <= DESCENT_MAX_DISTANCE && fabs(point[1]) <= DESCENT_MAX_DISTANCE); /* NaN is far */
}

/* The state of a descent. `jet` is the function's at the served point. */
struct walk {
    double weights[2], served[2];
    double slots[2 * OPTIMIZER_MAX_SLOTS];
    struct jet jet;
};

static void begin(struct walk *walk, const struct descent_task *task)
{
    memcpy(walk->weights, task->start, sizeof walk->weights);
    memcpy(walk->served, task->start, sizeof walk->served);
    for (uint32_t s = 0; s < optimizer_slots(&task->optimizer); s++) {
        walk->slots[2 * s] = walk->slots[2 * s + 1] = optimizer_slot_start(&task->optimizer, s);
    }
    formula_jet(task->formula, task->start[0], task->start[1], &walk->jet);
}

/* Update k = 1, 2, ...; 0 when it leaves the finite numbers. */
static int update(struct walk *walk, const struct descent_task *task, uint64_t k)
{
    double rate = schedule_learning_rate(&task->schedule, task->optimizer.learning_rate, k - 1, task->steps, 1);
    int is_ahead = walk->weights[0] != walk->served[0] || walk->weights[1] != walk->served[1];
    struct update_sums sums = {.measure = 0};
    struct update_step step;
    struct jet jet = walk->jet;

    if (is_ahead) {
        formula_jet(task->formula, walk->weights[0], walk->weights[1], &jet);
    }
    double gradient[2] = {jet.gx, jet.gy};
    if (!isfinite(jet.gx) || !isfinite(jet.gy)) {
        return 0;
    }
    add_noise(task, k, gradient);
    optimizer_step(&task->optimizer, rate, k, 1, &step);
    optimizer_update_f64(&task->optimizer, &step, 0, 2, walk->weights, gradient, walk->slots, &sums);
    optimizer_served_f64(&task->optimizer, 2, walk->weights, walk->slots, walk->served);
    if (sums.nonfinite || is_far(walk->weights) || is_far(walk->served)) {
        return 0;
    }
    formula_jet(task->formula, walk->served[0], walk->served[1], &walk->jet);
    return is_finite_jet(&walk->jet);
}

static void tell(const struct walk *walk, const struct descent_row *before, struct descent_row *row)
{
    *row = (struct descent_row){.x = walk->served[0],
                                .y = walk->served[1],
                                .f = walk->jet.f,
                                .gradient_norm = vector_length(walk->jet.gx, walk->jet.gy)};
    if (before != NULL) {
        row->step_size = vector_length(row->x - before->x, row->y - before->y);
    }
}

enum descent_stop descent_run(const struct descent_task *task, struct descent_row *rows, uint64_t *taken)
{
    struct walk walk;

    *taken = 0;
    begin(&walk, task);
    tell(&walk, NULL, &rows[0]);
    if (!is_finite_jet(&walk.jet) || is_far(walk.served)) {
        return DESCENT_DIVERGED;
    }
    while (!(rows[*taken].gradient_norm <= task->gradient_norm)) {
        if (*taken == task->steps) {
            return DESCENT_STEPS;
        }
        if (!update(&walk, task, *taken + 1)) {
            return DESCENT_DIVERGED;
        }
        tell(&walk, &rows[*taken], &rows[*taken + 1]);
        ++*taken;
    }
    return DESCENT_GRADIENT_NORM;
}

uint64_t descent_cost(const struct formula *formula)
{
    return RULE_COST + 2 * formula_operations(formula); /* at the weights and at the served point */
}

void descent_end(const struct formula *formula, const struct descent_row *row, struct descent_end *end)
{
    formula_jet(formula, row->x, row->y, &end->jet);
    end->type = critical_classify(&end->jet, end->eigenvalues);
    double largest = fmax(fabs(end->eigenvalues[0]), fabs(end->eigenvalues[1]));
    end->is_critical = end->type != CRITICAL_NONSMOOTH && row->gradient_norm <= AS_GOOD_AS_ZERO * largest;
}

void descent_random_start(uint64_t seed, const double box[2][2], uint32_t index, double start[2])
{
    for (int i = 0; i < 2; i++) {
        double u = rng_uniform_f64(seed, rng_substream(RNG_LANDSCAPE, STREAM_START), 0, 2 * (uint64_t)index + (uint64_t)i);

        start[i] = box[i][0] + (box[i][1] - box[i][0]) * u;
    }
}
