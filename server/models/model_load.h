/* From a name to the model in memory: its row, its file, all of it checked. */
#ifndef DESCENT_SERVER_MODELS_MODEL_LOAD_H
#define DESCENT_SERVER_MODELS_MODEL_LOAD_H

#include "core/nn/model.h"

/* With a checkpoint's SHA-256 behind it: the name of the model in it. No part of an address, so no client can say it. */
#define MODEL_IN_CHECKPOINT "checkpoint/"

/*
 * name: a model's id, or MODEL_IN_CHECKPOINT. `store` is a struct store (void, so that it
 * serves as a model_loader). Blocks for the disk. Release with model_release. STATUS_NOT_FOUND, STATUS_DELETED,
 * STATUS_OBJECT_CORRUPT.
 */
MUST_CHECK enum status model_load(void *store, const char *name, struct model *model, struct error *error);

#endif
