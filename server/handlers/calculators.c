/* What is computed from a request alone: nothing is read, nothing is kept. */
#include "api/cross_entropy_chart.h"
#include "api/cross_entropy_request.h"
#include "api/encode_cross_entropy.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/routes.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"

static void answer_cross_entropy(struct request *request, const struct cross_entropy_request *wanted, enum media media)
{
    struct json_writer writer = {0};

    if (media == MEDIA_SVG) {
        cross_entropy_chart(wanted, &writer.text);
    } else {
        encode_cross_entropy(wanted, &writer);
    }
    reply_text(request, 200, media, &writer);
}

void measure_cross_entropy(struct app *app, struct request *request)
{
    struct cross_entropy_request wanted;
    struct problem problem;
    struct error error = {0};
    enum media media;
    size_t size;
    const char *body = request_body(request, &size);

    (void)app;
    if (reply_negotiate(request, PARAMETER_PICTURE_FORMAT, &media, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    problem_init(&problem);
    if (cross_entropy_request_decode(&wanted, body, size, &problem) != STATUS_OK) {
        request_respond_problem(request, &problem);
    } else {
        answer_cross_entropy(request, &wanted, media);
    }
    cross_entropy_request_release(&wanted);
    problem_release(&problem);
}
