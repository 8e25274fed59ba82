/*
 * yahoo.c - daily bars, dividends and splits by Yahoo's chart endpoint: unofficial, without a contract; a refusal on the
 * first request means that the client is blocked, and is reported as that.
 *
 * A bar's stamp is its session's open or local midnight, so that its date is the exchange's own. Prices come adjusted for
 * splits, in the first decimal that the widened float stands for; currencies in hundredths are told by the meta data. The
 * bar of today, and the one that only repeats the last quote, are not finished.
 */
#include "ingest/source.h"

#include <string.h>

enum { DAY_S = 86400 };

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf path;
    if (ask->symbol.len == 0 || ask->symbol.len > 32)
        return source_bad_symbol(ask, "a symbol such as AAPL, KRW=X, ^GSPC or 005930.KS", err);
    buf_init(&path, arena, 512);
    buf_add(&path, STR("/v8/finance/chart/"));
    source_escape(&path, ask->symbol);
    buf_printf(
        &path,
        "?period1=%lld&period2=%lld&interval=1d&events=div,splits,capitalGains&includePrePost=false",
        (long long)ask->from * DAY_S, ((long long)ask->to + 2) * DAY_S);
    return source_path(&path, ret, err);
}

static struct feed_verdict judge(const struct feed_reply *reply)
{
    return feed_judge(reply, FEED_FORM_JSON);
}

struct chart {
    const struct source_ask *ask;
    struct feed_writer *w;
    struct json_val result, stamps, quote, adjusted;
    struct str currency;
    int64_t offset_s, market_time;
    double unit; /* 0.01 for prices in hundredths */
};

/* GBp, ZAc and ILA are hundredths of GBP, ZAR and ILS. */
static void read_currency(struct chart *c, struct json_val meta)
{
    static const char *const hundredths[][2] = {{"GBp", "GBP"}, {"ZAc", "ZAR"}, {"ILA", "ILS"}};
    c->unit = 1;
    c->currency = STR_NONE;
    if (jr_read_str(jr_member(meta, "currency"), 1, 8, &c->currency, NULL) != STATUS_OK)
        return;
    for (size_t i = 0; i < ARRAY_LEN(hundredths); i++)
        if (str_eq_c(c->currency, hundredths[i][0])) {
            c->currency = str_of(hundredths[i][1]);
            c->unit = 0.01;
        }
}

static void put_price(struct chart *c, enum feed_column_id column, struct json_val val)
{
    char room[FEED_NUMBER_BYTES];
    struct str text = STR_NONE;
    double value = 0;
    if (!(c->unit < 1) || jr_read_f64(val, -1e15, 1e15, &value, NULL) != STATUS_OK) {
        feed_json_number(c->w, column, val);
        return;
    }
    /* To the hundredth of the smallest unit that the float tells apart. */
    enum feed_reading reading = feed_double((double)(float)(value * c->unit), room, &text);
    if (reading == FEED_VALUE)
        feed_put_number(c->w, column, text);
}

static int32_t date_of(const struct chart *c, int64_t stamp)
{
    /* The last quote's own time is told in the offset of now; other bars may lie on the other side of summer time. */
    return feed_local_date(stamp, c->offset_s, stamp != c->market_time);
}

static bool is_empty_bar(const struct chart *c, size_t i)
{
    return !jr_is_present(jr_item(jr_member(c->quote, "close"), i));
}

static enum status parse_bar(struct chart *c, size_t i, int32_t date, bool is_repeated,
                             struct err *err)
{
    struct feed_writer *w = c->w;
    int32_t today = feed_local_date(c->ask->now_s, c->offset_s, false);
    feed_begin(w, SHAPE_BAR);
    feed_put_text(w, BAR_SYMBOL, c->ask->symbol);
    feed_put_date(w, BAR_DATE, date);
    put_price(c, BAR_OPEN, jr_item(jr_member(c->quote, "open"), i));
    put_price(c, BAR_HIGH, jr_item(jr_member(c->quote, "high"), i));
    put_price(c, BAR_LOW, jr_item(jr_member(c->quote, "low"), i));
    put_price(c, BAR_CLOSE, jr_item(jr_member(c->quote, "close"), i));
    put_price(c, BAR_ADJ_CLOSE, jr_item(c->adjusted, i));
    feed_json_number(w, BAR_VOLUME, jr_item(jr_member(c->quote, "volume"), i));
    feed_put_text(w, BAR_CURRENCY, c->currency);
    if (date >= today)
        feed_refuse(w, "unfinished", FEED_COLUMN_IDS, STR_NONE);
    if (is_repeated)
        feed_refuse(w, "duplicate", FEED_COLUMN_IDS, STR_NONE);
    return feed_end(w, err);
}

