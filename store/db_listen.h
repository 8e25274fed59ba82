/*
 * db_listen.h - hears what other connections NOTIFY: on PostgreSQL one connection of its own, beside the pool.
 * On SQLite nothing is ever heard, and waiting just takes its time. One thread at a time.
 */
#ifndef STORE_DB_LISTEN_H
#define STORE_DB_LISTEN_H

#include "store/db.h"

struct db_listener;

/* channels: SQL identifiers of ours, ended by NULL. Connects here; DB_UNAVAILABLE when that fails. */
enum status db_listen(struct db_pool *pool, const char *const *channels, struct db_listener **ret,
                      struct err *err) NODISCARD;

/* *ret_heard: something was notified within wait_ms. DB_UNAVAILABLE: the connection is lost, free and begin again. */
enum status db_listen_wait(struct db_listener *listener, unsigned wait_ms, bool *ret_heard,
                           struct err *err) NODISCARD;
void db_listener_free(struct db_listener *listener); /* accepts NULL */

#endif
