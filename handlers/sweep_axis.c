/* sweep_axis.c - lists, ranges and weights as points that can be counted, named by number, and drawn. */
#include "handlers/sweep_axis.h"

#include "backtest/elementary.h"
#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { POINTS_MAX = 1000000, UNITS_MAX = 1000, LIST_MAX = 10000 };

static const double step_tolerance = 1e-9;

static enum status out_of_range(struct err *err, struct json_val val, const char *detail,
                                const char *allowed)
{
    (void)err_set(err, STATUS_OUT_OF_RANGE, "%s", detail);
    jr_err_at(err, val);
    err_allow(err, "%s", allowed);
    return STATUS_OUT_OF_RANGE;
}

static struct str number_text(double value, struct arena *arena)
{
    char text[NUMBER_TEXT_BYTES];
    size_t len = number_format(value, text);
    return (struct str){arena_dup(arena, (struct str){text, len}), len};
}

/* Twelve digits: 0.1 + 2 x 0.1 is 0.3, as whoever wrote the range meant it. */
static double rounded(double value)
{
    double scale = 1;
    while (scale < 1e12 && fabs(value) * scale < 1e11)
        scale *= 10;
    return nearbyint(value * scale) / scale;
}

/* Ways to make k units of n parts: C(k + n - 1, n - 1), at most POINTS_MAX + 1. */
static uint64_t compositions(unsigned k, size_t n)
{
    uint64_t count = 1;
    if (n == 0)
        return k == 0;
    for (size_t i = 1; i < n; i++) {
        count = count * (k + i) / i;
        if (count > POINTS_MAX)
            return POINTS_MAX + 1;
    }
    return count;
}

static enum status read_pointer(struct json_val val, struct str *ret, struct arena *arena,
                                struct err *err)
{
    struct str text;
    enum status s = jr_read_str(val, 2, 200, &text, err);
    if (s != STATUS_OK)
        return s;
    if (text.ptr[0] != '/')
        return out_of_range(err, val, "This is no JSON pointer.",
                            "a JSON pointer (RFC 6901) into the base request, as \"/rebalance\"");
    *ret = (struct str){arena_dup(arena, text), text.len};
    return ret->ptr == NULL ? err_out_of_memory(err) : STATUS_OK;
}

static enum status read_pointers(struct json_val val, struct arena *arena, struct sweep_axis *axis,
                                 struct err *err)
{
    struct json_val one = jr_member(val, "pointer"), many = jr_member(val, "pointers");
    if (jr_is_present(one) == jr_is_present(many))
        return out_of_range(err, val, "An axis says which value it changes, once.",
                            "either \"pointer\" or \"pointers\", or \"weights\"");
    bool is_list = jr_is_present(many);
    enum status s = is_list ? jr_expect_array(many, 1, SWEEP_POINTERS_MAX, err) : STATUS_OK;
    if (s != STATUS_OK)
        return s;
    axis->n_pointers = is_list ? jr_length(many) : 1;
    axis->pointers = arena_array(arena, axis->n_pointers, sizeof *axis->pointers);
    if (axis->pointers == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < axis->n_pointers && s == STATUS_OK; i++)
        s = read_pointer(is_list ? jr_item(many, i) : one, &axis->pointers[i], arena, err);
    return s;
}

static enum status keep_value(struct json_val val, struct arena *arena, struct str *ret,
                              struct err *err)
{
    struct buf out;
    struct json_out json;
    buf_init(&out, arena, (size_t)1 << 20);
    jw_init(&json, &out);
    enum status s = json_write(val, &json, err);
    *ret = buf_str(&out);
    return s == STATUS_OK && out.failed ? err_out_of_memory(err) : s;
}

