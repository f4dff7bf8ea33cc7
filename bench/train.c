/*
 * How fast descentd trains, as a share of what this machine can do: the trainer's own rate beside the matrix product's
 * peak, measured in turn in one run.
 *
 *     train IMAGES LABELS HIDDEN BATCH THREADS EPOCHS        IDX files, raw or gzip'ed; HIDDEN 0: softmax regression
 *
 * One line of JSON: samples/s and GFLOP/s of training (median over epochs), the peak of `threads` threads at once (median
 * of the better of a square product and the layer's own), the share, and the digest of the weights.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/matrix_library.h"
#include "core/data/attach_labels.h"
#include "core/data/idx_labels.h"
#include "core/data/parser.h"
#include "core/train/trainer.h"

#define MOST_EPOCHS  64
#define PEAK_SECONDS 0.25

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(enum status status, const struct error *error)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "%s: %s\n", status_code(status), error->message);
        exit(1);
    }
}

/* ---- the peak ---- */

struct peak_shape {
    int64_t m, n, k;
};

struct peak_thread {
    struct peak_shape shape;
    double rate;
};

static void *measure_products(void *argument)
{
    struct peak_thread *self = argument;
    int64_t m = self->shape.m, n = self->shape.n, k = self->shape.k;
    float *a = aligned_alloc(64, (size_t)(m * k) * 4), *b = aligned_alloc(64, (size_t)(k * n) * 4);
    float *c = aligned_alloc(64, (size_t)(m * n) * 4);
    double begin, end;
    int64_t done = 0;

    matrix_library_thread_init();
    for (int64_t i = 0; i < m * k; i++) {
        a[i] = (float)(i % 7) * 0.1f;
    }
    for (int64_t i = 0; i < k * n; i++) {
        b[i] = (float)(i % 5) * 0.1f;
    }
    matrix_library_sgemm(0, 0, m, n, k, a, k, b, n, 0, c, n);
    begin = end = now();
    for (; end - begin < PEAK_SECONDS; end = now(), done++) {
        matrix_library_sgemm(0, 0, m, n, k, a, k, b, n, 0, c, n);
    }
    self->rate = 2e-9 * (double)(m * n * k) * (double)done / (end - begin);
    free(a);
    free(b);
    free(c);
    return NULL;
}

/* GFLOP/s of `threads` threads, each with its own product, all at once. */
static double peak_of(struct peak_shape shape, uint32_t threads)
{
    struct peak_thread workers[64];
    pthread_t handles[64];
    double sum = 0;

    for (uint32_t i = 0; i < threads; i++) {
        workers[i] = (struct peak_thread){shape, 0};
        if (pthread_create(&handles[i], NULL, measure_products, &workers[i]) != 0) {
            exit(1);
        }
    }
    for (uint32_t i = 0; i < threads; i++) {
        pthread_join(handles[i], NULL);
        sum += workers[i].rate;
    }
    return sum;
}

/* ---- the data ---- */

static void read_file(const char *path, enum status (*feed)(void *, const void *, size_t, struct error *), void *parser)
{
    static char piece[1 << 16];
    FILE *file = fopen(path, "rb");
    struct error error = {0};
    size_t size;

    if (file == NULL) {
        perror(path);
        exit(1);
    }
    while ((size = fread(piece, 1, sizeof piece, file)) > 0) {
        check(feed(parser, piece, size, &error), &error);
    }
    fclose(file);
}

static enum status feed_images(void *parser, const void *bytes, size_t size, struct error *error)
{
    return dataset_parser_feed(parser, bytes, size, error);
}

static enum status feed_labels(void *parser, const void *bytes, size_t size, struct error *error)
{
    return idx_labels_parser_feed(parser, bytes, size, error);
}

static void load(const char *images, const char *labels, struct buffer_sink *block, struct dataset *dataset)
{
    struct buffer_sink unlabelled = {0};
    struct dataset_parser *parser;
    struct idx_labels_parser *numbers;
    int32_t *values;
    uint64_t count;
    struct dataset pictures;
    struct error error = {0};

    check(dataset_parser_new(&parser, DATA_IDX, NULL, buffer_sink(&unlabelled), &error), &error);
    read_file(images, feed_images, parser);
    check(dataset_parser_finish(parser, &error), &error);
    dataset_parser_free(parser);
    check(dataset_open(&pictures, unlabelled.data, unlabelled.size, &error), &error);
    check(idx_labels_parser_new(&numbers, 0, &error), &error);
    read_file(labels, feed_labels, numbers);
    check(idx_labels_parser_finish(numbers, &error), &error);
    values = idx_labels_parser_take(numbers, &count);
    check(dataset_attach_labels(&pictures, values, count, buffer_sink(block), &error), &error);
    free(values);
    idx_labels_parser_free(numbers);
    dataset_release(&pictures);
    buffer_sink_release(&unlabelled);
    check(dataset_open(dataset, block->data, block->size, &error), &error);
}

