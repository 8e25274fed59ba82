/*
 * blob.h - bytes that several owners share and nobody changes; freed with the last reference. A blob may be
 * filled by its only owner before it is shared; afterwards any thread may read it.
 */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include "base/attrs.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* What somebody made from the bytes and wants to find again with the next reader: freed just before the blob. */
struct blob_rider {
    void (*free)(struct blob_rider *rider);
};

struct blob {
    atomic_uint references;
    size_t size;
    _Atomic(struct blob_rider *) rider; /* NULL at first; set once */
    char bytes[];
};

struct blob *blob_new(size_t size) NODISCARD;           /* one reference; NULL when out of memory */
struct blob *blob_trim(struct blob *blob, size_t size); /* by its only owner, to at most its size */
struct blob *blob_ref(struct blob *blob);
void blob_unref(struct blob *blob); /* NULL is allowed */
void blob_unrefp(struct blob **blob);

/* The blob takes rider, unless it has one; false: rider is still the caller's. */
bool blob_ride(struct blob *blob, struct blob_rider *rider);

#endif
