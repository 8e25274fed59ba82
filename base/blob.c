/* blob.c - reference counts for shared bytes. */
#include "base/blob.h"

#include <stdint.h>
#include <stdlib.h>

struct blob *blob_new(size_t size)
{
    if (size > SIZE_MAX - sizeof(struct blob))
        return NULL;
    struct blob *blob = malloc(sizeof *blob + size);
    if (blob == NULL)
        return NULL;
    atomic_init(&blob->references, 1);
    atomic_init(&blob->rider, NULL);
    blob->size = size;
    return blob;
}

struct blob *blob_trim(struct blob *blob, size_t size)
{
    struct blob *trimmed = realloc(blob, sizeof *blob + size);
    if (trimmed == NULL) /* then it stays as large as it was */
        return blob;
    trimmed->size = size;
    return trimmed;
}

struct blob *blob_ref(struct blob *blob)
{
    (void)atomic_fetch_add_explicit(&blob->references, 1, memory_order_relaxed);
    return blob;
}

void blob_unref(struct blob *blob)
{
    if (blob == NULL || atomic_fetch_sub_explicit(&blob->references, 1, memory_order_acq_rel) != 1)
        return;
    struct blob_rider *rider = atomic_load_explicit(&blob->rider, memory_order_acquire);
    if (rider != NULL)
        rider->free(rider);
    free(blob);
}

void blob_unrefp(struct blob **blob)
{
    blob_unref(*blob);
}

bool blob_ride(struct blob *blob, struct blob_rider *rider)
{
    struct blob_rider *none = NULL;
    return atomic_compare_exchange_strong(&blob->rider, &none, rider);
}
