/* serve.c - cmmc serve: joins settings, store, refresher and server, and takes them apart in order. */
#include "cli/command.h"

#include "base/log.h"
#include "handlers/access.h"
#include "handlers/backtest_keeper.h"
#include "handlers/crowds.h"
#include "handlers/panels.h"
#include "handlers/caching.h"
#include "handlers/hand.h"
#include "handlers/handlers.h"
#include "handlers/job_service.h"
#include "handlers/keyring.h"
#include "handlers/price_book.h"
#include "handlers/refresher.h"
#include "handlers/rows_count.h"
#include "server/server.h"
#include "store/catalog.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What serve holds, in the order it is made. */
struct serving {
    struct config config;
    struct metrics *metrics;
    struct app app;
    struct caching *caching;
    struct refresher *refresher;
    struct db_pool *job_pool;
    struct job_service *jobs;
    struct server *server;
    int signal_fd;
};

static const char *host_of(const char *bind)
{
    bool is_any =
        strcmp(bind, "0.0.0.0") == 0 || strcmp(bind, "::") == 0 || strcmp(bind, "127.0.0.1") == 0;
    return is_any ? "localhost" : bind;
}

/* The last lines of `make run`: for a person, on standard output; the log goes to standard error. */
static void announce(const struct serving *serving)
{
    const struct config *config = &serving->config;
    unsigned port = server_port(serving->server);
    unsigned ops_port = server_ops_port(serving->server);
    const char *host = host_of(config->bind);
    bool has_tls = config->tls_cert_file[0] != '\0';
    log_event(LOG_INFO, "server_started", LOG_I64("port", port), LOG_I64("ops_port", ops_port),
              LOG_TEXT("version", CMMC_VERSION),
              LOG_TEXT("store", config->database_url[0] == '\0' ? "sqlite" : "postgresql"));
    (void)printf(
        "\nOpen %s://%s:%u/ in a browser, or paste:\n"
        "  curl -s '%s%s:%u/v1/backtests?select=monkeys' -H 'Content-Type: application/json' -d '{\"universe\": [\"stock:US.AAPL\", "
        "\"stock:US.JPM\"], \"strategy\": \"equal\", \"benchmark\": \"index:SPX\"}'\n",
        has_tls ? "https" : "http", host, port, has_tls ? "https://" : "", host, port);
    (void)fflush(stdout);
}

static enum status build(struct serving *serving, struct err *err)
{
    struct app *app = &serving->app;
    enum status s = metrics_new(&serving->metrics, err);
    if (s == STATUS_OK)
        s = log_start(err);
    if (s != STATUS_OK)
        return s;
    app->config = &serving->config;
    app->metrics = serving->metrics;
    app->version = CMMC_VERSION;
    app->catalog = catalog_cell_new();
    app->counts = counts_new();
    if (app->catalog == NULL || app->counts == NULL)
        return err_out_of_memory(err);
    s = crowds_new(app->config->crowd_cache_bytes, &app->crowds, err);
    if (s != STATUS_OK)
        return s;
    s = caching_new(app, &serving->caching, err);
    if (s == STATUS_OK)
        s = price_book_open(app, err);
    if (s == STATUS_OK)
        s = backtest_keeper_open(app, err);
    if (s == STATUS_OK)
        s = panels_open(app, err);
    if (s == STATUS_OK)
        s = hand_open(app, err);
    if (s == STATUS_OK)
        s = refresher_new(app, &serving->refresher, err);
    if (s != STATUS_OK)
        return s;
    s = keyring_new(app, &app->keys, err);
    if (s == STATUS_OK)
        s = access_open(app, err);
    if (s != STATUS_OK)
        return s;
    app->refresher = serving->refresher;
    refresher_run_once(serving->refresher);
    keyring_run_once(app->keys);
    s = caching_start(serving->caching, err);
    if (s == STATUS_OK)
        s = refresher_start(serving->refresher, err);
    if (s == STATUS_OK)
        s = keyring_start(app->keys, err);
    if (s == STATUS_OK)
        s = access_start(app, err);
    if (s == STATUS_OK)
        s = job_service_new(app, serving->job_pool, &serving->jobs, err);
    return s != STATUS_OK ? s : server_start(app, routes, routes_count, &serving->server, err);
}

static void take_apart(struct serving *serving)
{
    job_service_free(serving->jobs);
    backtest_keeper_close(&serving->app); /* stores what waits: the pools are still open */
    caching_stop(serving->caching);
    refresher_free(serving->refresher);
    access_close(&serving->app);
    keyring_free(serving->app.keys);
    hand_close(&serving->app);
    panels_close(&serving->app);
    price_book_close(&serving->app);
    caching_free(serving->caching);
    catalog_cell_free(serving->app.catalog);
    counts_free(serving->app.counts);
    crowds_free(serving->app.crowds);
    metrics_free(serving->metrics);
    db_pool_close(serving->job_pool);
    db_pool_close(serving->app.db);
    config_clear(&serving->config);
}

/*
 * glibc gives memory back to the kernel as soon as 128 KiB are free at the end of a heap, so that every page of rows
 * would have its memory mapped, zeroed and taken away again. Each heap may keep 4 MiB for the next request.
 */
static void keep_some_memory(void)
{
    enum { KEPT_BYTES = 16 << 20, MAPPED_BYTES = 4 << 20 };
    /* NOLINTBEGIN(concurrency-mt-unsafe): no other thread has been started yet */
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
    /* NOLINTEND(concurrency-mt-unsafe) */
}

static int run(struct serving *serving)
{
    struct err err = {0};
    if (build(serving, &err) != STATUS_OK)
        return command_fail(&err);
    announce(serving);
    int signal_number = server_wait_for_signal(serving->signal_fd);
    log_event(LOG_INFO, "server_stopping", LOG_I64("signal", signal_number));
    job_service_drain(serving->jobs);
    if (server_drain_and_stop(serving->server, serving->signal_fd, &err) != STATUS_OK) {
        log_event(LOG_ERROR, "server_stop_failed", LOG_TEXT("detail", err.detail));
        log_stop();
        _exit(EXIT_FAILED); /* threads still use what would be freed */
    }
    log_event(LOG_INFO, "server_stopped", LOG_I64("signal", signal_number));
    return EXIT_DONE;
}

/* Connections of the jobs' own: neither they nor requests take them from each other. */
static int open_job_pool(struct serving *serving)
{
    enum { WAIT_MS = 10000 };
    struct config config = serving->config; /* its texts stay the other's */
    config.db_pool = job_service_connections(&serving->config);
    config.db_acquire_ms = WAIT_MS;
    return command_open_store(&config, false, &serving->job_pool);
}

int serve_command(int argc, char **argv)
{
    if (argc > 1)
        return command_misused("serve", argv[1]);
    struct serving serving = {0};
    struct err err = {0};
    keep_some_memory();
    if (!command_configure(&serving.config))
        return EXIT_CONFIG;
    if (server_block_signals(&serving.signal_fd, &err) != STATUS_OK) {
        config_clear(&serving.config);
        return command_fail(&err);
    }
    int code = command_open_store(&serving.config, false, &serving.app.db);
    if (code == EXIT_DONE)
        code = open_job_pool(&serving);
    if (code == EXIT_DONE)
        code = run(&serving);
    take_apart(&serving);
    log_stop();
    (void)close(serving.signal_fd);
    return code;
}
