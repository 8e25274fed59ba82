/*
 * epoch.h - when each mart was last purged: a number in every cache key, so that a purge deletes nothing and
 * no old answer is found again. Milliseconds since 1970, which only rise: servers that share a Redis agree by
 * taking the greatest, and one that forgot everything cannot take the others back. Callable from any thread.
 */
#ifndef CACHE_EPOCH_H
#define CACHE_EPOCH_H

#include "base/err.h"

enum { EPOCH_MARTS_MAX = 256, EPOCH_NAME_BYTES = 128 };

struct epochs;

enum status epochs_new(struct epochs **ret, struct err *err) NODISCARD;
void epochs_free(struct epochs *epochs); /* NULL is allowed */

/* 0 when mart was never purged. */
int64_t epochs_of(struct epochs *epochs, struct str mart);

/*
 * Raises mart's epoch, or everybody's for the empty name; false when it is at least that already. With more marts
 * than there is room for, everybody's.
 */
bool epochs_raise(struct epochs *epochs, struct str mart, int64_t at_ms);

/* An epoch for a purge now: after everything known. */
int64_t epochs_next(struct epochs *epochs, int64_t now_ms);

/* Counts the raises: equal stamps mean equal epochs. One atomic load. */
uint64_t epochs_stamp(const struct epochs *epochs);

#endif
