/* news.c - articles by words, section and day; counts by day and section; the commonest keywords. */
#include "handlers/handlers.h"

#include "backtest/tally.h"
#include "base/date.h"
#include "handlers/params.h"
#include "handlers/resource.h"
#include "handlers/rows_answer.h"
#include "handlers/warnings.h"
#include "store/news_store.h"

#include <stdio.h>

enum { TOP_DEFAULT = 50, TOP_MAX = 1000, TALLY_BYTES = 64 * 1024 * 1024 };

static const char *const marts[] = {"mart_news_article"};

/* One word, in the headline or in the abstract. */
static enum status add_word(struct request *request, struct rows_request *rows,
                            const struct filter *words, size_t i, struct err *err)
{
    static const char *const columns[] = {"headline", "abstract"};
    struct filter *either = arena_array(&request->arena, ARRAY_LEN(columns), sizeof *either);
    if (either == NULL)
        return err_out_of_memory(err);
    for (size_t k = 0; k < ARRAY_LEN(columns); k++) {
        int column = mart_column_index(rows->query->mart, str_of(columns[k]));
        if (column < 0)
            return err_set(err, STATUS_INTERNAL, "The mart has no column \"%s\".", columns[k]);
        either[k] = (struct filter){
            .column = (size_t)column, .op = OP_FTS, .values = &words->values[i], .n_values = 1};
    }
    return rows_add_filter(
        rows, (struct filter){.op = OP_OR, .terms = either, .n_terms = ARRAY_LEN(columns)}, err);
}

/* q=: every word must be there, by the rule of the fts operator of rows. */
static enum status add_words(struct request *request, struct rows_request *rows, struct err *err)
{
    struct str q = request_param(request, "q");
    if (q.ptr == NULL)
        return STATUS_OK;
    if (q.len < 1 || q.len > 200)
        return params_refuse(err, "q", q, "1 to 200 bytes of words");
    struct buf value;
    struct filter words;
    buf_init(&value, &request->arena, 256);
    buf_printf(&value, "fts.%.*s", STR_ARG(q));
    if (value.failed)
        return err_out_of_memory(err);
    enum status s = filter_parse(rows->query->mart, STR("headline"), buf_str(&value),
                                 &request->arena, &words, err);
    if (s != STATUS_OK)
        err_at(err, ERR_PARAMETER, STR("q"), q);
    for (size_t i = 0; s == STATUS_OK && i < words.n_values; i++)
        s = add_word(request, rows, &words, i, err);
    return s;
}

static enum status add_section(struct request *request, struct rows_request *rows, struct err *err)
{
    struct str section = request_param(request, "section");
    return section.ptr == NULL ? STATUS_OK : rows_add_equal(request, rows, "section", section, err);
}

/* Newest first, unless another order is asked for. */
static enum status add_order(struct request *request, struct rows_request *rows, struct err *err)
{
    if (request_param(request, "order").ptr != NULL)
        return STATUS_OK;
    return order_parse(rows->query->mart, STR("pub_date.desc,article_id"), &request->arena,
                       rows->query, err);
}

enum status news_list(struct request *request, struct err *err)
{
    static const char *const names[] = {"q",      "section",    "from",          "to",
                                        "last",   "select",     "order",         "limit",
                                        "cursor", "generation", TABLE_PARAMETERS};
    CLEANUP(rows_end) struct rows_request rows = {0};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = rows_begin(request, str_of(marts[0]), &rows, err);
    if (s == STATUS_OK)
        s = add_words(request, &rows, err);
    if (s == STATUS_OK)
        s = add_section(request, &rows, err);
    if (s == STATUS_OK)
        s = rows_add_window(request, &rows, err);
    if (s == STATUS_OK)
        s = rows_read_page(request, &rows, err);
    if (s == STATUS_OK)
        s = add_order(request, &rows, err);
    return s != STATUS_OK ? s : rows_answer(request, &rows, err);
}

