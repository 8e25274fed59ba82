/*
 * action.h - the corporate actions of one instrument while gold models them: what they do to earlier prices (adjustment.c),
 * and what the mart says of them (action_mart.c). Amounts and closes are brought to the units of today, in which a unit of an
 * earlier day is as many as the splits after it have made of it.
 */
#ifndef INGEST_ACTION_H
#define INGEST_ACTION_H

#include "base/arena.h"
#include "base/date.h"
#include "store/db.h"

/* An action with the last close before it. */
struct action {
    int32_t date, pay_date; /* pay_date: DATE_NONE when nobody knows it */
    int32_t cash_day;       /* in the units of this day cash was told */
    int32_t prev_date, prev_fetched;
    struct str kind, into, source;
    struct str told_cash, told_ratio; /* as they came; ptr NULL: none, or no decimal by itself */
    bool has_prev,
        prev_is_adjusted; /* prev_is_adjusted: its close is in the units of prev_fetched */
    bool is_known;        /* both instruments are */
    double cash, ratio, prev_close; /* NaN: none */
};

struct actions {
    struct action *all; /* newest first, then by kind and instrument received */
    size_t n;
};

/*
 * Seconds that a market's clock is before UTC, within two hours: trading ends there at about 16:00, and at close_winter in UTC
 * (dim_market). No text: 0. A split is in force from midnight there on, not from midnight in UTC.
 */
int64_t market_utc_offset_s(struct str close_winter);

bool action_is_split(const struct action *action);
bool action_is_payment(const struct action *action); /* a dividend or capital gain */

/* Errors: TOO_LARGE beyond 20,000; those of the database. */
enum status actions_read(struct db *db, const char *uid, struct arena *arena, struct actions *ret,
                         struct err *err) NODISCARD;

/* What one unit of a day is today: the ratios of the splits after it. */
double actions_units_since(const struct actions *actions, int32_t day);

/* A payment for one unit of today. */
double actions_amount(const struct actions *actions, const struct action *payment);

/* mart_corporate_action of the instrument, when it says something else than before. */
enum status actions_to_mart(struct db *db, const char *uid, const struct actions *actions,
                            int64_t load_id, struct err *err) NODISCARD;

#endif
