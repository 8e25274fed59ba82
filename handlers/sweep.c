/* sweep.c - see sweep.h: reads bodies; sweep_grid.c makes the items of a grid. */
#include "handlers/sweep.h"

#include "handlers/sweep_grid.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static enum status text_of(struct json_val val, struct arena *arena, struct str *ret,
                           struct err *err)
{
    struct buf out;
    struct json_out json;
    buf_init(&out, arena, SWEEP_TEXT_BYTES_MAX);
    jw_init(&json, &out);
    enum status s = json_write(val, &json, err);
    *ret = buf_str(&out);
    return s == STATUS_OK && out.failed ? err_out_of_memory(err) : s;
}

static enum status read_metric(struct json_val val, enum backtest_row_metric *ret, struct err *err)
{
    size_t at = ROW_sharpe;
    enum status s = jr_is_present(val)
                        ? jr_read_choice(val, backtest_row_names, BACKTEST_ROW_METRICS, &at, err)
                        : STATUS_OK;
    *ret = (enum backtest_row_metric)at;
    return s;
}

/* What both bodies have. */
static enum status read_common(struct json_val root, struct arena *arena, struct sweep *sweep,
                               struct err *err)
{
    struct json_val base = jr_member(root, "base"), deadline = jr_member(root, "deadline_s");
    enum status s = read_metric(jr_member(root, "metric"), &sweep->metric, err);
    sweep->deadline_s = SWEEP_DEADLINE_S;
    sweep->base = STR_NONE;
    if (s == STATUS_OK && jr_is_present(deadline))
        s = jr_read_i64(deadline, 1, SWEEP_DEADLINE_MAX_S, &sweep->deadline_s, err);
    if (s != STATUS_OK || !jr_is_present(base))
        return s;
    return jr_type(base) == JR_OBJECT ? text_of(base, arena, &sweep->base, err)
                                      : jr_expect_object(base, NULL, 0, err);
}

static enum status needs_base(struct err *err)
{
    (void)err_set(err, STATUS_WRONG_TYPE, "/base is required.");
    err_at(err, ERR_POINTER, STR("/base"), STR_NONE);
    err_allow(err, "a request, as POST /v1/backtests takes it");
    return STATUS_WRONG_TYPE;
}

static enum status batch_item(struct json_val val, bool has_base, struct arena *arena,
                              struct backtest_item_new *ret, struct err *err)
{
    struct str key;
    struct json_val member;
    if (jr_type(val) != JR_OBJECT) {
        (void)err_set(err, STATUS_WRONG_TYPE, "An item is an object.");
        jr_err_at(err, val);
        err_allow(err, has_base
                           ? "an object of JSON pointers and values: {\"/rebalance\": \"monthly\"}"
                           : "a request, as POST /v1/backtests takes it");
        return STATUS_WRONG_TYPE;
    }
    for (size_t i = 0; has_base && jr_member_at(val, i, &key, &member); i++) {
        if (key.len > 1 && key.ptr[0] == '/')
            continue;
        (void)err_set(err, STATUS_UNKNOWN_FIELD, "\"%.*s\" is no JSON pointer.",
                      STR_ARG(str_utf8_cut(key, 64)));
        jr_err_at(err, val);
        err_allow(err,
                  "with \"base\", keys of an item are JSON pointers into it, as \"/rebalance\"");
        return STATUS_UNKNOWN_FIELD;
    }
    return text_of(val, arena, has_base ? &ret->parameters : &ret->request, err);
}

