/*
 * server.h - the whole transport: two listeners, the watch, the worker lanes, and their orderly end.
 * Used by the cli's main thread only:
 *
 *   server_block_signals(&signals, &err);          before any thread exists
 *   ... config_load, metrics_new, pools, app ...
 *   server_start(&app, routes, n, &server, &err);
 *   server_wait_for_signal(signals);               SIGTERM or SIGINT
 *   s = server_drain_and_stop(server, signals);    a second signal skips the waiting
 *   ... free what handlers used ...
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "server/app.h"

struct server;

/*
 * routes outlive the server. Raises the descriptor limit as far as allowed. On return requests are served;
 * app->is_started is the caller's to set when its own start is complete.
 * Errors: STATUS_CONFIG (address in use, naming the setting), STATUS_INTERNAL (route table), STATUS_IO,
 * STATUS_OUT_OF_MEMORY; nothing is left running.
 */
enum status server_start(struct app *app, const struct route *routes, size_t n_routes,
                         struct server **ret, struct err *err) NODISCARD;

unsigned server_port(const struct server *server);
unsigned server_ops_port(const struct server *server);

/*
 * Readiness off, drain_delay_ms; listening socket closed; answers say Connection: close; up to drain_ms for
 * requests in flight; then the rest is stopped and answered 503; threads joined; server freed.
 * signal_fd as from server_block_signals, or -1: a signal that arrives there ends the waiting at once.
 * STATUS_DEADLINE: a handler ignored its stop for SERVER_STOP_MS more; then nothing was freed and threads still run,
 * so the caller should log and _exit.
 */
enum { SERVER_STOP_MS = 15000 };
enum status server_drain_and_stop(struct server *server, int signal_fd, struct err *err) NODISCARD;

/* Blocks SIGTERM and SIGINT for this thread and its children and returns a descriptor that reports them. */
enum status server_block_signals(int *ret_signal_fd, struct err *err) NODISCARD;

/* Waits for SIGTERM or SIGINT and returns which. */
int server_wait_for_signal(int signal_fd);

#endif
