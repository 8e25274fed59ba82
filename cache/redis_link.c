/* redis_link.c - a connection of hiredis that keeps to its time limits. */
#include "cache/redis_link.h"

#include "base/clock.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <string.h>

enum { NS_PER_MS = 1000000 };

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

static bool log_in(redisContext *context, const struct redis_address *address, int64_t until_ns)
{
    const char *with_user[] = {"AUTH", address->user, address->password};
    const char *without[] = {"AUTH", address->password};
    if (address->password[0] == '\0')
        return true;
    return address->user[0] != '\0' ? greet(context, 3, with_user, until_ns)
                                    : greet(context, 2, without, until_ns);
}

static bool choose_database(redisContext *context, const struct redis_address *address,
                            int64_t until_ns)
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

redisContext *redis_link_open(const struct redis_address *address, const struct redis_tls *tls,
                              unsigned timeout_ms, const char **ret_refusal)
{
    struct timeval span = span_of(timeout_ms);
    int64_t until_ns = clock_mono_ns() + (int64_t)timeout_ms * NS_PER_MS;
    *ret_refusal = NULL;
    redisContext *context = address->is_unix
                                ? redisConnectUnixWithTimeout(address->host, span)
                                : redisConnectWithTimeout(address->host, address->port, span);
    if (context == NULL)
        return NULL;
    /* Nothing is said, not even a password, before it is known who listens. */
    bool is_open = context->err == 0 && redisSetTimeout(context, span) == REDIS_OK &&
                   (tls == NULL || redis_tls_start(tls, context, until_ns, ret_refusal)) &&
                   log_in(context, address, until_ns) &&
                   choose_database(context, address, until_ns);
    if (!is_open) {
        redisFree(context);
        return NULL;
    }
    return context;
}

void redis_link_free(redisContext *context)
{
    if (context != NULL)
        redisFree(context);
}

bool redis_link_is_cut(const redisContext *context)
{
    return context->err == REDIS_ERR_EOF;
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

bool redis_link_run(redisContext *context, unsigned timeout_ms, const struct str *args,
                    size_t n_args, struct arena *arena, struct redis_reply *ret)
{
    const char *argv[REDIS_ARGS_MAX];
    size_t lengths[REDIS_ARGS_MAX];
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

size_t redis_link_get(redisContext *context, unsigned timeout_ms, const struct str *names, size_t n,
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

bool redis_link_subscribe(redisContext *context, unsigned timeout_ms, const char *channel)
{
    const char *subscribe[] = {"SUBSCRIBE", channel};
    int64_t until_ns = clock_mono_ns() + (int64_t)timeout_ms * NS_PER_MS;
    redisReply *reply = exchange(context, 2, subscribe, NULL, until_ns);
    bool is_heard = reply != NULL && reply->type == REDIS_REPLY_ARRAY;
    freeReplyObject(reply);
    return is_heard;
}

static enum status lost(struct err *err)
{
    return err_set(err, STATUS_IO, "The connection to Redis is lost.");
}

enum status redis_link_next(redisContext *context, unsigned wait_ms, struct arena *arena,
                            struct str *ret_text, struct err *err)
{
    void *parsed = NULL;
    *ret_text = STR_NONE;
    if (redisGetReplyFromReader(context, &parsed) != REDIS_OK)
        return lost(err);
    if (parsed == NULL) {
        struct pollfd wait = {.fd = context->fd, .events = POLLIN};
        int n = poll(&wait, 1, (int)wait_ms);
        redis_tls_forget_errors();
        if (n == 0 || (n > 0 && redisBufferRead(context) == REDIS_OK &&
                       redisGetReplyFromReader(context, &parsed) == REDIS_OK && parsed == NULL))
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
