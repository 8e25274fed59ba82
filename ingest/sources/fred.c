/*
 * fred.c - observations of FRED series in their latest vintage; "." is a missing value.
 * The symbol is the series and its frequency, as in DGS10/D: the answer does not say it.
 * Source: Federal Reserve Bank of St. Louis, FRED API, fred/series/observations.
 */
#include "ingest/source.h"

#include <string.h>

enum { PAGE_ROWS = 100000 };

static const char allowed[] = "SERIES/FREQUENCY with a frequency of D W M Q A, as in DGS10/D";

static bool split(struct str symbol, struct str *ret_series, char *ret_frequency)
{
    size_t slash = str_find(symbol, '/', 0);
    *ret_series = str_sub(symbol, 0, slash);
    *ret_frequency = slash + 2 == symbol.len ? symbol.ptr[slash + 1] : '?';
    return slash > 0 && strchr("DWMQA", *ret_frequency) != NULL;
}

static void add_day(struct buf *path, const char *name, int32_t date)
{
    char text[DATE_TEXT_BYTES];
    date_format(date, text);
    buf_printf(path, "&%s=%s", name, text);
}

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf path;
    struct str series;
    char frequency;
    if (!split(ask->symbol, &series, &frequency))
        return source_bad_symbol(ask, allowed, err);
    buf_init(&path, arena, 512);
    buf_add(&path, STR("/fred/series/observations?series_id="));
    source_escape(&path, series);
    buf_add(&path, STR("&file_type=json"));
    add_day(&path, "observation_start", ask->from);
    add_day(&path, "observation_end", ask->to);
    buf_printf(&path, "&limit=%d&offset=%zu&api_key=", PAGE_ROWS, ask->page * PAGE_ROWS);
    source_escape(&path, ask->key);
    return source_path(&path, ret, err);
}

/* A series that does not exist and a key that is none are 400 both; the words tell them apart. */
static struct feed_verdict judge(const struct feed_reply *reply)
{
    struct feed_verdict verdict = feed_judge(reply, FEED_FORM_JSON);
    if (verdict.outcome == FEED_REFUSED && strstr(verdict.detail, "series does not exist") != NULL)
        verdict.outcome = FEED_NOT_FOUND;
    else if (verdict.outcome == FEED_REFUSED && strstr(verdict.detail, "api_key") != NULL)
        verdict.outcome = FEED_AUTH;
    return verdict;
}

/* The last day of the period that begins at start. */
static int32_t end_of(int32_t start, char frequency)
{
    switch (frequency) {
    case 'W':
        return start; /* FRED dates weeks by their last day */
    case 'M':
        return date_add_months(start, 1) - 1;
    case 'Q':
        return date_add_months(start, 3) - 1;
    case 'A':
        return date_add_months(start, 12) - 1;
    default:
        return start;
    }
}

static enum status parse_row(struct json_val row, struct str series, char frequency,
                             struct feed_writer *w, struct err *err)
{
    struct str text = STR_NONE;
    int32_t date = 0;
    feed_begin(w, SHAPE_OBSERVATION);
    feed_put_text(w, OBSERVATION_SERIES, series);
    feed_put_text(w, OBSERVATION_FREQUENCY, (struct str){&frequency, 1});
    if (jr_read_str(jr_member(row, "date"), 1, 10, &text, NULL) != STATUS_OK ||
        !feed_date(text, FEED_ISO, &date) || date > DATE_MAX - 366) {
        feed_refuse(w, "bad-date", OBSERVATION_START, text);
    } else {
        int32_t end = end_of(date, frequency);
        feed_put_date(w, OBSERVATION_START, frequency == 'W' ? date - 6 : date);
        feed_put_date(w, OBSERVATION_END, end);
        w->row.ymd = end;
    }
    feed_json_date(w, OBSERVATION_VINTAGE, jr_member(row, "realtime_start"), FEED_ISO);
    feed_json_number(w, OBSERVATION_VALUE, jr_member(row, "value"));
    return feed_end(w, err);
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct str series;
    char frequency;
    if (!split(ask->symbol, &series, &frequency))
        return source_bad_symbol(ask, allowed, err);
    enum status s = source_json(&source_fred, body, w->arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    struct json_val rows = jr_member(jr_root(doc), "observations");
    if (jr_type(rows) != JR_ARRAY)
        return source_changed(&source_fred, "no observations", err);
    for (size_t i = 0; i < jr_length(rows) && s == STATUS_OK; i++)
        s = parse_row(jr_item(rows, i), series, frequency, w, err);
    *ret_has_more = jr_length(rows) >= PAGE_ROWS;
    return s;
}

const struct source source_fred = {
    .name = "fred",
    .title = "FRED",
    .base = "https://api.stlouisfed.org",
    .needs_key = true,
    .manners = {.interval_ms = 600, .timeout_s = 60, .body_mib = 32},
    .target = target,
    .judge = judge,
    .parse = parse,
};
