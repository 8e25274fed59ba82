/* l1.c - a hash table and a SIEVE queue in each shard, under one leaf lock. */
#include "cache/l1.h"

#include "base/checksum.h"
#include "base/lock.h"
#include "base/queue.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SHARE = 4, BUCKET_BYTES = 2048, BUCKETS_MIN = 64, BUCKETS_MAX = 1 << 16 };

struct entry {
    struct queue_link link;
    struct entry *chain; /* of its bucket */
    struct blob *blob;
    struct str key; /* in blob */
    uint64_t hash;
    uint32_t hits;
    bool is_visited;
};

struct shard {
    struct lock lock; /* leaf lock; guards every GUARDED field below */
    struct entry **buckets GUARDED;
    struct queue queue GUARDED;
    struct entry *hand GUARDED; /* the next candidate for eviction; NULL: the oldest */
    struct l1_stats stats GUARDED;
};

struct l1 {
    struct shard shards[L1_SHARDS];
    size_t n_buckets;   /* in each shard, a power of two */
    uint64_t shard_max; /* bytes */
    uint64_t seeds[3];  /* so that nobody outside can choose keys for one bucket */
};

static struct entry *entry_at(struct queue_link *link)
{
    return (struct entry *)(void *)link;
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}

static uint64_t word_at(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Sixteen bytes a multiplication, as in wyhash, but with constants that nobody outside knows. */
static uint64_t hash_of(const struct l1 *l1, struct str key)
{
    uint64_t hash = l1->seeds[0] ^ key.len;
    const char *at = key.ptr;
    size_t left = key.len;
    for (; left >= 16; left -= 16, at += 16)
        hash = checksum_fold(word_at(at) ^ l1->seeds[1], word_at(at + 8) ^ hash);
    char last[16] = {0};
    if (left > 0)
        memcpy(last, at, left);
    hash = checksum_fold(word_at(last) ^ l1->seeds[1], word_at(last + 8) ^ hash);
    return checksum_fold(hash ^ l1->seeds[0], l1->seeds[2]);
}

static uint64_t weight(const struct blob *blob)
{
    return sizeof(struct entry) + sizeof *blob + blob->size;
}

enum status l1_new(uint64_t max_bytes, struct l1 **ret, struct err *err)
{
    struct l1 *l1 = calloc(1, sizeof *l1);
    if (l1 == NULL)
        return err_out_of_memory(err);
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    l1->seeds[0] =
        mix((uint64_t)now.tv_nsec ^ (uint64_t)(uintptr_t)l1 ^ (uint64_t)now.tv_sec << 30);
    l1->seeds[1] = mix(l1->seeds[0] + (uint64_t)(uintptr_t)&now) | 1;
    l1->seeds[2] = mix(l1->seeds[1]) | 1;
    l1->shard_max = max_bytes / L1_SHARDS;
    l1->n_buckets = BUCKETS_MIN;
    while (l1->n_buckets < BUCKETS_MAX && l1->n_buckets * BUCKET_BYTES < l1->shard_max)
        l1->n_buckets *= 2;
    bool is_whole = true;
    for (size_t i = 0; i < L1_SHARDS; i++) {
        struct shard *shard = &l1->shards[i];
        lock_init(&shard->lock);
        shard->buckets = calloc(l1->n_buckets, sizeof(struct entry *));
        is_whole = is_whole && shard->buckets != NULL;
    }
    if (!is_whole) {
        l1_free(l1);
        return err_out_of_memory(err);
    }
    *ret = l1;
    return STATUS_OK;
}

void l1_free(struct l1 *l1)
{
    for (size_t i = 0; l1 != NULL && i < L1_SHARDS; i++) {
        struct shard *shard = &l1->shards[i];
        for (struct entry *entry = entry_at(shard->queue.newest); entry != NULL;) {
            struct entry *older = entry_at(entry->link.older);
            blob_unref(entry->blob);
            free(entry);
            entry = older;
        }
        free(shard->buckets);
        lock_clear(&shard->lock);
    }
    free(l1);
}

static struct shard *shard_of(struct l1 *l1, uint64_t hash)
{
    return &l1->shards[hash >> 60];
}

static struct entry **place_of(const struct l1 *l1, struct shard *shard, uint64_t hash,
                               struct str key) REQUIRES(shard->lock)
{
    struct entry **place = &shard->buckets[hash & (l1->n_buckets - 1)];
    while (*place != NULL && ((*place)->hash != hash || !str_eq((*place)->key, key)))
        place = &(*place)->chain;
    return place;
}

struct blob *l1_get(struct l1 *l1, struct str key)
{
    uint64_t hash = hash_of(l1, key);
    struct shard *shard = shard_of(l1, hash);
    struct blob *blob = NULL;
    lock_take(&shard->lock);
    struct entry *entry = *place_of(l1, shard, hash, key);
    if (entry != NULL) {
        entry->is_visited = true;
        if (entry->hits < UINT32_MAX)
            entry->hits++;
        blob = blob_ref(entry->blob);
        shard->stats.hits++;
    }
    lock_give(&shard->lock);
    return blob;
}

struct blob *l1_peek(struct l1 *l1, struct str key)
{
    uint64_t hash = hash_of(l1, key);
    struct shard *shard = shard_of(l1, hash);
    lock_take(&shard->lock);
    struct entry *entry = *place_of(l1, shard, hash, key);
    struct blob *blob = entry == NULL ? NULL : blob_ref(entry->blob);
    lock_give(&shard->lock);
    return blob;
}

void l1_add_hits(struct l1 *l1, struct str key, uint64_t n)
{
    uint64_t hash = hash_of(l1, key);
    struct shard *shard = shard_of(l1, hash);
    lock_take(&shard->lock);
    struct entry *entry = *place_of(l1, shard, hash, key);
    if (entry != NULL) {
        entry->is_visited = true;
        entry->hits = n < UINT32_MAX - entry->hits ? entry->hits + (uint32_t)n : UINT32_MAX;
    }
    lock_give(&shard->lock);
}

/* Takes the entry, which is at place, out of bucket and queue; the hand that points to it moves on. */
static void unlink_entry(struct shard *shard, struct entry **place, struct entry *entry)
    REQUIRES(shard->lock)
{
    *place = entry->chain;
    if (shard->hand == entry)
        shard->hand = entry_at(entry->link.newer);
    queue_take(&shard->queue, &entry->link);
    shard->stats.entries--;
    shard->stats.bytes -= weight(entry->blob);
}

/*
 * SIEVE: from the hand towards the newest, visited values lose their mark and stay; the first unvisited one
 * goes. At the newest the hand starts again at the oldest. Ends, since one round clears every mark.
 */
static struct entry *evict_one(const struct l1 *l1, struct shard *shard) REQUIRES(shard->lock)
{
    struct entry *entry = shard->hand != NULL ? shard->hand : entry_at(shard->queue.oldest);
    while (entry->is_visited) {
        entry->is_visited = false;
        entry = entry_at(entry->link.newer != NULL ? entry->link.newer : shard->queue.oldest);
    }
    shard->hand = entry;
    unlink_entry(shard, place_of(l1, shard, entry->hash, entry->key), entry);
    shard->stats.evictions++;
    return entry;
}

static void free_chain(struct entry *entry)
{
    while (entry != NULL) {
        struct entry *next = entry->chain;
        blob_unref(entry->blob);
        free(entry);
        entry = next;
    }
}

static void link_newest(const struct l1 *l1, struct shard *shard, struct entry *entry)
    REQUIRES(shard->lock)
{
    struct entry **bucket = &shard->buckets[entry->hash & (l1->n_buckets - 1)];
    entry->chain = *bucket;
    *bucket = entry;
    queue_add(&shard->queue, &entry->link);
    shard->stats.entries++;
    shard->stats.bytes += weight(entry->blob);
}

uint64_t l1_value_max(const struct l1 *l1)
{
    return l1->shard_max / SHARE;
}

uint64_t l1_bytes_max(const struct l1 *l1)
{
    return l1->shard_max * L1_SHARDS;
}

static bool refuse(struct shard *shard)
{
    lock_take(&shard->lock);
    shard->stats.refused++;
    lock_give(&shard->lock);
    return false;
}

bool l1_put(struct l1 *l1, struct str key, struct blob *blob)
{
    uint64_t hash = hash_of(l1, key);
    struct shard *shard = shard_of(l1, hash);
    struct entry *entry = weight(blob) > l1_value_max(l1) ? NULL : calloc(1, sizeof *entry);
    if (entry == NULL)
        return refuse(shard);
    entry->blob = blob_ref(blob);
    entry->key = key;
    entry->hash = hash;
    struct entry *gone = NULL; /* freed after the lock */
    lock_take(&shard->lock);
    struct entry **place = place_of(l1, shard, hash, key);
    if (*place != NULL) {
        gone = *place;
        entry->hits = gone->hits;
        entry->is_visited = gone->is_visited;
        unlink_entry(shard, place, gone);
        gone->chain = NULL;
    }
    while (shard->stats.bytes + weight(blob) > l1->shard_max) {
        struct entry *evicted = evict_one(l1, shard);
        evicted->chain = gone;
        gone = evicted;
    }
    link_newest(l1, shard, entry);
    lock_give(&shard->lock);
    free_chain(gone);
    return true;
}

struct l1_stats l1_stats(struct l1 *l1)
{
    struct l1_stats sum = {0};
    for (size_t i = 0; i < L1_SHARDS; i++) {
        struct shard *shard = &l1->shards[i];
        lock_take(&shard->lock);
        struct l1_stats one = shard->stats;
        lock_give(&shard->lock);
        sum.entries += one.entries;
        sum.bytes += one.bytes;
        sum.hits += one.hits;
        sum.evictions += one.evictions;
        sum.refused += one.refused;
    }
    return sum;
}

/* Insertion into the n best so far; n is small and most entries fail the first comparison. */
static void offer(struct blob **best, uint32_t *counts, size_t n, size_t *n_best,
                  const struct entry *entry)
{
    if (entry->hits == 0 || (*n_best == n && entry->hits <= counts[n - 1]))
        return;
    size_t i = *n_best < n ? (*n_best)++ : n - 1;
    if (i == n - 1 && best[i] != NULL)
        blob_unref(best[i]);
    for (; i > 0 && counts[i - 1] < entry->hits; i--) {
        best[i] = best[i - 1];
        counts[i] = counts[i - 1];
    }
    best[i] = blob_ref(entry->blob);
    counts[i] = entry->hits;
}

void l1_take_top(struct l1 *l1, struct blob **ret, size_t n, size_t *ret_n)
{
    *ret_n = 0;
    uint32_t *counts = calloc(n, sizeof *counts);
    if (counts == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        ret[i] = NULL;
    for (size_t i = 0; i < L1_SHARDS; i++) {
        struct shard *shard = &l1->shards[i];
        lock_take(&shard->lock);
        for (struct entry *entry = entry_at(shard->queue.newest); entry != NULL;
             entry = entry_at(entry->link.older)) {
            offer(ret, counts, n, ret_n, entry);
            entry->hits /= 2;
        }
        lock_give(&shard->lock);
    }
    free(counts);
}
