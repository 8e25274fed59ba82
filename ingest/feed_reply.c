/* feed_reply.c - status first, then what kind of text the body is. */
#include "ingest/feed_reply.h"

#include <string.h>

const char *const feed_outcome_names[FEED_OUTCOMES] = {
    [FEED_OK] = "ok",
    [FEED_EMPTY] = "empty",
    [FEED_NOT_FOUND] = "not_found",
    [FEED_THROTTLED] = "throttled",
    [FEED_QUOTA] = "quota",
    [FEED_BLOCKED] = "blocked",
    [FEED_AUTH] = "auth",
    [FEED_REFUSED] = "refused",
    [FEED_TOO_WIDE] = "too_wide",
    [FEED_DOWN] = "down",
    [FEED_CHANGED] = "changed",
};

bool feed_is_retried(enum feed_outcome outcome)
{
    return outcome == FEED_THROTTLED || outcome == FEED_DOWN;
}

struct feed_verdict feed_verdict_of(enum feed_outcome outcome, struct str detail)
{
    struct feed_verdict verdict = {.outcome = outcome};
    struct str cut = str_utf8_cut(detail, sizeof verdict.detail - 1);
    for (size_t i = 0; i < cut.len; i++) {
        unsigned char c = (unsigned char)cut.ptr[i];
        verdict.detail[i] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
    }
    return verdict;
}

static struct str without_blanks(struct str s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || (s.ptr[0] >= '\t' && s.ptr[0] <= '\r')))
        s = str_sub(s, 1, s.len);
    return str_starts(s, STR("\xEF\xBB\xBF")) ? str_sub(s, 3, s.len) : s;
}

static bool contains_nocase(struct str s, struct str part)
{
    for (size_t i = 0; i + part.len <= s.len; i++)
        if (str_eq_nocase(str_sub(s, i, i + part.len), part))
            return true;
    return false;
}

/* A page for people, not XML data. */
static bool is_page(const struct feed_reply *reply, struct str body)
{
    struct str begin = str_sub(body, 0, body.len < 256 ? body.len : 256);
    return contains_nocase(reply->content_type, STR("text/html")) ||
           contains_nocase(begin, STR("<html")) || contains_nocase(begin, STR("<!doctype html"));
}

static bool is_form(struct str body, enum feed_form expected)
{
    switch (expected) {
    case FEED_FORM_JSON:
        return body.ptr[0] == '{' || body.ptr[0] == '[';
    case FEED_FORM_XML:
    case FEED_FORM_HTML:
        return body.ptr[0] == '<';
    case FEED_FORM_CSV:
        return body.ptr[0] != '<' && body.ptr[0] != '{';
    }
    return false;
}

static enum feed_outcome outcome_of_status(int status)
{
    if (status >= 500 || status == 408)
        return FEED_DOWN;
    switch (status) {
    case 401:
    case 407:
        return FEED_AUTH;
    case 403:
    case 451:
        return FEED_BLOCKED;
    case 404:
    case 410:
        return FEED_NOT_FOUND;
    case 418: /* a ban that ends by itself: Binance */
    case 429:
        return FEED_THROTTLED;
    default:
        return FEED_REFUSED;
    }
}

struct feed_verdict feed_judge(const struct feed_reply *reply, enum feed_form expected)
{
    struct str body = without_blanks(reply->body);
    bool has_page = body.len > 0 && is_page(reply, body);
    if (reply->http_status < 200 || reply->http_status > 299) {
        struct str words = has_page ? STR("a page for people") : body;
        return feed_verdict_of(outcome_of_status(reply->http_status), words);
    }
    if (reply->http_status == 204)
        return feed_verdict_of(FEED_EMPTY, STR_NONE);
    if (body.len == 0)
        return feed_verdict_of(FEED_DOWN, STR("an empty body"));
    if (has_page && expected != FEED_FORM_HTML)
        return feed_verdict_of(FEED_DOWN, STR("a page for people"));
    if (is_form(body, expected))
        return feed_verdict_of(FEED_OK, STR_NONE);
    if (contains_nocase(str_sub(body, 0, body.len < 64 ? body.len : 64), STR("too many requests")))
        return feed_verdict_of(FEED_THROTTLED, body);
    return feed_verdict_of(FEED_CHANGED, body);
}
