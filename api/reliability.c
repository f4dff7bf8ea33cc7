#include "api/reliability.h"

#include <string.h>

#include "api/json.h"

/* Means follow from the bins, so that old results have them as well. */
static void sum_up(struct reliability_bins *bins)
{
    double confidence = 0, accuracy = 0;

    bins->samples = 0;
    for (int b = 0; b < CALIBRATION_BINS; b++) {
        bins->samples += bins->bins[b].count;
        confidence += (double)bins->bins[b].count * bins->bins[b].confidence;
        accuracy += (double)bins->bins[b].count * bins->bins[b].accuracy;
    }
    bins->confidence = bins->samples > 0 ? confidence / (double)bins->samples : 0;
    bins->accuracy = bins->samples > 0 ? accuracy / (double)bins->samples : 0;
}

static void take_calibration(struct reliability_bins *bins, const struct calibration *calibration)
{
    memcpy(bins->bins, calibration->bins, sizeof bins->bins);
    bins->ece = calibration->ece;
    sum_up(bins);
}

void reliability_of_scores(struct reliability *reliability, const struct scores *scores, const char *rows)
{
    *reliability = (struct reliability){.rows = rows, .temperature = scores->temperature};
    take_calibration(&reliability->plain, &scores->calibration);
    take_calibration(&reliability->calibrated, &scores->calibrated);
}

static const struct json_value *member(const struct json_value *object, const char *key)
{
    return object != NULL && json_type(object) == JSON_OBJECT ? json_get(object, key) : NULL;
}

/* A number, or 0 for one that was not finite. Returns 0 where there is neither. */
static int read_number(const struct json_value *object, const char *key, double *number)
{
    const struct json_value *value = member(object, key);

    if (value == NULL || (json_type(value) != JSON_NUMBER && json_type(value) != JSON_NULL)) {
        return 0;
    }
    *number = json_type(value) == JSON_NUMBER ? json_to_number(value) : 0;
    return 1;
}

/* "ece" and "bins". Returns 0 where they are not as encode_calibration writes them. */
static int read_bins(struct reliability_bins *into, const struct json_value *calibration)
{
    const struct json_value *bins = member(calibration, "bins");
    size_t count = 0;

    if (!read_number(calibration, "ece", &into->ece) || bins == NULL || json_type(bins) != JSON_ARRAY ||
        json_count(bins) != CALIBRATION_BINS) {
        return 0;
    }
    for (const struct json_value *item = json_first(bins); item != NULL; item = json_next(item)) {
        struct calibration_bin *bin = &into->bins[count++];
        double rows;

        if (!read_number(item, "count", &rows) || !(rows >= 0 && rows <= 9007199254740991.0) ||
            !read_number(item, "confidence", &bin->confidence) || !read_number(item, "accuracy", &bin->accuracy)) {
            return 0;
        }
        bin->count = (uint64_t)rows;
    }
    sum_up(into);
    return 1;
}

static int read_split(struct reliability *reliability, const struct json_value *split)
{
    const struct json_value *calibration = member(split, "calibration");
    const struct json_value *calibrated = member(calibration, "calibrated");

    if (!read_bins(&reliability->plain, calibration)) {
        return 0;
    }
    return calibrated == NULL || (read_number(calibration, "temperature", &reliability->temperature) &&
                                  reliability->temperature > 0 && read_bins(&reliability->calibrated, calibrated));
}

enum status reliability_of_results(struct reliability *reliability, const char *results, size_t size, struct error *error)
{
    /* what may be too large for a tree, and is not looked at */
    static const char *const bulk[] = {"/splits/train/confusion_matrix",      "/splits/train/per_class",
                                       "/splits/validation/confusion_matrix", "/splits/validation/per_class",
                                       "/splits/test/confusion_matrix",       "/splits/test/per_class"};
    static const struct {
        enum split_part part;
        const char *rows;
    } parts[] = {{PART_TEST, "test split"}, {PART_VALIDATION, "validation split"}, {PART_TRAIN, "training split"}};
    struct error reason = {.status = STATUS_OK};
    struct json_document *document;
    const struct json_value *split = NULL;
    int good, swept;

    *reliability = (struct reliability){.rows = ""};
    if (json_parse(&document, results, size, bulk, sizeof bulk / sizeof *bulk, &reason) != STATUS_OK) {
        return error_set(error, reason.status == STATUS_OUT_OF_MEMORY ? STATUS_OUT_OF_MEMORY : STATUS_OBJECT_CORRUPT,
                         "the stored results cannot be read: %s", reason.message);
    }
    for (size_t i = 0; split == NULL && i < sizeof parts / sizeof *parts; i++) {
        split = member(member(json_root(document), "splits"), split_part_name(parts[i].part));
        reliability->rows = parts[i].rows;
    }
    good = read_split(reliability, split);
    swept = member(json_root(document), "range_test") != NULL;
    json_free(document);
    if (swept) {
        return error_set(error, STATUS_NOT_ACCEPTABLE, "a range test has no probabilities to draw, its results are JSON");
    }
    return good ? STATUS_OK : error_set(error, STATUS_OBJECT_CORRUPT, "the stored results have no bins of calibration");
}
