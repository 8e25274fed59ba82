/*
 * metrics_csv_field.h - what a field of a table of one's own says. What might mean two things (1,234 or 1.234,5 or 02/01/2020) is
 * not read at all. Pure; part of metrics_csv.c.
 */
#ifndef HANDLERS_METRICS_CSV_FIELD_H
#define HANDLERS_METRICS_CSV_FIELD_H

#include "base/str.h"

/* YYYY-MM-DD; a time of midnight may follow, as 2020-01-02T00:00:00Z or 2020-01-02 00:00:00. */
bool metrics_csv_day(struct str text, int32_t *ret);

/* A decimal number with spaces around it or not; of a rate also per cent, as 1.5% for 0.015. */
bool metrics_csv_number(struct str text, bool is_rate, double *ret);

/* Which of a table's columns an unknown name is likely to mean, as "price" for Adj Close; ptr NULL: none. */
struct str metrics_csv_meaning(struct str name);

#endif
