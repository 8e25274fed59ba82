/*
 * indicator_store.h - economic series and their observations as of one generation (generation.h), streamed.
 */
#ifndef STORE_INDICATOR_STORE_H
#define STORE_INDICATOR_STORE_H

#include "base/arena.h"
#include "store/db.h"
#include "store/steps.h"

enum series_result {
    SERIES_STAT_CODE,
    SERIES_COUNTRY_CODE,
    SERIES_FREQUENCY,
    SERIES_NAME,
    SERIES_UNIT,
    SERIES_COUNTRY_NAME,
    SERIES_FIRST,   /* first period_start */
    SERIES_LAST,    /* last period_end */
    SERIES_PERIODS, /* different ones */
    SERIES_ROWS,    /* with every vintage */
    SERIES_FIRST_VINTAGE,
    SERIES_LAST_VINTAGE,
    SERIES_SOURCE
};

/* One row a series, by code, country and frequency. A stat_code, country or frequency given must match. */
struct series_filter {
    struct str stat_code, country, frequency; /* ptr NULL: all */
};
enum status series_open(struct db *db, const struct series_filter *filter, int64_t generation,
                        struct rows *ret_rows, struct err *err) NODISCARD;

enum observation_result {
    OBSERVATION_PERIOD,
    OBSERVATION_FIRST,
    OBSERVATION_LAST,
    OBSERVATION_VALUE,
    OBSERVATION_VINTAGE,
    OBSERVATION_KNOWN_AT
};

/* Every vintage up to as_of of every period, oldest period and then oldest vintage first. filter names one series. */
enum status observations_open(struct db *db, const struct series_filter *series, int32_t as_of,
                              int64_t generation, struct rows *ret_rows, struct err *err) NODISCARD;

/*
 * One series as what was known when: a row for each day (UTC) on which the newest published value changed, oldest
 * first. value is that of the latest period out by then, in the vintage of then. n is 0 when there is no such series.
 */
enum status indicator_steps_load(struct db *db, const struct series_filter *series,
                                 int64_t generation, struct arena *arena, struct step_columns *ret,
                                 struct err *err) NODISCARD;

#endif
