/*
 * wikipedia.c - codes of the Global Industry Classification Standard out of Wikipedia's table. A cell of 2, 4, 6 or 8 digits
 * is a code, the next one its name: cells that are added or span rows do no harm. Each code begins with that of its
 * parent; one that does not is rejected. Text of Wikipedia is under CC BY-SA 4.0.
 */
#include "ingest/html.h"
#include "ingest/source.h"

enum { CODES_MAX = 1024, CODES_MIN = 4 };

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    (void)ask;
    (void)arena;
    (void)err;
    ret->path = STR("/wiki/Global_Industry_Classification_Standard");
    return STATUS_OK;
}

static struct feed_verdict judge(const struct feed_reply *reply)
{
    return feed_judge(reply, FEED_FORM_HTML);
}

static bool is_code(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len >= 2 && text.len <= 8 && text.len % 2 == 0;
}

struct tree {
    struct str codes[CODES_MAX];
    size_t n;
};

static bool has_parent(const struct tree *tree, struct str code)
{
    for (size_t i = 0; i < tree->n; i++)
        if (str_eq(tree->codes[i], str_sub(code, 0, code.len - 2)))
            return true;
    return code.len == 2;
}

static enum status put(const struct source_ask *ask, struct tree *tree, struct str code,
                       struct str name, struct feed_writer *w, struct err *err)
{
    static const char *const levels[] = {"sector", "industry_group", "industry", "sub_industry"};
    feed_begin(w, SHAPE_CODE);
    feed_put_text(w, CODE_SCHEME, STR("GICS"));
    feed_put_date(w, CODE_DATE, feed_local_date(ask->now_s, 0, false));
    feed_put_text(w, CODE_LEVEL, str_of(levels[code.len / 2 - 1]));
    feed_put_text(w, CODE_CODE, code);
    feed_put_text(w, CODE_NAME, name);
    if (!has_parent(tree, code))
        feed_refuse(w, "bad-text", CODE_CODE, code);
    else if (tree->n < CODES_MAX)
        tree->codes[tree->n++] = code;
    return feed_end(w, err);
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    struct tree *tree = ARENA_NEW(w->arena, struct tree);
    struct html_cell cell;
    struct str code = STR_NONE;
    bool has_cell = true;
    enum status s = tree == NULL ? err_out_of_memory(err) : STATUS_OK;
    *ret_has_more = false;
    while (s == STATUS_OK && has_cell) {
        s = html_next_cell(&body, w->arena, &cell, &has_cell, err);
        if (s != STATUS_OK || !has_cell)
            break;
        if (is_code(cell.text)) {
            code = cell.text;
        } else if (code.ptr != NULL) {
            s = put(ask, tree, code, cell.text, w, err);
            code = STR_NONE;
        }
    }
    if (s == STATUS_OK && tree->n < CODES_MIN)
        return source_changed(&source_wikipedia, "no table of codes", err);
    return s;
}

const struct source source_wikipedia = {
    .name = "wikipedia",
    .title = "Wikipedia, GICS",
    .base = "https://en.wikipedia.org",
    .manners = {.interval_ms = 2000, .timeout_s = 60, .body_mib = 8},
    .target = target,
    .judge = judge,
    .parse = parse,
};
