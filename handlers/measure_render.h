/*
 * measure_render.h - metrics, drawdowns and calendar tables as members of a JSON object: the same in the answer of a
 * backtest and of a track record. Pure over its arguments.
 */
#ifndef HANDLERS_MEASURE_RENDER_H
#define HANDLERS_MEASURE_RENDER_H

#include "backtest/measure.h"
#include "backtest/profile.h"
#include "backtest/rolling_report.h"
#include "base/json_out.h"

/* One metric: value or null with its reason, unit, n, the benchmark's value (NULL: none), convention of row. */
void measure_write(struct json_out *json, enum measure_id row, const struct measure_value *value,
                   const struct measure_value *benchmark);

/* "metrics": every metric by the rows of the profile; all and benchmark hold MEASURE_ALL_COUNT, benchmark may be NULL. */
void measures_write(struct json_out *json, enum profile profile, const struct measure_value *all,
                    const struct measure_value *benchmark);

/* "drawdowns": the list with its days; clock NULL writes sessions in place of dates and no days. */
void drawdowns_write(struct json_out *json, const int32_t *clock, const struct drawdown *list,
                     size_t n);

/* "monthly". */
void table_years_write(struct json_out *json, const struct table_years *years);

/* "rolling"; null when no window was asked for. */
void rolling_write(struct json_out *json, const struct rolling_report *report);

/* "key": value or null when it is not finite. */
void number_write(struct json_out *json, const char *key, double value);

#endif
