/* keyring.c - a sorted array of keys behind a lock, and the thread that keeps it current. */
#include "handlers/keyring.h"

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

enum {
    NS_PER_MS = 1000000,
    READ_AGAIN_S = 60, /* changes made by hand raise no revision */
    UNSURE_MS = 5000,  /* beside three rounds: how old the keys may be for "unknown" to mean no */
    TOUCH_EVERY_S = 60,
    LIST_BYTES = 64 << 20
};

struct slot {
    struct keyring_entry entry;
    unsigned char hash[DIGEST_BYTES];
    bool is_revoked;
    int64_t used_at;    /* 0: not since the start */
    int64_t touched_at; /* last_used_at, as the database has it */
};

struct keyring {
    struct app *app;
    pthread_t thread;
    bool is_running;   /* the thread exists; the owner's own */
    bool is_failing;   /* of the rounds' thread: to log changes only */
    int64_t revision;  /* of the rounds' thread: what it has read; -1: nothing */
    int64_t read_at_s; /* of the rounds' thread: monotonic */
    struct lock lock;  /* leaf lock; guards every GUARDED field below */
    struct cond woken;
    bool must_stop GUARDED;
    struct slot *slots GUARDED; /* by id */
    size_t n_slots GUARDED;
    int64_t fresh_ns GUARDED; /* monotonic time of the last good look; 0: never */
};

const char *keyring_verdict_name(enum keyring_verdict verdict)
{
    static const char *const names[] = {"good",    "malformed", "unknown", "wrong",
                                        "expired", "revoked",   "unsure"};
    return names[verdict];
}

static struct slot *find(const struct keyring *ring, int64_t id) REQUIRES(ring->lock)
{
    size_t from = 0, to = ring->n_slots;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (ring->slots[middle].entry.id < id)
            from = middle + 1;
        else
            to = middle;
    }
    return from < ring->n_slots && ring->slots[from].entry.id == id ? &ring->slots[from] : NULL;
}

static enum keyring_verdict judge(struct keyring *ring, int64_t id,
                                  const unsigned char hash[DIGEST_BYTES], int64_t now,
                                  struct keyring_entry *ret) REQUIRES(ring->lock)
{
    static const unsigned char nobody[DIGEST_BYTES];
    struct slot *slot = find(ring, id);
    bool is_same = digest_is_equal(slot == NULL ? nobody : slot->hash, hash);
    int64_t old_ms = (clock_mono_ns() - ring->fresh_ns) / NS_PER_MS;
    if (slot == NULL)
        return ring->fresh_ns == 0 ||
                       old_ms > UNSURE_MS + 3 * (int64_t)ring->app->config->refresh_ms
                   ? KEYRING_UNSURE
                   : KEYRING_UNKNOWN;
    if (!is_same)
        return KEYRING_WRONG;
    if (slot->is_revoked)
        return KEYRING_REVOKED;
    if (slot->entry.expires_at != 0 && slot->entry.expires_at <= now)
        return KEYRING_EXPIRED;
    slot->used_at = now;
    *ret = slot->entry;
    return KEYRING_GOOD;
}

enum keyring_verdict keyring_check(struct keyring *ring, struct str text, int64_t now,
                                   struct keyring_entry *ret)
{
    unsigned char hash[DIGEST_BYTES];
    int64_t id;
    if (!api_key_parse(text, &id) || digest_raw(text, hash, NULL) != STATUS_OK)
        return KEYRING_MALFORMED;
    lock_take(&ring->lock);
    enum keyring_verdict verdict = judge(ring, id, hash, now, ret);
    lock_give(&ring->lock);
    return verdict;
}

int64_t keyring_last_used(struct keyring *ring, int64_t id)
{
    lock_take(&ring->lock);
    const struct slot *slot = find(ring, id);
    int64_t used_at = slot == NULL ? 0 : slot->used_at;
    lock_give(&ring->lock);
    return used_at;
}

/* Puts the new keys in place of the old; what is known about their use stays. */
static void install(struct keyring *ring, struct slot *slots, size_t n)
{
    lock_take(&ring->lock);
    for (size_t i = 0; i < n; i++) {
        const struct slot *old = find(ring, slots[i].entry.id);
        if (old == NULL)
            continue;
        slots[i].used_at = old->used_at;
        if (old->touched_at > slots[i].touched_at)
            slots[i].touched_at = old->touched_at;
    }
    struct slot *before = ring->slots;
    ring->slots = slots;
    ring->n_slots = n;
    ring->fresh_ns = clock_mono_ns();
    lock_give(&ring->lock);
    free(before);
}

