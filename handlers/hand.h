/*
 * hand.h - a thread that lends a hand: it takes one piece of work off somebody who does another piece meanwhile. It has
 * no queue: while it is at work others keep what they have, and what it has not begun in time is taken back, so that
 * nobody waits for a core that is not there. What comes of a piece must not depend on who did it.
 * Callable from any thread; a hand of NULL does nothing.
 */
#ifndef HANDLERS_HAND_H
#define HANDLERS_HAND_H

#include "base/err.h"

struct hand;

/* One piece of work, the caller's from hand_offer to hand_finish; run and cls are set, the rest 0. */
struct errand {
    void (*run)(void *cls);
    void *cls;
    enum errand_state { ERRAND_OWN, ERRAND_OFFERED, ERRAND_BEGUN, ERRAND_DONE } state;
};

/* Starts the thread. Errors: STATUS_OUT_OF_MEMORY. */
enum status hand_new(struct hand **ret, struct err *err) NODISCARD;
void hand_free(struct hand *hand); /* no errand is left */

void hand_offer(struct hand *hand, struct errand *errand);
void hand_finish(struct hand *hand, struct errand *errand); /* afterwards it has been run, once */

/* The server's, in app->hand, unless it has one core. */
struct app;
enum status hand_open(struct app *app, struct err *err) NODISCARD;
void hand_close(struct app *app); /* after the server has stopped */

#endif
