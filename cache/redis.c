/* redis.c - connections, time limits and the breaker; below it hiredis, which only this file knows. */
#include "cache/redis.h"

#include "base/clock.h"
#include "base/lock.h"
#include "cache/redis_tls.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    NS_PER_MS = 1000000,
    FAILURES_MAX = 5,
    OPEN_MS = 1000,
    OPEN_MS_MAX = 30000,
    POOL_MAX = 64,
    ADDRESS_BYTES = 256,
    ARGS_MAX = 16
};

struct address {
    char host[ADDRESS_BYTES]; /* or the socket's path */
    char user[ADDRESS_BYTES];
    char password[ADDRESS_BYTES];
    int port;
    int database;
    bool is_unix, is_tls;
};

struct redis {
    struct address address;
    struct redis_tls *tls; /* NULL: plain */
    unsigned timeout_ms;
    unsigned idle_max;
    struct lock lock; /* leaf lock; guards every GUARDED field below */
    redisContext *idle[POOL_MAX] GUARDED;
    size_t n_idle GUARDED;
    struct redis_stats stats GUARDED;
    unsigned n_failures GUARDED; /* in a row */
    unsigned open_ms GUARDED;    /* of the next opening */
    int64_t open_until_ns GUARDED;
    uint64_t random GUARDED;
};

static bool put_text(char *to, struct str text)
{
    if (text.len >= ADDRESS_BYTES || memchr(text.ptr, '\0', text.len) != NULL)
        return false;
    memcpy(to, text.ptr, text.len);
    to[text.len] = '\0';
    return true;
}

static bool put_number(struct str text, int64_t max, int *ret)
{
    int64_t value;
    if (!str_to_i64(text, &value) || value < 0 || value > max)
        return false;
    *ret = (int)value;
    return true;
}

static bool parse_unix(struct str rest, struct address *ret)
{
    ret->is_unix = true;
    size_t mark = str_find(rest, '?', 0);
    struct str query = mark == rest.len ? STR_NONE : str_sub(rest, mark + 1, rest.len);
    struct str path = str_sub(rest, 0, mark);
    if (path.len == 0 || path.ptr[0] != '/' || !put_text(ret->host, path))
        return false;
    return query.ptr == NULL || (str_starts(query, STR("db=")) &&
                                 put_number(str_sub(query, 3, query.len), 1 << 20, &ret->database));
}

static bool parse_user(struct str who, struct address *ret)
{
    size_t colon = str_find(who, ':', 0);
    struct str password = colon == who.len ? STR("") : str_sub(who, colon + 1, who.len);
    return put_text(ret->user, str_sub(who, 0, colon)) && put_text(ret->password, password);
}

static bool parse_tcp(struct str rest, struct address *ret)
{
    size_t slash = str_find(rest, '/', 0);
    struct str database = slash == rest.len ? STR("") : str_sub(rest, slash + 1, rest.len);
    struct str where = str_sub(rest, 0, slash);
    size_t at = where.len; /* the last '@': a password may hold one */
    while (at > 0 && where.ptr[at - 1] != '@')
        at--;
    if (at > 0 && !parse_user(str_sub(where, 0, at - 1), ret))
        return false;
    where = str_sub(where, at, where.len);
    size_t colon = where.len; /* the last ':', unless it is within [::1] */
    while (colon > 0 && where.ptr[colon - 1] != ':' && where.ptr[colon - 1] != ']')
        colon--;
    bool has_port = colon > 0 && where.ptr[colon - 1] == ':';
    struct str host = has_port ? str_sub(where, 0, colon - 1) : where;
    struct str port = has_port ? str_sub(where, colon, where.len) : STR("6379");
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = str_sub(host, 1, host.len - 1);
    return host.len > 0 && put_text(ret->host, host) && put_number(port, 65535, &ret->port) &&
           (database.len == 0 || put_number(database, 1 << 20, &ret->database));
}

static bool parse_url(struct str url, struct address *ret)
{
    *ret = (struct address){.port = 6379};
    if (str_starts(url, STR("unix://")))
        return parse_unix(str_sub(url, 7, url.len), ret);
    ret->is_tls = str_starts(url, STR("rediss://"));
    size_t start = ret->is_tls ? 9 : 8;
    return (ret->is_tls || str_starts(url, STR("redis://"))) &&
           parse_tcp(str_sub(url, start, url.len), ret);
}

