/* turn.c - counts the requests of each thread and moves it between two policies of the system's scheduler. */
#define _GNU_SOURCE /* SCHED_BATCH */
#include "server/turn.h"

#include <sched.h>

struct turn {
    int64_t since_ns; /* of the window */
    unsigned n;       /* requests in it */
    bool is_waiting;  /* as SCHED_BATCH */
    bool is_fixed;    /* the policy is not ours to change */
};

static void change(struct turn *turn, bool waits)
{
    const struct sched_param none = {0};
    int from = waits ? SCHED_OTHER : SCHED_BATCH, to = waits ? SCHED_BATCH : SCHED_OTHER;
    turn->is_fixed = sched_getscheduler(0) != from || sched_setscheduler(0, to, &none) != 0;
    turn->is_waiting = waits && !turn->is_fixed;
}

void turn_note(int64_t now_ns, bool is_alone)
{
    static _Thread_local struct turn turn;
    int64_t passed_ns = now_ns - turn.since_ns;
    turn.n++;
    if (turn.is_fixed || passed_ns < (int64_t)TURN_WINDOW_MS * 1000000)
        return;
    bool waits = is_alone && (double)turn.n >= (double)passed_ns * 1e-9 * TURN_RATE;
    if (waits != turn.is_waiting)
        change(&turn, waits);
    turn.since_ns = now_ns;
    turn.n = 0;
}
