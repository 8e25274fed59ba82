/* prepared.c - a blob's rider with one place for each kind of reply that is made from it. */
#include "server/prepared.h"

#include <assert.h>
#include <stdlib.h>

struct prepared {
    struct blob_rider rider; /* first */
    void (*release)(void *response);
    atomic_uint *n_prepared;
    _Atomic(void *) responses[PREPARED_SLOTS];
};

static void free_prepared(struct blob_rider *rider)
{
    struct prepared *prepared = (struct prepared *)(void *)rider;
    for (size_t i = 0; i < PREPARED_SLOTS; i++) {
        void *response = atomic_load(&prepared->responses[i]);
        if (response == NULL)
            continue;
        prepared->release(response);
        (void)atomic_fetch_sub(prepared->n_prepared, 1);
    }
    free(prepared);
}

static struct prepared *of_blob(const struct blob *blob)
{
    /* Nobody else lets anything ride on a reply's blob. */
    return (struct prepared *)(void *)atomic_load_explicit(&blob->rider, memory_order_acquire);
}

void *prepared_get(const struct blob *blob, unsigned slot)
{
    assert(slot >= 1 && slot <= PREPARED_SLOTS);
    struct prepared *prepared = of_blob(blob);
    return prepared == NULL
               ? NULL
               : atomic_load_explicit(&prepared->responses[slot - 1], memory_order_acquire);
}

static struct prepared *ride(struct blob *blob, void (*release)(void *response),
                             atomic_uint *n_prepared)
{
    struct prepared *prepared = of_blob(blob);
    if (prepared != NULL)
        return prepared;
    prepared = calloc(1, sizeof *prepared);
    if (prepared == NULL)
        return NULL;
    prepared->rider.free = free_prepared;
    prepared->release = release;
    prepared->n_prepared = n_prepared;
    if (blob_ride(blob, &prepared->rider))
        return prepared;
    free(prepared);
    return of_blob(blob);
}

bool prepared_put(struct blob *blob, unsigned slot, void *response, void (*release)(void *response),
                  atomic_uint *n_prepared)
{
    assert(slot >= 1 && slot <= PREPARED_SLOTS);
    void *none = NULL;
    bool has_room = atomic_fetch_add(n_prepared, 1) < PREPARED_MAX;
    struct prepared *prepared = has_room ? ride(blob, release, n_prepared) : NULL;
    if (prepared != NULL &&
        atomic_compare_exchange_strong(&prepared->responses[slot - 1], &none, response))
        return true;
    (void)atomic_fetch_sub(n_prepared, 1);
    return false;
}
