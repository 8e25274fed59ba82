/* pipeline.c - see pipeline.h. */
#include "ingest/pipeline.h"

const char *const ingest_stage_names[INGEST_STAGES] = {[INGEST_BRONZE] = "bronze",
                                                       [INGEST_SILVER] = "silver",
                                                       [INGEST_GOLD] = "gold",
                                                       [INGEST_PUBLISH] = "publish"};

ingest_stage_fn *const ingest_stage_fns[INGEST_STAGES] = {[INGEST_BRONZE] = ingest_bronze,
                                                          [INGEST_SILVER] = ingest_silver,
                                                          [INGEST_GOLD] = ingest_gold,
                                                          [INGEST_PUBLISH] = ingest_publish};

void ingest_report_write(const struct ingest_report *report, struct json_out *json)
{
    jw_key_text(json, "provider",
                report->provider[0] == '\0' ? STR_NONE : str_of(report->provider));
    jw_key_i64(json, "requests", report->requests);
    jw_key_i64(json, "bytes", report->bytes);
    jw_key_i64(json, "objects", report->objects);
    jw_key_i64(json, "objects_skipped", report->objects_skipped);
    jw_key_i64(json, "rows_in", report->rows_in);
    jw_key_i64(json, "rows_out", report->rows_out);
    jw_key_i64(json, "rejected", report->rejected);
    if (report->quota_left < 0)
        jw_key_null(json, "quota_left");
    else
        jw_key_i64(json, "quota_left", report->quota_left);
    if (report->generation == 0)
        jw_key_null(json, "generation");
    else
        jw_key_i64(json, "generation", report->generation);
    jw_key_text(json, "note", report->note[0] == '\0' ? STR_NONE : str_of(report->note));
}

static bool find(struct str name, unsigned *ret_bit)
{
    for (unsigned i = 0; i < INGEST_STAGES; i++)
        if (str_eq_c(name, ingest_stage_names[i])) {
            *ret_bit = 1U << i;
            return true;
        }
    return false;
}

enum status ingest_stages_parse(struct str text, unsigned *ret, struct err *err)
{
    struct str rest = text, name;
    unsigned bit = 0;
    *ret = 0;
    bool is_good = text.len > 0;
    while (is_good && rest.len > 0 && str_next_field(&rest, ',', &name)) {
        is_good = find(name, &bit) && (*ret & bit) == 0;
        *ret |= bit;
    }
    if (is_good)
        return STATUS_OK;
    (void)err_set(err, STATUS_BAD_VALUE, "These are no stages: %.*s", STR_ARG(text));
    err_allow(err, "bronze, silver, gold, publish, with commas between, each once");
    return STATUS_BAD_VALUE;
}
