/*
 * caching.h - the cache of a server: made before it starts, freed after it stopped.
 */
#ifndef HANDLERS_CACHING_H
#define HANDLERS_CACHING_H

#include "server/app.h"

struct caching;

/* app->config, metrics and catalog must be set. Sets app->cache and app->front. */
enum status caching_new(struct app *app, struct caching **ret, struct err *err) NODISCARD;
void caching_free(struct caching *caching); /* NULL is allowed */

#endif
