/* spec_nested.c - strategies inside strategies, and tables of dated weights. */
#include "backtest/spec_nested.h"

#include "backtest/spec_grid.h"
#include "backtest/spec_lists.h"
#include "backtest/spec_strategy.h"
#include "backtest/spec_views.h"
#include "backtest/walk_forward.h"

#include <math.h>
#include <string.h>

enum status spec_read_inner(struct json_val val, const struct spec *spec, struct arena *arena,
                            unsigned refused, const struct strategy **ret, struct err *err)
{
    struct strategy *inner = NULL;
    enum status s = spec_read_strategy_value(val, spec, arena, &inner, err);
    if (s != STATUS_OK)
        return s;
    if (inner->kind->needs & refused)
        return spec_refuse(val, STATUS_BAD_SPEC, "That strategy cannot stand inside another.",
                           "a strategy that weighs by itself", err);
    if (inner->kind == strategy_kinds[STRATEGY_BUY_AND_HOLD])
        return spec_refuse(val, STATUS_BAD_SPEC,
                           "Inside another strategy nothing is held for good.",
                           "\"fixed\" or \"equal\"", err);
    if (inner->kind == strategy_kinds[STRATEGY_FIXED] && !spec->has_weights)
        return spec_refuse(val, STATUS_BAD_WEIGHTS, "Strategy \"fixed\" needs a weight per asset.",
                           "a weight for every asset, or strategy \"equal\"", err);
    *ret = inner;
    return STATUS_OK;
}

bool spec_is_levered(const struct spec *spec, const struct strategy *strategy)
{
    double most = spec->leverage.is_allowed ? spec->leverage.max_gross : 1;
    return strategy->kind->needs & STRATEGY_BASE && strategy->param[1] > most;
}

static enum status read_base(struct json_val object, const struct spec *spec, struct arena *arena,
                             struct strategy *strategy, struct err *err)
{
    struct json_val val = jr_member(object, "base");
    enum status s =
        spec_read_inner(val, spec, arena, STRATEGY_BASE | STRATEGY_SEARCH, &strategy->base, err);
    if (s == STATUS_OK && spec_is_levered(spec, strategy))
        return spec_refuse(jr_member(object, "max_leverage"), STATUS_BAD_SPEC,
                           "That is leverage, which this request does not allow.",
                           "1 or less, or \"leverage\" in the request with such a max_gross", err);
    return s;
}

/* Those listed and then those of the grid; one of the two has to be there. */
static enum status read_candidates(struct json_val object, const struct spec *spec,
                                   struct arena *arena, struct strategy *strategy, struct err *err)
{
    struct json_val list = jr_member(object, "candidates"), grid = jr_member(object, "grid");
    const struct strategy **points = NULL;
    size_t n_points = 0;
    bool has_grid = jr_is_present(grid);
    enum status s = has_grid && !jr_is_present(list)
                        ? STATUS_OK
                        : jr_expect_array(list, 1, WALK_CANDIDATES_MAX, err);
    size_t n = jr_length(list);
    if (s == STATUS_OK && has_grid)
        s = spec_read_grid(grid, spec, WALK_CANDIDATES_MAX - n, arena, &points, &n_points, err);
    if (s != STATUS_OK)
        return s;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
    strategy->candidates = arena_array(arena, n + n_points, sizeof *strategy->candidates);
    if (strategy->candidates == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < n && s == STATUS_OK; i++)
        s = spec_read_inner(jr_item(list, i), spec, arena, STRATEGY_SEARCH | STRATEGY_COUNTS,
                            &strategy->candidates[i], err);
    for (size_t i = 0; i < n_points; i++)
        strategy->candidates[n + i] = points[i];
    strategy->n_candidates = n + n_points;
    return s;
}

static enum status read_weight(struct json_val val, struct str uid, const struct spec *spec,
                               double *row, struct err *err)
{
    double most = spec->leverage.is_allowed ? spec->leverage.max_gross : 1;
    for (size_t i = 0; i < spec->n_assets; i++) {
        if (!str_eq(spec->assets[i].uid, uid))
            continue;
        enum status s = jr_read_f64(val, spec->leverage.is_allowed ? -most : 0, most, &row[i], err);
        row[i] += 0.0; /* -0 becomes 0 */
        return s;
    }
    return spec_refuse(val, STATUS_BAD_SPEC, "That is none of the assets.",
                       "the uid of one of the assets of this request", err);
}

