/* warnings.c - the words of each warning about served rows. */
#include "handlers/warnings.h"

#include <stdio.h>

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
    [WARNING_NOT_FINITE] = {"not_finite",
                            "Some numbers are NaN or infinite; they are given as null."},
    [WARNING_NO_RATE] = {"no_exchange_rate",
                         "Some values are null: no exchange rate was known on their date."},
};

unsigned warnings_of(struct str source, int64_t quality)
{
    return (str_eq_c(source, "simulated") ? 1u << WARNING_SIMULATED : 0) |
           ((quality & QUALITY_SURVIVOR_BIASED) != 0 ? 1u << WARNING_SURVIVOR_BIAS : 0);
}

void warnings_put(struct json_out *json, unsigned mask)
{
    jw_key(json, "warnings");
    jw_array(json);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if ((mask & 1u << i) == 0)
            continue;
        jw_object(json);
        jw_key_c(json, "code", rows[i].code);
        jw_key_c(json, "detail", rows[i].detail);
        jw_end_object(json);
    }
    jw_end_array(json);
}

void warnings_text(unsigned mask, char ret[WARNINGS_TEXT_BYTES])
{
    size_t used = 0;
    ret[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if ((mask & 1u << i) != 0 && used < WARNINGS_TEXT_BYTES)
            used += (size_t)snprintf(ret + used, WARNINGS_TEXT_BYTES - used, "%s%s",
                                     used == 0 ? "" : ", ", rows[i].code);
}

void warnings_header(struct request *request, unsigned mask)
{
    char codes[WARNINGS_TEXT_BYTES];
    warnings_text(mask, codes);
    if (codes[0] != '\0')
        reply_header(request, "Data-Warnings", "%s", codes);
}
