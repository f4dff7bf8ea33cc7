/* Answering a request for predictions; shared by the routes of models and of jobs. */
#ifndef DESCENT_SERVER_HANDLERS_PREDICTING_H
#define DESCENT_SERVER_HANDLERS_PREDICTING_H

#include "server/handlers/handlers.h"

/*
 * Predicts with a model of the cache (server/models/model_load.h says what its names are) and answers. A model that cannot
 * be had is the caller's to answer: STATUS_NOT_FOUND, STATUS_DELETED, STATUS_OBJECT_CORRUPT, STATUS_NOT_ACCEPTABLE.
 */
MUST_CHECK enum status predict_from(struct app *app, struct request *request, const char *model, struct error *error);

#endif
