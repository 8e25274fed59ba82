/*
 * ecb.c - the European Central Bank's reference rates for one euro, from its own files: all currencies of the last 90 days,
 * or of all days since 1999. Days are elements with a time, and in them elements with a currency and a rate.
 * Source: ECB, "Euro foreign exchange reference rates", eurofxref-hist.xml.
 */
#include "ingest/source.h"

enum { SHORT_DAYS = 80, DAY_S = 86400 }; /* 90 days, less what may not be there yet */

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf path;
    bool is_short = ask->from > ask->now_s / DAY_S - SHORT_DAYS;
    if (ask->symbol.len > 0)
        return source_bad_symbol(ask, "nothing: all currencies come at once", err);
    buf_init(&path, arena, 128);
    buf_printf(&path, "/stats/eurofxref/eurofxref-hist%s.xml", is_short ? "-90d" : "");
    return source_path(&path, ret, err);
}

static struct feed_verdict judge(const struct feed_reply *reply)
{
    return feed_judge(reply, FEED_FORM_XML);
}

/* The value of name in a tag, in either kind of quotes; ptr NULL: it is not there. */
static struct str attribute(struct str tag, struct str name)
{
    for (size_t i = 1; i + name.len + 2 <= tag.len; i++) {
        size_t at = i + name.len;
        char quote = tag.ptr[at + 1];
        if (!str_starts(str_sub(tag, i, tag.len), name) || tag.ptr[i - 1] > ' ' ||
            tag.ptr[at] != '=' || (quote != '"' && quote != '\''))
            continue;
        size_t end = str_find(tag, quote, at + 2);
        return end < tag.len ? str_sub(tag, at + 2, end) : STR_NONE;
    }
    return STR_NONE;
}

static enum status put(const struct source_ask *ask, struct str day, struct str currency,
                       struct str rate, struct feed_writer *w, struct err *err)
{
    int32_t date = DATE_NONE;
    bool is_date = feed_date(day, FEED_ISO, &date);
    if (is_date && (date < ask->from || date > ask->to))
        return STATUS_OK; /* the file has all days */
    feed_begin(w, SHAPE_RATE);
    feed_put_text(w, RATE_BASE, STR("EUR"));
    feed_put_text(w, RATE_QUOTE, currency);
    feed_put_number(w, RATE_RATE, rate);
    if (is_date)
        feed_put_date(w, RATE_DATE, date);
    else
        feed_refuse(w, "bad-date", RATE_DATE, day);
    return feed_end(w, err);
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    const struct str name = STR("<Cube");
    struct str day = STR_NONE;
    size_t n_days = 0;
    enum status s = STATUS_OK;
    *ret_has_more = false;
    for (size_t i = str_find(body, '<', 0); s == STATUS_OK && i < body.len;
         i = str_find(body, '<', i + 1)) {
        struct str tag = str_sub(body, i, str_find(body, '>', i));
        if (!str_starts(tag, name))
            continue;
        struct str time = attribute(tag, STR("time")), currency = attribute(tag, STR("currency"));
        n_days += time.ptr != NULL;
        day = time.ptr != NULL ? time : day;
        if (currency.ptr != NULL)
            s = put(ask, day, currency, attribute(tag, STR("rate")), w, err);
    }
    return s == STATUS_OK && n_days == 0 ? source_changed(&source_ecb, "no days", err) : s;
}

const struct source source_ecb = {
    .name = "ecb",
    .title = "European Central Bank",
    .base = "https://www.ecb.europa.eu",
    .manners = {.interval_ms = 2000, .timeout_s = 120, .body_mib = 64},
    .target = target,
    .judge = judge,
    .parse = parse,
};
