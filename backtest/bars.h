/*
 * bars.h - bars of one instrument, oldest first: adjusted, converted and gathered into longer ones.
 * Pure apart from the arena; callable from any thread. docs/resources.md states the conventions.
 */
#ifndef BACKTEST_BARS_H
#define BACKTEST_BARS_H

#include "backtest/cell.h"
#include "backtest/transform.h"
#include "base/err.h"

enum bar_field {
    BAR_OPEN,
    BAR_HIGH,
    BAR_LOW,
    BAR_CLOSE,
    BAR_ADJ_CLOSE,
    BAR_VOLUME,
    BAR_DIVIDEND,
    BAR_SPLIT_RATIO,
    BAR_FIELDS
};

struct bar {
    int32_t date; /* strictly rising; of a longer bar, its last session's */
    struct cell field[BAR_FIELDS];
    struct str currency, source;
    int64_t quality;  /* bits; of a longer bar, of all its days */
    int64_t known_at; /* seconds since 1970; the latest */
    uint32_t sessions;
};

struct bars {
    struct bar *bar;
    size_t n;
};

enum bar_adjust { ADJUST_NONE, ADJUST_SPLIT, ADJUST_ALL, ADJUST_COUNT };
extern const char *const bar_adjust_names[ADJUST_COUNT];

/*
 * What open, high, low and close mean; adj_close, volume and dividend stay as they are.
 *   split  divided by the product of the split ratios of all later days
 *   all    close becomes adj_close, and the other three are multiplied by adj_close / close of their day;
 *          what has no such factor has no value
 * For split, the bars must reach to the last known split.
 */
void bars_adjust(struct bars bars, enum bar_adjust adjust);

/* Units of one currency for one of another, by date. */
struct rates {
    size_t n;
    const int32_t *date; /* strictly rising */
    const double *rate;
};

/*
 * Prices and dividends times y / x, each the last rate not after the bar's date; a side of n 0 is 1. Without a
 * rate the values are none. Returns how many bars had none.
 */
size_t bars_convert(struct bars bars, struct rates y, struct rates x, struct str currency);

/*
 * Days into longer bars, in place: first open, highest high, lowest low, last close and adj_close, sums of
 * volume and dividend, product of split ratios. A missing value is skipped; all missing is none.
 */
void bars_gather(struct bars *bars, enum frequency frequency, struct arena *arena);

/* Every field in the mask (bits 1 << BAR_x) by transform.h. Errors: STATUS_OUT_OF_MEMORY. */
enum status bars_transform(struct bars bars, unsigned fields, enum transform transform,
                           enum frequency frequency, bool is_seven_day, struct arena *arena,
                           struct err *err) NODISCARD;

#endif
