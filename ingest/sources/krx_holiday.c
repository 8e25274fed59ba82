/*
 * krx_holiday.c - the days of a year on which the Korean exchange is closed, by its own page. The page hands out a code that
 * is good for one question: it is the key here, and datagokr_holiday does without.
 * Source: open.krx.co.kr, MKD01100305.
 */
#include "ingest/sources/krx_web.h"

static int year_of(const struct source_ask *ask)
{
    return date_to_civil(ask->from).year + (int)ask->page;
}

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf form;
    buf_init(&form, arena, 4096);
    buf_printf(&form,
               "search_bas_yy=%d&gridTp=KRX&pagePath=%%2Fcontents%%2FMKD%%2F01%%2F0110%%2F01100305"
               "%%2FMKD01100305.jsp&pageFirstCall=Y&code=",
               year_of(ask));
    source_escape(&form, ask->key);
    return krx_web_target("/contents/OPN/99/OPN99000001.jspx", &form, ret, err);
}

/* No year is without a holiday: nothing at all means that the code was refused. */
static struct feed_verdict judge(const struct feed_reply *reply)
{
    struct feed_verdict verdict = krx_web_judge(reply);
    for (size_t i = 0; verdict.outcome == FEED_OK && i + 1 < reply->body.len; i++)
        if (reply->body.ptr[i] == '[') {
            struct str behind = str_trim(str_sub(reply->body, i + 1, reply->body.len));
            if (behind.len > 0 && behind.ptr[0] == ']')
                return feed_verdict_of(FEED_AUTH, STR("no holidays: the code is used or wrong"));
            break;
        }
    return verdict;
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct json_val rows;
    enum status s = krx_web_rows(&source_krx_holiday, body, "block1", w->arena, &doc, &rows, err);
    *ret_has_more = year_of(ask) < date_to_civil(ask->to).year;
    for (size_t i = 0; s == STATUS_OK && i < jr_length(rows); i++) {
        struct json_val row = jr_item(rows, i);
        feed_begin(w, SHAPE_HOLIDAY);
        feed_put_text(w, HOLIDAY_MARKET, STR("XKRX"));
        feed_json_date(w, HOLIDAY_DATE, jr_member(row, "calnd_dd_dy"), FEED_ISO);
        feed_json_text(w, HOLIDAY_NAME, jr_member(row, "holdy_eng_nm"));
        s = feed_end(w, err);
    }
    return s;
}

const struct source source_krx_holiday = {
    .name = "krx_holiday",
    .title = "KRX holidays",
    .base = "https://open.krx.co.kr",
    .needs_key = true,
    .manners = {.interval_ms = 3000, .timeout_s = 60, .body_mib = 4},
    .target = target,
    .judge = judge,
    .parse = parse,
};
