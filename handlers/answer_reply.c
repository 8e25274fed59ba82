/* answer_reply.c - kept replies and the client's; the last step of every cached answer. */
#include "handlers/answer_reply.h"

#include "base/clock.h"

#include <string.h>
#include <strings.h>

enum {
    MAX_AGE_S = 60,
    OVERDUE_AGE_S = 5, /* a publish that is late may come at any moment */
    ERROR_KEPT_S = 30
};

enum freshness cache_control_text(bool is_pinned, int64_t next_due_at, int64_t now,
                                  char ret[CACHE_CONTROL_BYTES])
{
    enum freshness freshness = FRESH_A_WHILE;
    int64_t max_age = MAX_AGE_S;
    if (is_pinned) {
        freshness = FRESH_FOREVER;
    } else if (next_due_at != 0 && next_due_at <= now) {
        freshness = FRESH_BRIEFLY;
        max_age = OVERDUE_AGE_S;
    } else if (next_due_at != 0 && next_due_at - now < MAX_AGE_S) {
        freshness = FRESH_UNTIL_DUE;
        max_age = next_due_at - now;
    }
    struct buf text;
    buf_init_fixed(&text, ret, CACHE_CONTROL_BYTES);
    if (is_pinned) {
        buf_add(&text, STR("public, max-age=31536000, immutable"));
    } else {
        buf_add(&text, STR("public, max-age="));
        buf_add_i64(&text, max_age);
        buf_add(&text, STR(", stale-while-revalidate=600, stale-if-error=86400"));
    }
    (void)buf_c_str(&text);
    return freshness;
}

/* Headers that tell about one exchange rather than about what is kept. */
static bool is_of_exchange(const char *name)
{
    static const char *const names[] = {"Cache-Control", "Cache-Status", "Age",
                                        "Preference-Applied"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

static bool has_name(const struct kept *kept, const char *name)
{
    for (size_t i = 0; i < kept->n_headers; i++)
        if (strcasecmp(kept->headers[i].name, name) == 0)
            return true;
    return false;
}

void reply_take_kept(struct reply *reply, const struct kept *kept)
{
    size_t n = reply->n_fixed;
    for (size_t i = n; i < reply->n_headers; i++)
        if (!has_name(kept, reply->headers[i].name))
            reply->headers[n++] = reply->headers[i];
    for (size_t i = 0; i < kept->n_headers && n < REPLY_HEADERS_MAX; i++)
        reply->headers[n++] = (struct reply_header){kept->headers[i].name, kept->headers[i].value};
    reply->n_headers = n;
}

enum status reply_from_kept(struct request *request, struct blob *blob, struct err *err)
{
    struct kept kept;
    kept_open(blob, &kept);
    if (kept.status != STATUS_OK) {
        struct err told = {0};
        memcpy(&told, kept.body.ptr, kept.body.len < sizeof told ? kept.body.len : sizeof told);
        blob_unref(blob);
        if (err != NULL)
            *err = told;
        return kept.status;
    }
    reply_take_kept(&request->reply, &kept);
    reply_type(request, 200, kept.type);
    reply_share(request, blob, kept.body);
    return STATUS_OK;
}

struct blob *kept_from_reply(const struct request *request, struct str key, bool has_checksum)
{
    const struct reply *reply = &request->reply;
    struct kept kept = {.key = key,
                        .status = STATUS_OK,
                        .type = reply->content_type,
                        .body = reply->body,
                        .made_at = clock_wall_s()};
    for (size_t i = reply->n_fixed; i < reply->n_headers; i++) {
        if (is_of_exchange(reply->headers[i].name))
            continue;
        if (kept.n_headers == KEPT_HEADERS_MAX)
            return NULL;
        kept.headers[kept.n_headers++] =
            (struct kept_header){reply->headers[i].name, reply->headers[i].value};
    }
    return kept_make(&kept, has_checksum);
}

struct blob *kept_from_error(enum status status, const struct err *err, struct str key)
{
    struct kept kept = {.key = key,
                        .status = status,
                        .body = {(const char *)err, sizeof *err},
                        .made_at = clock_wall_s()};
    return kept_make(&kept, false);
}

bool kept_is_fresh(const struct blob *blob, int64_t now)
{
    struct kept kept;
    kept_open(blob, &kept);
    return kept.status == STATUS_OK || now - kept.made_at < ERROR_KEPT_S;
}
