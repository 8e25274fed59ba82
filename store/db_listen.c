/* db_listen.c - a connection that only listens. */
#include "store/db_listen.h"

#include "store/db_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MS_PER_S = 1000, NS_PER_MS = 1000000 };

struct db_listener {
    struct db db; /* never lent */
};

enum status db_listen(struct db_pool *pool, const char *const *channels, struct db_listener **ret,
                      struct err *err)
{
    struct db_listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while listening.");
    db_pool_describe(pool, &listener->db);
    const struct db_backend *backend = listener->db.backend;
    enum status s = backend->wait_notify == NULL ? STATUS_OK : backend->connect(&listener->db, err);
    for (size_t i = 0; s == STATUS_OK && backend->wait_notify != NULL && channels[i] != NULL; i++) {
        char sql[80];
        (void)snprintf(sql, sizeof sql, "LISTEN %s", channels[i]);
        s = backend->exec_script(&listener->db, sql, err);
    }
    if (s != STATUS_OK) {
        db_listener_free(listener);
        return s;
    }
    *ret = listener;
    return STATUS_OK;
}

enum status db_listen_wait(struct db_listener *listener, unsigned wait_ms, bool *ret_heard,
                           struct err *err)
{
    if (listener->db.backend->wait_notify != NULL)
        return listener->db.backend->wait_notify(&listener->db, wait_ms, ret_heard, err);
    (void)nanosleep(&(struct timespec){.tv_sec = wait_ms / MS_PER_S,
                                       .tv_nsec = (long)(wait_ms % MS_PER_S) * NS_PER_MS},
                    NULL);
    *ret_heard = false;
    return STATUS_OK;
}

void db_listener_free(struct db_listener *listener)
{
    if (listener == NULL)
        return;
    listener->db.backend->disconnect(&listener->db);
    free(listener);
}
