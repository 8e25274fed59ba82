/* ingest_schedules.h - the times at which data sets are worth asking for, as schedules. */
#ifndef HANDLERS_INGEST_SCHEDULES_H
#define HANDLERS_INGEST_SCHEDULES_H

#include "base/arena.h"
#include "store/db.h"

/* Makes a schedule of its own times (datasets.def) for each data set that no schedule names. */
enum status ingest_default_schedules(struct db *db, struct arena *arena, struct err *err) NODISCARD;

#endif
