/*
 * app.h - the only long-lived mutable state, passed down and never a global. The cli fills it before
 * server_start; afterwards only the atomics change. Handlers reach it through request->app.
 */
#ifndef SERVER_APP_H
#define SERVER_APP_H

#include "server/config.h"
#include "server/metrics.h"
#include "server/request.h"

#include <stdatomic.h>

struct db_pool;
struct catalog_cell;
struct refresher;
struct price_book;
struct panels;
struct caching;
struct workers;
struct cache;
struct counts;
struct keyring;
struct crowds;
struct hand;
struct backtest_keeper;
struct access_rules;
struct jobs;
struct job_watch;
struct backtest_rate;
struct recents;

enum { APP_CHECKS_MAX = 8 };

/*
 * Is this part fit to serve? Runs on a polling thread of the ops listener for each /readyz, so it must not
 * block: it looks at what a background thread has found out. err describes a failure.
 */
typedef enum status app_check_fn(void *cls, struct err *err);

struct app_check {
    const char *name; /* "database"; static */
    app_check_fn *check;
    void *cls;
    bool is_required; /* otherwise a failure only degrades */
};

struct app {
    const struct config *config;
    struct metrics *metrics;
    const char *version;
    struct db_pool *db;             /* the cli's; the server does not look inside */
    struct catalog_cell *catalog;   /* the same */
    struct caching *caching;        /* the same; see caching_moved */
    struct refresher *refresher;    /* the same; see refresher_wake */
    struct cache *cache;            /* the same; NULL: nothing is cached */
    struct price_book *prices;      /* the same; NULL: backtests read their own */
    struct panels *panels;          /* the same; NULL: backtests build their own */
    struct counts *counts;          /* the same; NULL: no count is kept */
    struct crowds *crowds;          /* the same; NULL: no monkeys are kept */
    struct hand *hand;              /* the same; NULL: every answer is written by one thread */
    struct backtest_keeper *keeper; /* the same; NULL: answers are stored before they are given */
    struct keyring *keys;           /* the same; NULL: no keys, everyone may do everything */
    struct access_rules *access;    /* the same: what anyone may do without a key, and how often */
    struct jobs *jobs;              /* the same; NULL: this server runs none */
    struct job_watch *job_watch;    /* the same: who waits for jobs and follows them */
    struct backtest_rate *backtest_rate; /* the same: how fast the engine is here */

    /*
     * Called on the polling thread for every request that matched a route of the data listener, before its
     * body is read: fills request->principal, sets RateLimit headers (kept whatever the handler does) and
     * refuses with UNAUTHORIZED, FORBIDDEN or RATE_LIMITED. Must not block. NULL: everyone may.
     */
    enum status (*admit)(struct request *request, struct err *err);

    /*
     * Called on the polling thread for GET and HEAD of LANE_QUICK routes, before the query is parsed: when it
     * knows the answer to just this target and these headers it fills the reply and returns true. Must not
     * block. NULL: nothing is known.
     */
    bool (*front)(struct request *request);

    /*
     * Called on the polling thread for routes of LANE_QUICK: whether the handler's quick call could answer this
     * request. Must not block. NULL: it always may.
     */
    bool (*is_quick)(struct request *request);

    /*
     * Called on the polling thread before anything of a head is checked: head is all of it, word for word. When
     * app->front answered this very head before, when it was request->head, and would answer alike now, fills in
     * method, route, principal and reply, and returns true. Must not block. NULL: nothing is known.
     */
    bool (*recall)(struct request *request, struct str head);

    /*
     * With recall: what its answers hold under, never 0 while they hold at all; and that an answer of recall to head
     * was given n times more without asking it, for whoever wants to know what is popular.
     */
    uint64_t (*stamp)(const struct app *app);
    void (*recalled)(const struct app *app, struct str head, uint64_t n);

    struct app_check checks[APP_CHECKS_MAX]; /* see app_add_check */
    size_t n_checks;

    /* Set by server_start. */
    const struct route *routes;
    size_t n_routes;
    struct workers *io, *cpu, *stream;
    struct recents *recents; /* NULL: none are kept */

    atomic_uint n_prepared;  /* see prepared.h */
    atomic_bool is_started;  /* /startupz */
    atomic_bool is_draining; /* readiness is off */
};

/* Before server_start only. False when there is no room. */
bool app_add_check(struct app *app, const char *name, app_check_fn *check, void *cls,
                   bool is_required);

/* Result of one check. */
enum status app_run_check(const struct app *app, size_t i, struct err *err) NODISCARD;

/*
 * STATUS_OK when started, not draining, and every required check passes; else the first reason. Checks whose bit
 * (1 << position) is in excluded are left out.
 */
enum status app_ready(const struct app *app, unsigned excluded, struct err *err) NODISCARD;

#endif
