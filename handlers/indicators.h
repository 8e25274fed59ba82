/*
 * indicators.h - economic series: what one is, how one is found, and the observations of one. Shared by
 * indicators.c (the series) and observations.c (their values).
 */
#ifndef HANDLERS_INDICATORS_H
#define HANDLERS_INDICATORS_H

#include "backtest/aggregate.h"
#include "backtest/transform.h"
#include "handlers/params.h"
#include "handlers/resource.h"
#include "store/indicator_store.h"

/* One series as text: its id, stat_code:country_code:frequency, then the columns of enum series_result. */
enum { SERIES_VALUES = 1 + SERIES_SOURCE + 1 };
struct series {
    struct str values[SERIES_VALUES];
};

static inline struct str series_id(const struct series *series)
{
    return series->values[0];
}

static inline struct str series_field(const struct series *series, enum series_result field)
{
    return series->values[1 + field];
}

extern const struct table_column series_columns[SERIES_VALUES];

enum { INDICATOR_MARTS = 1 };
extern const char *const indicator_marts[INDICATOR_MARTS];

/* A row of series_open, kept in the arena. */
enum status series_read(const struct rows *rows, struct arena *arena, struct series *ret,
                        struct err *err) NODISCARD;

/*
 * The series that the path names as "stat_code:country" or "stat_code:country:frequency".
 * Errors: NOT_FOUND with the nearest, BAD_VALUE when it has several frequencies.
 */
enum status series_find(struct db *db, const struct resource *resource, struct series *ret,
                        struct err *err) NODISCARD;

/* What is asked of the observations of one series. */
struct observing {
    struct resource *resource;
    struct window window;
    size_t frequency; /* FREQUENCY_COUNT: its own */
    size_t aggregation, transform;
    int32_t as_of; /* DATE_MAX: the latest */
    bool has_all_vintages;
    struct series series; /* found by fill */
};

struct observed_rows {
    struct observation *row;
    size_t n, cap;
};

extern const char frequency_letters[FREQUENCY_COUNT];

/* The frequency that the series has in the mart. */
enum frequency series_frequency(const struct series *series);

/* The observations of what->series as asked for: vintages, frequency, transform; not cut to the window. */
enum status observed_rows_load(const struct observing *what, struct db *db,
                               struct observed_rows *ret, struct err *err) NODISCARD;

#endif