static bool read_stamp(struct json_val val, int64_t *ret)
{
    const int64_t far = INT64_C(1) << 40;
    return jr_read_i64(val, -far, far, ret, NULL) == STATUS_OK;
}

/* A bar whose day an earlier one has already: the last quote once more. Bars of nothing are left out: no session. */
static enum status parse_bars(struct chart *c, struct err *err)
{
    enum status s = STATUS_OK;
    int32_t last = DATE_NONE;
    for (size_t i = 0; i < jr_length(c->stamps) && s == STATUS_OK; i++) {
        int64_t stamp = 0;
        if (!read_stamp(jr_item(c->stamps, i), &stamp))
            return source_changed(&source_yahoo, "a stamp is no number", err);
        if (is_empty_bar(c, i))
            continue;
        int32_t date = date_of(c, stamp);
        s = parse_bar(c, i, date, date == last, err);
        last = date;
    }
    return s;
}

static enum status parse_event(struct chart *c, const char *kind, struct json_val event,
                               struct err *err)
{
    struct feed_writer *w = c->w;
    int64_t stamp = 0;
    bool is_split = strcmp(kind, "split") == 0;
    if (jr_read_i64(jr_member(event, "date"), INT64_MIN / 2, INT64_MAX / 2, &stamp, NULL) !=
        STATUS_OK)
        return source_changed(&source_yahoo, "an event without a date", err);
    feed_begin(w, SHAPE_ACTION);
    feed_put_text(w, ACTION_SYMBOL, c->ask->symbol);
    feed_put_date(w, ACTION_DATE, date_of(c, stamp));
    feed_put_text(w, ACTION_KIND, str_of(kind));
    if (is_split) {
        feed_json_number(w, ACTION_NUMERATOR, jr_member(event, "numerator"));
        feed_json_number(w, ACTION_DENOMINATOR, jr_member(event, "denominator"));
    } else {
        put_price(c, ACTION_AMOUNT, jr_member(event, "amount"));
        feed_put_text(w, ACTION_CURRENCY, c->currency);
    }
    return feed_end(w, err);
}

static enum status parse_events(struct chart *c, struct err *err)
{
    static const struct {
        const char *member, *kind;
    } lists[] = {{"dividends", "dividend"}, {"splits", "split"}, {"capitalGains", "capital_gain"}};
    enum status s = STATUS_OK;
    struct json_val events = jr_member(c->result, "events"), event;
    struct str stamp;
    for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
        struct json_val list = jr_member(events, lists[k].member);
        for (size_t i = 0; s == STATUS_OK && jr_member_at(list, i, &stamp, &event); i++)
            s = parse_event(c, lists[k].kind, event, err);
    }
    return s;
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    enum status s = source_json(&source_yahoo, body, w->arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    struct chart c = {.ask = ask, .w = w};
    c.result = jr_item(jr_member(jr_member(jr_root(doc), "chart"), "result"), 0);
    struct json_val meta = jr_member(c.result, "meta"),
                    indicators = jr_member(c.result, "indicators");
    if (jr_type(meta) != JR_OBJECT || jr_type(indicators) != JR_OBJECT ||
        jr_read_i64(jr_member(meta, "gmtoffset"), -DAY_S, DAY_S, &c.offset_s, NULL) != STATUS_OK)
        return source_changed(&source_yahoo, "no chart with meta data and indicators", err);
    if (!read_stamp(jr_member(meta, "regularMarketTime"), &c.market_time))
        c.market_time = 0;
    c.stamps = jr_member(c.result, "timestamp");
    c.quote = jr_item(jr_member(indicators, "quote"), 0);
    c.adjusted = jr_member(jr_item(jr_member(indicators, "adjclose"), 0), "adjclose");
    read_currency(&c, meta);
    *ret_has_more = false;
    s = parse_bars(&c, err);
    return s == STATUS_OK ? parse_events(&c, err) : s;
}

const struct source source_yahoo = {
    .name = "yahoo",
    .title = "Yahoo Finance chart",
    .base = "https://query1.finance.yahoo.com",
    .manners = {.interval_ms = 1000, .timeout_s = 60, .body_mib = 16},
    .target = target,
    .judge = judge,
    .parse = parse,
};