enum status batch_parse(struct str body, size_t items_max, struct arena *arena, struct sweep *ret,
                        struct err *err)
{
    static const char *const members[] = {"base", "items", "metric", "deadline_s"};
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct sweep sweep = {.is_sweep = false};
    enum status s = jr_parse(body, arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    struct json_val root = jr_root(doc), list = jr_member(root, "items");
    s = jr_expect_object(root, members, ARRAY_LEN(members), err);
    if (s == STATUS_OK)
        s = read_common(root, arena, &sweep, err);
    if (s == STATUS_OK && jr_type(list) == JR_ARRAY && jr_length(list) > items_max)
        s = sweep_too_many(err, "/items", jr_length(list), items_max);
    if (s == STATUS_OK)
        s = jr_expect_array(list, 1, items_max, err);
    if (s == STATUS_OK)
        s = sweep_new_items(&sweep, jr_length(list), arena, err);
    for (size_t i = 0; s == STATUS_OK && i < sweep.n_items; i++)
        s = batch_item(jr_item(list, i), sweep.base.ptr != NULL, arena, &sweep.items[i], err);
    sweep.n_grid = sweep.n_items;
    if (s == STATUS_OK)
        *ret = sweep;
    return s;
}

enum status sweep_parse(struct str body, size_t items_max, struct arena *arena, struct sweep *ret,
                        struct err *err)
{
    static const char *const members[] = {"base", "axes", "random", "metric", "deadline_s"};
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct sweep sweep = {.is_sweep = true};
    enum status s = jr_parse(body, arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    struct json_val root = jr_root(doc);
    s = jr_expect_object(root, members, ARRAY_LEN(members), err);
    if (s == STATUS_OK)
        s = read_common(root, arena, &sweep, err);
    if (s == STATUS_OK && sweep.base.ptr == NULL)
        s = needs_base(err);
    if (s == STATUS_OK)
        s = sweep_take_grid(root, items_max, arena, &sweep, err);
    if (s == STATUS_OK)
        *ret = sweep;
    return s;
}

/* One whole request: base with what is asked about its futures. */
enum status montecarlo_parse(struct str body, size_t items_max, struct arena *arena,
                             struct sweep *ret, struct err *err)
{
    static const char *const members[] = {"base", "monte_carlo", "deadline_s"};
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct sweep sweep = {.n_grid = 1};
    struct json_splice futures = {STR("/monte_carlo"), STR("{}")};
    (void)items_max;
    enum status s = jr_parse(body, arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    struct json_val root = jr_root(doc), asked = jr_member(root, "monte_carlo");
    s = jr_expect_object(root, members, ARRAY_LEN(members), err);
    if (s == STATUS_OK)
        s = read_common(root, arena, &sweep, err);
    if (s == STATUS_OK && sweep.base.ptr == NULL)
        s = needs_base(err);
    if (s == STATUS_OK && jr_is_present(asked))
        s = text_of(asked, arena, &futures.value, err);
    if (s == STATUS_OK)
        s = sweep_new_items(&sweep, 1, arena, err);
    if (s != STATUS_OK)
        return s;
    struct buf out;
    buf_init(&out, arena, 2 * SWEEP_TEXT_BYTES_MAX);
    s = json_splice(sweep.base, &futures, 1, arena, &out, err);
    sweep.items[0].request = buf_str(&out);
    sweep.base = STR_NONE;
    if (s == STATUS_OK)
        *ret = sweep;
    return s;
}

enum status sweep_request(struct str base, const struct backtest_item *item, struct arena *arena,
                          struct str *ret, struct err *err)
{
    if (item->request.ptr != NULL || item->parameters.ptr == NULL) {
        *ret = item->request.ptr != NULL ? item->request : base;
        return STATUS_OK;
    }
    struct json_splice *splices = arena_array(arena, JSON_SPLICES_MAX, sizeof *splices);
    struct str key;
    size_t n = 0;
    struct buf out;
    if (splices == NULL)
        return err_out_of_memory(err);
    for (size_t at = 1;
         n < JSON_SPLICES_MAX && json_next_member(item->parameters, &at, &key, &splices[n].value);)
        splices[n++].pointer = key;
    buf_init(&out, arena, 2 * SWEEP_TEXT_BYTES_MAX);
    enum status s = json_splice(base, splices, n, arena, &out, err);
    *ret = buf_str(&out);
    return s;
}
