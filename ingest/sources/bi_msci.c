/*
 * bi_msci.c - daily bars of MSCI indices by the price list of Markets Insider, newest first. The symbol is the number of
 * the index and its exchange: 169323/MSCB. Undocumented and without terms of reuse, as bi_bond.c; the vendor forbids
 * passing the figures on. Source: markets.businessinsider.com, Valor_HistoricPriceList.
 */
#include "ingest/source.h"

static void add_day(struct buf *path, int32_t date)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c = date_to_civil(date);
    buf_printf(path, "%s.%%20%02d%%20%04d", months[c.month - 1], c.day, c.year);
}

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf path;
    size_t slash = str_find(ask->symbol, '/', 0);
    if (slash == 0 || slash + 1 >= ask->symbol.len)
        return source_bad_symbol(ask, "NUMBER/EXCHANGE, as in 169323/MSCB", err);
    buf_init(&path, arena, 512);
    buf_add(&path, STR("/ajax/Valor_HistoricPriceList/"));
    source_escape(&path, str_sub(ask->symbol, 0, slash));
    buf_add_char(&path, '/');
    add_day(&path, ask->from);
    buf_add_char(&path, '_');
    add_day(&path, ask->to);
    buf_add_char(&path, '/');
    source_escape(&path, str_sub(ask->symbol, slash + 1, ask->symbol.len));
    return source_path(&path, ret, err);
}

static struct feed_verdict judge(const struct feed_reply *reply)
{
    struct feed_verdict verdict = feed_judge(reply, FEED_FORM_JSON);
    if (verdict.outcome == FEED_OK && str_eq_c(str_trim(reply->body), "[]"))
        verdict.outcome = FEED_EMPTY; /* a holiday */
    return verdict;
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    enum status s = source_json(&source_bi_msci, body, w->arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    struct json_val rows = jr_root(doc);
    if (jr_type(rows) != JR_ARRAY)
        return source_changed(&source_bi_msci, "no list of prices", err);
    *ret_has_more = false;
    for (size_t i = 0; s == STATUS_OK && i < jr_length(rows); i++) {
        struct json_val row = jr_item(rows, i);
        feed_begin(w, SHAPE_BAR);
        feed_put_text(w, BAR_SYMBOL, ask->symbol);
        feed_json_date(w, BAR_DATE, jr_member(row, "Date"), FEED_US_SHORT);
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

const struct source source_bi_msci = {
    .name = "bi_msci",
    .title = "Markets Insider MSCI indices",
    .base = "https://markets.businessinsider.com",
    .manners = {.interval_ms = 5000, .timeout_s = 60, .body_mib = 16},
    .target = target,
    .judge = judge,
    .parse = parse,
};
