/*
 * datagokr_etf.c - daily prices of Korean ETFs, all of a day or a window, by the Financial Services Commission on
 * data.go.kr, version 2 of the service. All values are strings; a number may begin with its point. Errors come as XML with
 * status 200, also where JSON was asked for; a single item may come without its list. Prices are not adjusted.
 * Source: data.go.kr 1160100, GetSecuritiesProductInfoService_V2.
 */
#include "ingest/sources/datagokr.h"

#include <stdlib.h>

enum { PAGE_ROWS = 1000 };

static void add_day(struct buf *path, const char *name, int32_t date)
{
    struct civil c = date_to_civil(date);
    buf_printf(path, "&%s=%04d%02d%02d", name, c.year, c.month, c.day);
}

/* The end of a window is exclusive there. The key is the decoded one: it is encoded here, and once. */
enum status datagokr_target(const char *service, const struct source_ask *ask, struct arena *arena,
                            struct source_target *ret, struct err *err)
{
    struct buf path;
    buf_init(&path, arena, 1024);
    buf_printf(&path, "/1160100/%s?resultType=json&numOfRows=%d&pageNo=%zu", service, PAGE_ROWS,
               ask->page + 1);
    add_day(&path, "beginBasDt", ask->from);
    add_day(&path, "endBasDt", ask->to + 1);
    if (ask->symbol.len > 0) {
        buf_add(&path, STR("&likeSrtnCd="));
        source_escape(&path, ask->symbol);
    }
    buf_add(&path, STR("&serviceKey="));
    source_escape(&path, ask->key);
    return source_path(&path, ret, err);
}

static enum feed_outcome outcome_of(int code)
{
    switch (code) {
    case 0:
        return FEED_OK;
    case 20:
    case 30:
    case 31:
    case 32:
        return FEED_AUTH;
    case 22:
        return FEED_QUOTA;
    case 1:
    case 99:
        return FEED_DOWN;
    default:
        return FEED_REFUSED;
    }
}

/* What stands between <name> and the next <; ptr NULL when it is not there. */
static struct str element(struct str body, struct str name)
{
    for (size_t i = 0; i + name.len < body.len; i++)
        if (str_eq(str_sub(body, i, i + name.len), name))
            return str_sub(body, i + name.len, str_find(body, '<', i + name.len));
    return STR_NONE;
}

/* The number of "resultCode": "22" in an answer of JSON; 0 where there is none. */
static int result_code(struct str body)
{
    const struct str name = STR("\"resultCode\"");
    int64_t number = 0;
    for (size_t i = 0; i + name.len < body.len; i++) {
        if (!str_starts(str_sub(body, i, body.len), name))
            continue;
        size_t from = str_find(body, '"', i + name.len);
        struct str text = str_sub(body, from + 1, str_find(body, '"', from + 1));
        return text.len < 8 && str_to_i64(text, &number) ? (int)number : 0;
    }
    return 0;
}

struct feed_verdict datagokr_judge(const struct feed_reply *reply)
{
    struct str code = element(reply->body, STR("<returnReasonCode>"));
    if (code.ptr != NULL && code.len < 8) {
        int64_t number = -1;
        (void)str_to_i64(str_trim(code), &number);
        return feed_verdict_of(outcome_of((int)number),
                               element(reply->body, STR("<returnAuthMsg>")));
    }
    struct feed_verdict verdict = feed_judge(reply, FEED_FORM_JSON);
    int number = verdict.outcome == FEED_OK ? result_code(reply->body) : 0;
    return number == 0 ? verdict : feed_verdict_of(outcome_of(number), str_trim(reply->body));
}

static enum status check_header(const struct source *source, struct json_val header,
                                struct err *err)
{
    struct str code = STR_NONE, message = STR_NONE;
    if (jr_read_str(jr_member(header, "resultCode"), 1, 8, &code, NULL) != STATUS_OK)
        return source_changed(source, "no resultCode", err);
    if (str_eq_c(code, "00"))
        return STATUS_OK;
    if (jr_read_str(jr_member(header, "resultMsg"), 0, 1024, &message, NULL) != STATUS_OK)
        message = STR("without a word");
    return err_set(err, STATUS_BAD_DATA, "%s answers %.*s: %.*s", source->title, STR_ARG(code),
                   STR_ARG(str_utf8_cut(message, 120)));
}

