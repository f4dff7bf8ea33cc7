/*
 * Model files: the bytes as they are, and with the right hash at their end, so that the checks behind the hash are met.
 * A file that is accepted must be written and read again alike.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/sha256.h"
#include "core/nn/model_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_and_write(const void *bytes, size_t size)
{
    struct model model, again;
    struct buffer_sink file = {0};

    if (model_file_read(&model, bytes, size, NULL) != STATUS_OK) {
        return;
    }
    if (model_file_write(&model, buffer_sink(&file), NULL) != STATUS_OK ||
        model_file_read(&again, file.data, file.size, NULL) != STATUS_OK || strcmp(again.digest, model.digest) != 0 ||
        again.temperature != model.temperature) {
        abort();
    }
    model_release(&again);
    model_release(&model);
    buffer_sink_release(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *hashed;
    struct sha256 hash;

    read_and_write(data, size);
    if (size < SHA256_BYTES || (hashed = malloc(size)) == NULL) {
        return 0;
    }
    memcpy(hashed, data, size);
    sha256_init(&hash);
    sha256_update(&hash, hashed, size - SHA256_BYTES);
    sha256_final(&hash, hashed + size - SHA256_BYTES);
    read_and_write(hashed, size);
    free(hashed);
    return 0;
}
