/*
 * krx_web_etf.c - Korean ETFs of one day by the page of the Korean exchange, as the original fetched 2015 to 2019: for
 * answers that lie in a lake. The page itself is for members now (krx_web_industry.c); datagokr_etf and krx_etf give the same.
 * Source: data.krx.co.kr, MDCSTAT04301.
 */
#include "ingest/sources/krx.h"
#include "ingest/sources/krx_web.h"

static int32_t day_of(const struct source_ask *ask)
{
    return ask->from + (int32_t)ask->page;
}

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf form;
    buf_init(&form, arena, 512);
    buf_add(&form, STR("bld=dbms/MDC/STAT/standard/MDCSTAT04301&share=1&money=1&trdDd="));
    krx_web_add_day(&form, day_of(ask));
    return krx_web_target("/comm/bldAttendant/getJsonData.cmd", &form, ret, err);
}

static enum status parse_row(const struct source_ask *ask, struct json_val row,
                             struct feed_writer *w, struct err *err)
{
    feed_begin(w, SHAPE_FUND);
    feed_put_date(w, FUND_DATE, day_of(ask));
    feed_json_text(w, FUND_SYMBOL, jr_member(row, "ISU_SRT_CD"));
    feed_json_text(w, FUND_ISIN, jr_member(row, "ISU_CD"));
    feed_json_text(w, FUND_NAME, jr_member(row, "ISU_ABBRV"));
    krx_put_fund(w, row);
    return feed_end(w, err);
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct json_val rows;
    enum status s = krx_web_rows(&source_krx_web_etf, body, "output", w->arena, &doc, &rows, err);
    *ret_has_more = day_of(ask) < ask->to;
    for (size_t i = 0; s == STATUS_OK && i < jr_length(rows); i++)
        s = parse_row(ask, jr_item(rows, i), w, err);
    return s;
}

const struct source source_krx_web_etf = {
    .name = "krx_web_etf",
    .title = "KRX pages, ETFs",
    .base = "https://data.krx.co.kr",
    .manners = {.interval_ms = 3000, .timeout_s = 60, .body_mib = 16},
    .target = target,
    .judge = krx_web_judge,
    .parse = parse,
};
