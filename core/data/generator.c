/*
 * Row i is of class i mod classes, so classes get equal shares, and rows come mixed. Everything else about row i comes
 * from block i of stream RNG_GENERATOR (its place along the shape) and of its substream 1 (its noise): rows do not
 * depend on how many others there are.
 */
#include "core/data/generator.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mathx.h"
#include "core/base/rng.h"
#include "core/data/table_writer.h"

#define CENTRES_RADIUS 2.5 /* blobs: of the circle of their centres */
#define SPIRAL_START   0.2 /* spirals: radius of their beginning */
#define SPIRAL_END     3.0 /* and end */
#define SPIRAL_TURNS   0.75

/* A point of a class without its noise. along: in [0, 1), uniform; share: class / classes. */
typedef void (*shape)(uint32_t class, double share, double along, double point[2]);

static void on_circle(double radius, double turns, double point[2])
{
    double sine, cosine;

    mathx_sincos_turns_f64(turns, &sine, &cosine);
    point[0] = radius * cosine;
    point[1] = radius * sine;
}

static void blob(uint32_t class, double share, double along, double point[2])
{
    (void)class;
    (void)along;
    on_circle(CENTRES_RADIUS, share, point);
}

/* Two half circles, the second one turned round and moved into the first. */
static void moon(uint32_t class, double share, double along, double point[2])
{
    (void)share;
    on_circle(1, along / 2, point);
    if (class == 1) {
        point[0] = 1 - point[0];
        point[1] = 0.5 - point[1];
    }
}

/* Arms of Archimedes, turned against each other. */
static void spiral(uint32_t class, double share, double along, double point[2])
{
    (void)class;
    on_circle(SPIRAL_START + (SPIRAL_END - SPIRAL_START) * along, share + SPIRAL_TURNS * along, point);
}

static void ring(uint32_t class, double share, double along, double point[2])
{
    (void)share;
    on_circle(class + 1, along, point);
}

static const struct {
    const char *name, *help;
    shape shape;
    uint32_t max_classes;
} GENERATORS[GENERATOR_COUNT] = {
    [GENERATOR_BLOBS] = {"blobs", "clouds around centres on a circle of radius 2.5", blob, GENERATOR_MAX_CLASSES},
    [GENERATOR_MOONS] = {"moons", "two interleaved half circles of radius 1", moon, 2},
    [GENERATOR_SPIRALS] = {"spirals", "spiral arms of radius 0.2 to 3, three quarters of a turn long", spiral,
                           GENERATOR_MAX_CLASSES},
    [GENERATOR_RINGS] = {"rings", "concentric rings of radius 1, 2, 3, ...", ring, GENERATOR_MAX_CLASSES},
};

const char *generator_name(enum generator generator)
{
    return GENERATORS[generator].name;
}

const char *generator_help(enum generator generator)
{
    return GENERATORS[generator].help;
}

uint32_t generator_max_classes(enum generator generator)
{
    return GENERATORS[generator].max_classes;
}

static enum status check(const struct generator_spec *spec, struct error *error)
{
    uint32_t most = GENERATORS[spec->type].max_classes;

    if (spec->classes < 2 || spec->classes > most)
        return error_set(error, STATUS_OUT_OF_RANGE, "classes is %" PRIu32 ", 2 to %" PRIu32 " are allowed for %s",
                         spec->classes, most, GENERATORS[spec->type].name);
    if (spec->n < spec->classes || spec->n > GENERATOR_MAX_ROWS)
        return error_set(error, STATUS_OUT_OF_RANGE, "n is %" PRIu32 ", %" PRIu32 " to %d are allowed", spec->n,
                         spec->classes, GENERATOR_MAX_ROWS);
    if (!(spec->noise >= 0 && spec->noise <= GENERATOR_MAX_NOISE))
        return error_set(error, STATUS_OUT_OF_RANGE, "noise is %g, 0 to %g are allowed", spec->noise, GENERATOR_MAX_NOISE);
    return STATUS_OK;
}

static enum status write_row(const struct generator_spec *spec, uint32_t i, struct table_writer *writer, struct error *error)
{
    uint32_t class = i % spec->classes, words[4];
    double along, noise[4], point[2];
    char label[12];
    float x[2];

    rng_block(spec->seed, RNG_GENERATOR, 0, i, words);
    along = rng_to_f64(words[0], words[1]);
    rng_block(spec->seed, rng_substream(RNG_GENERATOR, 1), 0, i, words);
    rng_to_normal(words, noise);
    GENERATORS[spec->type].shape(class, (double)class / spec->classes, along, point);
    for (int k = 0; k < 2; k++)
        x[k] = (float)(point[k] + spec->noise * noise[k]);
    snprintf(label, sizeof label, "%" PRIu32, class);
    return table_writer_row(writer, x, label, strlen(label), error);
}

enum status generator_write(const struct generator_spec *spec, struct sink sink, struct error *error)
{
    static const char *const NAMES[] = {"x0", "x1"};
    const struct table_spec table = {.features = 2, .feature_names = NAMES};
    struct table_writer *writer;
    enum status status;

    if ((status = check(spec, error)) || (status = table_writer_new(&writer, &table, sink, error)))
        return status;
    for (uint32_t i = 0; i < spec->n && !status; i++)
        status = write_row(spec, i, writer, error);
    if (!status)
        status = table_writer_finish(writer, error);
    table_writer_free(writer);
    return status;
}
