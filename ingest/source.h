/*
 * source.h - one provider of data: how it is asked, what its answers mean, and how rows are read from them. A source is
 * one file in sources/ and one row of sources.def. Pure: fetching is fetch.h's business. Any thread.
 */
#ifndef INGEST_SOURCE_H
#define INGEST_SOURCE_H

#include "ingest/feed.h"
#include "ingest/feed_reply.h"

struct source_ask {
    struct str symbol; /* in the source's own spelling: BTCUSDT, KRW=X, 902Y006/M, DGS10 */
    int32_t from, to;  /* days, inclusive; the source may give more */
    size_t page;       /* from 0 */
    struct str key;    /* ptr NULL: none */
    int64_t now_s;     /* what is not over by then is not stored */
};

/* Keys may stand in path, header and form: none of them is logged (redact.h). */
struct source_target {
    struct str path;                 /* with query, behind the base address */
    struct str header, header_value; /* ptr NULL: none */
    struct str form;                 /* fields, encoded, to be posted; ptr NULL: GET */
};

/* How the provider wants to be treated. */
struct source_manners {
    unsigned interval_ms; /* between two requests */
    unsigned per_day;     /* requests; 0: no limit is known */
    unsigned timeout_s;
    unsigned body_mib;    /* more is an error */
    unsigned window_days; /* of one question at most; 0: any */
};

struct source {
    const char *name;  /* "binance" */
    const char *title; /* "Binance spot klines" */
    const char *base;  /* address, without a slash at the end */
    bool needs_key;
    struct source_manners manners;

    /* Errors: BAD_VALUE for a symbol or window that cannot be asked for; OUT_OF_MEMORY. */
    enum status (*target)(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err);
    struct feed_verdict (*judge)(const struct feed_reply *reply);
    /*
     * The rows of a body whose verdict was FEED_OK. *ret_has_more: the next page has more. Errors: BAD_DATA when the body
     * is not of the known form; the sink's own.
     */
    enum status (*parse)(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err);
};

#define SOURCE(name) extern const struct source source_##name;
#include "ingest/sources.def"
#undef SOURCE

extern const struct source *const sources[];
extern const size_t n_sources;
const struct source *source_find(struct str name); /* NULL: none */

/* For sources: a body as JSON, or BAD_DATA naming the source. The document's strings live until it is freed. */
enum status source_json(const struct source *source, struct str body, struct arena *arena,
                        struct json_doc **ret, struct err *err) NODISCARD;
enum status source_changed(const struct source *source, const char *what, struct err *err);

/* Percent-encodes all but unreserved characters (RFC 3986). */
void source_escape(struct buf *out, struct str text);
enum status source_path(const struct buf *path, struct source_target *ret, struct err *err)
    NODISCARD;
enum status source_bad_symbol(const struct source_ask *ask, const char *allowed, struct err *err);

#endif
