/*
 * fetcher.h - a thread that reads from Redis for requests that wait without one: what is asked for while it waits
 * for an answer goes out together with the next question, so that the more there is to do, the less each costs.
 */
#ifndef CACHE_FETCHER_H
#define CACHE_FETCHER_H

#include "cache/l2.h"

struct fetcher;

enum status fetcher_new(struct l2 *l2, struct fetcher **ret, struct err *err) NODISCARD;
void fetcher_free(struct fetcher *fetcher); /* NULL is allowed; nobody may be waiting */

/* From any thread; done is called on the fetcher's, within the time limits of redis.h for those before it and it. */
void fetcher_ask(struct fetcher *fetcher, struct l2_fetch *fetch);

#endif
