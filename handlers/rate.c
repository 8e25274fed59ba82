/* rate.c - counters in sets of eight places, sixty-four locks over them. */
#include "handlers/rate.h"

#include "base/lock.h"

#include <stdlib.h>
#include <sys/random.h>

enum { SHARDS = 64, WAYS = 8, SETS = RATE_SLOTS / SHARDS / WAYS };

struct slot {
    struct rate_id id;
    int64_t window;
    uint32_t used;     /* here */
    uint32_t reported; /* of used: told to the others */
    uint32_t others;   /* theirs, as far as known */
};

struct shard {
    struct lock lock; /* leaf lock; guards the slots below */
    struct slot slots[SETS][WAYS] GUARDED;
};

struct rate {
    uint64_t seed;     /* so that nobody can choose callers that share a set */
    size_t next_shard; /* of reports; the reporting thread's own */
    struct shard shards[SHARDS];
};

/* Sebastiano Vigna's splitmix64. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static uint64_t hash(struct rate_id id, uint64_t seed)
{
    return mix(mix(id.value ^ seed) + (uint64_t)id.kind);
}

/* The caller's own time, on which its windows begin at whole minutes. */
static int64_t own_time(struct rate_id id, int64_t now_ms)
{
    int64_t t = now_ms + (int64_t)(hash(id, 0) % RATE_WINDOW_MS);
    return t < 0 ? 0 : t;
}

struct rate *rate_new(void)
{
    struct rate *rate = calloc(1, sizeof *rate);
    if (rate == NULL)
        return NULL;
    if (getrandom(&rate->seed, sizeof rate->seed, 0) != (ssize_t)sizeof rate->seed) {
        free(rate);
        return NULL;
    }
    for (size_t i = 0; i < SHARDS; i++)
        lock_init(&rate->shards[i].lock);
    return rate;
}

void rate_free(struct rate *rate)
{
    if (rate == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++)
        lock_clear(&rate->shards[i].lock);
    free(rate);
}

static struct shard *shard_of(struct rate *rate, uint64_t h)
{
    return &rate->shards[h % SHARDS];
}

static bool is_same(struct rate_id a, struct rate_id b)
{
    return a.kind == b.kind && a.value == b.value;
}

static uint64_t total_of(const struct slot *slot)
{
    return (uint64_t)slot->used + slot->others;
}

/* The caller's slot, or NULL. */
static struct slot *find(struct shard *shard, uint64_t h, struct rate_id id) REQUIRES(shard->lock)
{
    struct slot *set = shard->slots[h / SHARDS % SETS];
    for (size_t i = 0; i < WAYS; i++)
        if (is_same(set[i].id, id))
            return &set[i];
    return NULL;
}

static bool is_current(const struct slot *slot, int64_t now_ms)
{
    return slot->id.kind != RATE_NONE &&
           slot->window == own_time(slot->id, now_ms) / RATE_WINDOW_MS;
}

/* The caller's slot in its current window, in place of the one whose loss matters least. */
static struct slot *claim(struct shard *shard, uint64_t h, struct rate_id id, int64_t now_ms)
    REQUIRES(shard->lock)
{
    struct slot *slot = find(shard, h, id);
    if (slot != NULL && is_current(slot, now_ms))
        return slot;
    struct slot *set = shard->slots[h / SHARDS % SETS];
    for (size_t i = 0; i < WAYS && slot == NULL; i++)
        if (!is_current(&set[i], now_ms))
            slot = &set[i];
    if (slot == NULL) {
        slot = &set[0];
        for (size_t i = 1; i < WAYS; i++)
            if (total_of(&set[i]) < total_of(slot))
                slot = &set[i];
    }
    *slot = (struct slot){.id = id, .window = own_time(id, now_ms) / RATE_WINDOW_MS};
    return slot;
}

struct rate_state rate_take(struct rate *rate, struct rate_id id, uint32_t quota, uint32_t cost,
                            int64_t now_ms)
{
    uint64_t h = hash(id, rate->seed);
    int64_t t = own_time(id, now_ms);
    struct rate_state state = {.reset_s =
                                   (uint32_t)((RATE_WINDOW_MS - t % RATE_WINDOW_MS + 999) / 1000)};
    struct shard *shard = shard_of(rate, h);
    lock_take(&shard->lock);
    struct slot *slot = claim(shard, h, id, now_ms);
    uint64_t total = total_of(slot);
    uint64_t left = total < quota ? quota - total : 0;
    state.is_allowed = cost == 0 ? left > 0 : cost <= left;
    if (state.is_allowed) {
        slot->used += cost;
        left -= cost;
    }
    lock_give(&shard->lock);
    state.remaining = (uint32_t)left;
    return state;
}

static size_t report_shard(struct shard *shard, int64_t now_ms, struct rate_report *ret, size_t max)
{
    size_t n = 0;
    lock_take(&shard->lock);
    for (size_t i = 0; i < (size_t)SETS * WAYS && n < max; i++) {
        struct slot *slot = &shard->slots[i / WAYS][i % WAYS];
        if (slot->used == 0 || !is_current(slot, now_ms))
            continue;
        ret[n++] = (struct rate_report){
            .id = slot->id, .window = slot->window, .used = slot->used - slot->reported};
        slot->reported = slot->used;
    }
    lock_give(&shard->lock);
    return n;
}

size_t rate_report(struct rate *rate, int64_t now_ms, struct rate_report *ret, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < SHARDS && n < max; i++) {
        n += report_shard(&rate->shards[rate->next_shard], now_ms, ret + n, max - n);
        if (n < max) /* else the next report goes on with this shard */
            rate->next_shard = (rate->next_shard + 1) % SHARDS;
    }
    return n;
}

void rate_fold(struct rate *rate, const struct rate_report *reports, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct rate_report *report = &reports[i];
        uint64_t h = hash(report->id, rate->seed);
        struct shard *shard = shard_of(rate, h);
        lock_take(&shard->lock);
        struct slot *slot = find(shard, h, report->id);
        /* Never less than before: a store that lost its counts does not give anything back. */
        if (slot != NULL && slot->window == report->window && report->total > slot->reported &&
            report->total - slot->reported > slot->others)
            slot->others = report->total - slot->reported;
        lock_give(&shard->lock);
    }
}

void rate_unreport(struct rate *rate, const struct rate_report *reports, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct rate_report *report = &reports[i];
        uint64_t h = hash(report->id, rate->seed);
        struct shard *shard = shard_of(rate, h);
        lock_take(&shard->lock);
        struct slot *slot = find(shard, h, report->id);
        if (slot != NULL && slot->window == report->window && slot->reported >= report->used)
            slot->reported -= report->used;
        lock_give(&shard->lock);
    }
}
