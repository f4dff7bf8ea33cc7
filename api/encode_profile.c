#include "api/encode_profile.h"

#include "api/json_writer.h"

void encode_profile(const struct profile *profile, const char *job, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "profile");
    json_member_string(writer, "job", job);
    json_member_number(writer, "threads", profile->threads);
    json_member_number(writer, "seconds", profile->seconds);
    json_member_uint(writer, "steps", profile->steps);
    json_member_number(writer, "samples_per_second", profile->samples_per_second);
    json_key(writer, "phases");
    json_begin_array(writer);
    for (int p = 0; p < PHASE_COUNT; p++) {
        json_begin_object(writer);
        json_member_string(writer, "phase", profile_phase_name((enum phase)p));
        json_member_number(writer, "seconds", profile->shares[p] * profile->seconds);
        json_member_number(writer, "share", profile->shares[p]);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_member_number(writer, "gflops", profile->gflops);
    json_member_number(writer, "peak_gflops", profile->peak_gflops);
    json_member_number(writer, "share_of_peak", profile->gflops / profile->peak_gflops);
    json_end_object(writer);
}
