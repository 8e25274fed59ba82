/* request.c - what handlers read from a request and write to its reply; the transport does the rest. */
#include "server/request.h"

#include "server/prepared.h"

#include "base/clock.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>

struct str request_header(struct request *request, const char *name)
{
    struct str wanted = str_of(name), found = STR_NONE;
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct header *header = &request->headers[i];
        if (!str_eq_nocase(header->name, wanted))
            continue;
        struct str value = str_trim(header->value);
        if (found.ptr == NULL) {
            found = value;
            continue;
        }
        struct buf joined;
        buf_init(&joined, &request->arena, found.len + value.len + 3);
        buf_add(&joined, found);
        buf_add_c(&joined, ", ");
        buf_add(&joined, value);
        if (joined.failed)
            return STR_NONE;
        found = buf_str(&joined);
    }
    return found;
}

bool request_keep_headers(struct request *request)
{
    struct header *kept =
        arena_array(&request->arena, request->n_headers + 1, sizeof(struct header));
    if (kept == NULL)
        return false;
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct header *from = &request->headers[i];
        kept[i] = (struct header){{arena_dup(&request->arena, from->name), from->name.len},
                                  {arena_dup(&request->arena, from->value), from->value.len}};
        if (kept[i].name.ptr == NULL || kept[i].value.ptr == NULL)
            return false;
    }
    request->headers = kept;
    return true;
}

struct str request_param(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->n_params; i++)
        if (str_eq_c(request->params[i].name, name))
            return request->params[i].value;
    return STR_NONE;
}

void reply_type(struct request *request, int http_status, const char *content_type)
{
    request->reply.http_status = http_status;
    request->reply.content_type = content_type;
}

/* One header for all that adds up: fewer are cheaper. What app->admit set is left as it is. */
static char *add_up(struct request *request, const struct reply_header *header, struct str text)
{
    struct buf joined;
    struct str old = str_of(header->value);
    buf_init(&joined, &request->arena, old.len + text.len + 3);
    buf_add(&joined, old);
    buf_add(&joined, STR(", "));
    buf_add(&joined, text);
    return buf_c_str(&joined) == NULL ? NULL : joined.ptr;
}

static bool names(struct str list, struct str name)
{
    struct str field;
    while (str_next_field(&list, ',', &field))
        if (str_eq_nocase(str_trim(field), name))
            return true;
    return false;
}

/* Several parts of an answer may depend on one header of the request: it is named once. */
static char *add_vary(struct request *request, const struct reply_header *header, struct str text)
{
    struct buf joined;
    struct str old = str_of(header->value), field;
    buf_init(&joined, &request->arena, old.len + text.len + 64);
    buf_add(&joined, old);
    while (str_next_field(&text, ',', &field))
        if (!names(buf_str(&joined), str_trim(field))) {
            buf_add(&joined, STR(", "));
            buf_add(&joined, str_trim(field));
        }
    return buf_c_str(&joined) == NULL ? NULL : joined.ptr;
}

/* Eight bytes at a look: one is below a space or is DEL, or maybe not; false is certain. */
static bool may_hold_control(const char *text)
{
    const uint64_t ones = UINT64_MAX / 0xff, highs = ones * 0x80;
    size_t left = strlen(text);
    for (; left >= 8; left -= 8, text += 8) {
        uint64_t word;
        memcpy(&word, text, sizeof word);
        uint64_t no_del = word ^ ones * 0x7f;
        if ((((word - ones * 0x20) & ~word) | ((no_del - ones) & ~no_del)) & highs)
            return true;
    }
    for (size_t i = 0; i < left; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return true;
    return false;
}

/* The header's place and its clean value in the arena; ignored when there is no room. */
static void set_header(struct request *request, const char *name, struct str text)
{
    struct reply *reply = &request->reply;
    bool is_vary = strcasecmp(name, "Vary") == 0;
    bool adds_up = is_vary || strcasecmp(name, "Link") == 0;
    size_t at = adds_up ? reply->n_fixed : 0;
    while (at < reply->n_headers && strcasecmp(reply->headers[at].name, name) != 0)
        at++;
    if (at == REPLY_HEADERS_MAX)
        return;
    bool is_new = at == reply->n_headers;
    const struct reply_header *old = &reply->headers[at];
    char *value = is_new || !adds_up ? arena_dup(&request->arena, text)
                  : is_vary          ? add_vary(request, old, text)
                                     : add_up(request, old, text);
    if (value == NULL)
        return;
    if (may_hold_control(value))
        for (size_t i = 0; value[i] != '\0'; i++)
            if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
                value[i] = ' ';
    reply->headers[at] = (struct reply_header){name, value};
    reply->n_headers += is_new ? 1 : 0;
}

void reply_header(struct request *request, const char *name, const char *format, ...)
{
    char room[4096];
    struct buf text;
    if (request->stream != NULL) /* they are on their way */
        return;
    if (strchr(format, '%') == NULL) { /* most are constant */
        set_header(request, name, str_of(format));
        return;
    }
    buf_init_fixed(&text, room, sizeof room);
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    if (!text.failed)
        set_header(request, name, buf_str(&text));
}

void reply_body(struct request *request, struct str body)
{
    request->reply.body = body;
}

void reply_share(struct request *request, struct blob *blob, struct str body)
{
    blob_unref(request->reply.blob);
    request->reply.blob = blob;
    request->reply.body = body;
}

bool reply_prepared(struct request *request, unsigned slot)
{
    struct reply *reply = &request->reply;
    if (!request->is_plain || reply->n_fixed > 0 || reply->blob == NULL)
        return false;
    reply->slot = slot;
    return !request->is_fresh_head && prepared_get(reply->blob, slot) != NULL;
}

void request_time(struct request *request, const char *name, int64_t ns)
{
    size_t i = 0;
    while (i < request->n_timings && strcmp(request->timings[i].name, name) != 0)
        i++;
    if (i == REQUEST_TIMINGS || request->stream != NULL)
        return;
    if (i == request->n_timings)
        request->timings[request->n_timings++] = (struct request_timing){name, 0};
    request->timings[i].ns += ns;
}