enum status keyring_reload(struct keyring *ring, struct db *db, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    struct key *keys = NULL;
    size_t n = 0;
    arena_init(&arena, LIST_BYTES);
    enum status s = key_list(db, &arena, &keys, &n, err);
    if (s != STATUS_OK)
        return s;
    struct slot *slots = calloc(n + 1, sizeof *slots);
    if (slots == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < n; i++) {
        struct slot *slot = &slots[i];
        size_t len = keys[i].name.len < API_KEY_NAME_MAX ? keys[i].name.len : API_KEY_NAME_MAX;
        slot->entry = (struct keyring_entry){.id = keys[i].id,
                                             .scopes = keys[i].scopes,
                                             .rate = keys[i].rate,
                                             .expires_at = keys[i].expires_at};
        memcpy(slot->entry.name, keys[i].name.ptr, len);
        memcpy(slot->hash, keys[i].hash, DIGEST_BYTES);
        slot->is_revoked = keys[i].revoked_at != 0;
        slot->touched_at = keys[i].last_used_at;
    }
    install(ring, slots, n);
    return STATUS_OK;
}

static enum status look(struct keyring *ring, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    int64_t revision = 0, now_s = clock_mono_ns() / 1000000000;
    enum status s = db_acquire(ring->app->db, DB_READ, NULL, &db, err);
    if (s == STATUS_OK)
        s = key_revision(db, &revision, err);
    if (s != STATUS_OK)
        return s;
    if (revision != ring->revision || now_s - ring->read_at_s >= READ_AGAIN_S) {
        s = keyring_reload(ring, db, err);
        if (s != STATUS_OK)
            return s;
        ring->revision = revision;
        ring->read_at_s = now_s;
    }
    lock_take(&ring->lock);
    ring->fresh_ns = clock_mono_ns();
    lock_give(&ring->lock);
    return STATUS_OK;
}

/* The next key whose use is to be written down, from *at on. */
static bool next_used(struct keyring *ring, size_t *at, int64_t *ret_id, int64_t *ret_used_at)
{
    bool is_found = false;
    lock_take(&ring->lock);
    for (; *at < ring->n_slots && !is_found; (*at)++) {
        struct slot *slot = &ring->slots[*at];
        if (slot->used_at < slot->touched_at + TOUCH_EVERY_S)
            continue;
        *ret_id = slot->entry.id;
        *ret_used_at = slot->used_at;
        slot->touched_at = slot->used_at;
        is_found = true;
    }
    lock_give(&ring->lock);
    return is_found;
}

static enum status write_use(struct keyring *ring, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    int64_t id, used_at;
    size_t at = 0;
    enum status s = STATUS_OK;
    while (s == STATUS_OK && next_used(ring, &at, &id, &used_at)) {
        if (db == NULL)
            s = db_acquire(ring->app->db, DB_WRITE, NULL, &db, err);
        if (s == STATUS_OK)
            s = key_touch(db, id, used_at, err);
    }
    return s;
}

void keyring_run_once(struct keyring *ring)
{
    struct err err = {0};
    enum status s = look(ring, &err);
    if (s == STATUS_OK)
        s = write_use(ring, &err);
    bool is_failing = s != STATUS_OK;
    if (is_failing != ring->is_failing && is_failing)
        log_event(LOG_WARN, "keys_failed", LOG_TEXT("detail", err.detail));
    else if (is_failing != ring->is_failing)
        log_event(LOG_INFO, "keys_recovered", LOG_I64("revision", ring->revision));
    ring->is_failing = is_failing;
}

/* Waits until the next round is due; false when it is time to end. */
static bool wait_round(struct keyring *ring)
{
    int64_t until_ns = clock_mono_ns() + (int64_t)ring->app->config->refresh_ms * NS_PER_MS;
    lock_take(&ring->lock);
    while (!ring->must_stop && cond_wait_until(&ring->woken, &ring->lock, until_ns))
        continue;
    bool must_stop = ring->must_stop;
    lock_give(&ring->lock);
    return !must_stop;
}

static void *thread_main(void *arg)
{
    struct keyring *ring = arg;
    while (wait_round(ring))
        keyring_run_once(ring);
    return NULL;
}

enum status keyring_new(struct app *app, struct keyring **ret, struct err *err)
{
    struct keyring *ring = calloc(1, sizeof *ring);
    if (ring == NULL)
        return err_out_of_memory(err);
    ring->app = app;
    ring->revision = -1;
    lock_init(&ring->lock);
    cond_init(&ring->woken);
    *ret = ring;
    return STATUS_OK;
}

enum status keyring_start(struct keyring *ring, struct err *err)
{
    if (pthread_create(&ring->thread, NULL, thread_main, ring) != 0)
        return err_set(err, STATUS_OUT_OF_MEMORY, "A thread cannot be started.");
    ring->is_running = true;
    return STATUS_OK;
}

void keyring_free(struct keyring *ring)
{
    if (ring == NULL)
        return;
    if (ring->is_running) {
        lock_take(&ring->lock);
        ring->must_stop = true;
        cond_signal(&ring->woken);
        lock_give(&ring->lock);
        (void)pthread_join(ring->thread, NULL);
    }
    cond_clear(&ring->woken);
    lock_clear(&ring->lock);
    free(ring->slots);
    free(ring);
}
