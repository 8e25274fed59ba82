/* problem.c - from struct err to the one shape of error bodies. */
#include "server/problem.h"

#include "base/json_out.h"

#include <stdio.h>
#include <strings.h>

enum { PROBLEM_BYTES_MAX = 16 * 1024 };

static const char out_of_memory[] =
    "{\"type\":\"/docs/problems/out-of-memory\",\"title\":\"Out of memory\",\"status\":503,"
    "\"detail\":\"There is no memory to say more.\",\"code\":\"X102\",\"instance\":null,\"errors\":[],"
    "\"request_id\":null,\"trace_id\":null,\"retryable\":true}\n";

bool problem_is_retryable(enum status s)
{
    int http = status_http(s);
    return http == 503 || http == 504 || http == 408 || http == 429;
}

static const char *place_name(enum err_where where)
{
    static const char *const names[] = {"name",   "parameter", "pointer",
                                        "header", "setting",   "line"};
    return names[where];
}

static void write_error(const struct err *err, struct json_out *json)
{
    jw_key(json, "errors");
    jw_array(json);
    if (err->name[0] != '\0' || err->value[0] != '\0' || err->allowed[0] != '\0' ||
        err->suggestion[0] != '\0') {
        jw_object(json);
        if (err->where != ERR_NOWHERE)
            jw_key_c(json, place_name(err->where), err->name);
        if (err->value[0] != '\0')
            jw_key_c(json, "value", err->value);
        if (err->suggestion[0] != '\0')
            jw_key_c(json, "suggestion", err->suggestion);
        if (err->allowed[0] != '\0')
            jw_key_c(json, "allowed", err->allowed);
        jw_end_object(json);
    }
    jw_end_array(json);
}

static bool is_kept(const char *name)
{
    return strcasecmp(name, "Allow") == 0 || strcasecmp(name, "WWW-Authenticate") == 0 ||
           strcasecmp(name, "Vary") == 0 ||        /* a 406 is the answer to those headers */
           strcasecmp(name, "Content-Range") == 0; /* of a 416: how much there is */
}

void problem_write(struct request *request, const struct err *err, struct arena *spare)
{
    struct reply *reply = &request->reply;
    size_t n_kept = 0;
    for (size_t i = 0; i < reply->n_headers; i++)
        if (i < reply->n_fixed || is_kept(reply->headers[i].name))
            reply->headers[n_kept++] = reply->headers[i];
    reply->n_headers = n_kept;

    int http = status_http(err->status);
    char type[96], instance[16 + REQUEST_ID_BYTES];
    (void)snprintf(type, sizeof type, "/docs/problems/%s", status_slug(err->status));
    (void)snprintf(instance, sizeof instance, "urn:uuid:%s", request->id);
    struct buf text;
    struct json_out json;
    buf_init(&text, spare, PROBLEM_BYTES_MAX);
    jw_init(&json, &text);
    jw_object(&json);
    jw_key_c(&json, "type", type);
    jw_key_c(&json, "title", status_title(err->status));
    jw_key_i64(&json, "status", http);
    jw_key_c(&json, "detail", err->detail);
    jw_key_c(&json, "code", status_code(err->status));
    jw_key_c(&json, "instance", instance);
    write_error(err, &json);
    jw_key_c(&json, "request_id", request->public_id == NULL ? request->id : request->public_id);
    jw_key_c(&json, "trace_id", request->trace.trace_id);
    jw_key_bool(&json, "retryable", problem_is_retryable(err->status));
    jw_end_object(&json);
    buf_add_char(&text, '\n');

    reply_type(request, text.failed ? 503 : http, PROBLEM_CONTENT_TYPE);
    reply_body(request, text.failed ? STR(out_of_memory) : buf_str(&text));
    if (reply->http_status == 503 || reply->http_status == 429)
        reply_header(request, "Retry-After", "%u",
                     err->retry_after_s == 0 ? 1 : err->retry_after_s);
}
