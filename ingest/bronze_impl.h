/* bronze_impl.h - what the files of the bronze stage share: bronze*.c; for them alone. */
#ifndef INGEST_BRONZE_IMPL_H
#define INGEST_BRONZE_IMPL_H

#include "ingest/dataset.h"
#include "ingest/fetch.h"
#include "ingest/pipeline.h"
#include "ingest/spool.h"
#include "ingest/universe.h"

enum { BRONZE_KEY_BYTES = LAKE_KEY_MAX + 1, BRONZE_STAMP_BYTES = 20 };

/* What came of one symbol at one provider. */
enum bronze_result {
    BRONZE_GOT,     /* answered, with rows or without */
    BRONZE_NOTHING, /* it does not know the symbol */
    BRONZE_FAILED,  /* this symbol, for a reason of its own */
    BRONZE_OUT      /* the provider answers nobody now: verdict says why */
};

struct bronze_run {
    const struct ingest_world *world;
    const struct ingest_task *task;
    struct ingest_report *report;
    const struct stop *stop;
    struct source_fetcher *fetcher;
    struct spool *spool;
    struct universe universe;
    struct arena kept;           /* for the run */
    struct arena answer;         /* for one answer */
    struct feed_verdict verdict; /* the last one that was no success */
    int64_t retry_after_s;
    size_t n_units, n_units_done; /* symbols at a provider; for the progress */
};

/* One symbol of one provider, over the whole window of the task. row is NULL where the whole provider is asked at once. */
struct bronze_unit {
    const struct source *source;
    const struct universe_row *row;
    struct str spelling;
};

/* A line for the person or the log that follows the run; the first one is the report's note. */
void bronze_note(struct bronze_run *run, const char *format, ...) PRINTF(2, 3);
void bronze_progress(const struct bronze_run *run);

/* Asks for all windows and pages of a unit that are not in the spool. */
enum status bronze_ask(struct bronze_run *run, const struct bronze_unit *unit,
                       enum bronze_result *ret, struct err *err) NODISCARD;

/* The file of the task in place of a provider's answers. */
enum status bronze_upload(struct bronze_run *run, struct err *err) NODISCARD;

/*
 * A provider's row as one of the data set: in its shape, under the universe's symbol, with its name and currency where there
 * are none. False: none of the data set's.
 */
bool bronze_adapt(const struct bronze_run *run, const struct bronze_unit *unit,
                  const struct feed_row *from, struct feed_row *ret);

/* Puts bytes under bronze/{folder}[/rejected]/ymd=.../{name}; *ret_key is the whole key. */
struct bronze_object {
    const char *folder;
    bool is_rejected;
    int32_t ymd;
    const char *kind; /* "raw", "rows", "rejects" */
    int64_t fetched_at;
    const char *ending; /* "json" */
    struct str hashed;  /* what the hash in the name is of */
};
enum status bronze_name(const struct bronze_object *object, char ret[BRONZE_KEY_BYTES],
                        struct err *err) NODISCARD;
enum status bronze_put(const struct bronze_run *run, const char *key, struct str bytes,
                       const struct lake_meta *meta, bool *ret_is_new, struct err *err) NODISCARD;

/* YYYYMMDDThhmmssZ */
void bronze_stamp(int64_t at_s, char ret[BRONZE_STAMP_BYTES]);

/* Everything in the spool as objects of rows, and the rejects. */
enum status bronze_write(struct bronze_run *run, struct err *err) NODISCARD;

#endif
