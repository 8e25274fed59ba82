/*
 * profile.h - whose conventions the metrics follow: the rows of profiles.def and profile_names.def.
 * Pure functions over constant tables; callable from any thread.
 */
#ifndef BACKTEST_PROFILE_H
#define BACKTEST_PROFILE_H

#include "backtest/measure.h"

enum profile {
#define PROFILE(name, missing, target) PROFILE_##name,
#include "backtest/profiles.def"
#undef PROFILE
    PROFILE_COUNT
};
extern const char *const profile_names[PROFILE_COUNT];

/* What is done with a return that is missing. */
enum profile_missing { MISSING_REFUSE, MISSING_SKIP, MISSING_ZERO, MISSING_COUNT };
extern const char *const profile_missing_names[MISSING_COUNT];
enum profile_missing profile_missing(enum profile profile);

/* Is the target of downside figures 0 (or the risk-free rate) when no minimum acceptable return is given? */
bool profile_targets_zero(enum profile profile);

/* The row that stands in the place of metric, which may be any row. */
enum measure_id profile_row(enum profile profile, enum measure_id metric);

/* The rows that stand in the places of metrics. */
struct measure_set profile_set(enum profile profile, const enum measure_id *metrics, size_t n);

/*
 * A metric by its own name, by a row's name, or by the library's name for it. *ret is the row to read.
 * A name that is none of these gives false.
 */
bool profile_find(enum profile profile, struct str name, enum measure_id *ret);

/* Offers every name that profile_find knows, for suggestions and lists; i from 0, ptr NULL at the end. */
struct str profile_name_at(enum profile profile, size_t i);

#endif
