/* strategies.c - times strategy_row, decision by decision, on the made-up market. */
#include "tests/bench/engine/strategies.h"

#include "backtest/elementary.h"
#include "backtest/strategy_row.h"
#include "base/date.h"
#include "tests/bench/engine/roofline.h"
#include "tests/bench/engine/timing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKBACK = 1260, MONTH = 21 };

/* Every name moves with the last one, the benchmark, as well as on its own: betas of 0.5 to 1.5. */
static void share_a_factor(struct world *world)
{
    const double *common = world->price[world->n_assets];
    for (size_t a = 0; a < world->n_assets; a++) {
        double beta = 0.5 + (double)(a * 37 % 101) / 100;
        for (size_t t = 0; t < world->n_sessions; t++)
            world->price[a][t] *= elementary_exp(beta * elementary_log(common[t] / common[0]));
    }
}

static struct str request_for(struct world *world, const char *name)
{
    struct buf out;
    const char *more = strcmp(name, "target_volatility") == 0 ? ",\"base\":\"equal\""
                       : strcmp(name, "maximum_return") == 0  ? ",\"most_volatility\":0.15"
                                                              : "";
    char end[DATE_TEXT_BYTES];
    date_format(world->date[world->n_sessions - 1], end);
    buf_init(&out, &world->arena, (size_t)1 << 20);
    buf_printf(&out, "{\"universe\":[");
    for (size_t a = 0; a < world->n_assets; a++)
        buf_printf(&out, "%s\"x:%zu\"", a > 0 ? "," : "", a);
    buf_printf(&out, "],\"benchmark\":\"x:%zu\",\"start\":\"1990-01-02\",\"end\":\"%s\",\"strategy\":{\"name\":\"%s\","
 "\"lookback\":%d%s}}", world->n_assets, end, name, LOOKBACK,
               more);
    return buf_str(&out);
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int print_one(struct world *world, const char *name, size_t rounds, double flops_per_s)
{
    struct arena *arena = &world->arena;
    struct spec *spec = NULL;
    struct panel *panel = NULL;
    struct strategy_workspace workspace;
    struct err err = {0};
    if (spec_parse(request_for(world, name), arena, &spec, &err) != STATUS_OK ||
        panel_build(spec, &world->market, arena, NULL, &panel, &err) != STATUS_OK ||
        strategy_workspace_init(&workspace, spec, spec->model, panel, arena, &err) != STATUS_OK) {
        (void)fprintf(stderr, "%s: %s\n", name, err.detail);
        return 1;
    }
    struct strategy_market market = {.history = {panel, 0}, .periods_per_year = SESSIONS_PER_YEAR};
    double *took = arena_array(arena, rounds, sizeof *took);
    double *row = arena_array(arena, world->n_assets, sizeof *row);
    size_t n_room = (panel->n_sessions - LOOKBACK - 1) / MONTH, n_used = 0;
    for (size_t i = 0; i < rounds; i++) {
        size_t session = LOOKBACK + 1 + i % n_room * MONTH;
        double from = cpu_s();
        enum strategy_note note =
            strategy_row(spec->model, &market, session, &workspace, row);
        took[i] = cpu_s() - from;
        if (note == NOTE_NO_ANSWER || note == NOTE_SHORT_HISTORY)
            return 1;
    }
    for (size_t a = 0; a < world->n_assets; a++)
        n_used += row[a] > 0 ? 1 : 0;
    qsort(took, rounds, sizeof *took, rising);
    double n = (double)world->n_assets, s = took[rounds / 2];
    bool has_covariance = spec->model->kind->needs & STRATEGY_COVARIANCE;
    printf("{\"strategy\":\"%s\",\"assets\":%zu,\"ms\":%.3f,\"best_ms\":%.3f,\"held\":%zu,"
           "\"share_of_roofline\":%.3f}\n",
           name, world->n_assets, s * 1e3, took[0] * 1e3, n_used,
           has_covariance ? n * n * LOOKBACK / s / flops_per_s : 0);
    return 0;
}

int strategies_print(struct world *world, size_t rounds, bool is_common)
{
    double flops_per_s = roofline_flops_per_s();
    int rc = 0;
    if (is_common)
        share_a_factor(world);
    for (size_t id = 0; id < STRATEGY_COUNT; id++) {
        const struct strategy_kind *kind = strategy_kinds[id];
        bool is_taken = kind->most_assets == 0 || world->n_assets <= kind->most_assets;
        if (kind->needs & STRATEGY_WINDOW && is_taken)
            rc |= print_one(world, kind->name, rounds, flops_per_s);
    }
    return rc;
}
