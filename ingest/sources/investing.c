/*
 * investing.c - daily bars of an index by investing.com, newest first. The symbol is the number of the index: 166.
 * It stands behind a challenge for browsers and its terms forbid scraping: a 403 is reported as blocked, and not worked
 * around. Source: api.investing.com, financialdata/historical.
 */
#include "ingest/source.h"

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf path;
    char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES];
    int64_t number = 0;
    if (!str_to_i64(ask->symbol, &number))
        return source_bad_symbol(ask, "the number of an index, as in 166", err);
    date_format(ask->from, from);
    date_format(ask->to, to);
    buf_init(&path, arena, 512);
    buf_printf(&path,
               "/api/financialdata/historical/%lld?start-date=%s&end-date=%s&time-frame=Daily"
               "&add-missing-rows=false",
               (long long)number, from, to);
    ret->header = STR("domain-id");
    ret->header_value = STR("www");
    return source_path(&path, ret, err);
}

/* A holiday is {"data":null}. */
static struct feed_verdict judge(const struct feed_reply *reply)
{
    struct feed_verdict verdict = feed_judge(reply, FEED_FORM_JSON);
    char tight[16];
    size_t n = 0;
    for (size_t i = 0; i < reply->body.len && n < sizeof tight - 1; i++)
        if (reply->body.ptr[i] > ' ')
            tight[n++] = reply->body.ptr[i];
    tight[n] = '\0';
    if (verdict.outcome == FEED_OK && str_eq_c(STR("{\"data\":null}"), tight))
        verdict.outcome = FEED_EMPTY;
    return verdict;
}

/* The price as it is shown; where that is missing, the raw one, which may be a number or a string. */
static void put(struct feed_writer *w, enum feed_column_id column, struct json_val row,
                const char *shown, const char *raw)
{
    struct json_val val = jr_member(row, shown);
    feed_json_number(w, column, jr_is_present(val) ? val : jr_member(row, raw));
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    enum status s = source_json(&source_investing, body, w->arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    struct json_val rows = jr_member(jr_root(doc), "data");
    if (jr_type(rows) != JR_ARRAY)
        return source_changed(&source_investing, "no data", err);
    *ret_has_more = false;
    for (size_t i = 0; s == STATUS_OK && i < jr_length(rows); i++) {
        struct json_val row = jr_item(rows, i);
        feed_begin(w, SHAPE_BAR);
        feed_put_text(w, BAR_SYMBOL, ask->symbol);
        feed_json_date(w, BAR_DATE, jr_member(row, "rowDate"), FEED_MONTH);
        put(w, BAR_OPEN, row, "last_open", "last_openRaw");
        put(w, BAR_HIGH, row, "last_max", "last_maxRaw");
        put(w, BAR_LOW, row, "last_min", "last_minRaw");
        put(w, BAR_CLOSE, row, "last_close", "last_closeRaw");
        put(w, BAR_VOLUME, row, "volumeRaw", "volume");
        if (w->row.ymd >= feed_local_date(ask->now_s, 0, false))
            feed_refuse(w, "unfinished", FEED_COLUMN_IDS, STR_NONE);
        s = feed_end(w, err);
    }
    return s;
}

const struct source source_investing = {
    .name = "investing",
    .title = "investing.com indices",
    .base = "https://api.investing.com",
    .manners = {.interval_ms = 5000, .timeout_s = 60, .body_mib = 16},
    .target = target,
    .judge = judge,
    .parse = parse,
};