/* Files for TLS beside an address without it are somebody's belief that the connection is safe. */
static enum status refuse_idle_files(const struct redis_options *options, struct err *err)
{
    const char *setting = options->tls_ca_file[0] != '\0'     ? "redis_tls_ca_file"
                          : options->tls_cert_file[0] != '\0' ? "redis_tls_cert_file"
                          : options->tls_key_file[0] != '\0'  ? "redis_tls_key_file"
                                                              : NULL;
    if (setting == NULL)
        return STATUS_OK;
    enum status s =
        err_set(err, STATUS_CONFIG, "%s is for TLS, which redis_url does not ask for.", setting);
    err_at(err, ERR_SETTING, str_of(setting), STR_NONE);
    err_allow(err, "rediss:// in redis_url, or no %s", setting);
    return s;
}

enum status redis_new(const struct redis_options *options, struct redis **ret, struct err *err)
{
    struct redis *redis = calloc(1, sizeof *redis);
    if (redis == NULL)
        return err_out_of_memory(err);
    if (!parse_url(str_of(options->url), &redis->address)) {
        free(redis);
        (void)err_set(err, STATUS_CONFIG, "The address of Redis cannot be read.");
        err_at(err, ERR_SETTING, STR("redis_url"), STR_NONE);
        err_allow(err, "redis[s]://[[user]:password@]host[:port][/db] or unix:///path[?db=n]");
        return STATUS_CONFIG;
    }
    enum status s = redis->address.is_tls
                        ? redis_tls_new(options, redis->address.host, &redis->tls, err)
                        : refuse_idle_files(options, err);
    if (s != STATUS_OK) {
        free(redis);
        return s;
    }
    redis->timeout_ms = options->timeout_ms;
    redis->idle_max =
        options->connections_max < POOL_MAX ? options->connections_max : (unsigned)POOL_MAX;
    redis->open_ms = OPEN_MS;
    redis->random = (uint64_t)clock_mono_ns() | 1;
    lock_init(&redis->lock);
    *ret = redis;
    return STATUS_OK;
}

void redis_free(struct redis *redis)
{
    if (redis == NULL)
        return;
    for (size_t i = 0; i < redis->n_idle; i++)
        redisFree(redis->idle[i]);
    redis_tls_free(redis->tls);
    lock_clear(&redis->lock);
    free(redis);
}

static struct timeval span_of(unsigned ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000) * 1000};
}

/* Waits for the socket; false when the time is up. */
static bool wait_for(const redisContext *context, short events, int64_t until_ns)
{
    int64_t left_ns = until_ns - clock_mono_ns();
    struct pollfd wait = {.fd = context->fd, .events = events};
    return left_ns > 0 && poll(&wait, 1, (int)(left_ns / NS_PER_MS) + 1) > 0;
}

/*
 * Sends what was appended, all of it before until_ns. The socket blocks for the same time at most, so that the usual
 * exchange, one piece each way, is two system calls.
 */
static bool send_all(redisContext *context, int64_t until_ns)
{
    int is_sent = 0;
    redis_tls_forget_errors();
    if (redisBufferWrite(context, &is_sent) != REDIS_OK)
        return false;
    while (is_sent == 0)
        if (!wait_for(context, POLLOUT, until_ns) ||
            redisBufferWrite(context, &is_sent) != REDIS_OK)
            return false;
    return true;
}

/* One reply, all of it before until_ns however it drips; NULL when it fails. */
static redisReply *next_reply(redisContext *context, int64_t until_ns)
{
    void *reply = NULL;
    while (redisGetReplyFromReader(context, &reply) == REDIS_OK && reply == NULL)
        if (!wait_for(context, POLLIN, until_ns) || redisBufferRead(context) != REDIS_OK)
            return NULL;
    return reply;
}

/* One command and its reply; NULL when it fails. */
static redisReply *exchange(redisContext *context, int argc, const char **argv,
                            const size_t *lengths, int64_t until_ns)
{
    if (redisAppendCommandArgv(context, argc, argv, lengths) != REDIS_OK)
        return NULL;
    bool is_begun = send_all(context, until_ns) && redisBufferRead(context) == REDIS_OK;
    return is_begun ? next_reply(context, until_ns) : NULL;
}

/* A short command whose only right answer is a status. */
static bool greet(redisContext *context, int argc, const char **argv, int64_t until_ns)
{
    redisReply *reply = exchange(context, argc, argv, NULL, until_ns);
    bool is_right = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    freeReplyObject(reply);
    return is_right;
}

