/*
 * series_file.h - economic series out of a CSV file, for runs on a file of prices (price_file.h). Plain or gzip. The header
 * names these, in any order, and the rows come in any order:
 *
 *   id        CODE:COUNTRY:FREQUENCY, as in CPILFESL:USA:M; "indicator:" before it is allowed
 *   date      the last day of the period that the value is of
 *   value     in the unit of the series, as per cent a year; a finite number
 *   known_at  when it was published: an instant (YYYY-MM-DDTHH:MM:SSZ), or a day, whose end it is then, so that a decision
 *             at the close of that day does not know it yet; not before date
 *
 * Revisions are further rows of the same date. One thread; everything lives in the arena.
 */
#ifndef HANDLERS_SERIES_FILE_H
#define HANDLERS_SERIES_FILE_H

#include "backtest/spec.h"
#include "handlers/price_file.h"

enum { SERIES_FILE_IDS_MAX = 1000 };

/* Adds the series to file->market, and what answers call them. Errors: those of price_file_read. */
enum status series_file_read(const char *path, struct arena *arena, struct price_file *file,
                             struct err *err) NODISCARD;

/* One of them; UNKNOWN_ASSET names the place of wanted and the nearest one. */
enum status series_file_find(const struct price_file *file, const struct spec_indicator *wanted,
                             struct rate_series *ret, struct err *err) NODISCARD;

#endif
