/*
 * datagokr_holiday.c - Korean public holidays of a year by data.go.kr, and the two days on which only the exchange rests:
 * 1 May, and the last weekday of December. Source: data.go.kr B090041, SpcdeInfoService, getRestDeInfo.
 */
#include "ingest/sources/datagokr.h"

#include <stdio.h>

static int year_of(const struct source_ask *ask)
{
    return date_to_civil(ask->from).year + (int)ask->page;
}

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf path;
    buf_init(&path, arena, 1024);
    buf_printf(&path,
               "/B090041/openapi/service/SpcdeInfoService/getRestDeInfo?solYear=%d&numOfRows=100"
               "&pageNo=1&_type=json&serviceKey=",
               year_of(ask));
    source_escape(&path, ask->key);
    return source_path(&path, ret, err);
}

static enum status put(struct feed_writer *w, int32_t date, struct json_val name, struct str words,
                       struct err *err)
{
    feed_begin(w, SHAPE_HOLIDAY);
    feed_put_text(w, HOLIDAY_MARKET, STR("XKRX"));
    if (date == DATE_NONE)
        feed_refuse(w, "bad-date", HOLIDAY_DATE, STR_NONE);
    else
        feed_put_date(w, HOLIDAY_DATE, date);
    feed_put_text(w, HOLIDAY_NAME, words);
    feed_json_text(w, HOLIDAY_NAME, name);
    return feed_end(w, err);
}

static enum status parse_item(struct json_val item, struct feed_writer *w, struct err *err)
{
    struct str is_holiday = STR_NONE;
    char digits[16];
    int64_t number = 0;
    int32_t date = DATE_NONE;
    if (jr_read_str(jr_member(item, "isHoliday"), 1, 1, &is_holiday, NULL) == STATUS_OK &&
        !str_eq_c(is_holiday, "Y"))
        return STATUS_OK; /* a day to remember, not to rest */
    if (jr_read_i64(jr_member(item, "locdate"), 10000101, 99991231, &number, NULL) == STATUS_OK) {
        (void)snprintf(digits, sizeof digits, "%lld", (long long)number);
        if (!feed_date(str_of(digits), FEED_COMPACT, &date))
            date = DATE_NONE;
    }
    return put(w, date, jr_member(item, "dateName"), STR_NONE, err);
}

static enum status put_closings(int year, struct json_val none, struct feed_writer *w,
                                struct err *err)
{
    int32_t last = date_from_civil((struct civil){year, 12, 31});
    while (date_weekday(last) > 4)
        last--;
    enum status s =
        put(w, date_from_civil((struct civil){year, 5, 1}), none, STR("Labour Day"), err);
    return s == STATUS_OK ? put(w, last, none, STR("Year-end closing"), err) : s;
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    size_t before = w->n_rows;
    struct json_val none = {.node = NULL};
    enum status s =
        datagokr_parse(&source_datagokr_holiday, parse_item, body, w, ret_has_more, err);
    if (s == STATUS_OK && w->n_rows > before)
        s = put_closings(year_of(ask), none, w, err);
    *ret_has_more = year_of(ask) < date_to_civil(ask->to).year;
    return s;
}

const struct source source_datagokr_holiday = {
    .name = "datagokr_holiday",
    .title = "data.go.kr public holidays",
    .base = "https://apis.data.go.kr",
    .needs_key = true,
    .manners = {.interval_ms = 300, .per_day = 10000, .timeout_s = 60, .body_mib = 4},
    .target = target,
    .judge = datagokr_judge,
    .parse = parse,
};
