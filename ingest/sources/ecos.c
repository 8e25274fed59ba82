/*
 * ecos.c - statistics of the Bank of Korea. The symbol is the table and the cycle, and items where not all are wanted:
 * 902Y006/M, 731Y001/D/0000001. Rows come oldest first in pages; errors come with status 200 under RESULT.
 * Source: Bank of Korea ECOS Open API, StatisticSearch.
 */
#include "ingest/source.h"

#include <string.h>

enum { PAGE_ROWS = 1000, PARTS_MAX = 6 };

static const char allowed[] =
    "TABLE/CYCLE with a cycle of A S Q M D, and up to four items, as in 902Y006/M or 731Y001/D/0000001";

static bool split(struct str symbol, struct str part[PARTS_MAX], size_t *ret_n)
{
    struct str rest = symbol, next;
    size_t n = 0;
    while (str_next_field(&rest, '/', &next)) {
        if (n == PARTS_MAX || next.len == 0)
            return false;
        part[n++] = next;
    }
    *ret_n = n;
    return n >= 2 && part[1].len == 1 && strchr("ASQMD", part[1].ptr[0]) != NULL;
}

/* A day as the period of the cycle that holds it. */
static void add_period(struct buf *path, int32_t date, char cycle)
{
    struct civil c = date_to_civil(date);
    buf_printf(path, "/%d", c.year);
    if (cycle == 'S')
        buf_printf(path, "S%d", c.month > 6 ? 2 : 1);
    else if (cycle == 'Q')
        buf_printf(path, "Q%d", (c.month + 2) / 3);
    else if (cycle != 'A')
        buf_printf(path, "%02d", c.month);
    if (cycle == 'D')
        buf_printf(path, "%02d", c.day);
}

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf path;
    struct str part[PARTS_MAX];
    size_t n = 0, first = ask->page * PAGE_ROWS + 1;
    if (!split(ask->symbol, part, &n))
        return source_bad_symbol(ask, allowed, err);
    buf_init(&path, arena, 512);
    buf_add(&path, STR("/api/StatisticSearch/"));
    source_escape(&path, ask->key);
    buf_printf(&path, "/json/kr/%zu/%zu/", first, first + PAGE_ROWS - 1);
    source_escape(&path, part[0]);
    buf_add_char(&path, '/');
    source_escape(&path, part[1]);
    add_period(&path, ask->from, part[1].ptr[0]);
    add_period(&path, ask->to, part[1].ptr[0]);
    for (size_t i = 2; i < n; i++) {
        buf_add_char(&path, '/');
        source_escape(&path, part[i]);
    }
    return source_path(&path, ret, err);
}

static enum feed_outcome outcome_of(struct str code)
{
    static const struct {
        const char *code;
        enum feed_outcome outcome;
    } rows[] = {{"INFO-100", FEED_AUTH},      {"INFO-200", FEED_EMPTY},
                {"ERROR-400", FEED_TOO_WIDE}, {"ERROR-500", FEED_DOWN},
                {"ERROR-600", FEED_DOWN},     {"ERROR-601", FEED_DOWN},
                {"ERROR-602", FEED_THROTTLED}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq_c(code, rows[i].code))
            return rows[i].outcome;
    return FEED_REFUSED;
}

/* The text behind "key":" in a short answer that is no data. */
static struct str text_behind(struct str body, struct str key)
{
    for (size_t i = 0; i + key.len < body.len; i++) {
        if (!str_eq(str_sub(body, i, i + key.len), key))
            continue;
        size_t from = str_find(body, '"', str_find(body, ':', i + key.len)) + 1;
        return from < body.len ? str_sub(body, from, str_find(body, '"', from)) : STR_NONE;
    }
    return STR_NONE;
}

static struct feed_verdict judge(const struct feed_reply *reply)
{
    struct feed_verdict verdict = feed_judge(reply, FEED_FORM_JSON);
    struct str begin = str_sub(reply->body, 0, reply->body.len < 1024 ? reply->body.len : 1024);
    bool is_result = text_behind(begin, STR("\"StatisticSearch\"")).ptr == NULL &&
                     text_behind(begin, STR("\"CODE\"")).len > 0;
    if (verdict.outcome != FEED_OK || !is_result)
        return verdict;
    return feed_verdict_of(outcome_of(text_behind(begin, STR("\"CODE\""))),
                           text_behind(begin, STR("\"MESSAGE\"")));
}

static enum status parse_row(struct json_val row, struct feed_writer *w, struct err *err)
{
    struct str time = STR_NONE;
    struct feed_period period;
    feed_begin(w, SHAPE_OBSERVATION);
    feed_json_text(w, OBSERVATION_SERIES, jr_member(row, "STAT_CODE"));
    feed_json_text(w, OBSERVATION_AREA, jr_member(row, "ITEM_CODE1"));
    feed_json_text(w, OBSERVATION_AREA_NAME, jr_member(row, "ITEM_NAME1"));
    feed_json_text(w, OBSERVATION_SERIES_NAME, jr_member(row, "STAT_NAME"));
    feed_json_text(w, OBSERVATION_UNIT, jr_member(row, "UNIT_NAME"));
    feed_json_number(w, OBSERVATION_VALUE, jr_member(row, "DATA_VALUE"));
    if (jr_read_str(jr_member(row, "TIME"), 1, 16, &time, NULL) != STATUS_OK ||
        !feed_period(time, &period)) {
        feed_refuse(w, "bad-date", OBSERVATION_START, time);
        return feed_end(w, err);
    }
    w->row.ymd = period.end;
    feed_put_date(w, OBSERVATION_START, period.start);
    feed_put_date(w, OBSERVATION_END, period.end);
    feed_put_text(w, OBSERVATION_FREQUENCY, (struct str){&period.frequency, 1});
    return feed_end(w, err);
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    int64_t total = 0;
    enum status s = source_json(&source_ecos, body, w->arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    struct json_val search = jr_member(jr_root(doc), "StatisticSearch");
    struct json_val rows = jr_member(search, "row");
    if (jr_type(rows) != JR_ARRAY ||
        jr_read_i64(jr_member(search, "list_total_count"), 0, INT64_MAX, &total, NULL) != STATUS_OK)
        return source_changed(&source_ecos, "no StatisticSearch with rows and their count", err);
    for (size_t i = 0; i < jr_length(rows) && s == STATUS_OK; i++)
        s = parse_row(jr_item(rows, i), w, err);
    *ret_has_more = (int64_t)(ask->page * PAGE_ROWS + jr_length(rows)) < total;
    return s;
}

const struct source source_ecos = {
    .name = "ecos",
    .title = "Bank of Korea ECOS",
    .base = "https://ecos.bok.or.kr",
    .needs_key = true,
    .manners = {.interval_ms = 500, .timeout_s = 90, .body_mib = 16},
    .target = target,
    .judge = judge,
    .parse = parse,
};
