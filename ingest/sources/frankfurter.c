/*
 * frankfurter.c - the ECB's reference rates for one euro, by Frankfurter v1. The symbol is a list of currencies: KRW,USD.
 * Crosses are made later, from one day's rates; days without a fixing are left out of a range.
 * Source: Frankfurter API v1.
 */
#include "ingest/source.h"

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf path;
    char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES];
    for (size_t i = 0; i < ask->symbol.len; i++) {
        char c = ask->symbol.ptr[i];
        if (!(i % 4 == 3 ? c == ',' : c >= 'A' && c <= 'Z'))
            return source_bad_symbol(ask, "currencies with commas between, as in KRW,USD", err);
    }
    if (ask->symbol.len % 4 != 3)
        return source_bad_symbol(ask, "currencies with commas between, as in KRW,USD", err);
    date_format(ask->from, from);
    date_format(ask->to, to);
    buf_init(&path, arena, 512);
    buf_printf(&path, "/v1/%s..%s?base=EUR&symbols=%.*s", from, to, STR_ARG(ask->symbol));
    return source_path(&path, ret, err);
}

static struct feed_verdict judge(const struct feed_reply *reply)
{
    return feed_judge(reply, FEED_FORM_JSON);
}

static enum status parse_day(struct str day, struct json_val rates, struct feed_writer *w,
                             struct err *err)
{
    enum status s = STATUS_OK;
    struct str quote;
    struct json_val rate;
    int32_t date = 0;
    bool is_date = feed_date(day, FEED_ISO, &date);
    for (size_t i = 0; s == STATUS_OK && jr_member_at(rates, i, &quote, &rate); i++) {
        feed_begin(w, SHAPE_RATE);
        feed_put_text(w, RATE_BASE, STR("EUR"));
        feed_put_text(w, RATE_QUOTE, quote);
        feed_json_number(w, RATE_RATE, rate);
        if (is_date)
            feed_put_date(w, RATE_DATE, date);
        else
            feed_refuse(w, "bad-date", RATE_DATE, day);
        s = feed_end(w, err);
    }
    return s;
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct str day = STR_NONE, base = STR_NONE;
    struct json_val rates;
    (void)ask;
    enum status s = source_json(&source_frankfurter, body, w->arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    struct json_val root = jr_root(doc), days = jr_member(root, "rates");
    if (jr_type(days) != JR_OBJECT ||
        jr_read_str(jr_member(root, "base"), 3, 3, &base, NULL) != STATUS_OK ||
        !str_eq_c(base, "EUR"))
        return source_changed(&source_frankfurter, "no rates for one euro", err);
    *ret_has_more = false;
    /* One date is answered without a start, and its rates stand alone. */
    if (jr_read_str(jr_member(root, "date"), 10, 10, &day, NULL) == STATUS_OK)
        return parse_day(day, days, w, err);
    for (size_t i = 0; s == STATUS_OK && jr_member_at(days, i, &day, &rates); i++)
        s = parse_day(day, rates, w, err);
    return s;
}

const struct source source_frankfurter = {
    .name = "frankfurter",
    .title = "Frankfurter (ECB reference rates)",
    .base = "https://api.frankfurter.dev",
    .manners = {.interval_ms = 500, .timeout_s = 60, .body_mib = 16},
    .target = target,
    .judge = judge,
    .parse = parse,
};
