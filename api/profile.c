#include "api/profile.h"

#include <math.h>
#include <stddef.h>

#include "api/json.h"

const char *profile_phase_name(enum phase phase)
{
    static const char *const names[PHASE_COUNT] = {
#define PHASE(name, text, meaning) [PHASE_##name] = text,
        PHASES(PHASE)
#undef PHASE
    };

    return names[phase];
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : (double)NAN;
}

/* What two cores' counters differ by may have made very few ticks less than none. */
static double ticks_in(const struct profile_counts *counts, int phase)
{
    return counts->ticks[phase] <= INT64_MAX ? (double)counts->ticks[phase] : 0;
}

void profile_of_counts(struct profile *profile, const struct profile_counts *counts, double thread_peak)
{
    double seconds = 1e-9 * (double)counts->nanoseconds, ticks = 0;

    *profile = (struct profile){.threads = ratio((double)counts->thread_nanoseconds, (double)counts->nanoseconds),
                                .seconds = seconds,
                                .steps = counts->steps,
                                .samples_per_second = ratio((double)counts->samples, seconds)};
    for (int p = 0; p < PHASE_COUNT; p++) {
        ticks += ticks_in(counts, p);
    }
    for (int p = 0; p < PHASE_COUNT; p++) {
        profile->shares[p] = ratio(ticks_in(counts, p), ticks);
    }
    profile->gflops =
        counts->step_flops > 0 ? ratio(1e-9 * (double)counts->step_flops * (double)counts->steps, seconds) : (double)NAN;
    profile->peak_gflops = thread_peak > 0 ? 1e-9 * thread_peak * profile->threads : (double)NAN;
}

/* ---- from results ---- */

/* A number, NaN for one that was not known. Returns 0 where there is neither. */
static int read_number(const struct json_value *object, const char *key, double *number)
{
    const struct json_value *value = json_type(object) == JSON_OBJECT ? json_get(object, key) : NULL;

    if (value == NULL || (json_type(value) != JSON_NUMBER && json_type(value) != JSON_NULL)) {
        return 0;
    }
    *number = json_type(value) == JSON_NUMBER ? json_to_number(value) : (double)NAN;
    return 1;
}

static int read_phases(struct profile *profile, const struct json_value *object)
{
    const struct json_value *list = json_get(object, "phases");
    int count = 0;

    if (list == NULL || json_type(list) != JSON_ARRAY || json_count(list) != PHASE_COUNT) {
        return 0;
    }
    for (const struct json_value *item = json_first(list); item != NULL; item = json_next(item)) {
        if (!read_number(item, "share", &profile->shares[count++])) {
            return 0;
        }
    }
    return 1;
}

static int read_profile(struct profile *profile, const struct json_value *object)
{
    double steps;

    if (json_type(object) != JSON_OBJECT || !read_number(object, "steps", &steps) ||
        !(steps >= 0 && steps <= 9007199254740991.0)) {
        return 0;
    }
    profile->steps = (uint64_t)steps;
    return read_number(object, "threads", &profile->threads) && read_number(object, "seconds", &profile->seconds) &&
           read_number(object, "samples_per_second", &profile->samples_per_second) && read_phases(profile, object) &&
           read_number(object, "gflops", &profile->gflops) && read_number(object, "peak_gflops", &profile->peak_gflops);
}

enum status profile_of_results(struct profile *profile, int *found, const char *results, size_t size, struct error *error)
{
    /* what may be too large for a tree, and is not looked at */
    static const char *const bulk[] = {"/splits/train/confusion_matrix",      "/splits/train/per_class",
                                       "/splits/validation/confusion_matrix", "/splits/validation/per_class",
                                       "/splits/test/confusion_matrix",       "/splits/test/per_class"};
    struct error reason = {.status = STATUS_OK};
    struct json_document *document;
    const struct json_value *object = NULL;
    int good;

    *profile = (struct profile){.steps = 0};
    *found = 0;
    if (json_parse(&document, results, size, bulk, sizeof bulk / sizeof *bulk, &reason) != STATUS_OK) {
        return error_set(error, reason.status == STATUS_OUT_OF_MEMORY ? STATUS_OUT_OF_MEMORY : STATUS_OBJECT_CORRUPT,
                         "the stored results cannot be read: %s", reason.message);
    }
    if (json_type(json_root(document)) == JSON_OBJECT) {
        object = json_get(json_root(document), "profile");
    }
    *found = object != NULL;
    good = object == NULL || read_profile(profile, object);
    json_free(document);
    return good ? STATUS_OK : error_set(error, STATUS_OBJECT_CORRUPT, "the stored profile cannot be read");
}
