/*
 * router.c - method and path against the route table: 404 with the nearest address, 405 with Allow,
 * HEAD by GET, OPTIONS. Works on the path as sent, so that an encoded slash never moves a segment's edge.
 */
#include "server/router.h"

#include "server/query_string.h"

#include "base/suggest.h"

#include <stdlib.h>

enum { SEGMENTS_MAX = 8, METHODS_N = METHOD_OPTIONS + 1, ADDRESS_BYTES_MAX = 256 };

struct pattern {
    const struct route *route;
    struct str segments[SEGMENTS_MAX]; /* borrowed from route->path; parameters without braces */
    bool is_param[SEGMENTS_MAX];
    size_t n_segments;
};

struct router {
    size_t n_patterns;
    struct pattern patterns[];
};

static const char *const method_names[METHODS_N] = {
    [METHOD_GET] = "GET",     [METHOD_HEAD] = "HEAD",     [METHOD_POST] = "POST",
    [METHOD_PUT] = "PUT",     [METHOD_DELETE] = "DELETE", [METHOD_PATCH] = "PATCH",
    [METHOD_TRACE] = "TRACE", [METHOD_QUERY] = "QUERY",   [METHOD_OPTIONS] = "OPTIONS",
};

const char *method_name(enum method method)
{
    return method_names[method];
}

bool method_parse(struct str name, enum method *ret)
{
    for (int i = 0; i < METHODS_N; i++)
        if (str_eq_c(name, method_names[i])) {
            *ret = (enum method)i;
            return true;
        }
    return false;
}

static enum status refuse_row(const struct route *route, const char *why, struct err *err)
{
    return err_set(err, STATUS_INTERNAL, "Route \"%s\" %s.", route->path == NULL ? "" : route->path,
                   why);
}

static enum status compile(const struct route *route, struct pattern *ret, struct err *err)
{
    ret->route = route;
    if (route->path == NULL || route->path[0] != '/')
        return refuse_row(route, "does not start with a slash", err);
    if (route->handler == NULL)
        return refuse_row(route, "has no handler", err);
    if (route->lane != LANE_HTTP && route->deadline_ms == 0)
        return refuse_row(route, "runs on a worker and has no deadline", err);
    struct str rest = str_of(route->path + 1), segment;
    size_t n_params = 0;
    while (str_next_field(&rest, '/', &segment)) {
        if (ret->n_segments == SEGMENTS_MAX)
            return refuse_row(route, "has too many segments", err);
        bool opens = segment.len > 0 && segment.ptr[0] == '{';
        bool closes = segment.len > 1 && segment.ptr[segment.len - 1] == '}';
        if (opens != closes || (opens && ++n_params > REQUEST_PATH_PARAMS))
            return refuse_row(route, "has an unclosed or one too many parameter", err);
        ret->is_param[ret->n_segments] = opens;
        ret->segments[ret->n_segments++] = opens ? str_sub(segment, 1, segment.len - 1) : segment;
    }
    return STATUS_OK;
}

/* Same addresses: equal apart from the names of parameters. */
static bool is_same_address(const struct pattern *a, const struct pattern *b)
{
    if (a->n_segments != b->n_segments)
        return false;
    for (size_t i = 0; i < a->n_segments; i++)
        if (a->is_param[i] != b->is_param[i] ||
            (!a->is_param[i] && !str_eq(a->segments[i], b->segments[i])))
            return false;
    return true;
}

enum status router_new(const struct route *routes, size_t n_routes, bool is_ops,
                       struct router **ret, struct err *err)
{
    struct router *router = calloc(1, sizeof *router + n_routes * sizeof router->patterns[0]);
    if (router == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for the route table.");
    for (size_t i = 0; i < n_routes; i++) {
        if ((routes[i].access == ACCESS_OPS) != is_ops)
            continue;
        struct pattern *pattern = &router->patterns[router->n_patterns];
        enum status s = compile(&routes[i], pattern, err);
        for (size_t k = 0; s == STATUS_OK && k < router->n_patterns; k++)
            if (router->patterns[k].route->method == routes[i].method &&
                is_same_address(&router->patterns[k], pattern))
                s = refuse_row(&routes[i], "is in the table twice", err);
        if (s != STATUS_OK) {
            router_free(router);
            return s;
        }
        router->n_patterns++;
    }
    *ret = router;
    return STATUS_OK;
}

void router_free(struct router *router)
{
    free(router);
}

struct split {
    struct str segments[SEGMENTS_MAX];
    size_t n; /* SEGMENTS_MAX + 1: more than any route has */
};

static struct split split_path(struct str path)
{
    struct split split = {.n = 0};
    struct str rest = str_sub(path, 1, path.len), segment;
    while (str_next_field(&rest, '/', &segment)) {
        if (split.n == SEGMENTS_MAX) {
            split.n++;
            break;
        }
        split.segments[split.n++] = segment;
    }
    return split;
}

/* An encoded letter in a literal segment ("/v1/m%61rts") is not that segment: one address, one spelling. */
static bool is_match(const struct pattern *pattern, const struct split *split)
{
    if (pattern->n_segments != split->n)
        return false;
    for (size_t i = 0; i < split->n; i++) {
        bool ok = pattern->is_param[i] ? split->segments[i].len > 0
                                       : str_eq(pattern->segments[i], split->segments[i]);
        if (!ok)
            return false;
    }
    return true;
}

/* True when a is the more literal of two patterns that match the same path. */
static bool is_better(const struct pattern *a, const struct pattern *b)
{
    for (size_t i = 0; i < a->n_segments; i++)
        if (a->is_param[i] != b->is_param[i])
            return b->is_param[i];
    return false;
}

static enum status take_params(const struct pattern *pattern, const struct split *split,
                               struct request *request, struct err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < split->n; i++) {
        if (!pattern->is_param[i])
            continue;
        char *room = arena_alloc(&request->arena, split->segments[i].len + 1);
        if (room == NULL)
            return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for the path's parameters.");
        struct str *param = &request->path_params[n++];
        if (!percent_decode(split->segments[i], false, room, param))
            return err_set(err, STATUS_BAD_REQUEST, "Path parameter \"%.*s\" does not decode.",
                           STR_ARG(pattern->segments[i]));
        room[param->len] = '\0';
    }
    return STATUS_OK;
}