static enum status read_row(struct json_val val, const struct spec *spec,
                            struct strategy_table *table, size_t r, struct err *err)
{
    static const char *const keys[] = {"date", "weights"};
    static const double TOLERANCE = 1e-6;
    double *row = table->weight + r * table->n_assets, gross = 0;
    struct json_val weights = jr_member(val, "weights"), weight;
    struct str uid;
    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = jr_read_date(jr_member(val, "date"), &table->date[r], err);
    if (s == STATUS_OK && r > 0 && table->date[r] <= table->date[r - 1])
        s = spec_refuse(jr_member(val, "date"), STATUS_BAD_SPEC, "The dates of the rows must rise.",
                        "a date after that of the row before", err);
    if (s == STATUS_OK && jr_type(weights) != JR_OBJECT)
        s = spec_refuse(weights, STATUS_WRONG_TYPE, "Weights are an object of numbers by uid.",
                        "an object, as in {\"stock:US.AAPL\": 0.6}", err);
    for (size_t i = 0; s == STATUS_OK && jr_member_at(weights, i, &uid, &weight); i++)
        s = read_weight(weight, uid, spec, row, err);
    for (size_t i = 0; i < table->n_assets; i++)
        gross += fabs(row[i]);
    double most = spec->leverage.is_allowed ? spec->leverage.max_gross : 1;
    if (s == STATUS_OK && gross > most + TOLERANCE)
        s = spec_refuse(weights, STATUS_BAD_WEIGHTS, "The sizes of the weights add up to too much.",
                        "a sum of at most 1, or of leverage.max_gross; the rest is cash", err);
    return s;
}

static enum status read_table(struct json_val object, const struct spec *spec, struct arena *arena,
                              struct strategy *strategy, struct err *err)
{
    struct json_val rows = jr_member(object, "rows");
    struct strategy_table *table = &strategy->table;
    enum status s = jr_expect_array(rows, 1, TABLE_ROWS_MAX, err);
    if (s != STATUS_OK)
        return s;
    table->n = jr_length(rows);
    table->n_assets = spec->n_assets;
    table->date = arena_array(arena, table->n, sizeof *table->date);
    table->weight = arena_array(arena, table->n * table->n_assets, sizeof *table->weight);
    if (table->date == NULL || table->weight == NULL)
        return err_out_of_memory(err);
    for (size_t r = 0; r < table->n && s == STATUS_OK; r++)
        s = read_row(jr_item(rows, r), spec, table, r, err);
    return s;
}

/* The economic series; spec_strategy.c puts it among those to load. */
static enum status read_signal(struct json_val object, struct arena *arena,
                               struct strategy *strategy, struct err *err)
{
    struct json_val val = jr_member(object, "indicator");
    enum status s = spec_read_series(val, arena, &strategy->indicator, err);
    if (s != STATUS_OK)
        return s;
    size_t len = strlen(val.pointer);
    char *at = arena_array(arena, len + 1, 1);
    if (at == NULL)
        return err_out_of_memory(err);
    memcpy(at, val.pointer, len);
    strategy->indicator_at = at;
    return STATUS_OK;
}

enum status spec_read_nested(struct json_val object, const struct spec *spec, struct arena *arena,
                             struct strategy *strategy, struct err *err)
{
    unsigned needs = strategy->kind->needs;
    enum status s = STATUS_OK;
    if (needs & STRATEGY_BASE)
        s = read_base(object, spec, arena, strategy, err);
    if (s == STATUS_OK && needs & STRATEGY_TABLE)
        s = read_table(object, spec, arena, strategy, err);
    if (s == STATUS_OK && needs & STRATEGY_SIGNAL)
        s = read_signal(object, arena, strategy, err);
    if (s == STATUS_OK && needs & STRATEGY_VIEWS)
        s = spec_read_views(object, spec, arena, &strategy->views, err);
    if (s == STATUS_OK && needs & STRATEGY_SEARCH)
        s = read_candidates(object, spec, arena, strategy, err);
    return s;
}

static void write_table(const struct spec *spec, const struct strategy_table *table,
                        struct json_out *json)
{
    jw_key(json, "rows");
    jw_array(json);
    for (size_t r = 0; r < table->n; r++) {
        const double *row = table->weight + r * table->n_assets;
        jw_object(json);
        jw_key_date(json, "date", table->date[r]);
        jw_key(json, "weights");
        jw_object(json);
        for (size_t i = 0; i < table->n_assets; i++) {
            if (!(fabs(row[i]) > 0))
                continue;
            jw_key_str(json, spec->assets[i].uid);
            jw_f64(json, row[i]);
        }
        jw_end_object(json);
        jw_end_object(json);
    }
    jw_end_array(json);
}

void spec_write_nested(const struct spec *spec, const struct strategy *strategy,
                       struct json_out *json)
{
    if (strategy->base != NULL) {
        jw_key(json, "base");
        spec_write_strategy(spec, strategy->base, json);
    }
    if (strategy->table.n > 0)
        write_table(spec, &strategy->table, json);
    if (strategy->indicator.ptr != NULL)
        jw_key_text(json, "indicator", strategy->indicator);
    if (strategy->kind->needs & STRATEGY_VIEWS)
        spec_write_views(spec, &strategy->views, json);
    if (strategy->n_candidates == 0)
        return;
    jw_key(json, "candidates");
    jw_array(json);
    for (size_t i = 0; i < strategy->n_candidates; i++)
        spec_write_strategy(spec, strategy->candidates[i], json);
    jw_end_array(json);
}
