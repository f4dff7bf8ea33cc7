#include "server/models/model_load.h"

#include "core/nn/model_file.h"
#include "server/store/models.h"

enum status model_load(void *context, const char *id, struct model *model, struct error *error)
{
    struct store *store = context;
    struct model_view view;
    struct object_map map;

    enum status status = models_get(store, id, &view, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = object_map(&map, store, view.object, error);
    model_view_release(&view);
    if (status != STATUS_OK) {
        return status;
    }
    status = model_file_read(model, map.bytes, map.size, error);
    object_unmap(store, &map);
    return status;
}
