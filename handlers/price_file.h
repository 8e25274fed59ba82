/*
 * price_file.h - prices out of a CSV file in place of the store, so that the engine answers without a server or a
 * database. Plain or gzip. Two layouts, told by the header:
 *
 *   long  date,uid,close[,...]            one row a bar, in any order of names, dates rising within each; also any of
 *                                         currency, adj_close, open, high, low, volume, dividend, split_ratio, pay_date (of
 *                                         the dividend), empty where they are not known: then closes are as quoted (price_file_series)
 *   wide  date,<uid>,<uid>,...            one row a date, rising; an empty field is no bar
 *
 * Dates are YYYY-MM-DD, prices numbers above 0, currencies three capitals. A bar is known at the end of its day (UTC).
 * One thread; everything lives in the arena.
 */
#ifndef HANDLERS_PRICE_FILE_H
#define HANDLERS_PRICE_FILE_H

#include "backtest/market.h"
#include "base/arena.h"
#include "base/digest.h"

enum { PRICE_FILE_NAMES_MAX = 5000 };

struct price_file {
    struct market_data market; /* rates: those of a series_file beside it, none without one */
    char name
        [32]; /* "file:" and the first 16 digits of the SHA-256 of its bytes: what answers call their data */
    char series_name[32]; /* the same of the series' file, "series:"; empty: there is none */
};

/*
 * currency: of prices that have none of their own. Errors: IO; BAD_CSV and BAD_VALUE naming the line as the place
 * ("file:line" in the detail) and what is allowed; TOO_LARGE.
 */
enum status price_file_read(const char *path, const char *currency, struct arena *arena,
                            struct price_file *ret, struct err *err) NODISCARD;

#endif
