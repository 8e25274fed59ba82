/*
 * queue.h - entries by age: what a cache gives up in order.
 * The links lie in the entries, as each one's first member, so that nothing is allocated and an entry is its link,
 * cast. An entry is in one queue at the most. Threads: the owner's lock guards queue and links alike.
 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stddef.h>

struct queue_link {
    struct queue_link *newer, *older; /* NULL: the newest; the oldest */
};

struct queue {
    struct queue_link *newest, *oldest; /* NULL: it is empty */
};

/* Puts in, as the newest, an entry that is in no queue. */
static inline void queue_add(struct queue *queue, struct queue_link *link)
{
    *link = (struct queue_link){.older = queue->newest};
    *(queue->newest != NULL ? &queue->newest->newer : &queue->oldest) = link;
    queue->newest = link;
}

/* Takes out an entry that is in this queue; its links stay, for who walks on from it. */
static inline void queue_take(struct queue *queue, const struct queue_link *link)
{
    *(link->newer != NULL ? &link->newer->older : &queue->newest) = link->older;
    *(link->older != NULL ? &link->older->newer : &queue->oldest) = link->newer;
}

/* Makes the newest of an entry that is in this queue. */
static inline void queue_renew(struct queue *queue, struct queue_link *link)
{
    queue_take(queue, link);
    queue_add(queue, link);
}

#endif
