/*
 * ingest_request.h - what a job of ingestion is asked to do, as JSON: by POST, kept with the job, and in a schedule, where days
 * are counted back from its slot. Pure.
 */
#ifndef HANDLERS_INGEST_REQUEST_H
#define HANDLERS_INGEST_REQUEST_H

#include "base/json_in.h"
#include "ingest/dataset.h"
#include "ingest/pipeline.h"

#define INGEST_JOB_TYPE "ingest"

struct ingest_request {
    const struct dataset *dataset;
    int32_t from, to; /* days, inclusive */
    unsigned stages;  /* bits 1 << INGEST_BRONZE ... */
    bool force;
};

/*
 * {"type"?, "dataset", "from"?, "to"?, "stages"?, "force"?}. Without a window: the days that a data set is asked for
 * again, until today. Errors: those of json_in.h, naming the member.
 *   today  a day; the window may not end after it
 */
enum status ingest_request_read(struct json_val root, int32_t today, struct ingest_request *ret,
                                struct err *err) NODISCARD;

/* The same document with every member, in the arena; ptr NULL without memory. */
struct str ingest_request_write(const struct ingest_request *request, struct arena *arena);

/* What may run once at a time: the data set and its window. In the arena; ptr NULL without memory. */
struct str ingest_request_key(const struct ingest_request *request, struct arena *arena);

/* The part of a schedule that says what its jobs do. */
struct ingest_template {
    const struct dataset *dataset;
    int64_t from_days, to_days; /* before the slot's day; from_days is the larger one */
    unsigned stages;
};

/* From an object that may have other members, too. Errors: as above. */
enum status ingest_template_read(struct json_val root, struct ingest_template *ret, struct err *err)
    NODISCARD;
void ingest_template_write(const struct ingest_template *template, struct json_out *json);
struct ingest_request ingest_template_at(const struct ingest_template *template, int64_t slot_s);

#endif
