/*
 * POST /v1/cross_entropy: any body is refused, or its figures are what they must be: entropy and cross-entropy not below 0,
 * the divergence their difference, and an answer and a picture of them that are complete.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/cross_entropy_chart.h"
#include "api/cross_entropy_request.h"
#include "api/encode_cross_entropy.h"
#include "api/json.h"
#include "api/json_writer.h"
#include "api/problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Sums may be off by the tolerance, and so may what follows from them. */
static void check_pair(const struct cross_entropy_request *request, size_t i)
{
    struct cross_entropy figures = cross_entropy_request_compute(request, i);
    double slack = 1e-8 + 1e-11 * fabs(figures.cross_entropy);

    if (!(figures.entropy >= 0) || !(figures.cross_entropy >= -slack) || isnan(figures.kl) || isinf(figures.entropy)) {
        abort();
    }
    if (isinf(figures.cross_entropy) != isinf(figures.kl)) {
        abort();
    }
    if (!isinf(figures.kl) && (fabs(figures.cross_entropy - figures.entropy - figures.kl) > slack || figures.kl < -slack)) {
        abort();
    }
}

static void check_answer(const struct cross_entropy_request *request)
{
    struct json_document *document = NULL;
    struct json_writer writer = {.depth = 0};
    struct text picture = {.data = NULL};

    encode_cross_entropy(request, &writer);
    if (request->pairs <= 1000 && json_parse(&document, writer.text.data, writer.text.size, NULL, 0, NULL) != STATUS_OK) {
        abort();
    }
    cross_entropy_chart(request, &picture);
    if (picture.failed || strstr(picture.data, "nan") != NULL || strcmp(picture.data + picture.size - 7, "</svg>\n") != 0) {
        abort();
    }
    json_free(document);
    json_writer_release(&writer);
    text_release(&picture);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cross_entropy_request request;
    struct problem problem;

    problem_init(&problem);
    if (cross_entropy_request_decode(&request, (const char *)data, size, &problem) != problem.status) {
        abort();
    }
    if (problem.status == STATUS_OK) {
        for (size_t i = 0; i < request.pairs; i++) {
            check_pair(&request, i);
        }
        check_answer(&request);
    }
    cross_entropy_request_release(&request);
    problem_release(&problem);
    return 0;
}
