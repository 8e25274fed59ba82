/*
 * warm.h - after a publish, the raw requests that were asked most are asked again by the server itself, one at a time
 * and giving way while most database connections are in use, so that the first client finds their answers in the cache.
 */
#ifndef HANDLERS_WARM_H
#define HANDLERS_WARM_H

#include "server/app.h"

struct warmer;

/* app->cache must be set. */
enum status warmer_new(struct app *app, struct warmer **ret, struct err *err) NODISCARD;

/* Ends the thread; a wake after that does nothing. By the owner's thread. NULL is allowed. */
void warmer_stop(struct warmer *warmer);

/* Stops, then frees. NULL is allowed. */
void warmer_free(struct warmer *warmer);

/* The catalogue is another one now. From any thread; does not block. */
void warmer_wake(struct warmer *warmer);

#endif
