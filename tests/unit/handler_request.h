/* handler_request.h - a request made by hand, for tests of handlers' helpers. */
#ifndef TESTS_UNIT_HANDLER_REQUEST_H
#define TESTS_UNIT_HANDLER_REQUEST_H

#include "server/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { HAND_MAX = 8 };

struct hand {
    struct request request;
    struct header headers[HAND_MAX];
    struct query_param params[HAND_MAX];
};

static inline void hand_init(struct hand *hand)
{
    memset(hand, 0, sizeof *hand);
    arena_init(&hand->request.arena, (size_t)8 << 20);
    hand->request.headers = hand->headers;
    hand->request.params = hand->params;
    hand->request.path = STR("/here");
    hand->request.reply.http_status = 200;
}

static inline void hand_clear(struct hand *hand)
{
    arena_clear(&hand->request.arena);
}

static inline void hand_header(struct hand *hand, const char *name, const char *value)
{
    assert_true(hand->request.n_headers < HAND_MAX);
    hand->headers[hand->request.n_headers++] = (struct header){str_of(name), str_of(value)};
}

static inline void hand_param(struct hand *hand, const char *name, const char *value)
{
    assert_true(hand->request.n_params < HAND_MAX);
    hand->params[hand->request.n_params++] = (struct query_param){str_of(name), str_of(value)};
}

/* Value of a reply header; NULL when it was not set. */
static inline const char *hand_reply(const struct hand *hand, const char *name)
{
    const struct reply *reply = &hand->request.reply;
    for (size_t i = 0; i < reply->n_headers; i++)
        if (str_eq_nocase(str_of(reply->headers[i].name), str_of(name)))
            return reply->headers[i].value;
    return NULL;
}

#endif
