/*
 * binance.c - daily klines of spot pairs, from the keyless host for market data.
 * Array of arrays: open time in ms, open, high, low, close, base volume, close time, quote volume, trades, taker's base
 * volume ...; a page is 1,000 rows, and the next one begins behind the last row's close.
 * Source: Binance Spot API, "Kline/Candlestick data".
 */
#include "ingest/source.h"

enum { PAGE_ROWS = 1000, MS_PER_DAY = 86400000, MEMBERS = 11 };

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf path;
    int64_t from = ((int64_t)ask->from + (int64_t)ask->page * PAGE_ROWS) * MS_PER_DAY;
    int64_t to = ((int64_t)ask->to + 1) * MS_PER_DAY - 1;
    if (ask->symbol.len == 0 || ask->symbol.len > 20)
        return source_bad_symbol(ask, "a pair such as BTCUSDT", err);
    buf_init(&path, arena, 512);
    buf_add(&path, STR("/api/v3/klines?symbol="));
    source_escape(&path, ask->symbol);
    buf_printf(&path, "&interval=1d&startTime=%lld&endTime=%lld&limit=%d", (long long)from,
               (long long)to, PAGE_ROWS);
    return source_path(&path, ret, err);
}

/* {"code": -1121, "msg": "Invalid symbol."} comes with 400; blanks differ. */
static bool is_invalid_symbol(struct str body)
{
    size_t at = str_find(body, ':', 0);
    return str_starts(body, STR("{\"code\"")) && at < body.len &&
           str_starts(str_trim(str_sub(body, at + 1, body.len)), STR("-1121"));
}

static struct feed_verdict judge(const struct feed_reply *reply)
{
    struct feed_verdict verdict = feed_judge(reply, FEED_FORM_JSON);
    struct str body = str_trim(reply->body);
    if (verdict.outcome == FEED_REFUSED && is_invalid_symbol(body))
        verdict.outcome = FEED_NOT_FOUND;
    if (verdict.outcome == FEED_OK && str_eq_c(body, "[]"))
        verdict.outcome = FEED_EMPTY;
    return verdict;
}

static enum status parse_row(const struct source_ask *ask, struct json_val row,
                             struct feed_writer *w, struct err *err)
{
    int64_t open_ms = 0, close_ms = 0;
    if (jr_length(row) < MEMBERS ||
        jr_read_i64(jr_item(row, 0), 0, INT64_MAX, &open_ms, NULL) != STATUS_OK ||
        jr_read_i64(jr_item(row, 6), 0, INT64_MAX, &close_ms, NULL) != STATUS_OK)
        return source_changed(&source_binance, "a row has no times", err);
    feed_begin(w, SHAPE_BAR);
    feed_put_text(w, BAR_SYMBOL, ask->symbol);
    feed_put_date(w, BAR_DATE, feed_local_date(feed_epoch(open_ms), 0, false));
    feed_json_number(w, BAR_OPEN, jr_item(row, 1));
    feed_json_number(w, BAR_HIGH, jr_item(row, 2));
    feed_json_number(w, BAR_LOW, jr_item(row, 3));
    feed_json_number(w, BAR_CLOSE, jr_item(row, 4));
    feed_json_number(w, BAR_VOLUME, jr_item(row, 5));
    feed_json_number(w, BAR_VALUE, jr_item(row, 7));
    feed_json_number(w, BAR_TRADES, jr_item(row, 8));
    feed_json_number(w, BAR_TAKER_VOLUME, jr_item(row, 9));
    if (feed_epoch(close_ms) >= ask->now_s)
        feed_refuse(w, "unfinished", FEED_COLUMN_IDS, STR_NONE);
    return feed_end(w, err);
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    enum status s = source_json(&source_binance, body, w->arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    struct json_val rows = jr_root(doc);
    if (jr_type(rows) != JR_ARRAY)
        return source_changed(&source_binance, "no array of rows", err);
    for (size_t i = 0; i < jr_length(rows) && s == STATUS_OK; i++)
        s = parse_row(ask, jr_item(rows, i), w, err);
    *ret_has_more = jr_length(rows) >= PAGE_ROWS &&
                    (size_t)(ask->to - ask->from) >= (ask->page + 1) * PAGE_ROWS;
    return s;
}

const struct source source_binance = {
    .name = "binance",
    .title = "Binance spot klines",
    .base = "https://data-api.binance.vision",
    .manners = {.interval_ms = 100, .timeout_s = 60, .body_mib = 8},
    .target = target,
    .judge = judge,
    .parse = parse,
};
