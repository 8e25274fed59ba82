/* spec_grid.c - axes over the numbers of a strategy, expanded. */
#include "backtest/spec_grid.h"

#include "backtest/spec_lists.h"
#include "backtest/spec_nested.h"

#include <math.h>

static const double STEP_TOLERANCE = 1e-9;

struct axis {
    struct json_val val, values; /* values: absent for a range */
    struct str pointer;          /* "/lookback", "/base/lookback" */
    double *value;
    size_t n;
};

static enum status too_many(struct json_val val, double n, size_t max, struct err *err)
{
    (void)err_set(err, STATUS_TOO_LARGE, "This grid has %s%.0f candidates.",
                  n > 1e6 ? "more than " : "", n > 1e6 ? 1e6 : n);
    jr_err_at(err, val);
    err_allow(err, "at most %zu candidates in all, listed ones included", max);
    return STATUS_TOO_LARGE;
}

static enum status read_range(struct json_val val, size_t max, struct arena *arena,
                              struct axis *axis, struct err *err)
{
    double from = 0, to = 0, step = 0;
    enum status s = jr_read_f64(jr_member(val, "from"), -1e9, 1e9, &from, err);
    if (s == STATUS_OK)
        s = jr_read_f64(jr_member(val, "to"), from, 1e9, &to, err);
    if (s == STATUS_OK)
        s = jr_read_f64(jr_member(val, "step"), 1e-9, 1e9, &step, err);
    if (s != STATUS_OK)
        return s;
    double n = floor((to - from) / step + STEP_TOLERANCE) + 1;
    if (n > (double)max)
        return too_many(val, n, max, err);
    axis->n = (size_t)n;
    axis->value = arena_array(arena, axis->n, sizeof *axis->value);
    for (size_t i = 0; axis->value != NULL && i < axis->n; i++)
        axis->value[i] = nearbyint((from + (double)i * step) * 1e9) / 1e9; /* 0.3, not 0.1 + 0.2 */
    return axis->value == NULL ? err_out_of_memory(err) : STATUS_OK;
}

static enum status read_axis(struct json_val val, size_t max, struct arena *arena,
                             struct axis *axis, struct err *err)
{
    static const char *const list[] = {"pointer", "values"};
    static const char *const range[] = {"pointer", "from", "to", "step"};
    struct json_val values = jr_member(val, "values");
    bool is_list = jr_is_present(values);
    *axis = (struct axis){.val = val, .values = values};
    enum status s = is_list ? jr_expect_object(val, list, ARRAY_LEN(list), err)
                            : jr_expect_object(val, range, ARRAY_LEN(range), err);
    if (s == STATUS_OK)
        s = jr_read_str(jr_member(val, "pointer"), 2, 100, &axis->pointer, err);
    if (s == STATUS_OK && !is_list)
        return read_range(val, max, arena, axis, err);
    if (s == STATUS_OK)
        s = jr_expect_array(values, 1, max, err);
    if (s != STATUS_OK)
        return s;
    axis->n = jr_length(values);
    axis->value = arena_array(arena, axis->n, sizeof *axis->value);
    if (axis->value == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < axis->n && s == STATUS_OK; i++)
        s = jr_read_f64(jr_item(values, i), -1e9, 1e9, &axis->value[i], err);
    return s;
}

/* Value i of an axis, where it is a whole number (or any) from min to max. */
static enum status check(const struct axis *axis, size_t i, bool is_whole, double min, double max,
                         struct err *err)
{
    double value = axis->value[i];
    if (value >= min && value <= max && (!is_whole || !(fabs(value - nearbyint(value)) > 0)))
        return STATUS_OK;
    (void)err_set(err, STATUS_OUT_OF_RANGE, "%.9g is no value of %.*s.", value,
                  STR_ARG(str_utf8_cut(axis->pointer, 64)));
    jr_err_at(err, jr_is_present(axis->values) ? jr_item(axis->values, i) : axis->val);
    err_allow(err, is_whole ? "whole numbers from %.9g to %.9g" : "numbers from %.9g to %.9g", min,
              max);
    return STATUS_OUT_OF_RANGE;
}

static enum status set_param(struct strategy *strategy, struct str name, const struct axis *axis,
                             size_t i, struct err *err)
{
    for (size_t p = 0; p < strategy->kind->n_params; p++) {
        const struct strategy_param *param = &strategy->kind->params[p];
        bool is_whole = param->type == STRATEGY_INTEGER;
        if (!str_eq_c(name, param->name) || (!is_whole && param->type != STRATEGY_NUMBER))
            continue;
        strategy->param[p] = axis->value[i] + 0.0; /* -0 becomes 0 */
        return check(axis, i, is_whole, param->min, param->max, err);
    }
    return spec_refuse(jr_member(axis->val, "pointer"), STATUS_BAD_SPEC,
                       "The grid's strategy has no such number.",
                       "a number of the strategy, as \"/lookback\", \"/lag\", \"/top\" or "
                       "\"/base/lookback\"",
                       err);
}

