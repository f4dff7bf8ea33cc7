#include "encode_cross_entropy.h"

#include <math.h>
#include <stddef.h>

#include "api/cross_entropy_request.h"
#include "api/json_writer.h"

static const struct {
    const char *name;
    size_t offset; /* in struct cross_entropy */
} figures_table[] = {
    {"cross_entropy", offsetof(struct cross_entropy, cross_entropy)},
    {"entropy", offsetof(struct cross_entropy, entropy)},
    {"kl", offsetof(struct cross_entropy, kl)},
};
#define FIGURE_COUNT (sizeof figures_table / sizeof *figures_table)

/* Figure f of pair i; f FIGURE_COUNT: whether it is infinite. */
static void write_one(const struct cross_entropy_request *request, size_t f, size_t i, struct json_writer *writer)
{
    struct cross_entropy figures = cross_entropy_request_compute(request, i);

    if (f < FIGURE_COUNT) {
        json_number(writer, *(const double *)(const void *)((const char *)&figures + figures_table[f].offset));
    } else {
        json_bool(writer, isinf(figures.cross_entropy));
    }
}

void encode_cross_entropy(const struct cross_entropy_request *request, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "cross_entropy");
    for (size_t f = 0; f <= FIGURE_COUNT; f++) {
        json_key(writer, f < FIGURE_COUNT ? figures_table[f].name : "infinite");
        if (!request->is_list) {
            write_one(request, f, 0, writer);
            continue;
        }
        json_begin_array(writer);
        for (size_t i = 0; i < request->pairs; i++) {
            write_one(request, f, i, writer);
        }
        json_end_array(writer);
    }
    json_end_object(writer);
}
