/*
 * backtest_hash.h - one number for a whole result: SHA-256 over what it says, rounded to 12 significant
 * digits, so that two servers, or a client and a server, can tell whether they got the same.
 * docs/formulas.md section 9 gives the text that is hashed.
 */
#ifndef HANDLERS_BACKTEST_HASH_H
#define HANDLERS_BACKTEST_HASH_H

#include "backtest/backtest.h"
#include "base/digest.h"

enum status backtest_hash(const struct backtest_result *result, char ret[DIGEST_HEX_BYTES],
                          struct err *err) NODISCARD;

#endif
