/* sweep_grid.c - walks a grid or draws from it, and names the columns of its rows. */
#include "handlers/sweep_grid.h"

#include "handlers/sweep_axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum status sweep_too_many(struct err *err, const char *pointer, uint64_t n, size_t max)
{
    (void)err_set(err, STATUS_TOO_LARGE, "This asks for %s%llu backtests.",
                  n > 1000000 ? "more than " : "", (unsigned long long)(n > 1000000 ? 1000000 : n));
    err_at(err, ERR_POINTER, str_of(pointer), STR_NONE);
    err_allow(err, "at most %zu in one job; \"random\" takes some of a larger grid", max);
    return STATUS_TOO_LARGE;
}

enum status sweep_new_items(struct sweep *sweep, size_t n, struct arena *arena, struct err *err)
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

/* Two axes would give one value at every point. */
static enum status check_new(const struct sweep *sweep, struct str pointer, size_t axis,
                             struct err *err)
{
    char place[32];
    for (size_t i = 0; i < sweep->n_parameters; i++) {
        if (!str_eq(sweep->parameters[i].pointer, pointer))
            continue;
        (void)snprintf(place, sizeof place, "/axes/%zu", axis);
        (void)err_set(err, STATUS_BAD_SPEC, "%.*s has an axis already.",
                      STR_ARG(str_utf8_cut(pointer, 100)));
        err_at(err, ERR_POINTER, str_of(place), STR_NONE);
        err_allow(err, "each pointer once");
        return STATUS_BAD_SPEC;
    }
    return STATUS_OK;
}

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
            enum status s = check_new(sweep, axis->pointers[p], a, err);
            if (s != STATUS_OK)
                return s;
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
    buf_init(&out, arena, SWEEP_TEXT_BYTES_MAX);
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
    buf_init(&out, arena, 2 * SWEEP_TEXT_BYTES_MAX);
    return json_splice(sweep->base, splices, sweep->n_parameters, arena, &out, err);
}

static enum status fill_items(const struct grid *grid, struct arena *arena, struct sweep *sweep,
                              struct err *err)
{
    size_t n = grid->is_random ? grid->n_draws : (size_t)grid->n_points;
    struct str values[SWEEP_POINTERS_MAX * SWEEP_AXES_MAX] = {{NULL, 0}};
    enum status s = sweep_new_items(sweep, n, arena, err);
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

enum status sweep_take_grid(struct json_val root, size_t items_max, struct arena *arena,
                            struct sweep *sweep, struct err *err)
{
    struct grid *grid = ARENA_NEW(arena, struct grid);
    if (grid == NULL)
        return err_out_of_memory(err);
    enum status s = read_random(jr_member(root, "random"), items_max, grid, err);
    if (s == STATUS_OK)
        s = read_axes(root, arena, grid, err);
    if (s == STATUS_OK && !grid->is_random && grid->n_points > items_max)
        s = sweep_too_many(err, "/axes", grid->n_points, items_max);
    if (s == STATUS_OK)
        s = add_parameters(grid, arena, sweep, err);
    return s == STATUS_OK ? fill_items(grid, arena, sweep, err) : s;
}
