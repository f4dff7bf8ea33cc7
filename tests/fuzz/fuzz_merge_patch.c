/* A target and a patch, divided by a NUL: what comes out of two JSON texts is JSON, and the patch, applied again, changes
 * nothing more. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_validator.h"
#include "api/merge_patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status validate(const char *text, size_t size)
{
    return json_validate(text, size, NULL, 0, NULL, NULL);
}

/* What was small enough before may be too large now, but never another thing than JSON. */
static void check(const struct text *merged)
{
    enum status status = validate(merged->data, merged->size);

    if (merged->failed ||
        (status != STATUS_OK && status != STATUS_JSON_TOO_MANY_NODES && status != STATUS_JSON_TOO_MANY_KEYS)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *middle = size > 0 ? memchr(data, 0, size) : NULL;
    struct text once = {.data = NULL}, twice = {.data = NULL};

    if (middle == NULL) {
        return 0;
    }
    size_t target_size = (size_t)(middle - data), patch_size = size - target_size - 1;
    char *target = malloc(target_size + 1), *patch = malloc(patch_size + 1);
    if (target == NULL || patch == NULL) {
        abort();
    }
    memcpy(target, data, target_size);
    memcpy(patch, middle + 1, patch_size);
    if (validate(target, target_size) == STATUS_OK && validate(patch, patch_size) == STATUS_OK) {
        merge_patch(target, target_size, patch, patch_size, &once);
        check(&once);
        merge_patch(once.data, once.size, patch, patch_size, &twice); /* nulls of the first time have nothing to remove */
        if (twice.size != once.size || memcmp(twice.data, once.data, once.size) != 0) {
            abort();
        }
    }
    text_release(&once);
    text_release(&twice);
    free(target);
    free(patch);
    return 0;
}
