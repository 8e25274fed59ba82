/* backtest_read.h - what the resources of one kept backtest have in common; its id is the request's first path parameter. */
#ifndef HANDLERS_BACKTEST_READ_H
#define HANDLERS_BACKTEST_READ_H

#include "handlers/backtest_run.h"
#include "server/request.h"

extern const char backtest_forever[]; /* Cache-Control: what an id names never changes */

bool backtest_is_id(struct str id);
enum status backtest_unknown(struct str id, struct err *err); /* UNKNOWN_BACKTEST, returned */

/*
 * A backtest that was an item of a batch has its row, and is run now that somebody asks for all of it: on a worker for
 * backtests, to which this defers. When it has not (*ret_is_ready), the handler returns what this did.
 */
enum status backtest_make_ready(struct request *request, bool *ret_is_ready, struct err *err)
    NODISCARD;

/* The document: in the request's arena, or in *ret_blob, a reference, otherwise NULL. */
enum status backtest_body(struct request *request, struct blob **ret_blob, struct str *ret,
                          struct err *err) NODISCARD;

/* Replies with body, without a copy where it is in *blob, which is the reply's then, and NULL. */
void backtest_reply(struct request *request, struct blob **blob, struct str body);

/* Counts and times an answer that was given. */
void backtest_count(struct request *request, const struct backtest_answer *answer);

#endif
