/* negotiate.c - Accept, format= and conditional requests. */
#include "handlers/negotiate.h"

#include "base/clock.h"
#include "base/digest.h"
#include "handlers/access.h"
#include "base/http_date.h"
#include "handlers/params.h"

#include <stdio.h>

static const struct {
    const char *name;       /* in format= */
    const char *type, *sub; /* in Accept */
    const char *media_type; /* in Content-Type */
} formats[FORMAT_COUNT] = {
    [FORMAT_JSON] = {"json", "application", "json", "application/json; charset=utf-8"},
    [FORMAT_CSV] = {"csv", "text", "csv", "text/csv; charset=utf-8; header=present"},
    [FORMAT_NDJSON] = {"ndjson", "application", "x-ndjson", "application/x-ndjson"},
    [FORMAT_ARROW] = {"arrow", "application", "vnd.apache.arrow.stream",
                      "application/vnd.apache.arrow.stream"},
    [FORMAT_HTML] = {"html", "text", "html", "text/html; charset=utf-8"},
};

const char *format_media_type(enum format format)
{
    return formats[format].media_type;
}

const char *format_extension(enum format format)
{
    return formats[format].name;
}

/* q as thousandths; 1000 when absent, -1 when malformed. */
static int parse_quality(struct str params)
{
    struct str param;
    while (str_next_field(&params, ';', &param)) {
        param = str_trim(param);
        if (!str_starts(param, STR("q=")) && !str_starts(param, STR("Q=")))
            continue;
        double q;
        if (!str_to_f64(str_sub(param, 2, param.len), &q) || q < 0.0 || q > 1.0)
            return -1;
        return (int)(q * 1000.0 + 0.5);
    }
    return 1000;
}

/* How specifically a media range names format: 3 exactly, 2 by type, 1 by star, 0 not at all. */
static int specificity(struct str range, enum format format)
{
    size_t slash = str_find(range, '/', 0);
    struct str type = str_sub(range, 0, slash);
    struct str sub = slash == range.len ? STR("") : str_sub(range, slash + 1, range.len);
    if (str_eq_c(type, "*") && str_eq_c(sub, "*"))
        return 1;
    if (!str_eq_nocase(type, str_of(formats[format].type)))
        return 0;
    if (str_eq_c(sub, "*"))
        return 2;
    return str_eq_nocase(sub, str_of(formats[format].sub)) ? 3 : 0;
}

/* The quality that the most specific matching range gives format; 0 when none matches. */
static int quality_of(struct str accept, enum format format)
{
    int best_specificity = 0;
    int quality = 0;
    struct str item;
    while (str_next_field(&accept, ',', &item)) {
        size_t semicolon = str_find(item, ';', 0);
        int how = specificity(str_trim(str_sub(item, 0, semicolon)), format);
        if (how <= best_specificity)
            continue;
        struct str params =
            semicolon == item.len ? STR_NONE : str_sub(item, semicolon + 1, item.len);
        int q = parse_quality(params);
        if (q < 0)
            continue;
        best_specificity = how;
        quality = q;
    }
    return quality;
}

static void list_formats(unsigned mask, bool by_name, char *ret, size_t size)
{
    size_t used = 0;
    ret[0] = '\0';
    for (int f = 0; f < FORMAT_COUNT; f++) {
        if ((mask & (1u << f)) == 0 || used >= size)
            continue;
        const char *comma = used == 0 ? "" : ", ";
        int n = by_name ? snprintf(ret + used, size - used, "%s%s", comma, formats[f].name)
                        : snprintf(ret + used, size - used, "%s%s/%s", comma, formats[f].type,
                                   formats[f].sub);
        used += n > 0 ? (size_t)n : 0;
    }
}

static enum status by_parameter(struct str wanted, unsigned mask, enum format *ret, struct err *err)
{
    for (int f = 0; f < FORMAT_COUNT; f++)
        if ((mask & (1u << f)) != 0 && str_eq_c(wanted, formats[f].name)) {
            *ret = (enum format)f;
            return STATUS_OK;
        }
    char list[128];
    list_formats(mask, true, list, sizeof list);
    return params_refuse(err, "format", wanted, list);
}

int accept_quality_by_name(struct request *request, const char *media_type)
{
    struct str accept = request_header(request, "Accept"), item;
    while (accept.ptr != NULL && str_next_field(&accept, ',', &item)) {
        size_t semicolon = str_find(item, ';', 0);
        struct str params =
            semicolon == item.len ? STR_NONE : str_sub(item, semicolon + 1, item.len);
        if (str_eq_nocase(str_trim(str_sub(item, 0, semicolon)), str_of(media_type))) {
            int quality = parse_quality(params);
            return quality < 0 ? 0 : quality;
        }
    }
    return 0;
}

bool accepts_json_by_name(struct request *request)
{
    return accept_quality_by_name(request, "application/json") > 0;
}