static bool log_in(redisContext *context, const struct address *address, int64_t until_ns)
{
    const char *with_user[] = {"AUTH", address->user, address->password};
    const char *without[] = {"AUTH", address->password};
    if (address->password[0] == '\0')
        return true;
    return address->user[0] != '\0' ? greet(context, 3, with_user, until_ns)
                                    : greet(context, 2, without, until_ns);
}

static bool choose_database(redisContext *context, const struct address *address, int64_t until_ns)
{
    char number[16];
    struct arena arena;
    struct buf text;
    if (address->database == 0)
        return true;
    arena_init(&arena, 4096);
    buf_init(&text, &arena, sizeof number - 1);
    buf_add_i64(&text, address->database);
    const char *select[] = {"SELECT", buf_c_str(&text)};
    bool is_chosen = select[1] != NULL && greet(context, 2, select, until_ns);
    arena_clear(&arena);
    return is_chosen;
}

static void note_refusal(struct redis *redis, const char *refusal)
{
    lock_take(&redis->lock);
    redis->stats.tls_refusal = refusal;
    lock_give(&redis->lock);
}

static redisContext *open_context(struct redis *redis, unsigned timeout_ms)
{
    const struct address *address = &redis->address;
    struct timeval span = span_of(timeout_ms);
    int64_t until_ns = clock_mono_ns() + (int64_t)timeout_ms * NS_PER_MS;
    redisContext *context = address->is_unix
                                ? redisConnectUnixWithTimeout(address->host, span)
                                : redisConnectWithTimeout(address->host, address->port, span);
    if (context == NULL)
        return NULL;
    const char *refusal = NULL;
    /* Nothing is said, not even a password, before it is known who listens. */
    bool is_open =
        context->err == 0 && redisSetTimeout(context, span) == REDIS_OK &&
        (redis->tls == NULL || redis_tls_start(redis->tls, context, until_ns, &refusal)) &&
        log_in(context, address, until_ns) && choose_database(context, address, until_ns);
    if (redis->tls != NULL)
        note_refusal(redis, refusal);
    if (!is_open) {
        redisFree(context);
        return NULL;
    }
    return context;
}

/* A place to send to; false when the breaker is open. *ret is NULL when a new connection is needed. */
static bool enter(struct redis *redis, redisContext **ret)
{
    *ret = NULL;
    lock_take(&redis->lock);
    bool may = redis->stats.state == REDIS_CLOSED;
    if (redis->stats.state == REDIS_OPEN && clock_mono_ns() >= redis->open_until_ns) {
        redis->stats.state =
            REDIS_HALF_OPEN; /* this caller probes, the others wait for what it finds */
        may = true;
    }
    if (!may)
        redis->stats.bypassed++;
    else
        redis->stats.commands++;
    if (may && redis->n_idle > 0)
        *ret = redis->idle[--redis->n_idle];
    lock_give(&redis->lock);
    return may;
}

/* xorshift64: jitter needs no more. */
static uint64_t next_random(struct redis *redis) REQUIRES(redis->lock)
{
    redis->random ^= redis->random << 13;
    redis->random ^= redis->random >> 7;
    redis->random ^= redis->random << 17;
    return redis->random;
}

static void count_failure(struct redis *redis) REQUIRES(redis->lock)
{
    redis->stats.errors++;
    redis->n_failures++;
    if (redis->stats.state != REDIS_HALF_OPEN && redis->n_failures < FAILURES_MAX)
        return;
    if (redis->stats.state == REDIS_OPEN)
        return; /* opened by another command that failed meanwhile */
    unsigned ms = redis->open_ms / 2 + (unsigned)(next_random(redis) % redis->open_ms);
    redis->stats.state = REDIS_OPEN;
    redis->open_until_ns = clock_mono_ns() + (int64_t)ms * NS_PER_MS;
    redis->open_ms = redis->open_ms * 2 < OPEN_MS_MAX ? redis->open_ms * 2 : OPEN_MS_MAX;
}

static void leave(struct redis *redis, redisContext *context, bool is_good)
{
    lock_take(&redis->lock);
    if (is_good) {
        redis->n_failures = 0;
        redis->open_ms = OPEN_MS;
        redis->stats.state = REDIS_CLOSED;
    } else {
        count_failure(redis);
    }
    if (is_good && redis->n_idle < redis->idle_max) {
        redis->idle[redis->n_idle++] = context;
        context = NULL;
    }
    lock_give(&redis->lock);
    if (context != NULL)
        redisFree(context);
}

