/*
 * backtest_select.h - parts of a stored backtest: select=monkeys,metrics.cagr keeps those members of "data" and of
 * its objects (and "id", and all of "meta"), in the document's own order and bytes. Pure.
 */
#ifndef HANDLERS_BACKTEST_SELECT_H
#define HANDLERS_BACKTEST_SELECT_H

#include "base/arena.h"
#include "base/err.h"

/*
 * select ptr NULL gives the body itself. UNKNOWN_COLUMN names what there is; INTERNAL when the stored text is
 * not one of ours.
 */
enum status backtest_select(struct str body, struct str select, struct arena *arena,
                            struct str *ret, struct err *err) NODISCARD;

/* UNKNOWN_COLUMN when select names a part, before any dot, that no answer of this engine has; ptr NULL names none. */
enum status backtest_parts_check(struct str select, struct arena *arena, struct err *err) NODISCARD;

/* The text of meta.warnings, a JSON array. INTERNAL when the stored text is not one of ours. */
enum status backtest_warnings(struct str body, struct arena *arena, struct str *ret,
                              struct err *err) NODISCARD;

#endif
