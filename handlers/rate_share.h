/*
 * rate_share.h - servers that share a Redis share quotas: a thread of its own tells what was used here and asks what
 * was used in all, every RATE_SHARE_MS. Requests never wait for it: they are decided by what is known.
 *
 * So a caller that goes to n servers at once may get more than its quota by what the other n - 1 servers let in
 * between two exchanges, RATE_SHARE_MS and one answer of Redis apart; a refusal then stands until the window ends.
 * Without Redis each server counts for itself: at most n quotas. Counts that Redis lost or invented are bounded: a
 * lower total gives nothing back, one beyond belief is ignored, and no total outlives its window of a minute.
 */
#ifndef HANDLERS_RATE_SHARE_H
#define HANDLERS_RATE_SHARE_H

#include "base/err.h"
#include "cache/redis.h"
#include "handlers/rate.h"

enum { RATE_SHARE_MS = 150 };

struct rate_share;

/* Starts the thread. rate and redis must outlive it. */
enum status rate_share_start(struct rate *rate, struct redis *redis, struct rate_share **ret,
                             struct err *err) NODISCARD;
void rate_share_stop(struct rate_share *share); /* accepts NULL */

#endif