/* One value at each point, or a list of them when there are several pointers. */
static enum status read_list(struct json_val list, bool is_joint, struct arena *arena,
                             struct sweep_axis *axis, struct err *err)
{
    enum status s = jr_expect_array(list, 1, LIST_MAX, err);
    if (s != STATUS_OK)
        return s;
    size_t n = jr_length(list);
    axis->kind = AXIS_LIST;
    axis->n_points = n;
    axis->values = arena_array(arena, n * axis->n_pointers, sizeof *axis->values);
    if (axis->values == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < n && s == STATUS_OK; i++) {
        struct json_val item = jr_item(list, i);
        if (is_joint)
            s = jr_expect_array(item, axis->n_pointers, axis->n_pointers, err);
        for (size_t p = 0; p < axis->n_pointers && s == STATUS_OK; p++)
            s = keep_value(is_joint ? jr_item(item, p) : item, arena,
                           &axis->values[i * axis->n_pointers + p], err);
    }
    return s;
}

static enum status read_range(struct json_val val, struct sweep_axis *axis, struct err *err)
{
    struct json_val step = jr_member(val, "step");
    axis->kind = AXIS_RANGE;
    axis->n_points = UINT64_MAX;
    enum status s = jr_read_f64(jr_member(val, "from"), -1e12, 1e12, &axis->from, err);
    if (s == STATUS_OK)
        s = jr_read_f64(jr_member(val, "to"), axis->from, 1e12, &axis->to, err);
    if (s != STATUS_OK || !jr_is_present(step))
        return s;
    s = jr_read_f64(step, 1e-9, 1e12, &axis->step, err);
    if (s != STATUS_OK)
        return s;
    double n = floor((axis->to - axis->from) / axis->step + step_tolerance) + 1;
    if (n > POINTS_MAX)
        return out_of_range(err, step, "The range has too many steps.", "at most 1000000 values");
    axis->n_points = (uint64_t)n;
    return STATUS_OK;
}

static enum status name_weights(size_t n, struct arena *arena, struct sweep_axis *axis,
                                struct err *err)
{
    axis->n_pointers = n;
    axis->pointers = arena_array(arena, n, sizeof *axis->pointers);
    for (size_t i = 0; axis->pointers != NULL && i < n; i++) {
        char text[40];
        (void)snprintf(text, sizeof text, "/assets/%zu/weight", i);
        struct str pointer = str_of(text);
        axis->pointers[i] = (struct str){arena_dup(arena, pointer), pointer.len};
        if (axis->pointers[i].ptr == NULL)
            return err_out_of_memory(err);
    }
    return axis->pointers == NULL ? err_out_of_memory(err) : STATUS_OK;
}

static enum status read_weights(struct json_val val, struct json_val base, struct arena *arena,
                                struct sweep_axis *axis, struct err *err)
{
    static const char *const members[] = {"step"};
    size_t n = jr_length(jr_member(base, "assets"));
    struct json_val step = jr_member(val, "step");
    enum status s = jr_expect_object(val, members, ARRAY_LEN(members), err);
    if (s == STATUS_OK && (n < 2 || n > SWEEP_POINTERS_MAX))
        s = out_of_range(err, val, "The base request has no assets whose weights could vary.",
                         "2 to 64 assets in /base/assets");
    if (s == STATUS_OK)
        s = name_weights(n, arena, axis, err);
    axis->kind = AXIS_WEIGHTS;
    axis->n_points = UINT64_MAX;
    if (s != STATUS_OK || !jr_is_present(step))
        return s;
    s = jr_read_f64(step, 1.0 / UNITS_MAX, 1, &axis->step, err);
    if (s != STATUS_OK)
        return s;
    double units = nearbyint(1 / axis->step);
    if (fabs(units * axis->step - 1) > step_tolerance)
        return out_of_range(err, step, "Weights in such steps do not add up to 1.",
                            "1 divided by a whole number, as 0.25 or 0.05");
    axis->units = (unsigned)units;
    axis->n_points = compositions(axis->units, n);
    return STATUS_OK;
}

