/* exchange_recall.c - requests that are answered as the same bytes were before, without a handler. */
#include "server/exchange.h"

#include "base/clock.h"

enum { HEAD_BYTES = 2048 }; /* of heads that are recalled word for word */

static void put_part(struct buf *out, struct str part)
{
    buf_add(out, part);
    buf_add_char(out, '\0');
}

/* All that was sent before the body, in parts that hold no NUL themselves; ptr NULL when it is too long. */
static struct str head_text(const struct exchange *x, struct str method, struct str version,
                            char room[HEAD_BYTES])
{
    const struct request *request = &x->request;
    struct buf out;
    buf_init_fixed(&out, room, HEAD_BYTES);
    put_part(&out, method);
    put_part(&out, version);
    put_part(&out, request->target);
    for (size_t i = 0; i < request->n_headers; i++) {
        put_part(&out, request->headers[i].name);
        put_part(&out, request->headers[i].value);
    }
    return out.failed ? STR_NONE : buf_str(&out);
}

/* This thread answered the very same bytes in this second. */
static bool is_recent(struct exchange *x, struct str head, bool *ret_is_wanted)
{
    struct request *request = &x->request;
    const struct app *app = request->app;
    x->recent_stamp = app->stamp == NULL ? 0 : app->stamp(app);
    x->recent = recents_get(app->recents, head, x->recent_stamp, clock_wall_s(), ret_is_wanted);
    const struct recent *recent = x->recent;
    if (recent == NULL)
        return false;
    request->method = recent->method;
    request->route = recent->route;
    request->principal = recent->principal;
    request->cache = "l1";
    request->reply.http_status = recent->http_status;
    request->reply.body = recent->body;
    return true;
}

bool exchange_is_recalled(struct exchange *x, const struct framing_head *head)
{
    const struct app *app = x->request.app;
    char room[HEAD_BYTES];
    if (app->recall == NULL || x->is_ops || x->has_bad_target || head->is_cut ||
        head->n_headers > REQUEST_HEADERS_MAX || atomic_load(&x->traffic->is_closing))
        return false;
    struct str text = head_text(x, head->method, head->version, room);
    bool is_wanted = false;
    if (text.ptr == NULL)
        return false;
    x->is_recalled = is_recent(x, text, &is_wanted);
    if (!x->is_recalled) {
        x->request.is_fresh_head = is_wanted;
        x->is_recalled = app->recall(&x->request, text);
        x->request.is_fresh_head = false;
    }
    const struct reply *reply = &x->request.reply;
    if (is_wanted && x->is_recalled && reply->slot != 0 && reply->body.len <= RECENT_BODY_MAX)
        x->recent_head = (struct str){arena_dup(&x->request.arena, text), text.len};
    x->is_framed = x->is_recalled;
    return x->is_recalled;
}

bool exchange_is_known(struct exchange *x)
{
    struct request *request = &x->request;
    const struct app *app = request->app;
    bool may_be = app->front != NULL && request->route != NULL &&
                  request->route->lane == LANE_QUICK &&
                  (request->method == METHOD_GET || request->method == METHOD_HEAD);
    if (!may_be)
        return false;
    request->is_plain = !x->is_ops && !x->framing.must_close && x->client_id.ptr == NULL &&
                        !request->trace.is_sampled && !atomic_load(&x->traffic->is_closing);
    bool may_be_recalled = request->is_plain && request->is_open_to_all && !x->has_trace &&
                           !x->framing.expects_continue && x->body_bytes == 0;
    char room[HEAD_BYTES];
    if (may_be_recalled)
        request->head = head_text(x, str_of(method_name(request->method)),
                                  x->framing.is_http_10 ? STR("HTTP/1.0") : STR("HTTP/1.1"), room);
    bool is_known = app->front(request);
    request->head = STR_NONE;
    return is_known;
}
