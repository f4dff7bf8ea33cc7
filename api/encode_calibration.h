/* How well probabilities are calibrated, and the temperature that was fitted for them, as JSON. */
#ifndef DESCENT_API_ENCODE_CALIBRATION_H
#define DESCENT_API_ENCODE_CALIBRATION_H

#include "core/eval/scores.h"
#include "core/eval/temperature.h"

struct json_writer;

/*
 * The member "calibration" of a split's scores: the measures as the model gives its probabilities; where it has a
 * temperature, also that, and the measures with it applied: {"samples", ..., "bins": [...], "temperature", "calibrated":
 * {...}}.
 */
void encode_calibration(const struct scores *scores, struct json_writer *writer);

/*
 * The value of a model's or of results' "calibration": {"method":"temperature","temperature","at_limit","fitted_on",
 * "samples","passes","nll_before","nll_after","ece_before","ece_after"}; null where nothing was fitted. fit NULL: the job
 * asked for none. validation: its scores, with those at the temperature.
 */
void encode_temperature(const struct temperature_fit *fit, const struct scores *validation, struct json_writer *writer);

#endif