/* ---- training ---- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static struct train_spec spec_of(const struct dataset *dataset, uint32_t hidden, uint64_t batch, uint32_t epochs)
{
    struct train_spec spec = {.initializer = hidden > 0 ? INIT_HE_NORMAL : INIT_ZEROS,
                              .preprocessing = PREPROCESS_SCALE_255,
                              .epochs = epochs,
                              .batch_size = batch,
                              .seed = 42,
                              .log_every_steps = 1000,
                              .stop = {.early_metric = METRIC_TRAIN_LOSS}};
    struct error error = {0};

    optimizer_defaults(&spec.optimizer, OPTIMIZER_SGD);
    spec.optimizer.learning_rate = 0.05;
    spec.optimizer.momentum = 0.9;
    spec.optimizer.nesterov = NESTEROV_LOOKAHEAD;
    check(model_spec_perceptron(&spec.model, hidden > 0 ? MODEL_MLP : MODEL_SOFTMAX_REGRESSION, dataset->features,
                                dataset->classes, &hidden, hidden > 0, LAYER_RELU, 0, &error),
          &error);
    return spec;
}

int main(int argc, char **argv)
{
    struct buffer_sink block = {0};
    struct dataset dataset;
    struct split split;
    struct split_spec all = {0};
    struct error error = {0};
    double rates[MOST_EPOCHS], peaks[MOST_EPOCHS];

    if (argc != 7) {
        fprintf(stderr, "usage: train IMAGES LABELS HIDDEN BATCH THREADS EPOCHS\n");
        return 2;
    }
    uint32_t hidden = (uint32_t)strtoul(argv[3], NULL, 10), threads = (uint32_t)strtoul(argv[5], NULL, 10);
    uint32_t epochs = (uint32_t)strtoul(argv[6], NULL, 10);
    uint64_t batch = strtoul(argv[4], NULL, 10);

    if (epochs < 1 || epochs > MOST_EPOCHS || threads < 1 || threads > 64) {
        fprintf(stderr, "1 to %d epochs, 1 to 64 threads\n", MOST_EPOCHS);
        return 2;
    }
    load(argv[1], argv[2], &block, &dataset);
    check(split_make(&split, &dataset, &all, 0, &error), &error);

    struct train_spec spec = spec_of(&dataset, hidden, batch, epochs);
    struct train_data data = {.dataset = &dataset, .split = &split};
    struct trainer *trainer;
    struct train_plan plan;
    struct peak_shape square = {1024, 1024, 1024}, own = {(int64_t)batch, hidden > 0 ? hidden : 16, dataset.features};
    struct train_point point = {0};
    const struct train_sizes rows = train_data_sizes(&data);

    check(trainer_plan(&plan, &spec, &rows, threads, &error), &error);
    check(trainer_new(&trainer, &spec, &data, threads, &error), &error);
    for (uint32_t e = 0; e < epochs; e++) {
        double a = peak_of(square, threads), b = peak_of(own, threads), begin = now();

        for (uint64_t k = 0; k < plan.steps_per_epoch; k++) {
            int logged;

            check(trainer_step(trainer, &point, &logged, &error), &error);
        }
        rates[e] = (double)split.train_count / (now() - begin);
        peaks[e] = a > b ? a : b;
    }

    struct model model;
    uint64_t step;
    double rate = median(rates, epochs), peak = median(peaks, epochs);
    double flops = rate * (double)plan.flops_per_epoch / (double)split.train_count * 1e-9;

    check(trainer_model(trainer, &model, &step, &error), &error);
    printf("{\"hidden\":%u,\"batch\":%llu,\"threads\":%u,\"samples_per_second\":%.0f,\"gflops\":%.1f,\"peak_gflops\":%.1f,"
           "\"share\":%.3f,\"train_loss\":%.6f,\"train_accuracy\":%.4f,\"digest\":\"%s\"}\n",
           hidden, (unsigned long long)batch, threads, rate, flops, peak, flops / peak, point.train_loss,
           point.train_accuracy, model.digest);
    model_release(&model);
    trainer_free(trainer);
    split_release(&split);
    dataset_release(&dataset);
    buffer_sink_release(&block);
    return 0;
}
