/* l2.c - the commands behind the shared cache. */
#include "cache/l2.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { ARENA_BYTES = 4 << 20, NAME_BYTES = 640 };

#define EPOCHS "cmmc:epochs"

static enum redis_outcome run(struct l2 *l2, const struct str *args, size_t n_args,
                              struct arena *arena, struct redis_reply *ret)
{
    arena_init(arena, ARENA_BYTES);
    enum redis_outcome outcome = redis_run(l2->redis, args, n_args, arena, ret);
    if (outcome == REDIS_FAILED)
        (void)atomic_fetch_add(&l2->failed, 1);
    if (outcome == REDIS_BYPASSED)
        (void)atomic_fetch_add(&l2->bypassed, 1);
    return outcome;
}

static enum l2_found open_value(struct l2 *l2, const struct redis_reply *reply, struct str key,
                                struct blob **ret)
{
    if (reply->type == REDIS_NIL) {
        (void)atomic_fetch_add(&l2->misses, 1);
        return L2_MISS;
    }
    struct blob *blob = reply->type == REDIS_TEXT ? blob_new(reply->text.len) : NULL;
    if (blob != NULL)
        memcpy(blob->bytes, reply->text.ptr, reply->text.len);
    if (blob == NULL || !kept_check(blob, key)) {
        blob_unref(blob);
        (void)atomic_fetch_add(&l2->damaged, 1);
        return L2_DAMAGED;
    }
    (void)atomic_fetch_add(&l2->hits, 1);
    *ret = blob;
    return L2_HIT;
}

enum l2_found l2_get(struct l2 *l2, struct str name, struct str key, struct blob **ret)
{
    if (l2->redis == NULL)
        return L2_ABSENT;
    struct arena arena;
    struct redis_reply reply;
    const struct str args[] = {STR("GET"), name};
    enum l2_found found = L2_FAILED;
    enum redis_outcome outcome = run(l2, args, ARRAY_LEN(args), &arena, &reply);
    if (outcome == REDIS_BYPASSED)
        found = L2_BYPASSED;
    else if (outcome == REDIS_DONE)
        found = open_value(l2, &reply, key, ret);
    arena_clear(&arena);
    return found;
}

struct batch {
    struct l2 *l2;
    struct l2_fetch *next; /* the first without an answer */
};

static void finish_next(struct batch *batch, enum l2_found found, struct blob *blob)
{
    struct l2_fetch *fetch = batch->next;
    batch->next = fetch->next;
    fetch->found = found;
    fetch->blob = blob;
    fetch->done(fetch->cls);
}

static void take_one(void *cls, const struct redis_reply *reply)
{
    struct batch *batch = cls;
    struct blob *blob = NULL;
    enum l2_found found = open_value(batch->l2, reply, batch->next->key, &blob);
    finish_next(batch, found, blob);
}

void l2_get_many(struct l2 *l2, struct l2_fetch *first, size_t n)
{
    struct str names[L2_FETCHES_MAX];
    struct batch batch = {l2, first};
    size_t i = 0;
    for (struct l2_fetch *fetch = first; i < n; fetch = fetch->next)
        names[i++] = fetch->name;
    struct l2_fetch *end = first; /* read before done makes them go away */
    for (i = 0; i < n; i++)
        end = end->next;
    enum redis_outcome outcome = redis_get_many(l2->redis, names, n, take_one, &batch);
    bool is_failed = outcome == REDIS_FAILED;
    while (batch.next != end) {
        (void)atomic_fetch_add(is_failed ? &l2->failed : &l2->bypassed, 1);
        finish_next(&batch, is_failed ? L2_FAILED : L2_BYPASSED, NULL);
    }
}

/* Runs a command of which only success matters. */
static bool tell(struct l2 *l2, const struct str *args, size_t n_args, struct redis_reply *ret)
{
    struct arena arena;
    bool is_done = l2->redis != NULL && run(l2, args, n_args, &arena, ret) == REDIS_DONE &&
                   ret->type != REDIS_REFUSED;
    if (l2->redis != NULL)
        arena_clear(&arena);
    return is_done;
}

