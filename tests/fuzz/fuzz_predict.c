/* Bodies of predictions. The first byte chooses the format and the model's features, the rest is the body. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/predict_request.h"
#include "api/problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct predict_request request;
    struct problem problem;
    uint32_t features;
    char *body;
    enum status status;

    if (size == 0) {
        return 0;
    }
    features = 1 + data[0] % 8;
    body = malloc(size); /* as the transport gives it: with a NUL behind it */
    if (body == NULL) {
        return 0;
    }
    memcpy(body, data + 1, size - 1);
    body[size - 1] = '\0';
    problem_init(&problem);
    status = data[0] & 0x80 ? predict_request_decode_csv(&request, body, size - 1, features, &problem)
                            : predict_request_decode(&request, body, size - 1, features, &problem);
    if (status != problem.status) {
        abort();
    }
    for (uint64_t i = 0; status == STATUS_OK && i < request.rows * features; i++) {
        if (!isfinite(request.x[i])) {
            abort();
        }
    }
    predict_request_release(&request);
    problem_release(&problem);
    free(body);
    return 0;
}
