/*
 * Models in memory, shared by all who predict: loaded once however many ask at the same time, kept while they are used
 * and a while longer, the least recently used going first.
 *
 * A model that is deleted meanwhile stays good for those who hold it. Each model keeps a few idle predictors, so that a
 * prediction neither loads nor lays out anything. A predictor works only in the thread that made it (core/train/
 * predictor.h), so an idle one is given to that thread alone; the executor's threads live as long as the server.
 */
#ifndef DESCENT_SERVER_MODELS_MODEL_CACHE_H
#define DESCENT_SERVER_MODELS_MODEL_CACHE_H

#include "core/nn/model.h"
#include "core/train/predictor.h"

#define MODEL_CACHE_MODELS     8
#define MODEL_CACHE_BYTES      ((uint64_t)256 << 20) /* parameters and their copies in idle predictors */
#define MODEL_CACHE_PREDICTORS 8                     /* idle, of each model */
#define MODEL_CACHE_NAME       80                    /* a model's id, or what else its loader knows, with its NUL */

struct model_cache;
struct cached_model;

/* How a model that is not there comes into memory; may block. model_load (model_load.h) with a store is one. */
typedef enum status model_loader(void *context, const char *id, struct model *model, struct error *error);

MUST_CHECK enum status model_cache_new(struct model_cache **cache, model_loader *load, void *context, struct error *error);
/* Nothing may be held any more. NULL is fine. */
void model_cache_free(struct model_cache *cache);

/*
 * Holds a model; give it back with model_cache_put. The first to ask loads it, others wait for that one's outcome; a
 * failure is not kept. Errors are the loader's, and STATUS_OUT_OF_MEMORY.
 */
MUST_CHECK enum status model_cache_get(struct model_cache *cache, const char *id, struct cached_model **held,
                                       struct error *error);
const struct model *cached_model_get(const struct cached_model *held);
void model_cache_put(struct model_cache *cache, struct cached_model *held);

/* A predictor of one thread, the calling one: an idle one or a new one. Give it back from the same thread. */
MUST_CHECK enum status model_cache_take_predictor(struct model_cache *cache, struct cached_model *held,
                                                  struct predictor **predictor, struct error *error);
void model_cache_give_predictor(struct model_cache *cache, struct cached_model *held, struct predictor *predictor);

/* After a model was deleted: nobody finds it here any more. */
void model_cache_forget(struct model_cache *cache, const char *id);

#endif
