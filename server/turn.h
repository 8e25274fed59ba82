/*
 * turn.h - how a polling thread stands beside others on the same processor.
 *
 * A thread that sleeps is woken by the next request, and the scheduler puts it in the place of whoever runs there: on a
 * machine that has no idle processor that is often the proxy or client that was about to send the next request, which
 * then waits for a thread that finds a single one. As SCHED_BATCH a woken thread waits its turn (some tens of
 * microseconds), finds several requests and sleeps less often; an idle processor runs it at once either way.
 *
 * That is good only while answers come from memory and there are very many. Beside anything that computes for
 * milliseconds a turn would be long: so a thread waits its turn only while it answers TURN_RATE requests a second and
 * no request is with a worker. Threads that were started under another policy are left as they are.
 */
#ifndef SERVER_TURN_H
#define SERVER_TURN_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TURN_WINDOW_MS = 20, /* after which a thread looks again */
    TURN_RATE = 20000    /* requests a second of one thread */
};

/* The calling thread has answered a request; is_alone: nobody works but polling threads. now_ns is monotonic. */
void turn_note(int64_t now_ns, bool is_alone);

#endif
