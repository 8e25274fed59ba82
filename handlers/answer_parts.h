/*
 * answer_parts.h - one attempt to answer a cacheable GET, shared by the files answer.c (where an answer comes from) and
 * answer_make.c (how one is made, named, kept and given). Not for others.
 */
#ifndef HANDLERS_ANSWER_PARTS_H
#define HANDLERS_ANSWER_PARTS_H

#include "handlers/answer.h"
#include "handlers/answer_reply.h"
#include "handlers/encoding.h"
#include "handlers/negotiate.h"
#include "server/app.h"

/* One call of answer(). */
struct attempt {
    struct request *request;
    const struct answer *what;
    struct cache *cache; /* NULL: nothing is cached */
    enum encoding encoding;
    char tag[TAG_BYTES];
    char cache_control[CACHE_CONTROL_BYTES];
    struct str key;  /* what both caches compare in full */
    size_t n_prefix; /* of key: all before the identity */
    struct str name; /* in Redis: the key with the identity's hash in the place of the identity */
    bool is_pinned;
    int64_t next_due_at; /* of the mart; 0: nobody knows */
    enum l2_found found;
    bool is_stored; /* in Redis, by this request */
};

/* Across the calls of one request's handler, in its arena: what it waits for. */
struct wait {
    struct flight_waiter waiter;
    bool is_waiting; /* waiter has been handed out and tells how the flight ended */

    bool has_fetched; /* fetch tells what Redis said just now */
    struct l2_fetch fetch;
    bool is_pinned; /* of the attempt that asked, as the next two */
    int64_t next_due_at;
    int64_t asked_ns;
};

/* The body is in hand: nothing streams. */
bool attempt_is_whole(const struct request *request) NODISCARD;
/* For an unmanaged mart: made, and its tag taken from the body. */
enum status attempt_answer_by_content(struct attempt *a, struct err *err) NODISCARD;
/* A->key and a->n_prefix. */
enum status attempt_make_key(struct attempt *a, struct err *err) NODISCARD;
/* A->name. */
enum status attempt_make_name(struct attempt *a, struct err *err) NODISCARD;
/* Pin, due date, Cache-Control and Last-Modified. */
void attempt_describe(struct attempt *a);
/* Cache-Status. */
void attempt_explain(struct attempt *a, const char *cache_status);
/* Answers with a kept reply; takes the reference to blob. */
enum status attempt_give(struct attempt *a, struct blob *blob, const char *cache_status,
                         struct err *err);
/* The next equal request is answered in front. */
void attempt_note_front(struct attempt *a);
/* After a 304. */
void attempt_note_unchanged(struct attempt *a);
/* False: it is not there. */
bool attempt_answer_from_l1(struct attempt *a, enum status *ret, struct err *err) NODISCARD;
/* Produces, compresses, keeps. */
enum status attempt_make(struct attempt *a, bool *ret_is_kept, struct err *err) NODISCARD;

#endif
