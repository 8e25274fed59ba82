/*
 * rate.h - who has used how much of a quota in the current window of a minute. Callable from any thread; nothing
 * here blocks longer than another thread's handful of instructions.
 *
 * Windows are fixed: minute w of a caller is [60 w - p, 60 w + 60 - p) of the wall clock, where the phase p comes
 * from who it is, so that windows of different callers do not all begin at once, while every server agrees on
 * them. Within a window exactly the quota is given out by this server, however many threads ask. Other servers'
 * use comes in by rate_fold, from what they tell each other (handlers/rate_share.h).
 *
 * Memory is bounded: RATE_SLOTS callers. When all places that a caller may take are in use in the current window,
 * the one that has used least is forgotten: made-up addresses displace each other, not those at their limit.
 */
#ifndef HANDLERS_RATE_H
#define HANDLERS_RATE_H

#include "base/attrs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RATE_WINDOW_MS = 60000, RATE_SLOTS = 32768 };

/* Failures to authenticate are counted beside requests. */
enum rate_kind { RATE_NONE, RATE_KEY, RATE_V4, RATE_V6, RATE_V4_FAILURES, RATE_V6_FAILURES };

struct rate_id {
    enum rate_kind kind;
    uint64_t value; /* number of the key, IPv4 address, first 64 bits of an IPv6 address */
};

struct rate_state {
    bool is_allowed;
    uint32_t remaining; /* afterwards */
    uint32_t reset_s;   /* until the window ends, rounded up: 1 to 60 */
};

struct rate;

struct rate *rate_new(void); /* NULL when out of memory */
void rate_free(struct rate *rate);

/* Takes cost from the quota, all or nothing. cost 0 looks and takes nothing: allowed while something remains. */
struct rate_state rate_take(struct rate *rate, struct rate_id id, uint32_t quota, uint32_t cost,
                            int64_t now_ms);

/* What the other servers have to be told, and are asked about. */
struct rate_report {
    struct rate_id id;
    int64_t window;
    uint32_t used;  /* here, since the last report: may be 0 */
    uint32_t total; /* everyone's, from the others' store; filled between report and fold */
};

/* Everyone with use in the current window, at most max of them, going round; their use counts as reported. */
size_t rate_report(struct rate *rate, int64_t now_ms, struct rate_report *ret, size_t max);

/* Takes the totals over. */
void rate_fold(struct rate *rate, const struct rate_report *reports, size_t n);

/* The report reached nobody: its use is reported again. */
void rate_unreport(struct rate *rate, const struct rate_report *reports, size_t n);

#endif
