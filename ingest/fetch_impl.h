/* fetch_impl.h - what the files of fetching share; for them alone. */
#ifndef INGEST_FETCH_IMPL_H
#define INGEST_FETCH_IMPL_H

#include "ingest/fetch.h"
#include "ingest/transport.h"

struct source_fetcher {
    struct source_fetcher_options options;
    struct transport *transport;
    int64_t deadline_ns; /* of the run, monotonic */
    uint64_t
        random; /* state of a linear congruential generator: retries of many servers fall apart */
    bool has_answered[64]; /* by source: it did not throttle once in this run */
};

/* What one request is made of, and what has come of it so far. */
struct fetch_job {
    struct source_fetcher *f;
    const struct source *source;
    struct str key, path, header, header_value, form;
    char *url;
    size_t url_len;
    bool is_elsewhere; /* not at the provider's own address: its interval is not kept */
    struct arena *arena;
    const struct stop *stop;
    struct fetch_answer *ret;
    struct buf body;
    struct str form_rest;
    bool is_final;
};

/* The last word on the request. */
void fetch_decide(struct fetch_job *j, enum feed_outcome outcome, const char *detail);

/* Sends it once and judges the answer: into j->ret. Errors: those of this side, not of the source's. */
enum status fetch_send(struct fetch_job *j, struct err *err) NODISCARD;

#endif