static bool copy_text(const redisReply *reply, struct arena *arena, struct str *ret)
{
    *ret = STR_NONE;
    if (reply->type == REDIS_REPLY_NIL)
        return true;
    bool is_text = reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS ||
                   reply->type == REDIS_REPLY_ERROR;
    char *copy = is_text ? arena_dup(arena, (struct str){reply->str, (size_t)reply->len}) : NULL;
    *ret = (struct str){copy, (size_t)reply->len};
    return copy != NULL;
}

static bool copy_list(const redisReply *reply, struct arena *arena, struct redis_reply *ret)
{
    ret->type = REDIS_LIST;
    ret->n_list = reply->elements;
    ret->list = arena_array(arena, reply->elements + 1, sizeof *ret->list);
    bool is_whole = ret->list != NULL;
    for (size_t i = 0; is_whole && i < reply->elements; i++)
        is_whole = copy_text(reply->element[i], arena, &ret->list[i]);
    return is_whole;
}

static bool copy_reply(const redisReply *reply, struct arena *arena, struct redis_reply *ret)
{
    *ret = (struct redis_reply){.type = REDIS_TEXT};
    if (reply->type == REDIS_REPLY_ARRAY)
        return copy_list(reply, arena, ret);
    if (reply->type == REDIS_REPLY_INTEGER) {
        ret->type = REDIS_INT;
        ret->integer = reply->integer;
        return true;
    }
    if (reply->type == REDIS_REPLY_NIL)
        ret->type = REDIS_NIL;
    else if (reply->type == REDIS_REPLY_ERROR)
        ret->type = REDIS_REFUSED;
    return copy_text(reply, arena, &ret->text);
}

static bool run_on(redisContext *context, unsigned timeout_ms, const struct str *args,
                   size_t n_args, struct arena *arena, struct redis_reply *ret)
{
    const char *argv[ARGS_MAX];
    size_t lengths[ARGS_MAX];
    for (size_t i = 0; i < n_args; i++) {
        argv[i] = args[i].ptr == NULL ? "" : args[i].ptr;
        lengths[i] = args[i].len;
    }
    int64_t until_ns = clock_mono_ns() + (int64_t)timeout_ms * NS_PER_MS;
    redisReply *reply = exchange(context, (int)n_args, argv, lengths, until_ns);
    bool is_whole = reply != NULL && copy_reply(reply, arena, ret);
    freeReplyObject(reply);
    return is_whole;
}

enum redis_outcome redis_run(struct redis *redis, const struct str *args, size_t n_args,
                             struct arena *arena, struct redis_reply *ret)
{
    redisContext *context;
    if (n_args > ARGS_MAX || !enter(redis, &context))
        return REDIS_BYPASSED;
    bool is_old = context != NULL;
    if (context == NULL)
        context = open_context(redis, redis->timeout_ms);
    bool is_good = context != NULL && run_on(context, redis->timeout_ms, args, n_args, arena, ret);
    /* A connection that was idle may have been closed by a server that restarted: that is no failure yet. */
    if (!is_good && is_old && context->err == REDIS_ERR_EOF) {
        redisFree(context);
        context = open_context(redis, redis->timeout_ms);
        is_good = context != NULL && run_on(context, redis->timeout_ms, args, n_args, arena, ret);
    }
    leave(redis, context, is_good);
    return is_good ? REDIS_DONE : REDIS_FAILED;
}

/* As take sees it: the text stays where hiredis has it. */
static struct redis_reply view_of(const redisReply *reply)
{
    struct redis_reply view = {.type = REDIS_REFUSED};
    if (reply->type == REDIS_REPLY_NIL)
        view.type = REDIS_NIL;
    if (reply->type != REDIS_REPLY_STRING)
        return view;
    view.type = REDIS_TEXT;
    view.text = (struct str){reply->str, (size_t)reply->len};
    return view;
}

