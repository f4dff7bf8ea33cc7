/* The picture of a point_comparison: which points form a line, and where words lie on x. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/point_comparison.h"

/* Everything that the plot borrows. */
struct drawing {
    struct plot_series series[COMPARE_MAX_JOBS];
    const struct compare_value *groups[COMPARE_MAX_JOBS]; /* of each series */
    struct plot_point points[COMPARE_MAX_JOBS];           /* series after series */
    const char *words[COMPARE_MAX_JOBS];                  /* of x, where it is no number */
    size_t series_count, point_count, word_count;
};

static int same_value(const struct compare_value *a, const struct compare_value *b)
{
    return a->is_there == b->is_there && strcmp(a->words, b->words) == 0;
}

static int all_are_numbers(const struct point_comparison *comparison)
{
    for (size_t i = 0; i < comparison->count; i++) {
        if (comparison->points[i].x.is_there && !comparison->points[i].x.is_number) {
            return 0;
        }
    }
    return 1;
}

/* The place of the words among those that there are, in the order in which they come. */
static double place_of(struct drawing *drawing, const char *words)
{
    size_t place = 0;

    while (place < drawing->word_count && strcmp(drawing->words[place], words) != 0) {
        place++;
    }
    if (place == drawing->word_count) {
        drawing->words[drawing->word_count++] = words;
    }
    return (double)place;
}

static int by_x(const void *a, const void *b)
{
    const struct plot_point *left = a, *right = b;

    return (left->x > right->x) - (left->x < right->x);
}

/* The points of one group, by x; a job that failed breaks their line. */
static void add_series(struct drawing *drawing, const struct point_comparison *comparison, const struct compare_value *group,
                       int numbers)
{
    struct plot_series *series = &drawing->series[drawing->series_count];
    struct plot_point *points = &drawing->points[drawing->point_count];
    size_t count = 0;

    for (size_t i = 0; i < comparison->count; i++) {
        const struct compared_point *point = &comparison->points[i];

        if (point->x.is_there && same_value(&point->group, group)) {
            double x = numbers ? point->x.number : place_of(drawing, point->x.words);

            points[count++] = (struct plot_point){x, point->status == JOB_FAILED ? (double)INFINITY : point->y};
        }
    }
    if (count == 0) {
        return;
    }
    qsort(points, count, sizeof *points, by_x);
    *series = (struct plot_series){.points = points, .count = count, .has_line = 1};
    for (size_t i = 1; i < count; i++) {
        series->has_line = series->has_line && points[i].x != points[i - 1].x;
    }
    series->name = comparison->group == NULL ? compare_metric_get(comparison->metric)->name
                   : group->is_there         ? group->words
                                             : "none";
    if (count == 1 && isfinite(points[0].y)) {
        (void)snprintf(series->note, sizeof series->note, "%.3g", points[0].y);
    }
    drawing->groups[drawing->series_count++] = group;
    drawing->point_count += count;
}

static int is_drawn(const struct drawing *drawing, const struct compare_value *group)
{
    for (size_t s = 0; s < drawing->series_count; s++) {
        if (same_value(drawing->groups[s], group)) {
            return 1;
        }
    }
    return 0;
}

static size_t count_failed(const struct point_comparison *comparison)
{
    size_t failed = 0;

    for (size_t i = 0; i < comparison->count; i++) {
        failed += comparison->points[i].status == JOB_FAILED;
    }
    return failed;
}

/* The last segment of a pointer: what its value is called. */
static const char *short_name(const char *pointer)
{
    const char *slash = strrchr(pointer, '/');

    return slash != NULL && slash[1] != '\0' ? slash + 1 : pointer;
}

enum status point_comparison_draw(const struct point_comparison *comparison, enum plot_scale scale, uint32_t width,
                                  struct text *out, struct error *error)
{
    const struct compare_metric *metric = compare_metric_get(comparison->metric);
    struct drawing *drawing = calloc(1, sizeof *drawing);
    int numbers = all_are_numbers(comparison);
    size_t failed = count_failed(comparison);
    char title[160], subtitle[64];

    if (drawing == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a chart of %zu jobs", comparison->count);
    }
    for (size_t i = 0; i < comparison->count; i++) {
        if (!is_drawn(drawing, &comparison->points[i].group)) {
            add_series(drawing, comparison, &comparison->points[i].group, numbers);
        }
    }
    (void)snprintf(title, sizeof title, "%s against %.100s", metric->name, short_name(comparison->against));
    (void)snprintf(subtitle, sizeof subtitle, failed > 0 ? "%zu %s, %zu failed" : "%zu %s", comparison->count,
                   comparison->count == 1 ? "job" : "jobs", failed);
    struct plot plot = {.title = title,
                        .subtitle = subtitle,
                        .x_name = short_name(comparison->against),
                        .y_name = metric->axis,
                        .series = drawing->series,
                        .series_count = drawing->series_count,
                        .categories = numbers ? NULL : drawing->words,
                        .category_count = drawing->word_count,
                        .y_scale = scale == PLOT_SCALE_AUTO && !metric->logarithmic ? PLOT_SCALE_LINEAR : scale,
                        .x_margin = 1};
    if (width == 0) {
        plot_svg(&plot, out);
    } else {
        plot_ascii(&plot, width, out);
    }
    free(drawing);
    return STATUS_OK;
}
