/* batch_team.c - threads take items by number; the outcomes lie where their numbers say. */
#include "handlers/batch_team.h"

#include "backtest/profile.h"
#include "base/lock.h"
#include "handlers/sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct member {
    struct batch_team *team;
    struct arena arena;
    struct panel_shelf *shelf;
    pthread_t thread;
    bool is_started;
};

/* Items to run. */
struct order {
    const struct backtest_service *service;
    struct str base;
    size_t n;
    bool is_study;
    const struct stop *stop;
};

struct batch_team {
    struct batch_outcome outcomes[TEAM_ITEMS_MAX];
    struct order order;
    /* What the members work on; set before any of them is woken, read-only until all are done. */
    team_part_fn *part;
    void *cls;
    atomic_size_t next; /* item to be taken */
    int nice;
    struct lock lock; /* leaf lock; guards every GUARDED field */
    struct cond has_order, is_done;
    uint64_t n_orders GUARDED;
    size_t n_busy GUARDED; /* members that have not finished with this order */
    enum status failed GUARDED;
    struct err why GUARDED;
    bool must_end GUARDED;
    unsigned n_members;
    struct member members[];
};

static const enum measure_id row_measures[BACKTEST_ROW_METRICS] = {
#define ROW_METRIC(name) [ROW_##name] = MEASURE_##name,
#include "store/backtest_row.def"
#undef ROW_METRIC
};

static bool make_room(struct batch_outcome *outcome, size_t n)
{
    if (n <= outcome->max_returns)
        return true;
    double *wider = realloc(outcome->standard, n * sizeof *wider);
    if (wider == NULL)
        return false;
    outcome->standard = wider;
    outcome->max_returns = n;
    return true;
}

/* Returns of the equity, 0 once it is gone, as a column of the study; false without memory. */
static bool condense(struct batch_outcome *outcome, const struct backtest_result *result)
{
    const struct panel *panel = result->panel;
    const double *equity = result->equity;
    size_t n = panel->n_sessions - 1;
    if (n < 2 * OVERFIT_BLOCKS)
        return true;
    if (!make_room(outcome, n))
        return false;
    double *r = outcome->standard;
    panel->kernels->returns(equity, n + 1, r);
    for (size_t t = panel->kernels->live(equity, n + 1); t < n; t++)
        r[t] = equity[t] > 0 ? equity[t + 1] / equity[t] - 1 : 0;
    overfit_condense(panel->kernels, r, n, OVERFIT_BLOCKS, r, &outcome->column);
    outcome->n_returns = n;
    outcome->first = panel->clock[0];
    outcome->last = panel->clock[n];
    return true;
}

static void take_figures(struct batch_outcome *outcome, const struct backtest_result *result)
{
    outcome->row.id = str_of(outcome->id);
    outcome->row.final_equity = result->equity[result->panel->n_sessions - 1];
    for (size_t i = 0; i < BACKTEST_ROW_METRICS; i++) {
        enum measure_id id = profile_row(result->spec->metrics_profile, row_measures[i]);
        const struct measure_value *value = &result->measures[id];
        if (value->reason == REASON_NONE)
            outcome->row.metric[i] = value->value;
    }
}

bool batch_ends_all(enum status s)
{
    return s == STATUS_DB_UNAVAILABLE || s == STATUS_DB_TIMEOUT || s == STATUS_DB_CONFLICT ||
           s == STATUS_CLIENT_GONE || s == STATUS_DEADLINE || s == STATUS_DRAINING;
}

static enum status run_item(const struct order *order, struct member *member,
                            struct batch_outcome *outcome, struct err *err)
{
    CLEANUP(market_hold_release) struct market_hold hold = {0};
    struct backtest_outcome found;
    struct str request;
    outcome->row = (struct backtest_row){
        .item = outcome->item->item, .id = STR_NONE, .error = STR_NONE, .detail = STR_NONE};
    outcome->row.final_equity = (double)NAN;
    outcome->n_returns = 0;
    for (size_t i = 0; i < BACKTEST_ROW_METRICS; i++)
        outcome->row.metric[i] = (double)NAN;
    enum status s = sweep_request(order->base, outcome->item, &member->arena, &request, err);
    if (s == STATUS_OK)
        s = backtest_figures_for(order->service, member->shelf, request, &member->arena,
                                 order->stop, &found, &hold, err);
    if (s == STATUS_OK) {
        memcpy(outcome->id, found.id, sizeof outcome->id);
        take_figures(outcome, found.result);
    }
    if (s == STATUS_OK && order->is_study && !condense(outcome, found.result))
        return err_out_of_memory(err);
    if (s == STATUS_OK || batch_ends_all(s))
        return s;
    struct str detail = str_utf8_cut(str_of(err->detail), sizeof outcome->detail - 1);
    (void)snprintf(outcome->detail, sizeof outcome->detail, "%.*s", STR_ARG(detail));
    outcome->row.error = str_of(status_slug(s));
    outcome->row.detail = str_of(outcome->detail);
    return STATUS_OK;
}

