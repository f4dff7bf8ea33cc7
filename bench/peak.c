/*
 * What this machine can do at most: rates of oneDNN's products and convolutions and of the memory, with nothing around them.
 *
 *     peak THREADS
 *
 * Each line of the standard input is a question, answered by the rates of all threads at once, each with data of its own:
 *
 *     sgemm M N K                                    C [m][n] = A [m][k] B [k][n]: {"gflops": ...}
 *     convolution N C F HEIGHT WIDTH KERNEL PADDING  n images of c channels, f filters, in the layouts that the library
 *                                                    likes best: {"forward": ..., "data": ..., "weights": ...} in GFLOP/s
 *     triad                                          a = b + s c on arrays far beyond the caches: {"gbytes": ...}
 */
#include "bench/peak.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_THREADS 64
#define MOST_SIZES   7
#define SECONDS      0.2
#define TRIAD_COUNT  (8 << 20)

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void peak_check(dnnl_status_t status)
{
    if (status != dnnl_success) {
        fprintf(stderr, "peak: oneDNN's status %d\n", (int)status);
        exit(1);
    }
}

double peak_rate(struct peak_thread *self, double each, void (*work)(void *), void *context)
{
    double begin, end;
    long done = 0;

    work(context);
    pthread_barrier_wait(self->start);
    begin = end = now();
    for (; end - begin < SECONDS; end = now(), done++) {
        work(context);
    }
    return each * 1e-9 * (double)done / (end - begin);
}

float *peak_values(size_t count)
{
    float *values = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);

    if (values == NULL) {
        perror("peak");
        exit(1);
    }
    for (size_t i = 0; i < count; i++) {
        values[i] = 0.5F + (float)(i % 7) * 0.1F;
    }
    return values;
}

/* ---- products ---- */

struct product {
    long m, n, k;
    float *a, *b, *c;
};

static void multiply(void *context)
{
    const struct product *p = context;

    peak_check(dnnl_sgemm('N', 'N', p->m, p->n, p->k, 1, p->a, p->k, p->b, p->n, 0, p->c, p->n));
}

static void measure_product(struct peak_thread *self)
{
    long m = self->sizes[0], n = self->sizes[1], k = self->sizes[2];
    struct product p = {m, n, k, peak_values((size_t)(m * k)), peak_values((size_t)(k * n)), peak_values((size_t)(m * n))};

    self->rates[0] = peak_rate(self, 2.0 * (double)m * (double)n * (double)k, multiply, &p);
    free(p.a);
    free(p.b);
    free(p.c);
}

/* ---- memory ---- */

struct triad {
    float *a, *b, *c;
};

static void add_scaled(void *context)
{
    const struct triad *t = context;

    for (size_t i = 0; i < TRIAD_COUNT; i++) {
        t->a[i] = t->b[i] + 3 * t->c[i];
    }
}

static void measure_triad(struct peak_thread *self)
{
    struct triad t = {peak_values(TRIAD_COUNT), peak_values(TRIAD_COUNT), peak_values(TRIAD_COUNT)};

    self->rates[0] = peak_rate(self, 3.0 * sizeof(float) * TRIAD_COUNT, add_scaled, &t);
    free(t.a);
    free(t.b);
    free(t.c);
}

/* ---- questions and answers ---- */

static const struct question {
    const char *name;
    void (*measure)(struct peak_thread *self);
    const char *rates[PEAK_RATES];
} QUESTIONS[] = {
    {"sgemm", measure_product, {"gflops"}},
    {"convolution", peak_convolution, {"forward", "data", "weights"}},
    {"triad", measure_triad, {"gbytes"}},
};

struct task {
    const struct question *question;
    struct peak_thread self;
};

static void *work(void *argument)
{
    struct task *task = argument;

    omp_set_num_threads(1); /* a setting of the calling thread: the library's own threads stay out */
    task->question->measure(&task->self);
    return NULL;
}

static void answer(const struct question *question, const long *sizes, int threads)
{
    struct task tasks[MOST_THREADS];
    pthread_t handles[MOST_THREADS];
    pthread_barrier_t start;

    pthread_barrier_init(&start, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        tasks[i] = (struct task){question, {.sizes = sizes, .start = &start}};
        if (pthread_create(&handles[i], NULL, work, &tasks[i]) != 0) {
            perror("peak");
            exit(1);
        }
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(handles[i], NULL);
    }
    pthread_barrier_destroy(&start);
    for (int r = 0; r < PEAK_RATES && question->rates[r] != NULL; r++) {
        double sum = 0;

        for (int i = 0; i < threads; i++) {
            sum += tasks[i].self.rates[r];
        }
        printf("%s\"%s\":%.2f", r > 0 ? "," : "{", question->rates[r], sum);
    }
    printf("}\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[256];
    int threads = argc == 2 ? (int)strtol(argv[1], NULL, 10) : 0;

    if (threads < 1 || threads > MOST_THREADS) {
        fprintf(stderr, "usage: peak THREADS <QUESTIONS; 1 to %d threads\n", MOST_THREADS);
        return 2;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *place = strchr(line, ' ');
        long sizes[MOST_SIZES] = {0};
        size_t name = strcspn(line, " \n");

        for (int i = 0; i < MOST_SIZES && place != NULL; i++) {
            sizes[i] = strtol(place, &place, 10);
        }
        for (size_t i = 0; i < sizeof QUESTIONS / sizeof *QUESTIONS; i++) {
            if (strlen(QUESTIONS[i].name) == name && strncmp(QUESTIONS[i].name, line, name) == 0) {
                answer(&QUESTIONS[i], sizes, threads);
            }
        }
    }
    return 0;
}
