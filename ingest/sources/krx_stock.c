/*
 * krx_stock.c - Korean stocks of one day by the KRX Open API, a service for each market; see krx_etf.c.
 * Source: openapi.krx.co.kr, sto/stk_bydd_trd and sto/ksq_bydd_trd.
 */
#include "ingest/sources/krx.h"

static enum status parse_row(struct json_val row, struct feed_writer *w, struct err *err)
{
    static const struct {
        enum feed_column_id column;
        const char *member;
    } numbers[] = {{BAR_OPEN, "TDD_OPNPRC"},   {BAR_HIGH, "TDD_HGPRC"},
                   {BAR_LOW, "TDD_LWPRC"},     {BAR_CLOSE, "TDD_CLSPRC"},
                   {BAR_VOLUME, "ACC_TRDVOL"}, {BAR_VALUE, "ACC_TRDVAL"},
                   {BAR_MARKET_CAP, "MKTCAP"}, {BAR_SHARES, "LIST_SHRS"}};
    feed_begin(w, SHAPE_BAR);
    feed_json_date(w, BAR_DATE, jr_member(row, "BAS_DD"), FEED_COMPACT);
    feed_json_text(w, BAR_SYMBOL, jr_member(row, "ISU_CD"));
    feed_json_text(w, BAR_NAME, jr_member(row, "ISU_NM"));
    feed_json_text(w, BAR_MARKET, jr_member(row, "MKT_NM"));
    feed_put_text(w, BAR_CURRENCY, STR("KRW"));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        feed_json_number(w, numbers[i].column, jr_member(row, numbers[i].member));
    feed_clear_zeros(w, BAR_OPEN, BAR_LOW);
    return feed_end(w, err);
}

static enum status kospi_target(const struct source_ask *ask, struct arena *arena,
                                struct source_target *ret, struct err *err)
{
    return krx_target("sto/stk_bydd_trd", ask, arena, ret, err);
}

static enum status kosdaq_target(const struct source_ask *ask, struct arena *arena,
                                 struct source_target *ret, struct err *err)
{
    return krx_target("sto/ksq_bydd_trd", ask, arena, ret, err);
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    return krx_parse(&source_krx_kospi, parse_row, ask, body, w, ret_has_more, err);
}

const struct source source_krx_kospi = {
    .name = "krx_kospi",
    .title = "KRX Open API, KOSPI stocks",
    .base = "https://data-dbg.krx.co.kr",
    .needs_key = true,
    .manners = {.interval_ms = 300, .per_day = 10000, .timeout_s = 60, .body_mib = 16},
    .target = kospi_target,
    .judge = krx_judge,
    .parse = parse,
};

const struct source source_krx_kosdaq = {
    .name = "krx_kosdaq",
    .title = "KRX Open API, KOSDAQ stocks",
    .base = "https://data-dbg.krx.co.kr",
    .needs_key = true,
    .manners = {.interval_ms = 300, .per_day = 10000, .timeout_s = 60, .body_mib = 16},
    .target = kosdaq_target,
    .judge = krx_judge,
    .parse = parse,
};