/* How many answers came. */
static size_t get_on(redisContext *context, unsigned timeout_ms, const struct str *names, size_t n,
                     redis_take_fn *take, void *cls)
{
    int64_t until_ns = clock_mono_ns() + (int64_t)timeout_ms * NS_PER_MS;
    for (size_t i = 0; i < n; i++) {
        const char *argv[] = {"GET", names[i].ptr};
        const size_t lengths[] = {3, names[i].len};
        if (redisAppendCommandArgv(context, 2, argv, lengths) != REDIS_OK)
            return 0;
    }
    if (!send_all(context, until_ns) || redisBufferRead(context) != REDIS_OK)
        return 0;
    for (size_t i = 0; i < n; i++) {
        redisReply *reply = next_reply(context, until_ns);
        if (reply == NULL)
            return i;
        struct redis_reply view = view_of(reply);
        take(cls, &view);
        freeReplyObject(reply);
    }
    return n;
}

enum redis_outcome redis_get_many(struct redis *redis, const struct str *names, size_t n,
                                  redis_take_fn *take, void *cls)
{
    redisContext *context;
    if (!enter(redis, &context))
        return REDIS_BYPASSED;
    bool is_old = context != NULL;
    if (context == NULL)
        context = open_context(redis, redis->timeout_ms);
    size_t n_taken = context == NULL ? 0 : get_on(context, redis->timeout_ms, names, n, take, cls);
    if (n_taken == 0 && is_old && context->err == REDIS_ERR_EOF) { /* as in redis_run */
        redisFree(context);
        context = open_context(redis, redis->timeout_ms);
        n_taken = context == NULL ? 0 : get_on(context, redis->timeout_ms, names, n, take, cls);
    }
    leave(redis, context, n_taken == n);
    return n_taken == n ? REDIS_DONE : REDIS_FAILED;
}

struct redis_stats redis_stats(struct redis *redis)
{
    lock_take(&redis->lock);
    struct redis_stats stats = redis->stats;
    int64_t left_ns = redis->open_until_ns - clock_mono_ns();
    if (stats.state == REDIS_OPEN && left_ns > 0)
        stats.open_ms = (unsigned)(left_ns / NS_PER_MS);
    lock_give(&redis->lock);
    return stats;
}

struct redis_ear {
    redisContext *context;
};

enum status redis_listen(struct redis *redis, const char *channel, struct redis_ear **ret,
                         struct err *err)
{
    struct redis_ear *ear = calloc(1, sizeof *ear);
    if (ear == NULL)
        return err_out_of_memory(err);
    ear->context = open_context(redis, redis->timeout_ms);
    const char *subscribe[] = {"SUBSCRIBE", channel};
    int64_t until_ns = clock_mono_ns() + (int64_t)redis->timeout_ms * NS_PER_MS;
    redisReply *reply =
        ear->context == NULL ? NULL : exchange(ear->context, 2, subscribe, NULL, until_ns);
    bool is_heard = reply != NULL && reply->type == REDIS_REPLY_ARRAY;
    freeReplyObject(reply);
    if (!is_heard) {
        redis_ear_free(ear);
        return err_set(err, STATUS_IO, "Redis does not answer.");
    }
    *ret = ear;
    return STATUS_OK;
}

static enum status lost(struct err *err)
{
    return err_set(err, STATUS_IO, "The connection to Redis is lost.");
}

enum status redis_next(struct redis_ear *ear, unsigned wait_ms, struct arena *arena,
                       struct str *ret_text, struct err *err)
{
    void *parsed = NULL;
    *ret_text = STR_NONE;
    if (redisGetReplyFromReader(ear->context, &parsed) != REDIS_OK)
        return lost(err);
    if (parsed == NULL) {
        struct pollfd wait = {.fd = ear->context->fd, .events = POLLIN};
        int n = poll(&wait, 1, (int)wait_ms);
        redis_tls_forget_errors();
        if (n == 0 ||
            (n > 0 && redisBufferRead(ear->context) == REDIS_OK &&
             redisGetReplyFromReader(ear->context, &parsed) == REDIS_OK && parsed == NULL))
            return STATUS_OK;
        if (parsed == NULL)
            return lost(err);
    }
    redisReply *reply = parsed;
    bool is_message = reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
                      reply->element[2]->type == REDIS_REPLY_STRING;
    bool is_copied = !is_message || copy_text(reply->element[2], arena, ret_text);
    freeReplyObject(reply);
    return is_copied ? STATUS_OK : err_out_of_memory(err);
}

void redis_ear_free(struct redis_ear *ear)
{
    if (ear != NULL && ear->context != NULL)
        redisFree(ear->context);
    free(ear);
}
