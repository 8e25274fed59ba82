/* recent.c - a small direct-mapped table for each polling thread. */
#include "server/recent.h"

#include "base/checksum.h"
#include "base/lock.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 64 };

struct slot {
    struct recent *recent;
    uint64_t asked_hash; /* the last head that was not there, and when it was asked for */
    int64_t asked_second;
};

struct desk {
    alignas(LINE_BYTES) struct lock lock; /* leaf lock; seldom anybody else's */
    struct slot slots[RECENT_SLOTS] GUARDED;
    uint64_t hits GUARDED;
};

struct recents {
    struct desk desks[RECENT_THREADS];
};

/* Threads are numbered as they come. */
static struct desk *desk_of_thread(struct recents *recents)
{
    static atomic_uint n_threads;
    static _Thread_local unsigned number; /* from 1 */
    if (number == 0)
        number = atomic_fetch_add(&n_threads, 1) + 1;
    return &recents->desks[number % RECENT_THREADS];
}

/* Whoever chooses heads for one slot takes a shortcut from others, and no more than that: no secret is in it. */
static uint64_t hash_of(struct str text)
{
    uint64_t hash = text.len, words[2];
    for (; text.len >= sizeof words; text = str_sub(text, sizeof words, text.len)) {
        memcpy(words, text.ptr, sizeof words);
        hash = checksum_fold(words[0] ^ 0x9e3779b97f4a7c15u, words[1] ^ hash);
    }
    memset(words, 0, sizeof words);
    if (text.len > 0)
        memcpy(words, text.ptr, text.len);
    return checksum_fold(words[0] ^ 0xd6e8feb86659fd93u, words[1] ^ hash);
}

struct recents *recents_new(void)
{
    struct recents *recents = aligned_alloc(LINE_BYTES, sizeof *recents);
    if (recents == NULL)
        return NULL;
    memset(recents, 0, sizeof *recents);
    for (size_t i = 0; i < RECENT_THREADS; i++)
        lock_init(&recents->desks[i].lock);
    return recents;
}

void recents_free(struct recents *recents)
{
    for (size_t i = 0; recents != NULL && i < RECENT_THREADS; i++) {
        struct desk *desk = &recents->desks[i];
        for (size_t j = 0; j < RECENT_SLOTS; j++)
            recent_unref(desk->slots[j].recent);
        lock_clear(&desk->lock);
    }
    free(recents);
}

static bool is_good(const struct recent *recent, uint64_t stamp, int64_t second)
{
    return recent != NULL && recent->stamp == stamp && recent->second == second;
}

/* Twice in a second is often enough: making one costs more than answering from the cache. */
static bool is_wanted(struct slot *slot, uint64_t hash, int64_t second)
{
    bool was_asked = slot->asked_hash == hash && slot->asked_second == second;
    slot->asked_hash = hash;
    slot->asked_second = second;
    return was_asked;
}

struct recent *recents_get(struct recents *recents, struct str head, uint64_t stamp, int64_t second,
                           bool *ret_is_wanted)
{
    *ret_is_wanted = false;
    if (recents == NULL || stamp == 0)
        return NULL;
    struct desk *desk = desk_of_thread(recents);
    uint64_t hash = hash_of(head);
    lock_take(&desk->lock);
    struct slot *slot = &desk->slots[hash % RECENT_SLOTS];
    struct recent *recent = slot->recent;
    bool is_there =
        is_good(recent, stamp, second) && recent->hash == hash && str_eq(recent->head, head);
    if (is_there) {
        (void)atomic_fetch_add_explicit(&recent->references, 1, memory_order_relaxed);
        recent->hits++;
        desk->hits++;
    } else {
        *ret_is_wanted = is_wanted(slot, hash, second);
    }
    lock_give(&desk->lock);
    return is_there ? recent : NULL;
}

struct recent *recent_new(struct str head)
{
    struct recent *recent = calloc(1, sizeof *recent + head.len);
    if (recent == NULL)
        return NULL;
    atomic_init(&recent->references, 1);
    memcpy(recent + 1, head.ptr, head.len);
    recent->head = (struct str){(char *)(recent + 1), head.len};
    recent->hash = hash_of(head);
    return recent;
}

struct recent *recents_put(struct recents *recents, struct recent *recent)
{
    if (recents == NULL)
        return NULL;
    struct desk *desk = desk_of_thread(recents);
    (void)atomic_fetch_add(&recent->references, 1);
    lock_take(&desk->lock);
    struct slot *slot = &desk->slots[recent->hash % RECENT_SLOTS];
    struct recent *old = slot->recent;
    slot->recent = recent;
    lock_give(&desk->lock);
    return old;
}

void recent_unref(struct recent *recent)
{
    if (recent == NULL || atomic_fetch_sub(&recent->references, 1) != 1)
        return;
    if (recent->release != NULL)
        recent->release(recent->response);
    blob_unref(recent->blob);
    free(recent);
}

uint64_t recents_hits(struct recents *recents)
{
    uint64_t n = 0;
    for (size_t i = 0; recents != NULL && i < RECENT_THREADS; i++) {
        lock_take(&recents->desks[i].lock);
        n += recents->desks[i].hits;
        lock_give(&recents->desks[i].lock);
    }
    return n;
}
