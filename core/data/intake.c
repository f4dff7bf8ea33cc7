#include "core/data/intake.h"

#include <string.h>

static enum status pass_head(struct intake *intake, struct error *error)
{
    const char *foreign = sniff_foreign(intake->format, intake->head, intake->head_size);

    intake->passed = 1;
    if (foreign)
        return error_set_offset(error, STATUS_FORMAT_MISMATCH, 0, "this is %s, not %s", foreign,
                                data_format_name(intake->format));
    return intake->next.write(intake->next.context, intake->head, intake->head_size, error);
}

static enum status feed(struct intake *intake, const unsigned char *bytes, size_t size, struct error *error)
{
    enum status status;

    if (!intake->passed && size > 0) {
        size_t missing = SNIFF_SIZE - intake->head_size;
        size_t taken = missing < size ? missing : size;

        memcpy(intake->head + intake->head_size, bytes, taken);
        intake->head_size += taken;
        bytes += taken;
        size -= taken;
        if (intake->head_size == SNIFF_SIZE && (status = pass_head(intake, error)))
            return status;
    }
    return size > 0 ? intake->next.write(intake->next.context, bytes, size, error) : STATUS_OK;
}

static enum status finish(struct intake *intake, struct error *error)
{
    enum status status;

    if (intake->head_size == 0)
        return error_set(error, STATUS_DATASET_EMPTY, "the file has no bytes");
    if (!intake->passed && (status = pass_head(intake, error)))
        return status;
    return intake->finish(intake->next.context, error);
}

/* Gives the kept error, if there is one, to the caller. */
static enum status repeat(const struct intake *intake, struct error *error)
{
    if (intake->failure.status && error && error->status == STATUS_OK)
        *error = intake->failure;
    return intake->failure.status;
}

enum status intake_feed(struct intake *intake, const unsigned char *bytes, size_t size, struct error *error)
{
    if (!intake->failure.status)
        intake->failure.status = feed(intake, bytes, size, &intake->failure);
    return repeat(intake, error);
}

enum status intake_finish(struct intake *intake, struct error *error)
{
    if (!intake->failure.status)
        intake->failure.status = finish(intake, &intake->failure);
    return repeat(intake, error);
}
