/*
 * batch_job.h - the job type of batches and sweeps of backtests: runs every item that has no row yet, on several
 * threads, and writes rows and progress together, so that whoever takes over runs none of them again.
 */
#ifndef HANDLERS_BATCH_JOB_H
#define HANDLERS_BATCH_JOB_H

#include "jobs/runner.h"
#include "server/app.h"

#define BATCH_JOB_TYPE "backtest_batch"

/* cls is the struct app. */
enum status batch_job_run(struct job_run *run, void *cls, struct str *ret_result, struct err *err);

/* Threads that one batch runs on. */
unsigned batch_job_threads(const struct config *config);

#endif