static void allow(struct request *request, const bool methods[METHODS_N], struct err *err)
{
    struct buf list;
    buf_init(&list, &request->arena, 128);
    for (int i = 0; i < METHODS_N; i++) {
        bool is_on = methods[i] || i == METHOD_OPTIONS || (i == METHOD_HEAD && methods[METHOD_GET]);
        if (is_on)
            buf_printf(&list, "%s%s", list.len == 0 ? "" : ", ", method_names[i]);
    }
    reply_header(request, "Allow", "%.*s", STR_ARG(buf_str(&list)));
    err_allow(err, "%.*s", STR_ARG(buf_str(&list)));
}

/* The pattern with the request's own segments in place of parameters, to compare like with like. */
static struct str address_near(const struct pattern *pattern, const struct split *split,
                               struct arena *arena)
{
    struct buf text;
    buf_init(&text, arena, ADDRESS_BYTES_MAX);
    for (size_t i = 0; i < pattern->n_segments; i++) {
        buf_add_char(&text, '/');
        if (pattern->is_param[i] && i < split->n && split->n <= SEGMENTS_MAX)
            buf_add(&text, split->segments[i]);
        else if (pattern->is_param[i])
            buf_printf(&text, "{%.*s}", STR_ARG(pattern->segments[i]));
        else
            buf_add(&text, pattern->segments[i]);
    }
    return text.failed ? STR_NONE : buf_str(&text);
}

static enum status not_found(const struct router *router, struct request *request,
                             const struct split *split, struct err *err)
{
    enum status s = err_set(err, STATUS_NOT_FOUND, "There is nothing at \"%.*s\".",
                            STR_ARG(str_utf8_cut(request->path, 256)));
    struct suggest search = suggest_start(request->path);
    for (size_t i = 0; i < router->n_patterns; i++) {
        struct str address = address_near(&router->patterns[i], split, &request->arena);
        if (address.len > 0 && !str_eq(address, request->path) &&
            address.len + 8 > request->path.len && request->path.len + 8 > address.len)
            suggest_offer(&search, address);
    }
    err_suggest(err, suggest_take(&search));
    return s;
}

enum status router_match(const struct router *router, struct request *request, struct err *err)
{
    bool methods[METHODS_N] = {false};
    if (str_eq_c(request->path, "*")) { /* target_parse lets only OPTIONS through */
        for (int i = 0; i < METHODS_N; i++)
            methods[i] = true;
        allow(request, methods, NULL);
        return STATUS_OK;
    }
    struct split split = split_path(request->path);
    enum method wanted = request->method == METHOD_HEAD ? METHOD_GET : request->method;
    const struct pattern *best = NULL;
    bool is_known = false;
    for (size_t i = 0; i < router->n_patterns; i++) {
        const struct pattern *pattern = &router->patterns[i];
        if (!is_match(pattern, &split))
            continue;
        is_known = true;
        methods[pattern->route->method] = true;
        if (pattern->route->method == wanted && (best == NULL || is_better(pattern, best)))
            best = pattern;
    }
    if (!is_known)
        return not_found(router, request, &split, err);
    if (best != NULL) {
        request->route = best->route;
        return take_params(best, &split, request, err);
    }
    if (request->method == METHOD_OPTIONS) {
        allow(request, methods, NULL);
        return STATUS_OK;
    }
    enum status s =
        err_set(err, STATUS_METHOD_NOT_ALLOWED, "%s is not allowed at \"%.*s\".",
                method_names[request->method], STR_ARG(str_utf8_cut(request->path, 256)));
    allow(request, methods, err);
    return s;
}