static enum status no_article(struct request *request, struct db *db, int64_t generation,
                              struct err *err)
{
    struct str id = request->path_params[0];
    (void)db;
    (void)generation;
    (void)err_set(err, STATUS_NOT_FOUND, "There is no article with this id.");
    err_at(err, ERR_PARAMETER, STR("article_id"), id);
    err_allow(err,
              "an article_id from /v1/news with all its digits: a reader whose numbers are doubles "
              "asks for numbers=string there");
    return STATUS_NOT_FOUND;
}

enum status news_article_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"select", "generation", TABLE_PARAMETERS};
    CLEANUP(rows_end) struct rows_request rows = {0};
    int64_t id;
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK && !str_to_i64(request->path_params[0], &id))
        return no_article(request, NULL, 0, err);
    if (s == STATUS_OK)
        s = rows_begin(request, str_of(marts[0]), &rows, err);
    if (s == STATUS_OK)
        s = rows_add_equal(request, &rows, "article_id", request->path_params[0], err);
    if (s == STATUS_OK)
        s = rows_read_page(request, &rows, err);
    rows.is_single = true;
    rows.has_parent = true;
    rows.when_empty = no_article;
    return s != STATUS_OK ? s : rows_answer(request, &rows, err);
}

/* A count over a window of articles. */
struct counted {
    struct resource *resource;
    struct news_filter filter;
    int64_t top;
};

/* In one page: leaves out the rows of earlier ones, and links on when there are more. */
struct page {
    struct resource *resource;
    size_t skip, seen;
};

static bool is_due(const struct page *page, const struct table *table, bool *ret_is_full)
{
    *ret_is_full = table_rows(table) == (size_t)page->resource->limit;
    return page->seen >= page->skip && !*ret_is_full;
}

static enum status fill_daily(struct request *request, void *cls, struct table *table,
                              struct err *err)
{
    static const struct table_column columns[] = {
        RESOURCE_COLUMN("pub_day", COLUMN_DATE), RESOURCE_COLUMN("section", COLUMN_TEXT),
        RESOURCE_COLUMN("articles", COLUMN_INT), RESOURCE_COLUMN("words", COLUMN_INT)};
    struct counted *counted = cls;
    struct page page = {.resource = counted->resource};
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false, is_full = false;
    (void)request;
    enum status s = resource_skip(page.resource, &page.skip, err);
    if (s == STATUS_OK)
        s = resource_db(page.resource, &db, err);
    if (s == STATUS_OK)
        s = table_columns(table, columns, ARRAY_LEN(columns), err);
    if (s == STATUS_OK)
        s = news_daily_open(db, &counted->filter, page.resource->read_at, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct str values[ARRAY_LEN(columns)];
        if (is_due(&page, table, &is_full)) {
            for (size_t i = 0; i < ARRAY_LEN(columns); i++)
                values[i] = rows_text(&rows, i);
            if (rows_i64(&rows, ARRAY_LEN(columns)) > 0)
                table_warn(table, 1u << WARNING_SIMULATED);
            s = table_row(table, values, err);
        } else if (is_full) {
            s = resource_next_at(page.resource, table, page.seen, err);
            break;
        }
        page.seen++;
    }
    return s;
}

/* "a;b;c": each once for an article, without the spaces around it. */
static enum status tally_article(struct tally *tally, struct str keywords, struct err *err)
{
    struct str rest = keywords, keyword;
    size_t from = 0;
    while (str_next_field(&rest, ';', &keyword)) {
        struct str before = str_sub(keywords, 0, from), other;
        bool is_new = true;
        from += keyword.len + 1;
        keyword = str_trim(keyword);
        while (before.len > 0 && is_new && str_next_field(&before, ';', &other))
            is_new = !str_eq(str_trim(other), keyword);
        if (keyword.len > 0 && is_new && !tally_add(tally, keyword))
            return err_set(err, STATUS_TOO_LARGE,
                           "There are more keywords than can be counted at once.");
    }
    return STATUS_OK;
}

