/*
 * pipeline.h - one data set over one window of days, through its stages: bronze (asked for and kept in the lake), silver (facts
 * of the warehouse), gold (its marts), publish (the serving database). Each stage is done again without harm and ends with a
 * commit of its own, so that whoever was stopped goes on at the first stage that is not over.
 */
#ifndef INGEST_PIPELINE_H
#define INGEST_PIPELINE_H

#include "base/err.h"
#include "base/json_out.h"
#include "base/stop.h"

#include <stdint.h>

struct dataset;
struct db_pool;
struct source_fetcher_options;
struct ingest_report;
struct lake;

enum ingest_stage { INGEST_BRONZE, INGEST_SILVER, INGEST_GOLD, INGEST_PUBLISH, INGEST_STAGES };
extern const char *const ingest_stage_names[INGEST_STAGES];
enum { INGEST_ALL_STAGES = (1 << INGEST_STAGES) - 1 };

/* What the stages work with; each stage says what it needs. Pools and the lake may be shared by threads. */
struct ingest_world {
    struct lake *lake;
    struct db_pool *warehouse, *serving;
    const struct source_fetcher_options *asking; /* fetch.h: a fetcher is made for each run */
    int generations_kept;                        /* of the serving database, at least 1 */
    const char *
        folder; /* for what lasts between runs: requests of today, answers of a run that was stopped */
    const char *universe_folder; /* universe.h; NULL: those built in */

    /* Who follows a run; either may be NULL. Lines say what happened, in plain words; units are symbols at a provider. */
    void (*say)(void *listener, const char *line);
    void (*progress)(void *listener, size_t n_done, size_t n, const struct ingest_report *report);
    void *listener;
};

struct ingest_task {
    const struct dataset *dataset;
    int32_t from, to; /* days, inclusive */
    bool force;       /* publish although a contract of quality holds it back */
    const char *file; /* bronze: CSV of the user in place of the providers; NULL: none */
    struct str text;  /* the same, in memory; ptr NULL: none */
};

/* What a stage did. */
struct ingest_report {
    int64_t requests;                 /* to the source */
    int64_t bytes;                    /* received, or read from the lake */
    int64_t objects, objects_skipped; /* of the lake: written or read; there already */
    int64_t rows_in, rows_out, rejected;
    int64_t generation; /* of the serving database afterwards; 0: not touched */
    int64_t quota_left; /* requests that the source allows today; -1: not known */
    /* What it cost beside the requests: those to S3 as they are billed, the bytes of their bodies, rows that came into the
       warehouse by COPY. */
    int64_t s3_puts, s3_lists, s3_gets, s3_bytes, rows_copied;
    int32_t rows_first, rows_last; /* days of bronze's rows; DATE_NONE: none */
    char provider[32];             /* who answered; "" : nobody was asked */
    char note
        [256]; /* what a reader should know: a provider that blocks, what was done instead; "" : nothing */
};

/*
 * The stages. Bronze asks the data set's providers in their order for its universe, keeps every answer, and writes rows by
 * their own date, one object a day and shape; a day whose newest object says the same gets none. A provider that refuses or
 * fails is named in the note with its reason, and the next one is asked. Needs the lake, asking (or a file) and folder.
 * Errors: SOURCE_DOWN when something may be had later (what came is written, and the next run asks only for the rest);
 * SOURCE_REFUSED when nothing could be had; BUSY while another process fetches the same; those of the lake and of stop.
 */
enum status ingest_bronze(const struct ingest_world *world, const struct ingest_task *task,
                          struct ingest_report *report, const struct stop *stop, struct err *err)
    NODISCARD;

/*
 * Silver loads the rows objects of the task's window and data set that are not loaded yet, with the corporate actions that
 * came beside bars. Gold models and publish sends whatever is new since the last time, of every data set. The world needs the
 * lake and the warehouse; the warehouse; the warehouse and the serving database. Errors: those of warehouse.h; publish answers
 * BAD_DATA when a contract held some marts back, though the others are published: the report is filled then, too.
 */
enum status ingest_silver(const struct ingest_world *world, const struct ingest_task *task,
                          struct ingest_report *report, const struct stop *stop, struct err *err)
    NODISCARD;
enum status ingest_gold(const struct ingest_world *world, const struct ingest_task *task,
                        struct ingest_report *report, const struct stop *stop, struct err *err)
    NODISCARD;
enum status ingest_publish(const struct ingest_world *world, const struct ingest_task *task,
                           struct ingest_report *report, const struct stop *stop, struct err *err)
    NODISCARD;

/* Any of them, with what it cost in the report; the world's lake and warehouse are nobody else's meanwhile. */
enum status ingest_stage_run(const struct ingest_world *world, enum ingest_stage stage,
                             const struct ingest_task *task, struct ingest_report *report,
                             const struct stop *stop, struct err *err) NODISCARD;

/* "3 of 12 symbols, 1 request, 40 rows": how far bronze is, into line. */
enum { INGEST_PROGRESS_BYTES = 160 };
void ingest_progress_format(size_t n_done, size_t n, const struct ingest_report *report,
                            char line[INGEST_PROGRESS_BYTES]);

/* As members of a JSON object that is open. */
void ingest_report_write(const struct ingest_report *report, struct json_out *json);

/* "bronze,silver" as a set of bits. Errors: BAD_VALUE for an unknown, repeated or missing name. */
enum status ingest_stages_parse(struct str text, unsigned *ret, struct err *err) NODISCARD;

#endif
