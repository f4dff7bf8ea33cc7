/* What descents are answered with, as JSON; as a picture: landscape_svg.h. */
#ifndef DESCENT_API_ENCODE_DESCENT_H
#define DESCENT_API_ENCODE_DESCENT_H

#include "api/descent_request.h"
#include "core/landscape/descent_result.h"

struct json_writer;

/*
 * results [start_count * optimizer_count], in the order of descent_request_task. known: among which the nearest critical
 * points are; NULL: none were looked for.
 */
void encode_descents(const struct descent_request *request, const struct descent_result *results,
                     const struct critical_points *known, struct json_writer *writer);

#endif
