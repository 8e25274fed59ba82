/*
 * uid_near.h - "did you mean" among uids, class:SYMBOL or class:EXCHANGE.SYMBOL: offer every uid, then take the best.
 * In this order: the same symbol, in the nearest class or at the nearest exchange (stock:AAPL of stock:US.AAPL); a symbol of
 * the same class with at most a third of its letters wrong (stock:US.APPL); one that was begun (stock:US.BRK of
 * stock:US.BRK.B). Nothing where none is: a uid far away helps nobody. ASCII case is ignored. Pure; any thread.
 */
#ifndef BASE_UID_NEAR_H
#define BASE_UID_NEAR_H

#include "base/str.h"

struct uid_near {
    struct str wanted;
    struct str best; /* STR_NONE: none is near enough */
    unsigned score;  /* of the best: lower is nearer */
};

struct uid_near uid_near_start(struct str wanted);

/* True when uid is the best so far; it is borrowed: whoever offers bytes that go away sets search->best to a copy. */
bool uid_near_offer(struct uid_near *search, struct str uid);

#endif
