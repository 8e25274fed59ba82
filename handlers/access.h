/*
 * access.h - who may do what, and how often: decided once per request, on the polling thread, before its body is
 * read. No I/O. docs/operations.md describes it for those who run a server.
 */
#ifndef HANDLERS_ACCESS_H
#define HANDLERS_ACCESS_H

#include "handlers/client_address.h"
#include "handlers/rate.h"
#include "server/app.h"

/* The rules, from the settings; constant after the start. */
struct access_rules {
    unsigned anonymous_scopes; /* SCOPE_x added up: what anyone may do without a key */
    uint32_t anonymous_quota;  /* requests a minute and address; 0: no limit */
    uint32_t key_quota;        /* requests a minute and key that has none of its own; 0: no limit */
    uint32_t failure_quota;    /* bad keys a minute and address; 0: no limit */
    bool is_forwarded_header;  /* proxies write Forwarded, not X-Forwarded-For */
    struct proxies proxies;
    struct rate *rate;
    struct rate_share *share; /* NULL: quotas are this server's own */
};

/*
 * Fills app->access and app->admit; app->keys and app->config must be set.
 * Errors: STATUS_CONFIG for trusted_proxies; STATUS_OUT_OF_MEMORY.
 */
enum status access_open(struct app *app, struct err *err) NODISCARD;

/* Shares quotas with other servers from here on, when app->cache has a Redis. */
enum status access_start(struct app *app, struct err *err) NODISCARD;
void access_close(struct app *app);

/* app->admit: see server/app.h. */
enum status access_admit(struct request *request, struct err *err);

/*
 * Is the answer for those with a key only? Then no shared cache may keep it (RFC 9111 section 3.5); otherwise it
 * is the same for everyone, and saying "public" lets shared caches keep it although some asked with a key.
 */
bool access_is_private(const struct request *request);

/* What a request to this route counts for. */
uint32_t access_cost(const struct route *route);

/* The caller's quota a minute (0: no limit) and the name it is published under. */
uint32_t access_quota(const struct request *request, const char **ret_policy,
                      struct rate_id *ret_id);

#endif
