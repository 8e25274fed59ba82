/*
 * backtest_study_store.h - what the study of a running sweep knows, chunk by chunk, for the worker that goes on when this
 * one dies. The bytes are the study's own (handlers/batch_study.h). Any thread, each with a connection of its own.
 */
#ifndef STORE_BACKTEST_STUDY_STORE_H
#define STORE_BACKTEST_STUDY_STORE_H

#include "base/arena.h"
#include "store/db.h"

/* Inside the transaction that finishes the chunk's items: n_done of the job are done with it. */
enum status backtest_study_add(struct db *db, struct str job_id, int64_t n_done, struct str trials,
                               struct str state, struct err *err) NODISCARD;

struct backtest_study_kept {
    struct str trials; /* of all chunks, in their order; in the arena */
    struct str state;  /* after the last chunk; ptr NULL: there is none */
    int64_t n_done;
};
enum status backtest_study_read(struct db *db, struct str job_id, struct arena *arena,
                                struct backtest_study_kept *ret, struct err *err) NODISCARD;

enum status backtest_study_delete(struct db *db, struct str job_id, struct err *err) NODISCARD;

#endif
