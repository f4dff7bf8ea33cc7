#include "core/data/gunzip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define INPUT_SIZE  16384
#define OUTPUT_SIZE 65536
#define GZIP_WINDOW (15 + 16) /* zlib's largest window, gzip header wanted */

struct gunzip {
    struct sink next;
    enum { UNDECIDED, PLAIN, COMPRESSED } mode;
    z_stream stream;
    int in_member; /* some of a gzip member was read, not all of it */
    uint64_t taken, given;
    size_t used; /* of input */
    unsigned char input[INPUT_SIZE];
    unsigned char output[OUTPUT_SIZE];
};

enum status gunzip_new(struct gunzip **gunzip, struct sink next, struct error *error)
{
    *gunzip = calloc(1, sizeof **gunzip);
    if (!*gunzip)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory to inflate gzip data");
    (*gunzip)->next = next;
    return STATUS_OK;
}

void gunzip_free(struct gunzip *gunzip)
{
    if (gunzip && gunzip->mode == COMPRESSED)
        (void)inflateEnd(&gunzip->stream);
    free(gunzip);
}

int gunzip_is_compressed(const struct gunzip *gunzip)
{
    return gunzip->mode == COMPRESSED;
}

static enum status corrupt(const struct gunzip *gunzip, struct error *error)
{
    return error_set_offset(error, STATUS_GZIP_CORRUPT, (int64_t)gunzip->taken, "the gzip data are damaged (%s)",
                            gunzip->stream.msg ? gunzip->stream.msg : "they end too early");
}

/* Inflates once, as much as fits the output. */
static enum status inflate_some(struct gunzip *gunzip, struct error *error)
{
    z_stream *stream = &gunzip->stream;
    uInt available = stream->avail_in;
    size_t size;
    int result;

    stream->next_out = gunzip->output;
    stream->avail_out = OUTPUT_SIZE;
    result = inflate(stream, Z_NO_FLUSH);
    size = OUTPUT_SIZE - stream->avail_out;
    gunzip->taken += available - stream->avail_in;
    gunzip->given += size;
    if (result == Z_MEM_ERROR)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory to inflate gzip data");
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        return corrupt(gunzip, error);
    gunzip->in_member = result != Z_STREAM_END;
    if (result == Z_STREAM_END && inflateReset(stream) != Z_OK)
        return corrupt(gunzip, error);
    if (gunzip->given > GUNZIP_RATIO_SLACK && gunzip->given / GUNZIP_MAX_RATIO > gunzip->taken)
        return error_set_offset(error, STATUS_COMPRESSION_RATIO, (int64_t)gunzip->taken,
                                "%" PRIu64 " bytes inflate to more than %d times as many", gunzip->taken, GUNZIP_MAX_RATIO);
    return size > 0 ? gunzip->next.write(gunzip->next.context, gunzip->output, size, error) : STATUS_OK;
}

/* Inflates all of the input block. A full output may leave more to come although the input is used up. */
static enum status inflate_block(struct gunzip *gunzip, struct error *error)
{
    enum status status = STATUS_OK;

    gunzip->stream.next_in = gunzip->input;
    gunzip->stream.avail_in = (uInt)gunzip->used;
    gunzip->stream.avail_out = 0;
    while (!status && (gunzip->stream.avail_in > 0 || (gunzip->in_member && gunzip->stream.avail_out == 0)))
        status = inflate_some(gunzip, error);
    gunzip->used = 0;
    return status;
}

static enum status decide(struct gunzip *gunzip, const unsigned char *bytes, size_t size, struct error *error)
{
    if (size < 2 || bytes[0] != 0x1F || bytes[1] != 0x8B) {
        gunzip->mode = PLAIN;
        return STATUS_OK;
    }
    if (inflateInit2(&gunzip->stream, GZIP_WINDOW) != Z_OK)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory to inflate gzip data");
    gunzip->mode = COMPRESSED;
    gunzip->in_member = 1;
    return STATUS_OK;
}

enum status gunzip_feed(struct gunzip *gunzip, const unsigned char *bytes, size_t size, struct error *error)
{
    enum status status = STATUS_OK;

    if (gunzip->mode == UNDECIDED && (status = decide(gunzip, bytes, size, error)))
        return status;
    if (gunzip->mode == PLAIN)
        return gunzip->next.write(gunzip->next.context, bytes, size, error);
    while (size > 0 && !status) {
        size_t part = INPUT_SIZE - gunzip->used < size ? INPUT_SIZE - gunzip->used : size;

        memcpy(gunzip->input + gunzip->used, bytes, part);
        gunzip->used += part;
        bytes += part;
        size -= part;
        if (gunzip->used == INPUT_SIZE)
            status = inflate_block(gunzip, error);
    }
    return status;
}

enum status gunzip_finish(struct gunzip *gunzip, struct error *error)
{
    enum status status;

    if (gunzip->mode != COMPRESSED)
        return STATUS_OK;
    if ((status = inflate_block(gunzip, error)))
        return status;
    return gunzip->in_member ? corrupt(gunzip, error) : STATUS_OK;
}
