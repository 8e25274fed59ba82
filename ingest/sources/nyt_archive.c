/*
 * nyt_archive.c - all articles of a month by the Archive API of the New York Times: meta data, never the text. A null
 * byline, headline or section is no error; articles are told apart by their own id.
 * Source: developer.nytimes.com, Archive API.
 */
#include "ingest/sources/nyt.h"

#include "base/json_out.h"

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf path;
    struct civil first = date_to_civil(ask->from);
    int32_t month = date_add_months(date_from_civil((struct civil){first.year, first.month, 1}),
                                    (int)ask->page);
    struct civil c = date_to_civil(month);
    buf_init(&path, arena, 256);
    buf_printf(&path, "/svc/archive/v1/%d/%d.json?api-key=", c.year, c.month);
    source_escape(&path, ask->key);
    return source_path(&path, ret, err);
}

/* 401 and 429 say why in a "fault". */
struct feed_verdict nyt_judge(const struct feed_reply *reply)
{
    return feed_judge(reply, FEED_FORM_JSON);
}

static enum status put_keywords(struct feed_writer *w, struct json_val list, struct err *err)
{
    struct buf text;
    struct json_out json;
    struct str value;
    if (jr_type(list) != JR_ARRAY)
        return STATUS_OK;
    buf_init(&text, w->arena, 1 << 20);
    jw_init(&json, &text);
    jw_array(&json);
    for (size_t i = 0; i < jr_length(list); i++)
        if (jr_read_str(jr_member(jr_item(list, i), "value"), 1, 1024, &value, NULL) == STATUS_OK)
            jw_str(&json, value);
    jw_end_array(&json);
    if (text.failed)
        return err_out_of_memory(err);
    feed_put_text(w, ARTICLE_KEYWORDS, buf_str(&text));
    return STATUS_OK;
}

static enum status parse_article(struct json_val doc, struct feed_writer *w, struct err *err)
{
    struct str time = STR_NONE;
    int64_t at = 0;
    feed_begin(w, SHAPE_ARTICLE);
    feed_json_text(w, ARTICLE_ID, jr_member(doc, "_id"));
    feed_json_text(w, ARTICLE_URL, jr_member(doc, "web_url"));
    feed_json_text(w, ARTICLE_SECTION, jr_member(doc, "section_name"));
    feed_json_text(w, ARTICLE_HEADLINE, jr_member(jr_member(doc, "headline"), "main"));
    feed_json_text(w, ARTICLE_ABSTRACT, jr_member(doc, "abstract"));
    feed_json_text(w, ARTICLE_BYLINE, jr_member(jr_member(doc, "byline"), "original"));
    feed_json_number(w, ARTICLE_WORDS, jr_member(doc, "word_count"));
    if (jr_read_str(jr_member(doc, "pub_date"), 1, 40, &time, NULL) == STATUS_OK &&
        feed_instant(time, &at))
        feed_put_instant(w, ARTICLE_PUBLISHED, at);
    else
        feed_refuse(w, "bad-date", ARTICLE_PUBLISHED, time);
    enum status s = put_keywords(w, jr_member(doc, "keywords"), err);
    return s == STATUS_OK ? feed_end(w, err) : s;
}

enum status nyt_parse(const struct source *source, struct str body, struct feed_writer *w,
                      size_t *ret_n, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    enum status s = source_json(source, body, w->arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    struct json_val response = jr_member(jr_root(doc), "response"),
                    docs = jr_member(response, "docs");
    if (jr_type(response) != JR_OBJECT || (jr_type(docs) != JR_NULL && jr_type(docs) != JR_ARRAY))
        return source_changed(source, "no response with docs", err);
    *ret_n = jr_length(docs); /* null when there are none */
    for (size_t i = 0; i < *ret_n && s == STATUS_OK; i++)
        s = parse_article(jr_item(docs, i), w, err);
    return s;
}

/* A page is a month of the window. */
static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    size_t n = 0;
    struct civil from = date_to_civil(ask->from), to = date_to_civil(ask->to);
    int months = (to.year - from.year) * 12 + to.month - from.month;
    *ret_has_more = (int)ask->page < months;
    return nyt_parse(&source_nyt_archive, body, w, &n, err);
}

const struct source source_nyt_archive = {
    .name = "nyt_archive",
    .title = "New York Times Archive",
    .base = "https://api.nytimes.com",
    .needs_key = true,
    .manners = {.interval_ms = 12000, .per_day = 500, .timeout_s = 300, .body_mib = 64},
    .target = target,
    .judge = nyt_judge,
    .parse = parse,
};
