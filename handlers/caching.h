/*
 * caching.h - the cache of a server with its background threads: made before the server starts, freed after it
 * stopped.
 */
#ifndef HANDLERS_CACHING_H
#define HANDLERS_CACHING_H

#include "server/app.h"

struct caching;

/*
 * app->config, metrics and catalog must be set. Sets app->cache, app->caching and app->front; adds the readiness
 * check "redis" (never required) when there is one.
 */
enum status caching_new(struct app *app, struct caching **ret, struct err *err) NODISCARD;

/* Starts the threads: app->refresher is set, and its thread not yet at work. */
enum status caching_start(struct caching *caching, struct err *err) NODISCARD;

/* Ends the threads: they call the refresher and ask the access rules, which are freed next. NULL is allowed. */
void caching_stop(struct caching *caching);

/* After the refresher, which calls caching_moved. NULL is allowed. */
void caching_free(struct caching *caching);

/* The catalogue has another generation: hot answers are made anew, and other servers told. Does not block on clients. */
void caching_moved(struct caching *caching, int64_t generation);

/* The channel to other servers works. */
bool caching_hears(const struct caching *caching);

#endif
