/* instrument.h - instruments named by a path or a parameter. */
#ifndef HANDLERS_INSTRUMENT_H
#define HANDLERS_INSTRUMENT_H

#include "server/request.h"
#include "store/instrument_store.h"

/* instrument_get for a uid that parameter named: UNKNOWN_INSTRUMENT with the nearest uid. */
enum status instrument_find(struct db *db, const char *parameter, struct str uid,
                            int64_t generation, struct arena *arena, struct instrument *ret,
                            struct err *err) NODISCARD;

/*
 * A when_empty_fn (rows_answer.h): a known instrument without rows is an empty list, an unknown one is
 * UNKNOWN_INSTRUMENT with the nearest uid.
 */
enum status instrument_must_exist(struct request *request, struct db *db, int64_t generation,
                                  struct err *err);

#endif
