/*
 * spec_lists.h - the parts of spec_parse that read uids and lists of them; not for others.
 * Errors name the JSON pointer and what is allowed.
 */
#ifndef BACKTEST_SPEC_LISTS_H
#define BACKTEST_SPEC_LISTS_H

#include "backtest/spec.h"
#include "base/json_in.h"

/* A refusal about val that no typed read of json_in.h can make; returns status. */
enum status spec_refuse(struct json_val val, enum status status, const char *detail,
                        const char *allowed, struct err *err);

/* class:SYMBOL, copied into the arena; one of class yield is the bond of yield_bond.h. */
enum status spec_read_uid(struct json_val val, struct arena *arena, struct str *ret,
                          struct err *err) NODISCARD;

/*
 * The uid of an economic series (market_rates.h), which the caller's data will then contain: the run finds it
 * with market_find_rates. at is the JSON pointer of val and outlives the spec.
 */
enum status spec_read_indicator(struct json_val val, const char *at, struct arena *arena,
                                struct spec *spec, struct str *ret_uid, struct err *err) NODISCARD;

/* Its two halves: the uid, and its place among the series to load. */
enum status spec_read_series(struct json_val val, struct arena *arena, struct str *ret_uid,
                             struct err *err) NODISCARD;
enum status spec_add_indicator(struct spec *spec, struct str uid, const char *at, struct err *err)
    NODISCARD;

/* The member currency of an object; USD when it is absent. */
enum status spec_read_currency(struct json_val object, char ret[CURRENCY_TEXT_BYTES],
                               struct err *err) NODISCARD;

/* 1 to SPEC_ASSETS_MAX different uids into spec->universe. */
enum status spec_read_universe(struct json_val list, struct arena *arena, struct spec *spec,
                               struct err *err) NODISCARD;

/* assets and universe of the request; a universe alone is also the asset list. */
enum status spec_read_lists(struct json_val root, struct arena *arena, struct spec *spec,
                            struct err *err) NODISCARD;

#endif
