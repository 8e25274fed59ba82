/* sweep.c - see sweep.h: reads bodies, walks the grid or draws from it, and names the columns of its rows. */
#include "handlers/sweep.h"

#include "handlers/sweep_axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 1 << 20 };

static enum status text_of(struct json_val val, struct arena *arena, struct str *ret,
                           struct err *err)
{
    struct buf out;
    struct json_out json;
    buf_init(&out, arena, TEXT_BYTES_MAX);
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

static enum status too_many(struct err *err, const char *pointer, uint64_t n, size_t max)
{
    (void)err_set(err, STATUS_TOO_LARGE, "This asks for %s%llu backtests.",
                  n > 1000000 ? "more than " : "", (unsigned long long)(n > 1000000 ? 1000000 : n));
    err_at(err, ERR_POINTER, str_of(pointer), STR_NONE);
    err_allow(err, "at most %zu in one job; \"random\" takes some of a larger grid", max);
    return STATUS_TOO_LARGE;
}

static enum status new_items(struct sweep *sweep, size_t n, struct arena *arena, struct err *err)
{
    sweep->items = arena_array(arena, n, sizeof *sweep->items);
    sweep->n_items = n;
    if (sweep->items == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < ITEM_NUMBERS; k++)
            sweep->items[i].number[k] = (double)NAN;
    return STATUS_OK;
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
    if (s == STATUS_OK)
        s = jr_expect_array(list, 1, SIZE_MAX, err);
    if (s == STATUS_OK && jr_length(list) > items_max)
        s = too_many(err, "/items", jr_length(list), items_max);
    if (s == STATUS_OK)
        s = new_items(&sweep, jr_length(list), arena, err);
    for (size_t i = 0; s == STATUS_OK && i < sweep.n_items; i++)
        s = batch_item(jr_item(list, i), sweep.base.ptr != NULL, arena, &sweep.items[i], err);
    sweep.n_grid = sweep.n_items;
    if (s == STATUS_OK)
        *ret = sweep;
    return s;
}

/* "/costs/commission_bps" is costs_commission_bps; what is no letter, digit or '_' becomes '_'. */
static void name_parameter(struct sweep_parameter *parameter)
{
    size_t n = 0;
    for (size_t i = 1; i < parameter->pointer.len && n + 2 < sizeof parameter->name; i++) {
        char c = parameter->pointer.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (n == 0 && !(c >= 'a' && c <= 'z'))
            parameter->name[n++] = 'p';
        parameter->name[n++] = is_plain ? c : '_';
    }
    parameter->name[n] = '\0';
}

static bool is_number(struct str json)
{
    return json.len > 0 && (json.ptr[0] == '-' || (json.ptr[0] >= '0' && json.ptr[0] <= '9'));
}

struct grid {
    struct sweep_axis axes[SWEEP_AXES_MAX];
    size_t n_axes;
    uint64_t n_points; /* saturates */
    bool is_random;
    size_t n_draws;
    int64_t seed;
};

static enum status add_parameters(const struct grid *grid, struct arena *arena, struct sweep *sweep,
                                  struct err *err)
{
    int numbers = 0, texts = 0;
    sweep->parameters =
        arena_array(arena, SWEEP_POINTERS_MAX * SWEEP_AXES_MAX, sizeof *sweep->parameters);
    if (sweep->parameters == NULL)
        return err_out_of_memory(err);
    for (size_t a = 0; a < grid->n_axes; a++) {
        const struct sweep_axis *axis = &grid->axes[a];
        for (size_t p = 0; p < axis->n_pointers; p++) {
            struct sweep_parameter *parameter = &sweep->parameters[sweep->n_parameters++];
            *parameter = (struct sweep_parameter){.pointer = axis->pointers[p], .slot = -1};
            parameter->is_number = true;
            for (uint64_t i = 0; axis->kind == AXIS_LIST && i < axis->n_points; i++)
                parameter->is_number &= is_number(axis->values[i * axis->n_pointers + p]);
            name_parameter(parameter);
            if (parameter->is_number && numbers < ITEM_NUMBERS)
                parameter->slot = numbers++;
            else if (!parameter->is_number && texts < ITEM_TEXTS)
                parameter->slot = texts++;
        }
    }
    return STATUS_OK;
}

static double number_of(struct str json)
{
    double value = (double)NAN;
    return str_to_f64(json, &value) ? value : (double)NAN;
}

/* A string without quotes; anything else as it is written. */
static struct str plain_text(struct str json)
{
    bool is_plain = json.len >= 2 && json.ptr[0] == '"' && str_find(json, '\\', 0) == json.len;
    return is_plain ? str_sub(json, 1, json.len - 1) : json;
}

/* values: one for each parameter, in their order. */
static enum status put_item(const struct sweep *sweep, const struct str *values,
                            struct arena *arena, struct backtest_item_new *ret, struct err *err)
{
    struct buf out;
    struct json_out json;
    buf_init(&out, arena, TEXT_BYTES_MAX);
    jw_init(&json, &out);
    jw_object(&json);
    for (size_t i = 0; i < sweep->n_parameters; i++) {
        const struct sweep_parameter *parameter = &sweep->parameters[i];
        jw_key_str(&json, parameter->pointer);
        jw_raw(&json, values[i]);
        if (parameter->slot < 0)
            continue;
        if (parameter->is_number)
            ret->number[parameter->slot] = number_of(values[i]);
        else
            ret->text[parameter->slot] = plain_text(values[i]);
    }
    jw_end_object(&json);
    ret->parameters = buf_str(&out);
    return out.failed ? err_out_of_memory(err) : STATUS_OK;
}

/* Point i of the grid: the last axis changes fastest. Or the draw of that number. */
static bool point_values(const struct grid *grid, uint64_t i, struct arena *arena,
                         struct str *ret_values)
{
    struct rng rng;
    uint64_t left = i, at[SWEEP_AXES_MAX];
    size_t offset = 0;
    bool is_made = true;
    rng_init(&rng, (uint64_t)grid->seed, i);
    for (size_t a = grid->n_axes; a-- > 0 && !grid->is_random;) {
        at[a] = left % grid->axes[a].n_points;
        left /= grid->axes[a].n_points;
    }
    for (size_t a = 0; a < grid->n_axes && is_made; a++) {
        const struct sweep_axis *axis = &grid->axes[a];
        is_made = grid->is_random ? axis_draw(axis, &rng, arena, ret_values + offset)
                                  : axis_at(axis, at[a], arena, ret_values + offset);
        offset += axis->n_pointers;
    }
    return is_made;
}

static enum status read_random(struct json_val val, size_t items_max, struct grid *grid,
                               struct err *err)
{
    static const char *const members[] = {"count", "seed"};
    int64_t count = 0;
    if (!jr_is_present(val))
        return STATUS_OK;
    enum status s = jr_expect_object(val, members, ARRAY_LEN(members), err);
    if (s == STATUS_OK)
        s = jr_read_i64(jr_member(val, "count"), 1, (int64_t)items_max, &count, err);
    if (s == STATUS_OK && jr_is_present(jr_member(val, "seed")))
        s = jr_read_i64(jr_member(val, "seed"), 0, INT64_MAX, &grid->seed, err);
    grid->is_random = true;
    grid->n_draws = (size_t)count;
    return s;
}

static enum status read_axes(struct json_val root, struct arena *arena, struct grid *grid,
                             struct err *err)
{
    struct json_val axes = jr_member(root, "axes");
    enum status s = jr_expect_array(axes, 1, SWEEP_AXES_MAX, err);
    grid->n_points = 1;
    for (size_t i = 0; s == STATUS_OK && i < jr_length(axes); i++) {
        struct sweep_axis *axis = &grid->axes[grid->n_axes++];
        s = axis_parse(jr_item(axes, i), jr_member(root, "base"), arena, axis, err);
        if (s != STATUS_OK)
            return s;
        if (axis->n_points == UINT64_MAX && !grid->is_random) {
            (void)err_set(err, STATUS_OUT_OF_RANGE, "A grid needs steps.");
            jr_err_at(err, jr_item(axes, i));
            err_allow(err, "\"step\", or \"random\" to draw from the whole range");
            return STATUS_OUT_OF_RANGE;
        }
        bool is_huge = axis->n_points > UINT32_MAX || grid->n_points > UINT32_MAX;
        grid->n_points = is_huge ? UINT64_MAX : grid->n_points * axis->n_points;
    }
    return s;
}

/* No value is changed by two axes, and all of them can be put into the base. */
static enum status check_pointers(const struct sweep *sweep, const struct str *values,
                                  struct arena *arena, struct err *err)
{
    struct json_splice *splices = arena_array(arena, sweep->n_parameters, sizeof *splices);
    struct buf out;
    if (splices == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < sweep->n_parameters; i++)
        splices[i] = (struct json_splice){sweep->parameters[i].pointer, values[i]};
    buf_init(&out, arena, 2 * TEXT_BYTES_MAX);
    return json_splice(sweep->base, splices, sweep->n_parameters, arena, &out, err);
}

static enum status fill_items(const struct grid *grid, struct arena *arena, struct sweep *sweep,
                              struct err *err)
{
    size_t n = grid->is_random ? grid->n_draws : (size_t)grid->n_points;
    struct str values[SWEEP_POINTERS_MAX * SWEEP_AXES_MAX] = {{NULL, 0}};
    enum status s = new_items(sweep, n, arena, err);
    sweep->n_grid = grid->n_points > SIZE_MAX ? SIZE_MAX : (size_t)grid->n_points;
    for (size_t i = 0; i < n && s == STATUS_OK; i++) {
        if (!point_values(grid, i, arena, values))
            return err_out_of_memory(err);
        if (i == 0)
            s = check_pointers(sweep, values, arena, err);
        if (s == STATUS_OK)
            s = put_item(sweep, values, arena, &sweep->items[i], err);
    }
    return s;
}

enum status sweep_parse(struct str body, size_t items_max, struct arena *arena, struct sweep *ret,
                        struct err *err)
{
    static const char *const members[] = {"base", "axes", "random", "metric", "deadline_s"};
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct sweep sweep = {.is_sweep = true};
    struct grid *grid = ARENA_NEW(arena, struct grid);
    enum status s = grid == NULL ? err_out_of_memory(err) : jr_parse(body, arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    struct json_val root = jr_root(doc);
    s = jr_expect_object(root, members, ARRAY_LEN(members), err);
    if (s == STATUS_OK)
        s = read_common(root, arena, &sweep, err);
    if (s == STATUS_OK && sweep.base.ptr == NULL)
        s = needs_base(err);
    if (s == STATUS_OK)
        s = read_random(jr_member(root, "random"), items_max, grid, err);
    if (s == STATUS_OK)
        s = read_axes(root, arena, grid, err);
    if (s == STATUS_OK && !grid->is_random && grid->n_points > items_max)
        s = too_many(err, "/axes", grid->n_points, items_max);
    if (s == STATUS_OK)
        s = add_parameters(grid, arena, &sweep, err);
    if (s == STATUS_OK)
        s = fill_items(grid, arena, &sweep, err);
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
        s = new_items(&sweep, 1, arena, err);
    if (s != STATUS_OK)
        return s;
    struct buf out;
    buf_init(&out, arena, 2 * TEXT_BYTES_MAX);
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
    buf_init(&out, arena, 2 * TEXT_BYTES_MAX);
    enum status s = json_splice(base, splices, n, arena, &out, err);
    *ret = buf_str(&out);
    return s;
}
