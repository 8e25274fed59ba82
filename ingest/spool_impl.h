/* spool_impl.h - what spool.c and spool_days.c share; for them alone. */
#ifndef INGEST_SPOOL_IMPL_H
#define INGEST_SPOOL_IMPL_H

#include "ingest/spool.h"

struct db *spool_database(struct spool *spool);

#endif
