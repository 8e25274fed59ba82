/*
 * ingest_job.h - ingestion as a type of job: its stages one after the other, each written down when it is over, so that
 * another worker goes on behind the last one; and the job that a schedule's slot stands for.
 */
#ifndef HANDLERS_INGEST_JOB_H
#define HANDLERS_INGEST_JOB_H

#include "handlers/ingest_request.h"
#include "jobs/runner.h"

struct app;

enum { INGEST_TRIES = 4 };

/* What it works with is opened for each job (ingest_world.h), and publishes through the job's own connections. */
struct job_type ingest_job_type(struct app *app);

/* A job of this request but for its id and owner, texts in the arena. Errors: OUT_OF_MEMORY. */
enum status ingest_job_new(const struct ingest_request *request, struct arena *arena,
                           struct job_new *ret, struct err *err) NODISCARD;

#endif
