/* Curves as data: columns of numbers as JSON, a CSV table, or one JSON object a line. */
#ifndef DESCENT_API_ENCODE_METRICS_H
#define DESCENT_API_ENCODE_METRICS_H

#include "api/curve.h"

struct json_writer;
struct text;

/*
 * {"object":"curves","job":...,"columns":["step","epoch","seconds",...],"data":[[...],...],"total_points","last_step",
 * "has_more","nonfinite":[...]}. Not measured and not finite are null.
 */
void encode_metrics_json(const struct curve *curve, const char *job, struct json_writer *writer);
/* Header line, then one line a point; not measured: empty; not finite: inf or -inf. */
void encode_metrics_csv(const struct curve *curve, struct text *out);
/* One object a line, only what was measured there. */
void encode_metrics_ndjson(const struct curve *curve, struct text *out);

#endif
