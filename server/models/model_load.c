#include "server/models/model_load.h"

#include <stdio.h>
#include <string.h>

#include "core/nn/model_file.h"
#include "core/train/checkpoint.h"
#include "server/store/models.h"

static enum status read_checkpoint(const struct object_map *map, struct model *model, struct error *error)
{
    struct checkpoint checkpoint;
    enum status status = checkpoint_read(&checkpoint, map->bytes, map->size, error);

    return status == STATUS_OK ? checkpoint_model(&checkpoint, model, error) : status;
}

/* The object that holds the model called `name`. */
static enum status find_object(struct store *store, const char *name, char object[SHA256_TEXT], struct error *error)
{
    struct model_view view;
    enum status status = models_get(store, name, &view, error);

    if (status == STATUS_OK) {
        memcpy(object, view.object, SHA256_TEXT);
        model_view_release(&view);
    }
    return status;
}

enum status model_load(void *context, const char *name, struct model *model, struct error *error)
{
    struct store *store = context;
    size_t prefix = sizeof MODEL_IN_CHECKPOINT - 1;
    int in_checkpoint = strncmp(name, MODEL_IN_CHECKPOINT, prefix) == 0;
    char object[SHA256_TEXT] = "";
    struct object_map map;
    enum status status = STATUS_OK;

    if (in_checkpoint) {
        snprintf(object, sizeof object, "%s", name + prefix);
    } else {
        status = find_object(store, name, object, error);
    }
    if (status == STATUS_OK) {
        status = object_map(&map, store, object, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = in_checkpoint ? read_checkpoint(&map, model, error) : model_file_read(model, map.bytes, map.size, error);
    object_unmap(store, &map);
    return status;
}