enum status negotiate_format(struct request *request, unsigned mask, enum format *ret,
                             struct err *err)
{
    reply_header(request, "Vary", "Accept");
    struct str wanted = request_param(request, "format");
    if (wanted.ptr != NULL)
        return by_parameter(wanted, mask, ret, err);
    struct str accept = request_header(request, "Accept");
    if (accept.ptr == NULL || str_trim(accept).len == 0)
        accept = STR("*/*");
    int best = 0;
    for (int f = 0; f < FORMAT_COUNT; f++) {
        int quality = (mask & (1u << f)) != 0 ? quality_of(accept, (enum format)f) : 0;
        if (quality > best) {
            best = quality;
            *ret = (enum format)f;
        }
    }
    if (best > 0)
        return STATUS_OK;
    char list[256];
    list_formats(mask, false, list, sizeof list);
    (void)err_set(err, STATUS_NOT_ACCEPTABLE,
                  "None of the media types you accept is available here.");
    err_at(err, ERR_HEADER, STR("Accept"), accept);
    err_allow(err, "%s", list);
    return STATUS_NOT_ACCEPTABLE;
}

/* Weak comparison of one If-None-Match element with our tag (RFC 9110, 8.8.3.2). */
static bool tag_matches(struct str element, const char *tag)
{
    element = str_trim(element);
    if (str_starts(element, STR("W/")))
        element = str_sub(element, 2, element.len);
    return element.len >= 2 && element.ptr[0] == '"' && element.ptr[element.len - 1] == '"' &&
           str_eq_c(str_sub(element, 1, element.len - 1), tag);
}

/* Answers for those with a key only are not for shared caches. */
void reply_cache_control(struct request *request, const char *text)
{
    struct str rest = str_of(text);
    if (!access_is_private(request)) {
        reply_header(request, "Cache-Control", "%s", text);
        return;
    }
    if (str_starts(rest, STR("public, ")))
        rest = str_sub(rest, STR("public, ").len, rest.len);
    reply_header(request, "Cache-Control", "private, %.*s", STR_ARG(rest));
}

/*
 * If-Modified-Since against Last-Modified, when there is one (RFC 9110, 13.1.3). A date to come is no
 * time at which the client can have got anything.
 */
static bool is_unmodified(struct request *request, const char *last_modified)
{
    int64_t since, modified;
    struct str given = request_header(request, "If-Modified-Since");
    return given.ptr != NULL && last_modified != NULL && http_date_parse(given, &since) &&
           since <= clock_wall_s() && http_date_parse(str_of(last_modified), &modified) &&
           modified <= since;
}

static bool has_same(struct request *request, const char *tag, const char *last_modified,
                     bool is_made)
{
    struct str given = request_header(request, "If-None-Match"), element;
    if (given.ptr == NULL)
        return is_unmodified(request, last_modified);
    bool is_same = is_made && str_eq_c(str_trim(given), "*");
    while (!is_same && str_next_field(&given, ',', &element))
        is_same = tag_matches(element, tag);
    return is_same;
}

bool client_has(struct request *request, const char *tag, const char *last_modified)
{
    return has_same(request, tag, last_modified, true);
}

static bool answer_unchanged(struct request *request, const char *tag, const char *cache_control,
                             bool is_made)
{
    reply_header(request, "ETag", "\"%s\"", tag);
    reply_cache_control(request, cache_control);
    if (request->method != METHOD_GET && request->method != METHOD_HEAD)
        return false; /* a body that asks selects no representation of its address to compare with */
    const struct reply *reply = &request->reply;
    const char *last_modified = NULL;
    for (size_t i = 0; i < reply->n_headers; i++)
        if (str_eq_c(STR("Last-Modified"), reply->headers[i].name))
            last_modified = reply->headers[i].value;
    bool is_same = has_same(request, tag, last_modified, is_made);
    if (is_same)
        reply_type(request, 304, NULL);
    return is_same;
}

bool reply_if_unchanged(struct request *request, const char *tag, const char *cache_control)
{
    return answer_unchanged(request, tag, cache_control, true);
}

bool reply_if_known(struct request *request, const char *tag, const char *cache_control)
{
    return answer_unchanged(request, tag, cache_control, false);
}

enum status tag_make(int64_t generation, struct str canonical, char ret[TAG_BYTES], struct err *err)
{
    char hex[DIGEST_HEX_BYTES];
    enum status s = digest_hex(canonical, hex, err);
    if (s == STATUS_OK)
        (void)snprintf(ret, TAG_BYTES, "g%lld-%.16s", (long long)generation, hex);
    return s;
}

void tag_add_encoding(char tag[TAG_BYTES], enum encoding encoding)
{
    size_t len = str_of(tag).len;
    (void)snprintf(tag + len, TAG_BYTES - len, "%s", encoding_suffix(encoding));
}
