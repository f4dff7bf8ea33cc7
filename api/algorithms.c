/*
 * What a job can choose from. Sections of objects that have parameters come from the tables that decode requests; plain
 * choices from their enums. Nothing is listed here that is not accepted, and nothing accepted is left out, but for what
 * is known and not supported yet.
 */
#include "algorithms.h"

#include <assert.h>
#include <string.h>

#include "api/field_description.h"
#include "api/job_request_tables.h"
#include "api/json_writer.h"
#include "core/data/generator.h"
#include "core/data/sampler.h"
#include "core/data/scale.h"
#include "core/landscape/landscape.h"

/* Sections with a table behind them, in the order of the answer. */
static const struct {
    const char *name;
    enum job_table table;
} sections[] = {
    {"models", JOB_TABLE_MODEL},         {"layers", JOB_TABLE_LAYER},       {"losses", JOB_TABLE_LOSS},
    {"optimizers", JOB_TABLE_OPTIMIZER}, {"schedules", JOB_TABLE_SCHEDULE}, {"datasets", JOB_TABLE_DATASET},
    {"splits", JOB_TABLE_SPLIT},         {"training", JOB_TABLE_TRAINING},  {"stops", JOB_TABLE_STOP},
    {"early_stopping", JOB_TABLE_EARLY},
};

static const char *const initializer_help[] = {
    [INIT_ZEROS] = "0; for models without hidden layers",
    [INIT_HE_NORMAL] = "normal, variance 2 / fan_in (He et al. 2015)",
    [INIT_HE_UNIFORM] = "uniform within sqrt(6 / fan_in)",
    [INIT_GLOROT_NORMAL] = "normal, variance 2 / (fan_in + fan_out) (Glorot, Bengio 2010)",
    [INIT_GLOROT_UNIFORM] = "uniform within sqrt(6 / (fan_in + fan_out))",
};
static const char *const preprocessing_help[] = {
    [PREPROCESS_NONE] = "features as they are",
    [PREPROCESS_SCALE_255] = "x / 255, for images of bytes",
    [PREPROCESS_STANDARDIZE] = "(x - mean) / deviation of the training rows; a constant feature is only shifted",
    [PREPROCESS_MINMAX] = "(x - min) / (max - min) of the training rows; a constant feature is only shifted",
};
static const char *const shuffle_help[] = {
    [SHUFFLE_EVERY_EPOCH] = "a new order for every epoch",
    [SHUFFLE_ONCE] = "one random order for all epochs",
    [SHUFFLE_NONE] = "the data set's order",
    [SHUFFLE_WITH_REPLACEMENT] = "each row of a minibatch drawn independently",
};
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
static_assert(COUNT_OF(initializer_help) == INITIALIZER_COUNT, "every initialiser is explained");
static_assert(COUNT_OF(preprocessing_help) == PREPROCESS_COUNT, "every preprocessing is explained");
static_assert(COUNT_OF(shuffle_help) == SHUFFLE_COUNT, "every shuffle is explained");

/* What the core's tables say beyond the request's: formulas, and where an optimizer is published. */
static void write_core_knowledge(enum job_table id, size_t variant, struct json_writer *writer)
{
    if (id == JOB_TABLE_OPTIMIZER) {
        enum optimizer_type type = variant == OPTIMIZER_GD ? OPTIMIZER_SGD : (enum optimizer_type)variant;

        json_member_string(writer, "formula", optimizer_formula(type));
        json_member_string(writer, "source", optimizer_source(type));
    } else if (id == JOB_TABLE_SCHEDULE) {
        json_member_string(writer, "formula", schedule_formula((enum schedule_type)variant));
    } else if (id == JOB_TABLE_LAYER) {
        json_member_string(writer, "formula", layer_type_formula((enum layer_type)variant));
    }
}

/* NULL: the formula says it all. */
static const char *help_of(enum job_table id, size_t variant, const struct field_table *table)
{
    switch (id) {
    case JOB_TABLE_LAYER:
        return layer_type_help((enum layer_type)variant);
    case JOB_TABLE_OPTIMIZER:
        return variant == OPTIMIZER_GD ? "sgd on the whole training set" : NULL;
    case JOB_TABLE_SCHEDULE:
        return NULL;
    default:
        return table->help;
    }
}

/* The loss has one type, which stands among its fields. */
static const char *type_of(enum job_table id, const struct field_table *table)
{
    return table->variant != NULL ? table->variant : id == JOB_TABLE_LOSS ? "cross_entropy" : table->name;
}

static void write_variant(enum job_table id, size_t variant, struct json_writer *writer)
{
    struct field_table table;

    job_table(id, variant, &table);
    json_begin_object(writer);
    json_member_string(writer, "type", type_of(id, &table));
    if (help_of(id, variant, &table) != NULL) {
        json_member_string(writer, "help", help_of(id, variant, &table));
    }
    write_core_knowledge(id, variant, writer);
    json_key(writer, "parameters");
    json_begin_array(writer);
    for (size_t f = 0; f < table.count; f++) {
        if (strcmp(table.fields[f].name, "type") != 0) {
            field_write_parameter(&table.fields[f], writer);
        }
    }
    json_end_array(writer);
    json_end_object(writer);
}

static void write_choice(const char *name, const char *help, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "type", name);
    json_member_string(writer, "help", help);
    json_key(writer, "parameters");
    json_begin_array(writer);
    json_end_array(writer);
    json_end_object(writer);
}

static void begin_section(struct json_writer *writer, const char *name)
{
    json_key(writer, name);
    json_begin_array(writer);
}

void algorithms_write(struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "algorithms");
    for (size_t s = 0; s < COUNT_OF(sections); s++) {
        begin_section(writer, sections[s].name);
        for (size_t v = 0; v < job_table_variants(sections[s].table); v++) {
            write_variant(sections[s].table, v, writer);
        }
        json_end_array(writer);
    }
    begin_section(writer, "initializers");
    for (unsigned i = 0; i < INITIALIZER_COUNT; i++) {
        write_choice(initializer_name((enum initializer)i), initializer_help[i], writer);
    }
    json_end_array(writer);
    begin_section(writer, "preprocessings");
    for (unsigned i = 0; i < PREPROCESS_COUNT; i++) {
        write_choice(preprocessing_name((enum preprocessing)i), preprocessing_help[i], writer);
    }
    json_end_array(writer);
    begin_section(writer, "shuffles");
    for (unsigned i = 0; i < SHUFFLE_COUNT; i++) {
        write_choice(shuffle_name((enum shuffle)i), shuffle_help[i], writer);
    }
    json_end_array(writer);
    begin_section(writer, "generators");
    for (unsigned i = 0; i < GENERATOR_COUNT; i++) {
        write_choice(generator_name((enum generator)i), generator_help((enum generator)i), writer);
    }
    json_end_array(writer);
    begin_section(writer, "landscapes");
    for (size_t i = 0; i < landscape_count(); i++) {
        write_choice(landscape_at(i)->name, landscape_at(i)->title, writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}
