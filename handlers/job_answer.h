/*
 * job_answer.h - a job as its clients see it: found if it is theirs, and written as a document.
 */
#ifndef HANDLERS_JOB_ANSWER_H
#define HANDLERS_JOB_ANSWER_H

#include "server/request.h"
#include "store/job_store.h"

/* The owner that jobs of this caller have. */
int64_t job_owner(const struct request *request);

/* The caller's job, or any for an administrator. Errors: UNKNOWN_JOB, also for jobs of others. */
enum status job_find(struct request *request, struct db *db, struct str id, struct job_record *ret,
                     struct err *err) NODISCARD;

/* Replies with the job's document: Location, and Retry-After while it is not over. */
enum status job_reply(struct request *request, const struct job_record *job, int http_status,
                      struct err *err);

#endif
