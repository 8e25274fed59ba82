/* cors.c - OPTIONS, as a question of its own and as a browser's preflight. */
#include "server/cors.h"

#include "server/app.h"

static const char *allowed_methods(const struct request *request)
{
    for (size_t i = 0; i < request->reply.n_headers; i++)
        if (str_eq_c(str_of(request->reply.headers[i].name), "Allow"))
            return request->reply.headers[i].value;
    return "";
}

void cors_answer_options(struct request *request)
{
    request->reply.http_status = 204;
    bool is_preflight = request_header(request, "Origin").ptr != NULL &&
                        request_header(request, "Access-Control-Request-Method").ptr != NULL;
    if (!is_preflight || request->app->config->cors_origin[0] == '\0')
        return;
    reply_header(request, "Access-Control-Allow-Methods", "%s", allowed_methods(request));
    /* What is read here, and a star for what client libraries add of their own: it does not stand for Authorization. */
    reply_header(
        request, "Access-Control-Allow-Headers", "%s",
        "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-Modified-Since, "
        "If-None-Match, If-Range, Last-Event-ID, Prefer, Range, Range-Unit, traceparent, "
        "X-Request-Id, *");
    reply_header(request, "Access-Control-Max-Age", "86400");
    reply_header(request, "Vary", "Access-Control-Request-Method, Access-Control-Request-Headers");
}
