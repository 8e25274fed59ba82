/*
 * fetch.h - asking the sources over transport.h, the way each of them wants to be treated: one request at a time, with its
 * interval and its day's quota (fetch_pace.h); the same request again only when the source is throttled or down, after what
 * it asks for or a random time, until the run's deadline. A refusal is reported as that and never worked around; every
 * request says who asks. Keys are in no error, no address given back and no body. One thread at a time.
 */
#ifndef INGEST_FETCH_H
#define INGEST_FETCH_H

#include "base/stop.h"
#include "ingest/lake.h"
#include "ingest/source.h"

struct source_fetcher;

/* The key of the sources whose name begins so: "nyt" for nyt_archive and nyt_search; the longest counts. */
struct fetch_key {
    const char *sources, *value;
};

struct source_fetcher_options {
    const char *folder; /* for the records of requests; its parent must exist */
    const char *agent;  /* User-Agent */
    /* Other addresses: "name=address" with commas between; "*" is every source, whose name is put behind the address.
       NULL or "": none. */
    const char *bases;
    const struct fetch_key *keys; /* a value of "" or NULL: none; must outlive the fetcher */
    size_t n_keys;
    const char *ca_file; /* NULL: the system's certificates */
    unsigned run_s;      /* time that all requests together may take */
};

/*
 * For one run: its deadline begins here; what options point to outlives it.
 * Errors: CONFIG for an address that is neither https nor http on this machine; OUT_OF_MEMORY; INTERNAL.
 */
enum status source_fetcher_new(const struct source_fetcher_options *options,
                               struct source_fetcher **ret, struct err *err) NODISCARD;
void source_fetcher_freep(struct source_fetcher **fetcher);

struct fetch_answer {
    struct feed_reply reply; /* the body in the arena, without the key */
    struct feed_verdict verdict;
    int64_t fetched_at;     /* seconds since 1970 */
    char url[LAKE_URL_MAX]; /* without the key */
    unsigned requests;      /* that were sent for it */
    int64_t bytes;          /* of all answers */
    int64_t quota_left;     /* -1: no limit is known */
    int64_t
        retry_after_s; /* when a source that is throttled or out of quota may be asked; 0: not known */
};

/*
 * Asks and judges. OK means that there is a verdict, whatever it is: a source that cannot be reached is FEED_DOWN, one whose
 * key is not set FEED_AUTH, and one that throttles from the first request of a run on, without a word on when to come
 * again, FEED_BLOCKED. The symbol of an ask that the source cannot be asked for is FEED_REFUSED.
 * Errors: IO for the record of requests; OUT_OF_MEMORY; those of stop.
 */
enum status fetch_get(struct source_fetcher *fetcher, const struct source *source,
                      const struct source_ask *ask, struct arena *arena, const struct stop *stop,
                      struct fetch_answer *ret, struct err *err) NODISCARD;

#endif
