/* Results and scores as JSON; see encode_results.h. */
#include "encode_results.h"

#include <math.h>

#include "api/encode_calibration.h"
#include "api/encode_common.h"
#include "api/encode_profile.h"
#include "api/fields.h"
#include "api/json_writer.h"

static void encode_confusion(const struct scores *scores, struct json_writer *writer)
{
    json_key(writer, "confusion_matrix");
    if (scores->classes > RESULTS_CONFUSION_CLASSES) {
        json_null(writer);
        return;
    }
    json_begin_array(writer);
    for (uint32_t t = 0; t < scores->classes; t++) {
        json_begin_array(writer);
        for (uint32_t p = 0; p < scores->classes; p++) {
            json_uint(writer, scores->confusion[(size_t)t * scores->classes + p]);
        }
        json_end_array(writer);
    }
    json_end_array(writer);
}

static void encode_per_class(const struct scores *scores, const char *const *class_names, struct json_writer *writer)
{
    json_key(writer, "per_class");
    json_begin_array(writer);
    for (uint32_t k = 0; k < scores->classes; k++) {
        const struct class_score *score = &scores->per_class[k];

        json_begin_object(writer);
        json_member_string(writer, "class", class_names[k]);
        json_member_number(writer, "precision", score->precision);
        json_member_number(writer, "recall", score->recall);
        json_member_number(writer, "f1", score->f1);
        json_member_uint(writer, "support", score->support);
        json_end_object(writer);
    }
    json_end_array(writer);
}

void encode_scores(const struct scores *scores, double objective, const char *const *class_names, struct json_writer *writer)
{
    json_member_uint(writer, "samples", scores->samples);
    json_member_number(writer, "loss", scores->loss);
    if (!isnan(objective)) {
        json_member_number(writer, "objective", objective);
    }
    json_member_number(writer, "accuracy", scores->accuracy);
    encode_confusion(scores, writer);
    encode_per_class(scores, class_names, writer);
    encode_calibration(scores, writer);
}

static void encode_splits(const struct results_view *results, struct json_writer *writer)
{
    json_key(writer, "splits");
    json_begin_object(writer);
    for (int part = 0; part < PART_COUNT; part++) {
        if (results->scores[part] != NULL) {
            json_key(writer, split_part_name((enum split_part)part));
            json_begin_object(writer);
            encode_scores(results->scores[part], results->with_objective ? results->objective[part] : (double)NAN,
                          results->class_names, writer);
            json_end_object(writer);
        }
    }
    json_end_object(writer);
}

static void encode_timing(const struct results_view *results, struct json_writer *writer)
{
    json_key(writer, "timing");
    json_begin_object(writer);
    json_member_number(writer, "train_seconds", results->train_seconds);
    json_member_number(writer, "evaluate_seconds", results->evaluate_seconds);
    json_member_uint(writer, "samples_seen", results->samples_seen);
    json_member_number(writer, "samples_per_second",
                       results->train_seconds > 0 ? (double)results->samples_seen / results->train_seconds : (double)NAN);
    json_member_uint(writer, "threads", results->threads);
    json_end_object(writer);
}

static void encode_diagnostics(const struct results_view *results, struct json_writer *writer)
{
    if (!results->with_noise_scale) {
        return;
    }
    json_key(writer, "diagnostics");
    json_begin_object(writer);
    json_member_number(writer, "noise_scale", results->noise_scale);
    if (results->noise_scale < FIELD_EXACT_INTEGER) {
        json_member_uint(writer, "suggested_batch_size", (uint64_t)fmax(1, round(results->noise_scale)));
    } else {
        json_member_null(writer, "suggested_batch_size");
    }
    json_end_object(writer);
}

static void encode_range(const struct range_result *range, struct json_writer *writer)
{
    if (range == NULL) {
        return;
    }
    json_key(writer, "range_test");
    json_begin_object(writer);
    json_member_number(writer, "suggestion", range->suggestion);
    json_member_number(writer, "minimum", range->minimum);
    json_member_number(writer, "minimum_over_10", range->minimum_over_10);
    json_member_number(writer, "stopped_at", range->stopped_at);
    json_member_number(writer, "loss", range->loss);
    json_member_uint(writer, "steps", range->steps);
    json_member_bool(writer, "diverged", range->diverged);
    json_end_object(writer);
}

void encode_results(const struct results_view *results, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "results");
    json_member_string(writer, "job", results->job);
    json_member_string(writer, "stop_reason", stop_reason_name(results->stop_reason));
    encode_splits(results, writer);
    json_key(writer, "calibration");
    encode_temperature(results->fit, results->scores[PART_VALIDATION], writer);
    encode_best(writer, results->best_metric, results->best_value, results->best_step);
    encode_timing(results, writer);
    if (results->profile != NULL) {
        json_key(writer, "profile");
        encode_profile(results->profile, results->job, writer);
    }
    encode_diagnostics(results, writer);
    encode_range(results->range, writer);
    encode_digest(writer, "digest", results->digest, results->digest_step);
    json_member_string(writer, "model", results->model);
    json_end_object(writer);
}
