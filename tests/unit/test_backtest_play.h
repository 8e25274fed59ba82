/*
 * test_backtest_play.h - targets decided session by session and played at the close, without a request.
 * Prices of one or more assets on consecutive days. The plan may be played again after more decisions.
 */
#ifndef TEST_BACKTEST_PLAY_H
#define TEST_BACKTEST_PLAY_H

#include "tests/unit/test_backtest_world.h"

enum { PLAY_ASSETS_MAX = 16, PLAY_ROWS_MAX = 512 };

static UNUSED const char *const play_uids[PLAY_ASSETS_MAX] = {
    "x:A", "x:B", "x:C", "x:D", "x:E", "x:F", "x:G", "x:H",
    "x:I", "x:J", "x:K", "x:L", "x:M", "x:N", "x:O", "x:P"};

struct play {
    struct world w;
    struct panel *panel;
    struct sim_rules rules;
    struct sim_workspace ws;
    struct sim_recorder recorder;
    size_t n, n_assets; /* sessions; assets */
    size_t asset[PLAY_ASSETS_MAX];
    double weight[PLAY_ROWS_MAX * PLAY_ASSETS_MAX], invested[PLAY_ROWS_MAX];
    uint32_t due[PLAY_ROWS_MAX];
};

/* Appends to text in a buffer of so many bytes. */
PRINTF(3, 4)
static UNUSED void play_say(char *text, size_t room, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text + used, room - used, format, args);
    va_end(args);
}

/* Appends the asset of play_uids[i] to a list of them. */
static UNUSED void play_say_asset(char *text, size_t room, size_t i, double weight)
{
    assert_true(i < PLAY_ASSETS_MAX);
    play_say(text, room, "%s{\"uid\":\"%s\",\"weight\":%.17g}", i > 0 ? "," : "", play_uids[i],
             weight);
}

static UNUSED void play_start(struct play *p, const double *const *price, size_t n_assets, size_t n)
{
    char body[64 + PLAY_ASSETS_MAX * 32] = "{\"assets\":[";
    struct err err = {0};
    assert_true(n_assets > 0 && n_assets <= PLAY_ASSETS_MAX && n <= PLAY_ROWS_MAX);
    memset(p, 0, sizeof *p);
    p->n = n;
    p->n_assets = n_assets;
    world_init(&p->w);
    for (size_t a = 0; a < n_assets; a++) {
        play_say(body, sizeof body, "%s{\"uid\":\"%s\"}", a > 0 ? "," : "", play_uids[a]);
        world_add_days(&p->w, play_uids[a], 18000, price[a], n);
        p->asset[a] = a;
    }
    play_say(body, sizeof body, "],\"monkeys\":{\"count\":0}}");
    struct spec *spec = world_spec(&p->w, body);
    assert_int_equal(spec_resolve_dates(spec, &p->w.market, &err), STATUS_OK);
    assert_int_equal(panel_build(spec, &p->w.market, &p->w.arena, NULL, &p->panel, &err),
                     STATUS_OK);
    p->rules = (struct sim_rules){.fill = FILL_SAME_CLOSE, .due = p->due, .capital = 100};
    assert_int_equal(sim_workspace_init(&p->ws, &p->w.arena, n, n_assets, &err), STATUS_OK);
}

/* Adds a decision: a weight for each asset. */
static UNUSED void play_decide(struct play *p, size_t session, const double *weight)
{
    size_t d = p->rules.n_due++;
    p->due[d] = (uint32_t)session;
    p->invested[d] = 0;
    for (size_t a = 0; a < p->n_assets; a++) {
        p->weight[d * p->n_assets + a] = weight[a];
        p->invested[d] += weight[a];
    }
}

/* From the first session, with the decisions there are. */
static UNUSED void play_run(struct play *p)
{
    struct err err = {0};
    struct plan plan = {p->asset, p->n_assets, p->weight, p->n_assets, p->invested};
    assert_int_equal(sim_recorder_init(&p->recorder, &p->w.arena, p->n,
                                       p->n_assets * (p->rules.n_due + 1), &err),
                     STATUS_OK);
    assert_int_equal(sim_recorder_add_shorts(&p->recorder, &p->w.arena, p->n, &err), STATUS_OK);
    assert_int_equal(simulate(p->panel, &plan, &p->rules, &p->ws, &p->recorder, NULL, &err),
                     STATUS_OK);
}

#endif
