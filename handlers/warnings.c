/* warnings.c - the words of each warning about served rows. */
#include "handlers/warnings.h"

static const struct {
    const char *code, *detail;
} rows[] = {
    [WARNING_SIMULATED] = {"simulated_data",
                           "Some rows come from a seeded generator, not from a market."},
    [WARNING_SURVIVOR_BIAS] = {"survivorship",
                               "Some instruments were chosen knowing that they survived."},
    [WARNING_UNMANAGED] =
        {"unmanaged_mart",
         "Another tool keeps this mart, without generations: pages are not pinned."},
};

void warnings_begin(struct json_out *json)
{
    jw_key(json, "warnings");
    jw_array(json);
}

void warning_put(struct json_out *json, enum warning warning)
{
    jw_object(json);
    jw_key_c(json, "code", rows[warning].code);
    jw_key_c(json, "detail", rows[warning].detail);
    jw_end_object(json);
}

void warnings_end(struct json_out *json)
{
    jw_end_array(json);
}
