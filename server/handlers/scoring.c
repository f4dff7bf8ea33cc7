#include "server/handlers/scoring.h"

/* How many are at work, in the whole process. */
static atomic_uint passes;

enum status scoring_begin(const struct app *app, struct error *error)
{
    uint64_t allowed = (app->config->http_threads + 1) / 2;

    if (atomic_fetch_add(&passes, 1) < allowed) {
        return STATUS_OK;
    }
    atomic_fetch_sub(&passes, 1);
    return error_set(error, STATUS_OVERLOADED, "%llu data sets are being scored already", (unsigned long long)allowed);
}

void scoring_end(void)
{
    atomic_fetch_sub(&passes, 1);
}
