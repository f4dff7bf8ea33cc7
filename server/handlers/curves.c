/* The curves of a job. */
#include <inttypes.h>

#include "api/chart_ascii.h"
#include "api/chart_svg.h"
#include "api/curve.h"
#include "api/encode_metrics.h"
#include "api/json_writer.h"
#include "api/query.h"
#include "api/routes.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/store/jobs.h"
#include "server/store/metrics.h"

static struct curve_options options_of(const struct query *query, int is_chart)
{
    struct curve_options options = {.series = (unsigned)query_integer(query, PARAMETER_NAMES),
                                    .after_step = (uint64_t)query_integer(query, PARAMETER_AFTER_STEP),
                                    .max_points = (uint32_t)query_integer(query, PARAMETER_MAX_POINTS),
                                    .minmax = query_integer(query, PARAMETER_DOWNSAMPLE) == 0,
                                    .smooth = query_number(query, PARAMETER_SMOOTH)};

    if (is_chart && options.series == 0) {
        options.series = CURVE_CHART_SERIES;
    }
    return options;
}

static void write_curve(const struct curve *curve, const struct request *request, enum media media,
                        struct json_writer *writer)
{
    const char *id = request_parameter(request, 0);

    switch (media) {
    case MEDIA_CSV:
        encode_metrics_csv(curve, &writer->text);
        break;
    case MEDIA_NDJSON:
        encode_metrics_ndjson(curve, &writer->text);
        break;
    case MEDIA_SVG:
        chart_svg(curve, id, &writer->text);
        break;
    case MEDIA_ASCII:
        chart_ascii(curve, id, (uint32_t)query_integer(request_query(request), PARAMETER_WIDTH), &writer->text);
        break;
    default:
        encode_metrics_json(curve, id, writer);
        break;
    }
}

static void answer_curve(struct request *request, const struct metric_list *rows, enum media media, const char *tag)
{
    struct curve_options options = options_of(request_query(request), media == MEDIA_SVG || media == MEDIA_ASCII);
    struct json_writer writer = {0};
    struct response response;
    struct curve curve;
    struct error error = {0};

    if (curve_select(&curve, rows->rows, rows->count, &options, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    write_curve(&curve, request, media, &writer);
    curve_release(&curve);
    reply_text_response(&response, request, 200, media, &writer);
    reply_add_tag(&response, tag);
    request_respond(request, &response);
}

/* FNV-1a: tags of different queries differ. */
static uint32_t hash_of(const char *text)
{
    uint32_t hash = UINT32_C(2166136261);

    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * UINT32_C(16777619);
    }
    return hash;
}

void get_job_metrics(struct app *app, struct request *request)
{
    char tag[REPLY_TAG_TEXT];
    struct metric_list rows;
    struct error error = {0};
    enum media media;
    enum status status = reply_negotiate(request, PARAMETER_METRICS_FORMAT, &media, &error);

    if (status == STATUS_OK) {
        status = metrics_list(app->store, request_parameter(request, 0), -1, &rows, &error);
    }
    if (status != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    reply_tag(tag, "%" PRIu64 "-%s-%08" PRIx32, rows.version, media_word(media), hash_of(request_target(request)));
    if (!reply_not_modified(request, tag)) {
        answer_curve(request, &rows, media, tag);
    }
    metric_list_release(&rows);
}