static enum status put_keywords(const struct counted *counted, struct tally *tally,
                                struct table *table, struct err *err)
{
    size_t n;
    const struct tally_word *words = tally_sorted(tally, &n);
    enum status s = STATUS_OK;
    for (size_t i = 0; i < n && i < (size_t)counted->top && s == STATUS_OK; i++) {
        char count[24];
        (void)snprintf(count, sizeof count, "%zu", words[i].count);
        const struct str values[] = {words[i].word, str_of(count)};
        s = table_row(table, values, err);
    }
    return s;
}

static enum status fill_keywords(struct request *request, void *cls, struct table *table,
                                 struct err *err)
{
    static const struct table_column columns[] = {RESOURCE_COLUMN("keyword", COLUMN_TEXT),
                                                  RESOURCE_COLUMN("articles", COLUMN_INT)};
    struct counted *counted = cls;
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(rows_clear) struct rows rows = {0};
    struct arena arena;
    struct tally tally;
    bool has_row = false;
    (void)request;
    enum status s = resource_db(counted->resource, &db, err);
    if (s == STATUS_OK)
        s = news_keywords_open(db, &counted->filter, counted->resource->read_at, &rows, err);
    arena_init(&arena, TALLY_BYTES);
    tally_init(&tally, &arena);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        if (str_eq_c(rows_text(&rows, 1), "simulated"))
            table_warn(table, 1u << WARNING_SIMULATED);
        s = tally_article(&tally, rows_text(&rows, 0), err);
    }
    if (s == STATUS_OK)
        s = table_columns(table, columns, ARRAY_LEN(columns), err);
    if (s == STATUS_OK)
        s = put_keywords(counted, &tally, table, err);
    arena_clear(&arena);
    return s;
}

static void put_meta(struct json_out *json, void *cls)
{
    const struct counted *counted = cls;
    resource_put_meta(counted->resource, json, true);
    jw_key_text(json, "section", counted->filter.section);
}

static enum status begin_count(struct counted *counted, struct request *request, struct err *err)
{
    struct window window;
    enum status s = resource_begin(request, marts, ARRAY_LEN(marts), counted->resource, err);
    if (s == STATUS_OK)
        s = params_window(request, counted->resource->as_of, &window, err);
    if (s != STATUS_OK)
        return s;
    counted->filter = (struct news_filter){
        .from = window.from, .to = window.to, .section = request_param(request, "section")};
    resource_say_i64(counted->resource, "from", window.from);
    resource_say_i64(counted->resource, "to", window.to);
    resource_say(counted->resource, "section", counted->filter.section);
    return STATUS_OK;
}

enum status news_daily_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"section", "from",   "to",         "last",
                                        "limit",   "cursor", "generation", TABLE_PARAMETERS};
    CLEANUP(resource_end) struct resource resource = {0};
    struct counted counted = {.resource = &resource};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = begin_count(&counted, request, err);
    if (s == STATUS_OK)
        s = resource_page(&resource, MART_LIMIT_MAX, 1, err);
    if (s != STATUS_OK)
        return s;
    return resource_answer(&resource,
                           (struct table_request){.fill = fill_daily,
                                                  .put_meta = put_meta,
                                                  .file_name = STR("news-daily"),
                                                  .describedby = STR("/v1/marts/mart_news_article"),
                                                  .cls = &counted},
                           err);
}

enum status news_keywords_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"section",    "from",          "to", "last", "top",
                                        "generation", TABLE_PARAMETERS};
    CLEANUP(resource_end) struct resource resource = {0};
    struct counted counted = {.resource = &resource, .top = TOP_DEFAULT};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = begin_count(&counted, request, err);
    if (s == STATUS_OK)
        s = params_i64(request, "top", 1, TOP_MAX, &counted.top, err);
    if (s != STATUS_OK)
        return s;
    resource_say_i64(&resource, "top", counted.top);
    return resource_answer(&resource,
                           (struct table_request){.fill = fill_keywords,
                                                  .put_meta = put_meta,
                                                  .file_name = STR("news-keywords"),
                                                  .describedby = STR("/v1/marts/mart_news_article"),
                                                  .cls = &counted},
                           err);
}
