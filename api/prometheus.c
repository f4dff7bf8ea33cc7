#include "prometheus.h"

#include <math.h>

static const char *const type_names[] = {
    [PROMETHEUS_COUNTER] = "counter", [PROMETHEUS_GAUGE] = "gauge", [PROMETHEUS_HISTOGRAM] = "histogram"};

const char *prometheus_type_name(enum prometheus_type type)
{
    return type_names[type];
}

/* Within a line a line feed and a backslash need an escape; within a label's value its quotes, too. */
static void put_escaped(struct text *out, const char *value, int quoted)
{
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            text_string(out, "\\n");
        } else {
            text_put(out, "\\", *value == '\\' || (quoted && *value == '"'));
            text_put(out, value, 1);
        }
    }
}

static void put_value(struct text *out, double value)
{
    if (isnan(value)) {
        text_string(out, "NaN");
    } else if (isinf(value)) {
        text_string(out, value > 0 ? "+Inf" : "-Inf");
    } else {
        text_number(out, value);
    }
}

/* family_suffix{label="value",le="bound"}, and a blank. bound NULL: none. */
static void put_series(struct text *out, const struct prometheus_series *series, const char *suffix, const double *bound)
{
    const char *separator = "{";

    text_string(out, series->family);
    text_string(out, suffix);
    for (size_t i = 0; i < series->label_count; i++, separator = ",") {
        text_string(out, separator);
        text_string(out, series->labels[i].name);
        text_string(out, "=\"");
        put_escaped(out, series->labels[i].value, 1);
        text_string(out, "\"");
    }
    if (bound != NULL) {
        text_string(out, separator);
        text_string(out, "le=\"");
        put_value(out, *bound);
        text_string(out, "\"");
    }
    text_string(out, series->label_count > 0 || bound != NULL ? "} " : " ");
}

static void put_count(struct text *out, uint64_t count)
{
    text_printf(out, "%llu\n", (unsigned long long)count);
}

void prometheus_family(struct text *out, const char *family, enum prometheus_type type, const char *help)
{
    text_string(out, "# HELP ");
    text_string(out, family);
    text_string(out, " ");
    put_escaped(out, help, 0);
    text_string(out, "\n# TYPE ");
    text_string(out, family);
    text_string(out, " ");
    text_string(out, type_names[type]);
    text_string(out, "\n");
}

void prometheus_sample(struct text *out, const struct prometheus_series *series, double value)
{
    put_series(out, series, "", NULL);
    put_value(out, value);
    text_string(out, "\n");
}

void prometheus_histogram(struct text *out, const struct prometheus_series *series,
                          const struct prometheus_histogram *histogram)
{
    static const double infinity = (double)INFINITY;
    uint64_t count = 0;

    for (size_t i = 0; i <= histogram->bound_count; i++) {
        count += histogram->counts[i];
        put_series(out, series, "_bucket", i < histogram->bound_count ? &histogram->bounds[i] : &infinity);
        put_count(out, count);
    }
    put_series(out, series, "_sum", NULL);
    put_value(out, histogram->sum);
    text_string(out, "\n");
    put_series(out, series, "_count", NULL);
    put_count(out, count);
}
