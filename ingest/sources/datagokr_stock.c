/*
 * datagokr_stock.c - daily prices of Korean stocks, all of a day or a window, by the Financial Services Commission on
 * data.go.kr; see datagokr_etf.c. Prices are not adjusted.
 * Source: data.go.kr 1160100, GetStockSecuritiesInfoService_V2.
 */
#include "ingest/sources/datagokr.h"

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    return datagokr_target("GetStockSecuritiesInfoService_V2/getStockPriceInfo_V2", ask, arena, ret,
                           err);
}

static enum status parse_item(struct json_val item, struct feed_writer *w, struct err *err)
{
    static const struct {
        enum feed_column_id column;
        const char *member;
    } numbers[] = {{BAR_OPEN, "mkp"},
                   {BAR_HIGH, "hipr"},
                   {BAR_LOW, "lopr"},
                   {BAR_CLOSE, "clpr"},
                   {BAR_VOLUME, "trqu"},
                   {BAR_VALUE, "trPrc"},
                   {BAR_MARKET_CAP, "mrktTotAmt"},
                   {BAR_SHARES, "lstgStCnt"}};
    feed_begin(w, SHAPE_BAR);
    feed_json_date(w, BAR_DATE, jr_member(item, "basDt"), FEED_COMPACT);
    feed_json_text(w, BAR_SYMBOL, jr_member(item, "srtnCd"));
    feed_json_text(w, BAR_ISIN, jr_member(item, "isinCd"));
    feed_json_text(w, BAR_NAME, jr_member(item, "itmsNm"));
    feed_json_text(w, BAR_MARKET, jr_member(item, "mrktCtg"));
    feed_put_text(w, BAR_CURRENCY, STR("KRW"));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        feed_json_number(w, numbers[i].column, jr_member(item, numbers[i].member));
    feed_clear_zeros(w, BAR_OPEN, BAR_LOW);
    return feed_end(w, err);
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    (void)ask;
    return datagokr_parse(&source_datagokr_stock, parse_item, body, w, ret_has_more, err);
}

const struct source source_datagokr_stock = {
    .name = "datagokr_stock",
    .title = "data.go.kr stock prices",
    .base = "https://apis.data.go.kr",
    .needs_key = true,
    .manners = {.interval_ms = 300, .per_day = 10000, .timeout_s = 60, .body_mib = 16},
    .target = target,
    .judge = datagokr_judge,
    .parse = parse,
};
