/* monkey_crowd.c - plays a crowd of monkeys, sorts what they achieved, and ranks a strategy among them. */
#include "backtest/monkey_crowd.h"

#include "backtest/order.h"

#include <math.h>

/* Drops what is not a number and sorts the rest; returns how many are left. */
static size_t settle(double *value, size_t count, double *scratch, uint32_t *places)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isnan(value[i]))
            scratch[n++] = value[i];
    }
    order_sort(&kernels_ref, scratch, n, value, places);
    return n;
}

enum status monkey_crowd_play(struct monkey_game *game, size_t count, struct arena *arena,
                              const struct stop *stop, struct monkey_crowd *ret, struct err *err)
{
    struct monkey_crowd crowd = {.n_names = game->n_names};
    crowd.count = game->n_names > 0 ? count : 0;
    size_t n = crowd.count;
    double *value = arena_array(arena, (MONKEY_STATISTIC_COUNT + 1) * n + 1, sizeof *value);
    uint32_t *places = arena_array(arena, 2 * n + 1, sizeof *places);
    if (value == NULL || places == NULL)
        return err_out_of_memory(err);
    enum status s = monkey_game_open(game, arena, err);
    if (s != STATUS_OK)
        return s;
    for (size_t i = 0; i < n; i += MONKEY_GROUP) {
        size_t n_group = n - i < MONKEY_GROUP ? n - i : MONKEY_GROUP;
        struct monkey_score score[MONKEY_GROUP];
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        s = monkey_play(game, i, n_group, stop, score, err);
        if (s != STATUS_OK)
            return s;
        for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++) {
            for (size_t p = 0; p < n_group; p++)
                value[k * n + i + p] = score[p].value[k];
        }
    }
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++) {
        crowd.sorted[k] = value + k * n;
        crowd.n[k] = settle(value + k * n, n, value + MONKEY_STATISTIC_COUNT * n, places);
    }
    *ret = crowd;
    return STATUS_OK;
}

/* How many of the sorted values lie below x; with is_or_equal, at or below it. */
static size_t count_to(const double *sorted, size_t n, double x, bool is_or_equal)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] < x || (is_or_equal && !(sorted[middle] > x)))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct monkey_row rank_row(double strategy, const double *sorted, size_t n)
{
    struct monkey_row row = {.strategy = strategy, .n = n};
    if (n == 0)
        return row;
    if (!isnan(strategy)) {
        size_t n_below = count_to(sorted, n, strategy, false);
        size_t n_equal = count_to(sorted, n, strategy, true) - n_below;
        row.rank = monkey_rank_counts(n_below, n_equal, n);
    }
    for (size_t q = 0; q < MONKEY_QUANTILE_COUNT; q++)
        row.quantile[q] = order_quantile(sorted, n, monkey_quantiles[q]);
    return row;
}

struct monkey_report monkey_crowd_rank(const struct monkey_crowd *crowd,
                                       const struct monkey_score *strategy)
{
    struct monkey_report report = {.count = crowd->count, .n_names = crowd->n_names};
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++)
        report.row[k] = rank_row(strategy->value[k], crowd->sorted[k], crowd->n[k]);
    return report;
}

/* Names and shares held, largest first: all that monkeys are told about the weights. */
static void write_shape(const struct spec *spec, struct json_out *json)
{
    double longs = 0, shorts = 0;
    jw_key(json, "held");
    jw_array(json);
    for (size_t i = 0; i < spec->n_assets; i++) {
        double weight = spec->assets[i].weight;
        if (!(fabs(weight) > 0))
            continue;
        jw_object(json);
        jw_key_text(json, "uid", spec->assets[i].uid);
        jw_key_bool(json, "is_short", weight < 0);
        jw_end_object(json);
        longs += weight > 0 ? weight : 0;
        shorts += weight < 0 ? weight : 0;
    }
    jw_end_array(json);
    jw_key_f64(json, "invested", spec->invested_share);
    if (shorts < 0) {
        jw_key_f64(json, "longs", longs);
        jw_key_f64(json, "shorts", shorts);
    }
}

void monkey_crowd_key(const struct spec *spec, struct json_out *json)
{
    struct spec game = *spec;
    if (strategy_is_plain(spec->model))
        game.n_assets = 0; /* their names are in the shape; others' limits decide what is held */
    game.on_weight_sum = WEIGHT_SUM_REJECT;
    game.benchmark = STR_NONE;
    game.trust = (struct spec_trust){0};
    game.rolling.window = 0;
    game.wants_attribution = false;
    game.attribution_benchmark = NULL;
    game.inflation = STR_NONE;
    game.withdrawal_years = 0;
    jw_array(json);
    spec_canonical(&game, json);
    jw_object(json);
    write_shape(spec, json);
    jw_end_object(json);
    jw_end_array(json);
}
