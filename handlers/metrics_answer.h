/*
 * metrics_answer.h - measures a track record and writes the document of POST /v1/metrics.
 * Pure apart from the arena: no database, no clock.
 */
#ifndef HANDLERS_METRICS_ANSWER_H
#define HANDLERS_METRICS_ANSWER_H

#include "handlers/metrics_request.h"

/*
 * ret is made in the arena.
 * Errors: STATUS_NO_DATA, STATUS_BAD_SPEC (record.h), STATUS_TOO_LARGE, STATUS_OUT_OF_MEMORY.
 */
enum status metrics_answer(const struct metrics_request *request, struct arena *arena,
                           struct str *ret, struct err *err) NODISCARD;

#endif