static enum status run_items(void *cls, size_t part, struct err *err)
{
    struct batch_team *team = cls;
    struct member *member = &team->members[part];
    enum status s = STATUS_OK;
    for (size_t i; s == STATUS_OK && (i = atomic_fetch_add(&team->next, 1)) < team->order.n;) {
        arena_reset(&member->arena);
        s = stop_is_raised(team->order.stop)
                ? stop_status(team->order.stop, err)
                : run_item(&team->order, member, &team->outcomes[i], err);
    }
    return s;
}

static void report(struct batch_team *team, enum status s, const struct err *err)
{
    if (s != STATUS_OK)
        atomic_store(&team->next, TEAM_ITEMS_MAX); /* the others need not begin another */
    lock_take(&team->lock);
    if (s != STATUS_OK && team->failed == STATUS_OK) {
        team->failed = s;
        team->why = *err;
    }
    team->n_busy--;
    if (team->n_busy == 0)
        cond_signal(&team->is_done);
    lock_give(&team->lock);
}

static void *member_main(void *cls)
{
    struct member *member = cls;
    struct batch_team *team = member->team;
    uint64_t n_seen = 0;
    (void)setpriority(PRIO_PROCESS, 0, team->nice); /* of this thread alone */
    for (;;) {
        struct err err = {0};
        lock_take(&team->lock);
        while (team->n_orders == n_seen && !team->must_end)
            cond_wait(&team->has_order, &team->lock);
        bool must_end = team->must_end;
        n_seen = team->n_orders;
        lock_give(&team->lock);
        if (must_end)
            return NULL;
        enum status s = team->part(team->cls, (size_t)(member - team->members), &err);
        report(team, s, &err);
    }
}

enum status batch_team_new(unsigned n_threads, size_t arena_bytes, int nice,
                           struct batch_team **ret, struct err *err)
{
    struct batch_team *team = calloc(1, sizeof *team + n_threads * sizeof team->members[0]);
    if (team == NULL)
        return err_out_of_memory(err);
    team->nice = nice;
    lock_init(&team->lock);
    cond_init(&team->has_order);
    cond_init(&team->is_done);
    for (; team->n_members < n_threads; team->n_members++) {
        struct member *member = &team->members[team->n_members];
        member->team = team;
        arena_init(&member->arena, arena_bytes);
        enum status s = panel_shelf_new(arena_bytes, &member->shelf, err);
        if (s != STATUS_OK) {
            batch_team_free(team);
            return s;
        }
        member->is_started = pthread_create(&member->thread, NULL, member_main, member) == 0;
        if (!member->is_started) {
            panel_shelf_free(member->shelf);
            batch_team_free(team);
            return err_set(err, STATUS_OUT_OF_MEMORY, "A thread cannot be started.");
        }
    }
    *ret = team;
    return STATUS_OK;
}

void batch_team_free(struct batch_team *team)
{
    if (team == NULL)
        return;
    lock_take(&team->lock);
    team->must_end = true;
    cond_broadcast(&team->has_order);
    lock_give(&team->lock);
    for (unsigned i = 0; i < team->n_members; i++) {
        (void)pthread_join(team->members[i].thread, NULL);
        panel_shelf_free(team->members[i].shelf);
        arena_clear(&team->members[i].arena);
    }
    for (size_t i = 0; i < TEAM_ITEMS_MAX; i++)
        free(team->outcomes[i].standard);
    cond_clear(&team->has_order);
    cond_clear(&team->is_done);
    lock_clear(&team->lock);
    free(team);
}

enum status batch_team_share(struct batch_team *team, team_part_fn *part, void *cls,
                             struct err *err)
{
    team->part = part;
    team->cls = cls;
    lock_take(&team->lock);
    team->failed = STATUS_OK;
    team->n_busy = team->n_members;
    team->n_orders++;
    cond_broadcast(&team->has_order);
    while (team->n_busy > 0)
        cond_wait(&team->is_done, &team->lock);
    enum status s = team->failed;
    if (s != STATUS_OK && err != NULL)
        *err = team->why;
    lock_give(&team->lock);
    return s;
}

enum status batch_team_run(struct batch_team *team, const struct backtest_service *service,
                           struct str base, const struct backtest_item *items, size_t n,
                           bool is_study, const struct stop *stop, struct err *err)
{
    team->order = (struct order){service, base, n, is_study, stop};
    for (size_t i = 0; i < n; i++)
        team->outcomes[i].item = &items[i];
    atomic_store(&team->next, 0);
    return batch_team_share(team, run_items, team, err);
}

unsigned batch_team_size(const struct batch_team *team)
{
    return team->n_members;
}

const struct batch_outcome *batch_team_outcome(const struct batch_team *team, size_t i)
{
    return &team->outcomes[i];
}
