/*
 * recent.h - answers of this very second, ready to be queued: for heads that a polling thread sees again and again.
 * Each thread keeps its own few, so that hot answers share no lock, no counter and no cache line between threads; the
 * head is compared in full. An answer is good for the second it was made in (its Date says so), and no longer than
 * the data's stamp. Callable from any thread.
 */
#ifndef SERVER_RECENT_H
#define SERVER_RECENT_H

#include "server/request.h"

#include "base/blob.h"

enum {
    RECENT_THREADS = 16,        /* more share places with each other */
    RECENT_SLOTS = 64,          /* of one thread */
    RECENT_BODY_MAX = 16 * 1024 /* so that what the slots hold on to is bounded: 1 MiB a thread */
};

/* All but references and hits is fixed once it is put. */
struct recent {
    atomic_uint references;
    uint64_t hash;
    uint64_t stamp; /* of the data */
    int64_t second; /* since 1970 */
    uint64_t hits;  /* recents': since it was put */
    void *response; /* the transport's, given to release in the end */
    void (*release)(void *response);
    struct blob *blob; /* what the body points into: a reference */
    struct str body;
    int http_status;
    enum method method;
    const struct route *route;
    struct principal principal;
    struct str head; /* a copy, behind this */
};

struct recents; /* NULL in place of one: nothing is kept */

struct recents *recents_new(void) NODISCARD; /* NULL when out of memory */
void recents_free(struct recents *recents);

/*
 * What this thread put for head in this second under this stamp, with a reference for the caller; else NULL.
 * *ret_is_wanted: nothing is there, but it was asked for before in this second.
 */
struct recent *recents_get(struct recents *recents, struct str head, uint64_t stamp, int64_t second,
                           bool *ret_is_wanted) NODISCARD;

/* One for head, all zero beside: the caller fills it, puts it, and unrefs it. NULL when out of memory. */
struct recent *recent_new(struct str head) NODISCARD;

/* For this thread. What had its place, with a reference and its final hits, or NULL. */
struct recent *recents_put(struct recents *recents, struct recent *recent) NODISCARD;

void recent_unref(struct recent *recent); /* NULL is allowed */

uint64_t recents_hits(struct recents *recents); /* since the start */

#endif
