/* settle.h - the end of a run of runner.c: succeeded, failed, cancelled, handed back, or left to another. */
#ifndef JOBS_SETTLE_H
#define JOBS_SETTLE_H

#include "jobs/runner.h"

/*
 * Writes the end down, more than once if need be: otherwise the job would be done again when its lease is over.
 * s, result and why are what its type's function left; run->beaten_ns is when it began, and no other thread looks at
 * the run any more. Blocks on the database.
 */
void job_settle(const struct jobs_options *options, struct job_run *run, enum status s,
                struct str result, const struct err *why);

#endif
