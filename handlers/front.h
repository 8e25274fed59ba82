/*
 * front.h - raw requests that were answered before: the same target and the same headers that matter, under the
 * same catalogue, get the same reply, and nothing of them needs to be parsed. Any thread; no I/O.
 */
#ifndef HANDLERS_FRONT_H
#define HANDLERS_FRONT_H

#include "cache/cache.h"
#include "server/request.h"

/* For app->front. */
bool front_answer(struct request *request);

/* For app->recall: what front_answer answered when request->head was set. */
bool front_recall(struct request *request, struct str head);

/* l1_stats of one of the cache's tables, with the hits that the transport answered in its place. */
struct l1_stats front_stats(const struct app *app, struct l1 *l1);

/* For app->recalled: so that the warmer knows what is popular. */
void front_recalled(const struct app *app, struct str head, uint64_t n);

/* For request->stamp: changes when anything may answer differently; 0 while there is no catalogue. */
uint64_t front_stamp(const struct app *app);

/* Remembers that the reply kept under key answers this request while the catalogue stays as it is. */
void front_note(struct request *request, struct str key, bool is_pinned, int64_t next_due_at);

/*
 * The reply that this raw request got from an older catalogue, with a reference; NULL when there is none. For
 * when the newer one cannot be made.
 */
struct blob *front_stale(struct request *request) NODISCARD;

/* The parts of a raw request, for asking it again. Views into note, a value of cache->fronts or cache->heads. */
struct front_raw {
    struct str target, accept, accept_encoding; /* ptr NULL: no such header */
    unsigned scopes;
};
void front_parts(const struct blob *note, struct front_raw *ret);
struct str front_raw_text(const struct blob *note); /* all of them; equal for equal ones */

#endif
