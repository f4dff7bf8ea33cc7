#include "compare_metric.h"

#include <math.h>
#include <string.h>

#include "api/json_piece.h"

enum figure {
    TEST_LOSS = CURVE_SERIES_COUNT,
    TEST_ACCURACY,
    STEP_SECONDS,
    SAMPLES_PER_SECOND,
    MEMORY_BYTES,
    COMPARE_METRIC_COUNT
};

static const struct compare_metric metrics[COMPARE_METRIC_COUNT] = {
    [CURVE_BATCH_LOSS] = {"batch_loss", "minibatch loss (nats)", -1, 1, NULL},
    [CURVE_TRAIN_LOSS] = {"train_loss", "training loss (nats)", -1, 1, "/splits/train/loss"},
    [CURVE_TRAIN_ACCURACY] = {"train_accuracy", "training accuracy", 1, 0, "/splits/train/accuracy"},
    [CURVE_VALIDATION_LOSS] = {"validation_loss", "validation loss (nats)", -1, 1, "/splits/validation/loss"},
    [CURVE_VALIDATION_ACCURACY] = {"validation_accuracy", "validation accuracy", 1, 0, "/splits/validation/accuracy"},
    [CURVE_LEARNING_RATE] = {"learning_rate", "learning rate", 0, 1, NULL},
    [CURVE_GRADIENT_NORM] = {"gradient_norm", "norm of the gradient", 0, 1, NULL},
    [CURVE_STEP_SIZE] = {"step_size", "norm of the step", 0, 1, NULL},
    [CURVE_SHARPNESS] = {"sharpness", "largest curvature", 0, 1, NULL},
    [CURVE_SHARPNESS_LIMIT] = {"sharpness_limit", "2 / learning rate", 0, 1, NULL},
    [CURVE_FULL_GRADIENT_NORM] = {"full_gradient_norm", "norm of the full gradient", 0, 1, NULL},
    [CURVE_NOISE_SCALE] = {"noise_scale", "gradient noise scale (rows)", 0, 1, NULL},
    [CURVE_GRADIENT_VARIANCE] = {"gradient_variance", "variance of the minibatch gradient", 0, 1, NULL},
    [CURVE_GRADIENT_SQUARE] = {"gradient_square", "squared norm of the gradient, estimated", 0, 1, NULL},
    [CURVE_SMOOTHED_LOSS] = {"smoothed_loss", "smoothed loss (nats)", -1, 1, NULL},
#define RATIO(k) [CURVE_UPDATE_RATIO_##k] = {"update_ratio_" #k, "norm of the step over the weights'", 0, 1, NULL}
    RATIO(0),
    RATIO(1),
    RATIO(2),
    RATIO(3),
    RATIO(4),
    RATIO(5),
    RATIO(6),
    RATIO(7),
    RATIO(8),
    RATIO(9),
    RATIO(10),
    RATIO(11),
    RATIO(12),
    RATIO(13),
    RATIO(14),
    RATIO(15),
#undef RATIO
    [TEST_LOSS] = {"test_loss", "test loss (nats)", -1, 1, "/splits/test/loss"},
    [TEST_ACCURACY] = {"test_accuracy", "test accuracy", 1, 0, "/splits/test/accuracy"},
    [STEP_SECONDS] = {"step_seconds", "seconds a step", -1, 1, NULL},
    [SAMPLES_PER_SECOND] = {"samples_per_second", "samples a second", 1, 1, "/timing/samples_per_second"},
    [MEMORY_BYTES] = {"memory_bytes", "memory (bytes)", -1, 1, NULL},
};

size_t compare_metric_count(void)
{
    return COMPARE_METRIC_COUNT;
}

const struct compare_metric *compare_metric_get(size_t metric)
{
    return &metrics[metric];
}

int compare_metric_is_curve(size_t metric)
{
    return metric < CURVE_SERIES_COUNT;
}

static int from_results(const char *pointer, const struct job_view *job, double *value)
{
    return pointer != NULL && job->results != NULL &&
           json_piece_number(json_piece_at(json_piece_of(job->results, strlen(job->results)), pointer), value);
}

static double last_of_curve(enum curve_series series, const struct metric_row *rows, size_t count)
{
    for (size_t i = count; i > 0; i--) {
        double value = curve_value(&rows[i - 1], series);

        if (isfinite(value)) {
            return value;
        }
    }
    return (double)NAN;
}

/* Seconds of training, of all that was trained, by its steps. */
static double step_seconds(const struct job_view *job, const struct metric_row *rows, size_t count,
                           enum compare_source *source)
{
    double seconds;

    if (from_results("/timing/train_seconds", job, &seconds) && job->progress.step > 0) {
        *source = COMPARE_RESULTS;
        return seconds / (double)job->progress.step;
    }
    return count > 0 ? rows[count - 1].seconds / (double)rows[count - 1].point.step : (double)NAN;
}

static double from_job(size_t metric, const struct job_view *job, const struct metric_row *rows, size_t count,
                       enum compare_source *source)
{
    switch (metric) {
    case STEP_SECONDS:
        return step_seconds(job, rows, count, source);
    case SAMPLES_PER_SECOND:
        return job->progress.samples_per_second;
    case MEMORY_BYTES:
        return job->memory_bytes > 0 ? (double)job->memory_bytes : (double)NAN;
    default:
        return compare_metric_is_curve(metric) ? last_of_curve((enum curve_series)metric, rows, count) : (double)NAN;
    }
}

double compare_metric_value(size_t metric, const struct job_view *job, const struct metric_row *rows, size_t count,
                            enum compare_source *source)
{
    double value;

    *source = COMPARE_RESULTS;
    if (from_results(metrics[metric].results, job, &value)) {
        return value;
    }
    *source = COMPARE_JOB;
    value = from_job(metric, job, rows, count, source);
    if (!isfinite(value)) {
        *source = COMPARE_NOTHING;
        value = (double)NAN;
    }
    return value;
}
