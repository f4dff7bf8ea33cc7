#include "core/nn/model.h"

#include <stdlib.h>

void model_release(struct model *model)
{
    if (model == NULL) {
        return;
    }
    if (model->class_names != NULL) {
        for (uint32_t c = 0; c < model->spec.classes; c++) {
            free(model->class_names[c]);
        }
    }
    free(model->class_names);
    free(model->parameters);
    scaler_release(&model->scaler);
    *model = (struct model){0};
}
