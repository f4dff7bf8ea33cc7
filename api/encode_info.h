/* The server about itself: GET /v1 and the health checks. */
#ifndef DESCENT_API_ENCODE_INFO_H
#define DESCENT_API_ENCODE_INFO_H

#include <stdint.h>

#include "core/base/precision.h"

struct json_writer;

struct server_info {
    const char *version, *commit;
    const char *kernel_tiers[PRECISION_COUNT]; /* of jobs by precision; NULL: there are none. Float32's always is */
    uint32_t cores, threads;                   /* of the machine; for training */
    int64_t started_at;                        /* ms since 1970 */
    double uptime_seconds;
    uint64_t memory_bytes; /* budget for training */
    uint64_t max_body_bytes, max_dataset_bytes;
    uint64_t max_connections, max_queued_jobs;
};
void encode_info(const struct server_info *info, struct json_writer *writer);
/* {"status":"ok"} */
void encode_health(struct json_writer *writer);

#endif