static struct str number(char room[24], int64_t value)
{
    int n = snprintf(room, 24, "%lld", (long long)value);
    return (struct str){room, n < 0 ? 0 : (size_t)n};
}

bool l2_put(struct l2 *l2, struct str name, const struct blob *blob)
{
    char room[24];
    struct redis_reply reply;
    const struct str args[] = {
        STR("SET"), name, {blob->bytes, blob->size}, STR("EX"), number(room, l2->ttl_s)};
    if (blob->size > L2_VALUE_MAX || !tell(l2, args, ARRAY_LEN(args), &reply))
        return false;
    (void)atomic_fetch_add(&l2->stored, 1);
    return true;
}

static bool lock_name(struct str name, char room[NAME_BYTES], struct str *ret)
{
    int n = snprintf(room, NAME_BYTES, "%.*s:lease", STR_ARG(name));
    *ret = (struct str){room, n < 0 ? 0 : (size_t)n};
    return n > 0 && n < NAME_BYTES;
}

static bool make_token(char ret[L2_TOKEN_BYTES])
{
    unsigned char raw[(L2_TOKEN_BYTES - 1) / 2];
    if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw)
        return false;
    for (size_t i = 0; i < sizeof raw; i++)
        (void)snprintf(ret + i * 2, 3, "%02x", raw[i]);
    return true;
}

bool l2_lease(struct l2 *l2, struct str name, unsigned ms, char ret_token[L2_TOKEN_BYTES])
{
    char lock[NAME_BYTES], room[24];
    struct str lock_str;
    struct redis_reply reply = {.type = REDIS_TEXT};
    ret_token[0] = '\0';
    if (l2->redis == NULL || !lock_name(name, lock, &lock_str) || !make_token(ret_token))
        return true;
    const struct str args[] = {STR("SET"), lock_str,  str_of(ret_token),
                               STR("NX"),  STR("PX"), number(room, ms)};
    if (!tell(l2, args, ARRAY_LEN(args), &reply)) {
        ret_token[0] = '\0';
        return true;
    }
    return reply.type != REDIS_NIL;
}

void l2_release(struct l2 *l2, struct str name, const char *token)
{
    static const char script[] = "if redis.call('get', KEYS[1]) == ARGV[1] then "
                                 "return redis.call('del', KEYS[1]) else return 0 end";
    char lock[NAME_BYTES];
    struct str lock_str;
    struct redis_reply reply;
    if (token[0] == '\0' || !lock_name(name, lock, &lock_str))
        return;
    const struct str args[] = {STR("EVAL"), STR(script), STR("1"), lock_str, str_of(token)};
    (void)tell(l2, args, ARRAY_LEN(args), &reply); /* it ends by itself otherwise */
}

bool l2_put_epoch(struct l2 *l2, struct str mart, int64_t at_ms)
{
    char room[24];
    struct redis_reply reply;
    const struct str args[] = {STR("HSET"), STR(EPOCHS), mart, number(room, at_ms)};
    return tell(l2, args, ARRAY_LEN(args), &reply);
}

bool l2_read_epochs(struct l2 *l2, l2_epoch_fn *take, void *cls)
{
    if (l2->redis == NULL)
        return false;
    struct arena arena;
    struct redis_reply reply;
    const struct str args[] = {STR("HGETALL"), STR(EPOCHS)};
    bool is_read =
        run(l2, args, ARRAY_LEN(args), &arena, &reply) == REDIS_DONE && reply.type == REDIS_LIST;
    for (size_t i = 0; is_read && i + 1 < reply.n_list; i += 2) {
        int64_t at_ms;
        if (reply.list[i].ptr != NULL && str_to_i64(reply.list[i + 1], &at_ms))
            take(cls, reply.list[i], at_ms);
    }
    arena_clear(&arena);
    return is_read;
}

bool l2_tell(struct l2 *l2, struct str text)
{
    struct redis_reply reply;
    const struct str args[] = {STR("PUBLISH"), STR(L2_CHANNEL), text};
    return tell(l2, args, ARRAY_LEN(args), &reply);
}
