/* POST /v1/models/{id}/gradient_check: any body is refused with a problem, or its values are in their ranges. */
#include <stdint.h>
#include <stdlib.h>

#include "api/gradient_check_request.h"
#include "api/problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gradient_check_request request;
    struct problem problem;

    problem_init(&problem);
    enum status status = gradient_check_request_decode(&request, (const char *)data, size, &problem);
    int in_range = request.rows >= 1 && request.rows <= GRADIENT_CHECK_MAX_ROWS && request.h >= 1e-9 && request.h <= 0.1;

    if (status != problem.status || (status == STATUS_OK && !in_range)) {
        abort();
    }
    gradient_check_request_release(&request);
    problem_release(&problem);
    return 0;
}
