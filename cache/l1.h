/*
 * l1.h - bytes by key in the process: sharded, bounded by bytes, evicted by SIEVE (one visited bit a value; hits
 * move nothing). Values are shared blobs, so a hit copies nothing and an evicted value lives on with its readers.
 * Source: Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024. Callable from any thread; never blocks on I/O.
 */
#ifndef CACHE_L1_H
#define CACHE_L1_H

#include "base/blob.h"
#include "base/err.h"

#include <stdint.h>

struct l1;

enum { L1_SHARDS = 16 };

struct l1_stats {
    uint64_t entries, bytes;           /* now */
    uint64_t hits, evictions, refused; /* since the start; refused: too large to keep */
};

enum status l1_new(uint64_t max_bytes, struct l1 **ret, struct err *err) NODISCARD;
void l1_free(struct l1 *l1); /* NULL is allowed */

/* The value, with a reference for the caller; NULL when it is not there. */
struct blob *l1_get(struct l1 *l1, struct str key) NODISCARD;

/* As l1_get, but leaves no trace: no hit, no visit. */
struct blob *l1_peek(struct l1 *l1, struct str key) NODISCARD;

/* The value was used n times more than l1_get knows of; nothing when it is not there. */
void l1_add_hits(struct l1 *l1, struct str key, uint64_t n);

/* key must point into blob's bytes. Takes a reference of its own; replaces what was there. False: too large. */
bool l1_put(struct l1 *l1, struct str key, struct blob *blob);

/* Values larger than this are not kept. */
uint64_t l1_value_max(const struct l1 *l1);

uint64_t l1_bytes_max(const struct l1 *l1);

struct l1_stats l1_stats(struct l1 *l1);

/*
 * The n values with the most hits since they were last counted, most first, with a reference each; *ret_n of
 * them. Halves every count, so that what was popular once fades.
 */
void l1_take_top(struct l1 *l1, struct blob **ret, size_t n, size_t *ret_n);

#endif