enum status datagokr_parse(const struct source *source, datagokr_item_fn *parse_item,
                           struct str body, struct feed_writer *w, bool *ret_has_more,
                           struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    int64_t total = 0, page = 0, size = PAGE_ROWS;
    enum status s = source_json(source, body, w->arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    struct json_val response = jr_member(jr_root(doc), "response"),
                    inner = jr_member(response, "body");
    s = check_header(source, jr_member(response, "header"), err);
    if (s != STATUS_OK)
        return s;
    if (jr_read_i64(jr_member(inner, "totalCount"), 0, INT64_MAX, &total, NULL) != STATUS_OK ||
        jr_read_i64(jr_member(inner, "pageNo"), 1, INT32_MAX, &page, NULL) != STATUS_OK)
        return source_changed(source, "no totalCount and pageNo", err);
    /* Of the rows that were asked for a service may give fewer a page. */
    if (jr_read_i64(jr_member(inner, "numOfRows"), 1, PAGE_ROWS, &size, NULL) != STATUS_OK)
        size = PAGE_ROWS;
    struct json_val list = jr_member(inner, "items"), items = jr_member(list, "item");
    if (jr_type(list) != JR_STRING && jr_type(items) != JR_OBJECT && jr_type(items) != JR_ARRAY)
        return source_changed(source, "no items", err);
    if (jr_type(items) == JR_OBJECT) /* one alone */
        s = parse_item(items, w, err);
    for (size_t i = 0; i < jr_length(items) && s == STATUS_OK; i++)
        s = parse_item(jr_item(items, i), w, err);
    *ret_has_more = page * size < total;
    return s;
}

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    return datagokr_target("GetSecuritiesProductInfoService_V2/getETFPriceInfo_V2", ask, arena, ret,
                           err);
}

static enum status parse_item(struct json_val item, struct feed_writer *w, struct err *err)
{
    static const struct {
        enum feed_column_id column;
        const char *member;
    } numbers[] = {{FUND_OPEN, "mkp"},
                   {FUND_HIGH, "hipr"},
                   {FUND_LOW, "lopr"},
                   {FUND_CLOSE, "clpr"},
                   {FUND_NAV, "nav"},
                   {FUND_VOLUME, "trqu"},
                   {FUND_VALUE, "trPrc"},
                   {FUND_MARKET_CAP, "mrktTotAmt"},
                   {FUND_NET_ASSETS, "nPptTotAmt"},
                   {FUND_SHARES, "stLstgCnt"},
                   {FUND_INDEX_CLOSE, "bssIdxClpr"}};
    feed_begin(w, SHAPE_FUND);
    feed_json_date(w, FUND_DATE, jr_member(item, "basDt"), FEED_COMPACT);
    feed_json_text(w, FUND_SYMBOL, jr_member(item, "srtnCd"));
    feed_json_text(w, FUND_ISIN, jr_member(item, "isinCd"));
    feed_json_text(w, FUND_NAME, jr_member(item, "itmsNm"));
    feed_json_text(w, FUND_INDEX_NAME, jr_member(item, "bssIdxIdxNm"));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        feed_json_number(w, numbers[i].column, jr_member(item, numbers[i].member));
    feed_clear_zeros(w, FUND_OPEN, FUND_LOW);
    return feed_end(w, err);
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    (void)ask;
    return datagokr_parse(&source_datagokr_etf, parse_item, body, w, ret_has_more, err);
}

const struct source source_datagokr_etf = {
    .name = "datagokr_etf",
    .title = "data.go.kr ETF prices",
    .base = "https://apis.data.go.kr",
    .needs_key = true,
    .manners = {.interval_ms = 300, .per_day = 10000, .timeout_s = 60, .body_mib = 16},
    .target = target,
    .judge = datagokr_judge,
    .parse = parse,
};
