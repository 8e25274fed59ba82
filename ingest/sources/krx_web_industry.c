/*
 * krx_web_industry.c - industries of the stocks of a market by the page of the Korean exchange. The symbol is the market:
 * STK (KOSPI) or KSQ (KOSDAQ). Since 2026-02 only members get an answer; others are told LOGOUT, which is reported as
 * blocked: an upload takes its place.
 * Source: data.krx.co.kr, MDCSTAT03901.
 */
#include "ingest/sources/krx_web.h"

enum status krx_web_target(const char *path, const struct buf *form, struct source_target *ret,
                           struct err *err)
{
    if (form->failed)
        return err_out_of_memory(err);
    ret->path = str_of(path);
    ret->form = buf_str(form);
    return STATUS_OK;
}

struct feed_verdict krx_web_judge(const struct feed_reply *reply)
{
    struct feed_verdict verdict = feed_judge(reply, FEED_FORM_JSON);
    if (str_starts(str_trim(reply->body), STR("LOGOUT")))
        return feed_verdict_of(FEED_BLOCKED, STR("members only: LOGOUT"));
    return verdict;
}

enum status krx_web_rows(const struct source *source, struct str body, const char *name,
                         struct arena *arena, struct json_doc **ret_doc, struct json_val *ret,
                         struct err *err)
{
    enum status s = source_json(source, body, arena, ret_doc, err);
    if (s != STATUS_OK)
        return s;
    *ret = jr_member(jr_root(*ret_doc), name);
    return jr_type(*ret) == JR_ARRAY ? STATUS_OK : source_changed(source, "no rows", err);
}

void krx_web_add_day(struct buf *form, int32_t date)
{
    struct civil c = date_to_civil(date);
    buf_printf(form, "%04d%02d%02d", c.year, c.month, c.day);
}

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf form;
    if (!str_eq_c(ask->symbol, "STK") && !str_eq_c(ask->symbol, "KSQ"))
        return source_bad_symbol(ask, "STK or KSQ", err);
    buf_init(&form, arena, 512);
    buf_printf(&form,
               "bld=dbms/MDC/STAT/standard/MDCSTAT03901&locale=ko_KR&mktId=%.*s&money=1"
               "&csvxls_isNo=false&trdDd=",
               STR_ARG(ask->symbol));
    krx_web_add_day(&form, ask->to);
    return krx_web_target("/comm/bldAttendant/getJsonData.cmd", &form, ret, err);
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct json_val rows;
    enum status s =
        krx_web_rows(&source_krx_web_industry, body, "block1", w->arena, &doc, &rows, err);
    *ret_has_more = false;
    for (size_t i = 0; s == STATUS_OK && i < jr_length(rows); i++) {
        struct json_val row = jr_item(rows, i);
        feed_begin(w, SHAPE_LISTING);
        feed_json_text(w, LISTING_SYMBOL, jr_member(row, "ISU_SRT_CD"));
        feed_put_date(w, LISTING_DATE, ask->to);
        feed_put_text(w, LISTING_MARKET,
                      str_eq_c(ask->symbol, "KSQ") ? STR("KOSDAQ") : STR("KOSPI"));
        feed_json_text(w, LISTING_NAME, jr_member(row, "ISU_ABBRV"));
        feed_json_text(w, LISTING_INDUSTRY, jr_member(row, "IDX_IND_NM"));
        s = feed_end(w, err);
    }
    return s;
}

const struct source source_krx_web_industry = {
    .name = "krx_web_industry",
    .title = "KRX pages, industries",
    .base = "https://data.krx.co.kr",
    .manners = {.interval_ms = 3000, .timeout_s = 60, .body_mib = 16},
    .target = target,
    .judge = krx_web_judge,
    .parse = parse,
};
