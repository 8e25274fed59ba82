/*
 * l2.h - kept replies in Redis, shared by servers. What comes back is used only when its key, its lengths and its
 * checksum are right: a Redis that is absent, slow, flushed, damaged or restored from yesterday costs time and never
 * changes an answer. Not for polling threads.
 */
#ifndef CACHE_L2_H
#define CACHE_L2_H

#include "cache/kept.h"
#include "cache/redis.h"

#include <stdatomic.h>

enum { L2_VALUE_MAX = 1 << 20, L2_TOKEN_BYTES = 33 };

struct l2 {
    struct redis *redis; /* owned; NULL: there is none, and everything below does nothing */
    unsigned ttl_s;
    atomic_uint_fast64_t hits, misses, damaged, failed, bypassed, stored;
};

enum l2_found { L2_ABSENT, L2_HIT, L2_MISS, L2_DAMAGED, L2_FAILED, L2_BYPASSED };

/* The reply under name for key. *ret is a reference on L2_HIT. */
enum l2_found l2_get(struct l2 *l2, struct str name, struct str key, struct blob **ret) NODISCARD;

/* One of many that are read together. */
struct l2_fetch {
    struct l2_fetch *next; /* whoever holds a list of them */
    struct str name, key;
    enum l2_found found;     /* written, as blob, before done is called */
    struct blob *blob;       /* on L2_HIT a reference, for done to take */
    void (*done)(void *cls); /* after it the fetch may be gone; must not block */
    void *cls;
};
enum { L2_FETCHES_MAX = 64 };

/* The first n of a list, L2_FETCHES_MAX at most, in one go: done is called for each. */
void l2_get_many(struct l2 *l2, struct l2_fetch *first, size_t n);

/* False when it is too large, or Redis did not take it. */
bool l2_put(struct l2 *l2, struct str name, const struct blob *blob);

/* The right to make what is under name, for ms; false while another process has it. True when Redis cannot tell. */
bool l2_lease(struct l2 *l2, struct str name, unsigned ms, char ret_token[L2_TOKEN_BYTES]);
void l2_release(struct l2 *l2, struct str name, const char *token);

/* Epochs of purges: mart ("*" for all) and milliseconds. False when Redis did not answer. */
typedef void l2_epoch_fn(void *cls, struct str mart, int64_t at_ms);
bool l2_put_epoch(struct l2 *l2, struct str mart, int64_t at_ms);
bool l2_read_epochs(struct l2 *l2, l2_epoch_fn *take, void *cls);

/* A word to every server that listens. */
#define L2_CHANNEL "cmmc:published"
bool l2_tell(struct l2 *l2, struct str text);

#endif
