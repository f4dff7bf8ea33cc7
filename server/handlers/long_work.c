#include "server/handlers/long_work.h"

#include <stdatomic.h>

#include "server/handlers/handlers.h"

/* How many are at work, in the whole process. */
static atomic_uint at_work;

enum status long_work_begin(const struct app *app, struct error *error)
{
    uint64_t allowed = (app->config->http_threads + 1) / 2;

    if (atomic_fetch_add(&at_work, 1) < allowed) {
        return STATUS_OK;
    }
    atomic_fetch_sub(&at_work, 1);
    return error_set(error, STATUS_OVERLOADED, "%llu requests that take long are being worked on already",
                     (unsigned long long)allowed);
}

void long_work_end(void)
{
    atomic_fetch_sub(&at_work, 1);
}
