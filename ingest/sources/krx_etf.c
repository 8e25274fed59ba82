/*
 * krx_etf.c - Korean ETFs of one day by the KRX Open API. The key stands in a header; a holiday is an empty list. All
 * values are strings, thousands with or without commas, "-" where there is none; prices are not adjusted.
 * Source: openapi.krx.co.kr, etp/etf_bydd_trd.
 */
#include "ingest/sources/krx.h"

enum status krx_target(const char *service, const struct source_ask *ask, struct arena *arena,
                       struct source_target *ret, struct err *err)
{
    struct buf path;
    struct civil c = date_to_civil(ask->from + (int32_t)ask->page);
    buf_init(&path, arena, 256);
    buf_printf(&path, "/svc/apis/%s?basDd=%04d%02d%02d", service, c.year, c.month, c.day);
    ret->header = STR("AUTH_KEY");
    ret->header_value = ask->key;
    return source_path(&path, ret, err);
}

struct feed_verdict krx_judge(const struct feed_reply *reply)
{
    return feed_judge(reply, FEED_FORM_JSON);
}

enum status krx_parse(const struct source *source, krx_row_fn *parse_row,
                      const struct source_ask *ask, struct str body, struct feed_writer *w,
                      bool *ret_has_more, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    enum status s = source_json(source, body, w->arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    struct json_val rows = jr_member(jr_root(doc), "OutBlock_1");
    if (jr_type(rows) != JR_ARRAY)
        return source_changed(source, "no OutBlock_1", err);
    for (size_t i = 0; i < jr_length(rows) && s == STATUS_OK; i++)
        s = parse_row(jr_item(rows, i), w, err);
    *ret_has_more = ask->from + (int32_t)ask->page < ask->to;
    return s;
}

void krx_put_fund(struct feed_writer *w, struct json_val row)
{
    static const struct {
        enum feed_column_id column;
        const char *member;
    } numbers[] = {{FUND_OPEN, "TDD_OPNPRC"},
                   {FUND_HIGH, "TDD_HGPRC"},
                   {FUND_LOW, "TDD_LWPRC"},
                   {FUND_CLOSE, "TDD_CLSPRC"},
                   {FUND_NAV, "NAV"},
                   {FUND_VOLUME, "ACC_TRDVOL"},
                   {FUND_VALUE, "ACC_TRDVAL"},
                   {FUND_MARKET_CAP, "MKTCAP"},
                   {FUND_NET_ASSETS, "INVSTASST_NETASST_TOTAMT"},
                   {FUND_SHARES, "LIST_SHRS"},
                   {FUND_INDEX_CLOSE, "OBJ_STKPRC_IDX"}};
    feed_json_text(w, FUND_INDEX_NAME, jr_member(row, "IDX_IND_NM"));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        feed_json_number(w, numbers[i].column, jr_member(row, numbers[i].member));
    feed_clear_zeros(w, FUND_OPEN, FUND_LOW);
}

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    return krx_target("etp/etf_bydd_trd", ask, arena, ret, err);
}

static enum status parse_row(struct json_val row, struct feed_writer *w, struct err *err)
{
    feed_begin(w, SHAPE_FUND);
    feed_json_date(w, FUND_DATE, jr_member(row, "BAS_DD"), FEED_COMPACT);
    feed_json_text(w, FUND_SYMBOL, jr_member(row, "ISU_CD"));
    feed_json_text(w, FUND_NAME, jr_member(row, "ISU_NM"));
    krx_put_fund(w, row);
    return feed_end(w, err);
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    return krx_parse(&source_krx_etf, parse_row, ask, body, w, ret_has_more, err);
}

const struct source source_krx_etf = {
    .name = "krx_etf",
    .title = "KRX Open API, ETFs",
    .base = "https://data-dbg.krx.co.kr",
    .needs_key = true,
    .manners = {.interval_ms = 300, .per_day = 10000, .timeout_s = 60, .body_mib = 16},
    .target = target,
    .judge = krx_judge,
    .parse = parse,
};
