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
struct fetcher;
struct lake;

enum ingest_stage { INGEST_BRONZE, INGEST_SILVER, INGEST_GOLD, INGEST_PUBLISH, INGEST_STAGES };
extern const char *const ingest_stage_names[INGEST_STAGES];
enum { INGEST_ALL_STAGES = (1 << INGEST_STAGES) - 1 };

/* What the stages work with; each stage says what it needs. Pools and the lake may be shared by threads. */
struct ingest_world {
    struct lake *lake;
    struct db_pool *warehouse, *serving;
    struct fetcher *fetcher; /* of one thread */
    int generations_kept;    /* of the serving database, at least 1 */
};

struct ingest_task {
    const struct dataset *dataset;
    int32_t from, to; /* days, inclusive */
    bool force;       /* publish although a contract of quality holds it back */
};

/* What a stage did. */
struct ingest_report {
    int64_t requests;                 /* to the source */
    int64_t bytes;                    /* received, or read from the lake */
    int64_t objects, objects_skipped; /* of the lake: written or read; there already */
    int64_t rows_in, rows_out, rejected;
    int64_t generation; /* of the serving database afterwards; 0: not touched */
    int64_t quota_left; /* requests that the source allows today; -1: not known */
    char provider[32];  /* who answered; "" : nobody was asked */
    char note
        [256]; /* what a reader should know: a provider that blocks, what was done instead; "" : nothing */
};

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

/* As members of a JSON object that is open. */
void ingest_report_write(const struct ingest_report *report, struct json_out *json);

/* "bronze,silver" as a set of bits. Errors: BAD_VALUE for an unknown, repeated or missing name. */
enum status ingest_stages_parse(struct str text, unsigned *ret, struct err *err) NODISCARD;

#endif
