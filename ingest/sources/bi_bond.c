/*
 * bi_bond.c - daily prices of a bond by the chart of Markets Insider: clean, in per cent of par, without accrued interest.
 * The symbol is what the chart calls tkData: 1,46441575,16,333. Outside a bond's life the answer is an empty list.
 * Undocumented and without terms of reuse: a refusal is reported as blocked.
 * Source: markets.businessinsider.com, Chart_GetChartData.
 */
#include "ingest/sources/bi.h"

static void add_day(struct buf *path, const char *name, int32_t date)
{
    struct civil c = date_to_civil(date);
    buf_printf(path, "&%s=%04d%02d%02d", name, c.year, c.month, c.day);
}

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf path;
    for (size_t i = 0; i < ask->symbol.len; i++)
        if ((ask->symbol.ptr[i] < '0' || ask->symbol.ptr[i] > '9') && ask->symbol.ptr[i] != ',')
            return source_bad_symbol(ask, "numbers with commas between, as in 1,43733993,1330,333",
                                     err);
    buf_init(&path, arena, 512);
    buf_add(&path, STR("/Ajax/Chart_GetChartData?instrumentType=Bond&tkData="));
    buf_add(&path, ask->symbol);
    add_day(&path, "from", ask->from);
    add_day(&path, "to", ask->to);
    return source_path(&path, ret, err);
}

struct feed_verdict bi_judge(const struct feed_reply *reply)
{
    struct feed_verdict verdict = feed_judge(reply, FEED_FORM_JSON);
    if (verdict.outcome == FEED_OK && str_eq_c(str_trim(reply->body), "[]"))
        verdict.outcome = FEED_EMPTY; /* a holiday, or outside of a bond's life */
    return verdict;
}

enum status bi_parse(const struct source *source, enum feed_spelling dates,
                     const struct source_ask *ask, struct str body, struct feed_writer *w,
                     bool *ret_has_more, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    enum status s = source_json(source, body, w->arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    struct json_val rows = jr_root(doc);
    if (jr_type(rows) != JR_ARRAY)
        return source_changed(source, "no list of prices", err);
    *ret_has_more = false;
    for (size_t i = 0; s == STATUS_OK && i < jr_length(rows); i++) {
        struct json_val row = jr_item(rows, i);
        feed_begin(w, SHAPE_BAR);
        feed_put_text(w, BAR_SYMBOL, ask->symbol);
        feed_json_date(w, BAR_DATE, jr_member(row, "Date"), dates);
        feed_json_number(w, BAR_OPEN, jr_member(row, "Open"));
        feed_json_number(w, BAR_HIGH, jr_member(row, "High"));
        feed_json_number(w, BAR_LOW, jr_member(row, "Low"));
        feed_json_number(w, BAR_CLOSE, jr_member(row, "Close"));
        feed_json_number(w, BAR_VOLUME, jr_member(row, "Volume"));
        if (w->row.ymd >= feed_local_date(ask->now_s, 0, false))
            feed_refuse(w, "unfinished", FEED_COLUMN_IDS, STR_NONE);
        s = feed_end(w, err);
    }
    return s;
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    return bi_parse(&source_bi_bond, FEED_ISO, ask, body, w, ret_has_more, err);
}

const struct source source_bi_bond = {
    .name = "bi_bond",
    .title = "Markets Insider bond charts",
    .base = "https://markets.businessinsider.com",
    .manners = {.interval_ms = 5000, .timeout_s = 60, .body_mib = 16},
    .target = target,
    .judge = bi_judge,
    .parse = parse,
};
