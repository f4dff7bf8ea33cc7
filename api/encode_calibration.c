#include "api/encode_calibration.h"

#include "api/json_writer.h"

static void encode_bins(const struct calibration *calibration, struct json_writer *writer)
{
    json_key(writer, "bins");
    json_begin_array(writer);
    for (int b = 0; b < CALIBRATION_BINS; b++) {
        json_begin_object(writer);
        json_member_number(writer, "from", (double)b / CALIBRATION_BINS);
        json_member_number(writer, "to", (double)(b + 1) / CALIBRATION_BINS);
        json_member_uint(writer, "count", calibration->bins[b].count);
        json_member_number(writer, "confidence", calibration->bins[b].confidence);
        json_member_number(writer, "accuracy", calibration->bins[b].accuracy);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void encode_measures(const struct calibration *calibration, struct json_writer *writer)
{
    json_member_number(writer, "ece", calibration->ece);
    json_member_number(writer, "mce", calibration->mce);
    json_member_number(writer, "brier", calibration->brier);
    json_member_number(writer, "rmsce", calibration->rmsce);
    json_member_number(writer, "ace", calibration->ace);
    json_member_number(writer, "classwise_ece", calibration->classwise_ece);
    json_member_number(writer, "nll", calibration->nll);
    json_member_number(writer, "confidence", calibration->confidence);
    json_member_number(writer, "accuracy", calibration->accuracy);
    json_member_number(writer, "gap", calibration->gap);
    json_member_uint(writer, "samples", calibration->samples);
    json_member_uint(writer, "bin_count", CALIBRATION_BINS);
    encode_bins(calibration, writer);
}

void encode_calibration(const struct scores *scores, struct json_writer *writer)
{
    json_key(writer, "calibration");
    json_begin_object(writer);
    encode_measures(&scores->calibration, writer);
    if (scores->temperature > 0) {
        json_member_number(writer, "temperature", scores->temperature);
        json_key(writer, "calibrated");
        json_begin_object(writer);
        encode_measures(&scores->calibrated, writer);
        json_end_object(writer);
    }
    json_end_object(writer);
}

void encode_temperature(const struct temperature_fit *fit, const struct scores *validation, struct json_writer *writer)
{
    if (fit == NULL || fit->outcome == TEMPERATURE_UNDEFINED || validation == NULL) {
        json_null(writer);
        return;
    }
    json_begin_object(writer);
    json_member_string(writer, "method", "temperature");
    json_member_number(writer, "temperature", fit->temperature);
    json_key(writer, "at_limit");
    json_bool(writer, fit->outcome == TEMPERATURE_AT_LIMIT);
    json_member_string(writer, "fitted_on", "validation");
    json_member_uint(writer, "samples", fit->rows);
    json_member_uint(writer, "passes", fit->passes);
    json_member_number(writer, "slope", fit->slope);
    json_member_number(writer, "nll_before", validation->calibration.nll);
    json_member_number(writer, "nll_after", validation->calibrated.nll);
    json_member_number(writer, "ece_before", validation->calibration.ece);
    json_member_number(writer, "ece_after", validation->calibrated.ece);
    json_end_object(writer);
}