/* The strategy's own number of that name becomes value i of the axis. */
static enum status set_number(struct strategy *strategy, struct str name, const struct axis *axis,
                              size_t i, struct err *err)
{
    unsigned needs = strategy->kind->needs;
    enum status s = STATUS_OK;
    if (needs & STRATEGY_WINDOW && str_eq_c(name, "lookback")) {
        s = check(axis, i, true, 2, STRATEGY_LOOKBACK_MAX, err);
        strategy->lookback = s == STATUS_OK ? (size_t)axis->value[i] : 0;
    } else if (needs & STRATEGY_WINDOW && str_eq_c(name, "lag")) {
        s = check(axis, i, true, 0, STRATEGY_LAG_MAX, err);
        strategy->lag = s == STATUS_OK ? (size_t)axis->value[i] : 0;
    } else if (needs & STRATEGY_COVARIANCE && str_eq_c(name, "decay") &&
               strategy->covariance.estimator == COVARIANCE_EWMA) {
        s = check(axis, i, false, 0.5, 0.9999, err);
        strategy->covariance.decay = axis->value[i];
    } else {
        s = set_param(strategy, name, axis, i, err);
    }
    return s;
}

static enum status set_value(struct strategy *strategy, const struct axis *axis, size_t i,
                             struct arena *arena, struct err *err)
{
    struct str name = str_sub(axis->pointer, 1, axis->pointer.len);
    if (axis->pointer.ptr[0] != '/' || strategy->base == NULL || !str_starts(name, STR("base/")))
        return set_number(strategy, axis->pointer.ptr[0] == '/' ? name : STR(""), axis, i, err);
    struct strategy *base = ARENA_NEW(arena, struct strategy);
    if (base == NULL)
        return err_out_of_memory(err);
    *base = *strategy->base;
    strategy->base = base;
    return set_number(base, str_sub(name, 5, name.len), axis, i, err);
}

/* Point number `point` of the grid; the last axis changes fastest. */
static enum status make_point(const struct strategy *like, const struct axis *axes, size_t n_axes,
                              size_t point, struct arena *arena, const struct strategy **ret,
                              struct err *err)
{
    struct strategy *strategy = ARENA_NEW(arena, struct strategy);
    enum status s = strategy == NULL ? err_out_of_memory(err) : STATUS_OK;
    if (s == STATUS_OK)
        *strategy = *like;
    for (size_t a = n_axes; a-- > 0 && s == STATUS_OK; point /= axes[a].n)
        s = set_value(strategy, &axes[a], point % axes[a].n, arena, err);
    *ret = strategy;
    return s;
}

static enum status read_axes(struct json_val list, size_t max, struct arena *arena,
                             struct axis axes[GRID_AXES_MAX], size_t *ret_n, struct err *err)
{
    double n = 1;
    enum status s = jr_expect_array(list, 1, GRID_AXES_MAX, err);
    for (size_t a = 0; s == STATUS_OK && a < jr_length(list); a++) {
        s = read_axis(jr_item(list, a), max, arena, &axes[a], err);
        n *= (double)axes[a].n;
        for (size_t b = 0; s == STATUS_OK && b < a; b++) {
            if (str_eq(axes[a].pointer, axes[b].pointer))
                s = spec_refuse(jr_member(jr_item(list, a), "pointer"), STATUS_BAD_SPEC,
                                "Another axis changes this number already.", "a number once", err);
        }
    }
    if (s == STATUS_OK && n > (double)max)
        s = too_many(list, n, max, err);
    *ret_n = (size_t)n;
    return s;
}

enum status spec_read_grid(struct json_val grid, const struct spec *spec, size_t max,
                           struct arena *arena, const struct strategy ***ret, size_t *ret_n,
                           struct err *err)
{
    static const char *const keys[] = {"strategy", "axes"};
    struct axis axes[GRID_AXES_MAX];
    const struct strategy *like = NULL;
    struct json_val list = jr_member(grid, "axes");
    size_t n = 0;
    enum status s = jr_expect_object(grid, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = spec_read_inner(jr_member(grid, "strategy"), spec, arena,
                            STRATEGY_SEARCH | STRATEGY_COUNTS, &like, err);
    if (s == STATUS_OK)
        s = read_axes(list, max, arena, axes, &n, err);
    if (s != STATUS_OK)
        return s;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
    const struct strategy **points = arena_array(arena, n, sizeof *points);
    if (points == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < n && s == STATUS_OK; i++) {
        s = make_point(like, axes, jr_length(list), i, arena, &points[i], err);
        if (s == STATUS_OK && spec_is_levered(spec, points[i]))
            s = spec_refuse(list, STATUS_BAD_SPEC,
                            "The grid has leverage, which this request does not allow.",
                            "max_leverage of 1 or less, or \"leverage\" in the request with such a "
                            "max_gross",
                            err);
    }
    *ret = points;
    *ret_n = n;
    return s;
}