enum status axis_parse(struct json_val val, struct json_val base, struct arena *arena,
                       struct sweep_axis *ret, struct err *err)
{
    static const char *const members[] = {"pointer", "pointers", "values", "from",
                                          "to",      "step",     "weights"};
    static const char *const alone[] = {"weights"};
    struct sweep_axis axis = {.kind = AXIS_LIST};
    struct json_val weights = jr_member(val, "weights"), values = jr_member(val, "values");
    enum status s = jr_is_present(weights)
                        ? jr_expect_object(val, alone, ARRAY_LEN(alone), err)
                        : jr_expect_object(val, members, ARRAY_LEN(members), err);
    if (s == STATUS_OK && jr_is_present(weights))
        s = read_weights(weights, base, arena, &axis, err);
    else if (s == STATUS_OK)
        s = read_pointers(val, arena, &axis, err);
    bool is_joint = jr_is_present(jr_member(val, "pointers"));
    if (s == STATUS_OK && axis.kind != AXIS_WEIGHTS) {
        bool has_range = jr_is_present(jr_member(val, "from"));
        if (jr_is_present(values) == has_range || (is_joint && has_range))
            s = out_of_range(err, val, "An axis says which values it takes, once.",
                             "\"values\", or \"from\", \"to\" and \"step\" for one pointer");
        else
            s = has_range ? read_range(val, &axis, err)
                          : read_list(values, is_joint, arena, &axis, err);
    }
    if (s == STATUS_OK)
        *ret = axis;
    return s;
}

/* Composition number point of units into n parts, in lexical order. */
static void unrank(uint64_t point, unsigned units, size_t n, unsigned *ret)
{
    for (size_t i = 0; i + 1 < n; i++) {
        unsigned taken = 0;
        for (;; taken++) {
            uint64_t count = compositions(units - taken, n - i - 1);
            if (point < count || taken == units)
                break;
            point -= count;
        }
        ret[i] = taken;
        units -= taken;
    }
    ret[n - 1] = units;
}

static bool are_made(const struct str *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (texts[i].ptr == NULL)
            return false;
    return true;
}

bool axis_at(const struct sweep_axis *axis, uint64_t point, struct arena *arena, struct str *ret)
{
    unsigned units[SWEEP_POINTERS_MAX];
    switch (axis->kind) {
    case AXIS_LIST:
        memcpy(ret, axis->values + point * axis->n_pointers, axis->n_pointers * sizeof *ret);
        break;
    case AXIS_RANGE:
        ret[0] = number_text(rounded(axis->from + (double)point * axis->step), arena);
        break;
    case AXIS_WEIGHTS:
        unrank(point, axis->units, axis->n_pointers, units);
        for (size_t i = 0; i < axis->n_pointers; i++)
            ret[i] = number_text((double)units[i] / axis->units, arena);
        break;
    }
    return are_made(ret, axis->n_pointers);
}

/*
 * Exponential spacings, normalised: uniform on the simplex (L. Devroye, Non-Uniform Random Variate Generation, 1986,
 * chapter V.2), rounded down to parts of 1 / units; the last weight is what is left.
 */
static void draw_weights(size_t n, double units, struct rng *rng, struct arena *arena,
                         struct str *ret)
{
    double x[SWEEP_POINTERS_MAX], sum = 0, left = 1;
    for (size_t i = 0; i < n; i++) {
        x[i] = -elementary_log(rng_next_unit(rng));
        sum += x[i];
    }
    for (size_t i = 0; i < n; i++) {
        double share = sum > 0 ? x[i] / sum : 1.0 / (double)n;
        double weight = i + 1 < n ? floor(share * units) / units : rounded(left);
        left -= weight;
        ret[i] = number_text(weight, arena);
    }
}

bool axis_draw(const struct sweep_axis *axis, struct rng *rng, struct arena *arena, struct str *ret)
{
    if (axis->n_points != UINT64_MAX && axis->n_points <= POINTS_MAX)
        return axis_at(axis, rng_next_below(rng, (uint32_t)axis->n_points), arena, ret);
    if (axis->kind == AXIS_RANGE)
        ret[0] = number_text(
            rounded(axis->from + (axis->to - axis->from) * (1 - rng_next_unit(rng))), arena);
    else
        draw_weights(axis->n_pointers, axis->units > 0 ? axis->units : 1e6, rng, arena, ret);
    return are_made(ret, axis->n_pointers);
}
