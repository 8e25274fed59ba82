/* gold_marts.h - the marts that the warehouse publishes, and which data sets feed each (gold_marts.def). Constant; any thread. */
#ifndef INGEST_GOLD_MARTS_H
#define INGEST_GOLD_MARTS_H

#include "base/str.h"

enum {
#define MART(name, feeds) GOLD_##name,
#include "ingest/gold_marts.def"
    GOLD_MARTS
};

extern const struct gold_mart {
    const char *name;
    const char *feeds; /* as gold_marts.def has them */
} gold_marts[GOLD_MARTS];

bool gold_mart_is_fed_by(const struct gold_mart *mart, struct str dataset);

#endif
