/*
 * blob.h - bytes that several owners share and nobody changes; freed with the last reference. A blob may be
 * filled by its only owner before it is shared; afterwards any thread may read it.
 */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include "base/attrs.h"

#include <stdatomic.h>
#include <stddef.h>

struct blob {
    atomic_uint references;
    size_t size;
    char bytes[];
};

struct blob *blob_new(size_t size) NODISCARD; /* one reference; NULL when out of memory */
struct blob *blob_ref(struct blob *blob);
void blob_unref(struct blob *blob); /* NULL is allowed */

#endif
