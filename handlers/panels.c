/* panels.c - a queue of built panels under one leaf lock; used by backtest_run.c. */
#include "handlers/panels.h"

#include "base/lock.h"
#include "base/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LEASES_MAX = 1024 };

/* Key, arena and panel are settled when the lease is kept; the rest is guarded by the lock of the panels. */
struct panel_lease {
    struct queue_link link;
    unsigned char key[DIGEST_BYTES];
    struct arena arena;
    const struct panel_shared *panel;
    bool is_kept; /* in the queue, and counted */
    unsigned n_holders;
    struct panel_lease *next_gone; /* of those to be freed */
};

/* Panels are large and therefore few; looking for one walks the queue, which LEASES_MAX keeps short. */
struct panels {
    struct lock lock; /* leaf lock; guards every GUARDED field below */
    int64_t version GUARDED;
    struct queue queue GUARDED;
    struct panels_stats stats GUARDED;
    size_t max_bytes;
};

enum status panels_new(size_t max_bytes, struct panels **ret, struct err *err)
{
    struct panels *panels = calloc(1, sizeof *panels);
    if (panels == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for the panels of backtests.");
    lock_init(&panels->lock);
    panels->max_bytes = max_bytes;
    *ret = panels;
    return STATUS_OK;
}

static struct panel_lease *lease_at(struct queue_link *link)
{
    return (struct panel_lease *)(void *)link;
}

static void lease_free(struct panel_lease *lease)
{
    if (lease == NULL)
        return;
    arena_clear(&lease->arena);
    free(lease);
}

static void free_all(struct panel_lease *chain)
{
    while (chain != NULL) {
        struct panel_lease *next = chain->next_gone;
        lease_free(chain);
        chain = next;
    }
}

void panels_free(struct panels *panels)
{
    if (panels == NULL)
        return;
    for (struct panel_lease *lease = lease_at(panels->queue.newest); lease != NULL;) {
        struct panel_lease *older = lease_at(lease->link.older);
        lease_free(lease);
        lease = older;
    }
    lock_clear(&panels->lock);
    free(panels);
}

struct panels_stats panels_stats(struct panels *panels)
{
    lock_take(&panels->lock);
    struct panels_stats stats = panels->stats;
    lock_give(&panels->lock);
    return stats;
}

/* Out of the queue. When nobody holds it, it is also put on *gone, to be freed without the lock. */
static void drop(struct panels *panels, struct panel_lease *lease, struct panel_lease **gone)
    REQUIRES(panels->lock)
{
    queue_take(&panels->queue, &lease->link);
    lease->is_kept = false;
    panels->stats.panels--;
    panels->stats.bytes -= lease->arena.used_bytes;
    if (lease->n_holders > 0)
        return;
    lease->next_gone = *gone;
    *gone = lease;
}

static void move_to(struct panels *panels, int64_t version, struct panel_lease **gone)
    REQUIRES(panels->lock)
{
    while (panels->queue.newest != NULL)
        drop(panels, lease_at(panels->queue.newest), gone);
    panels->version = version;
}

static struct panel_lease *find(const struct panels *panels, const unsigned char key[DIGEST_BYTES])
    REQUIRES(panels->lock)
{
    struct panel_lease *lease = lease_at(panels->queue.newest);
    while (lease != NULL && memcmp(lease->key, key, DIGEST_BYTES) != 0)
        lease = lease_at(lease->link.older);
    return lease;
}

struct panel_lease *panels_find(struct panels *panels, int64_t version,
                                const unsigned char key[DIGEST_BYTES])
{
    lock_take(&panels->lock);
    struct panel_lease *lease = version == panels->version ? find(panels, key) : NULL;
    if (lease != NULL) {
        lease->n_holders++;
        panels->stats.hits++;
        queue_renew(&panels->queue, &lease->link);
    } else {
        panels->stats.misses++;
    }
    lock_give(&panels->lock);
    return lease;
}

struct panel_lease *panel_lease_new(size_t limit_bytes)
{
    struct panel_lease *lease = calloc(1, sizeof *lease);
    if (lease == NULL)
        return NULL;
    arena_init(&lease->arena, limit_bytes);
    lease->n_holders = 1;
    return lease;
}

struct arena *panel_lease_arena(struct panel_lease *lease)
{
    return &lease->arena;
}

const struct panel_shared *panel_lease_panel(const struct panel_lease *lease)
{
    return lease->panel;
}

/* Another run may have built the same panel in the meantime: the first one stays. */
void panels_keep(struct panels *panels, int64_t version, const unsigned char key[DIGEST_BYTES],
                 struct panel_lease *lease, const struct panel_shared *panel)
{
    struct panel_lease *gone = NULL;
    size_t bytes = lease->arena.used_bytes;
    assert(!lease->is_kept && lease->n_holders == 1);
    lease->panel = panel;
    memcpy(lease->key, key, DIGEST_BYTES);
    if (bytes > panels->max_bytes)
        return;
    lock_take(&panels->lock);
    if (version > panels->version)
        move_to(panels, version, &gone);
    if (version == panels->version && find(panels, key) == NULL) {
        while (panels->queue.oldest != NULL && (panels->stats.bytes + bytes > panels->max_bytes ||
                                                panels->stats.panels >= LEASES_MAX)) {
            drop(panels, lease_at(panels->queue.oldest), &gone);
            panels->stats.evictions++;
        }
        lease->is_kept = true;
        panels->stats.panels++;
        panels->stats.bytes += bytes;
        queue_add(&panels->queue, &lease->link);
    }
    lock_give(&panels->lock);
    free_all(gone);
}

void panels_release(struct panels *panels, struct panel_lease *lease)
{
    if (lease == NULL)
        return;
    lock_take(&panels->lock);
    lease->n_holders--;
    bool is_last = lease->n_holders == 0 && !lease->is_kept;
    lock_give(&panels->lock);
    if (is_last)
        lease_free(lease);
}
