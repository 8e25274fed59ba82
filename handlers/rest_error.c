/* rest_error.c - our statuses by the codes that PostgREST and PostgreSQL have for the same failures. */
#include "handlers/rest_error.h"

#include "base/json_out.h"

enum { BODY_MAX = 8 * 1024 };

/* The code for s; NULL where ours stands, since PostgREST has no such failure. */
static const char *code_of(enum status s, const struct err *err)
{
    if (s == STATUS_UNKNOWN_MART)
        return "PGRST205";
    if (s == STATUS_UNKNOWN_COLUMN || s == STATUS_UNKNOWN_PARAMETER)
        return "42703";
    if (s == STATUS_BAD_FILTER || s == STATUS_REPEATED_PARAMETER)
        return "PGRST100";
    if (s == STATUS_BAD_VALUE)
        return "22P02";
    if (s == STATUS_NOT_ACCEPTABLE)
        return err->where == ERR_PARAMETER ? "PGRST116" : "PGRST107";
    if (s == STATUS_RANGE_NOT_SATISFIABLE)
        return "PGRST103";
    if (s == STATUS_DB_UNAVAILABLE)
        return "PGRST001";
    if (s == STATUS_DB_TIMEOUT)
        return "57014";
    return NULL;
}

static const char *message_of(enum status s, const struct err *err)
{
    if (s == STATUS_RANGE_NOT_SATISFIABLE)
        return "Requested range not satisfiable";
    if (s == STATUS_NOT_ACCEPTABLE && err->where == ERR_PARAMETER)
        return "Cannot coerce the result to a single JSON object";
    return err->detail;
}

static void put_text(struct json_out *json, const char *key, const char *text)
{
    jw_key_text(json, key, text == NULL || text[0] == '\0' ? STR_NONE : str_of(text));
}

static void put_hint(struct json_out *json, const struct err *err, struct arena *arena)
{
    struct buf hint;
    buf_init(&hint, arena, 512);
    if (err->suggestion[0] != '\0')
        buf_printf(&hint, "Perhaps you meant \"%s\".", err->suggestion);
    else if (err->allowed[0] != '\0')
        buf_printf(&hint, "Allowed: %s", err->allowed);
    jw_key_text(json, "hint", hint.len == 0 ? STR_NONE : buf_str(&hint));
}

enum status rest_error(struct request *request, enum status s, struct err *err)
{
    bool is_ours = s == STATUS_CLIENT_GONE || s == STATUS_DEADLINE || s == STATUS_DRAINING ||
                   s == STATUS_OUT_OF_MEMORY;
    if (is_ours)
        return s;
    if (err->status != s)
        (void)err_set(err, s, "%s.", status_title(s));
    const char *code = code_of(s, err);
    const char *message = message_of(s, err);
    struct buf out;
    struct json_out json;
    buf_init(&out, &request->arena, BODY_MAX);
    jw_init(&json, &out);
    jw_object(&json);
    put_text(&json, "code", code == NULL ? status_code(s) : code);
    put_text(&json, "message", message);
    put_text(&json, "details", message == err->detail ? NULL : err->detail);
    put_hint(&json, err, &request->arena);
    jw_end_object(&json);
    buf_add_char(&out, '\n');
    if (out.failed)
        return s;
    if (err->retry_after_s > 0)
        reply_header(request, "Retry-After", "%u", err->retry_after_s);
    if (s == STATUS_RANGE_NOT_SATISFIABLE)
        reply_header(request, "Content-Range", "%s", err->value[0] == '\0' ? "*/*" : err->value);
    reply_header(request, "Cache-Control", "no-store");
    reply_type(request, status_http(s), "application/json; charset=utf-8");
    reply_body(request, buf_str(&out));
    return STATUS_OK;
}
