/*
 * Trains jobs as the server does, but without one: what is timed are updates and nothing else.
 *
 *     train IMAGES LABELS THREADS            IDX files, raw or gzip'ed
 *     train IMAGES LABELS THREADS FOLDER     no training: what another program needs to do the same work
 *
 * Each line of the standard input is a job as POST /v1/jobs takes it, whose data set is not looked at. Each is answered by
 * a line of JSON: steps, samples and seconds of all updates, the last epoch's training loss, the digest of the weights,
 * and what the plan says of the work. With l2 also the objective on all training rows, which is not in the seconds.
 *
 * Into FOLDER go `parameters`, float32 in canonical order (core/nn/model.h) as training begins with them, and `order`,
 * uint32 [epochs][rows]: the rows as each epoch visits them. Both are little-endian.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/job_request.h"
#include "core/data/attach_labels.h"
#include "core/data/idx_labels.h"
#include "core/data/parser.h"

#define MOST_THREADS 64

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(enum status status, const struct error *error)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "train: %s: %s\n", status_code(status), error->message);
        exit(1);
    }
}

static void check_problem(enum status status, const struct problem *problem)
{
    if (status != STATUS_OK) {
        char *text = problem_encode(problem, NULL, &(size_t){0});

        fprintf(stderr, "train: %s\n", text != NULL ? text : status_code(status));
        exit(1);
    }
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

/* ---- what the same work needs elsewhere ---- */

static void write_file(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void write_begin(const char *folder, const struct train_spec *spec, const struct model *model, uint32_t rows)
{
    uint32_t *order = malloc((size_t)spec->epochs * rows * sizeof *order);

    if (order == NULL) {
        exit(1);
    }
    for (uint32_t epoch = 0; epoch < spec->epochs; epoch++) {
        sampler_order(spec->shuffle, spec->seed, epoch, rows, order + (size_t)epoch * rows);
    }
    write_file(folder, "order", order, (size_t)spec->epochs * rows * sizeof *order);
    write_file(folder, "parameters", model->parameters, model->parameter_count * sizeof(float));
    free(order);
}

/* ---- training ---- */

static struct train_point train(struct trainer *trainer, double *seconds)
{
    struct train_point point = {0};
    struct train_progress progress;
    struct error error = {0};
    double begin = now();

    do {
        int logged;

        check(trainer_step(trainer, &point, &logged, &error), &error);
        trainer_progress(trainer, &progress);
    } while (!progress.finished);
    *seconds = now() - begin;
    return point;
}

/* Shares of the threads' time. */
static void report_phases(const struct trainer *trainer)
{
    static const char *const NAMES[PHASE_COUNT] = {
#define NAME(name, text, meaning) [PHASE_##name] = text,
        PHASES(NAME)
#undef NAME
    };
    uint64_t ticks[PHASE_COUNT], all = 0;

    trainer_ticks(trainer, ticks);
    for (int p = 0; p < PHASE_COUNT; p++) {
        all += ticks[p];
    }
    for (int p = 0; p < PHASE_COUNT; p++) {
        printf("%s\"%s\":%.4f", p == 0 ? ",\"phases\":{" : ",", NAMES[p], all > 0 ? (double)ticks[p] / (double)all : 0);
    }
    printf("}");
}

static void report(struct trainer *trainer, const struct train_spec *spec, const struct train_plan *plan, uint64_t rows,
                   const struct train_point *point, double seconds)
{
    struct train_progress progress;
    struct model model;
    uint64_t step;
    struct error error = {0};

    trainer_progress(trainer, &progress);
    check(trainer_model(trainer, &model, &step, &error), &error);
    printf("{\"steps\":%llu,\"samples\":%llu,\"seconds\":%.6f,\"loss\":%.9g,\"digest\":\"%s\",\"parameters\":%llu,"
           "\"flops_per_sample\":%.9g",
           (unsigned long long)progress.step, (unsigned long long)progress.samples_seen, seconds, point->train_loss,
           model.digest, (unsigned long long)plan->parameters, (double)plan->flops_per_epoch / (double)rows);
    report_phases(trainer);
    if (spec->loss.l2 > 0) {
        struct scores scores;
        double objective;
        int present;

        check(trainer_evaluate(trainer, PART_TRAIN, &scores, &objective, &present, &error), &error);
        printf(",\"objective\":%.12g", objective);
        scores_release(&scores);
    }
    printf("}\n");
    fflush(stdout);
    model_release(&model);
}

static void run(const char *line, size_t size, const struct dataset *dataset, uint32_t threads, const char *folder)
{
    struct job_request request;
    struct problem problem;
    struct split split;
    struct trainer *trainer;
    struct train_plan plan;
    struct error error = {0};

    problem_init(&problem);
    check_problem(job_request_decode(&request, line, size, &problem), &problem);
    check(split_make(&split, dataset, &request.split, request.train.seed, &error), &error);
    check_problem(job_request_resolve(&request, dataset, &split, NULL, &problem), &problem);
    struct train_data data = {.dataset = dataset, .split = &split};
    const struct train_sizes sizes = train_data_sizes(&data);
    check(trainer_plan(&plan, &request.train, &sizes, threads, &error), &error);
    check(trainer_new(&trainer, &request.train, &data, threads, &error), &error);
    if (folder != NULL) {
        struct model model;
        uint64_t step;

        check(trainer_model(trainer, &model, &step, &error), &error);
        write_begin(folder, &request.train, &model, (uint32_t)split.train_count);
        model_release(&model);
    } else {
        double seconds;
        struct train_point point = train(trainer, &seconds);

        report(trainer, &request.train, &plan, split.train_count, &point, seconds);
    }
    trainer_free(trainer);
    split_release(&split);
    job_request_release(&request);
    problem_release(&problem);
}

int main(int argc, char **argv)
{
    struct buffer_sink block = {0};
    struct dataset dataset;
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    unsigned long threads = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;

    if ((argc != 4 && argc != 5) || threads < 1 || threads > MOST_THREADS) {
        fprintf(stderr, "usage: train IMAGES LABELS THREADS [FOLDER] <JOBS; 1 to %d threads\n", MOST_THREADS);
        return 2;
    }
    load(argv[1], argv[2], &block, &dataset);
    while ((size = getline(&line, &room, stdin)) > 0) {
        run(line, (size_t)size, &dataset, (uint32_t)threads, argc == 5 ? argv[4] : NULL);
    }
    free(line);
    dataset_release(&dataset);
    buffer_sink_release(&block);
    return 0;
}
