/* job_events.h - one stream of a job's events: what was sent, and the text that comes next. One thread at a time. */
#ifndef HANDLERS_JOB_EVENTS_H
#define HANDLERS_JOB_EVENTS_H

#include "handlers/job_watch.h"
#include "store/job_store.h"

struct job_events {
    struct job_place sent;
    bool has_sent; /* its first event */
    int64_t spoken_ns;
};

/*
 * What is new since the last event into out, which is empty; a comment when nothing was said for heartbeat_ns; nothing
 * when the log cannot be read just now. What is read lives in the arena.
 */
void job_events_write(struct job_events *events, struct db *db, struct str id,
                      const struct job_glimpse *now, int64_t heartbeat_ns, struct arena *arena,
                      struct buf *out);

#endif
