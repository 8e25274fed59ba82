/*
 * nyt_search.c - articles of some days by the Article Search API, ten a page and a hundred pages at most: what came since
 * the archive's month was read. docs may be null.
 * Source: developer.nytimes.com, Article Search API.
 */
#include "ingest/sources/nyt.h"

enum { PAGE_ROWS = 10, PAGES_MAX = 100 };

static void add_day(struct buf *path, const char *name, int32_t date)
{
    struct civil c = date_to_civil(date);
    buf_printf(path, "%s%04d%02d%02d", name, c.year, c.month, c.day);
}

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf path;
    if (ask->page >= PAGES_MAX)
        return err_set(err, STATUS_BAD_VALUE,
                       "Article Search has no page %zu; ask for fewer days at a time.", ask->page);
    buf_init(&path, arena, 512);
    buf_add(&path, STR("/svc/search/v2/articlesearch.json?sort=oldest"));
    add_day(&path, "&begin_date=", ask->from);
    add_day(&path, "&end_date=", ask->to);
    if (ask->symbol.len > 0) {
        buf_add(&path, STR("&q="));
        source_escape(&path, ask->symbol);
    }
    buf_printf(&path, "&page=%zu&api-key=", ask->page);
    source_escape(&path, ask->key);
    return source_path(&path, ret, err);
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    size_t n = 0;
    enum status s = nyt_parse(&source_nyt_search, body, w, &n, err);
    *ret_has_more = n == PAGE_ROWS && ask->page + 1 < PAGES_MAX;
    return s;
}

const struct source source_nyt_search = {
    .name = "nyt_search",
    .title = "New York Times Article Search",
    .base = "https://api.nytimes.com",
    .needs_key = true,
    .manners =
        {.interval_ms = 12000, .per_day = 500, .timeout_s = 60, .body_mib = 8, .window_days = 1},
    .target = target,
    .judge = nyt_judge,
    .parse = parse,
};
