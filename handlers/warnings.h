/*
 * warnings.h - meta.warnings: what a reader must know before trusting an answer. One table, so that the
 * same warning has the same words everywhere.
 */
#ifndef HANDLERS_WARNINGS_H
#define HANDLERS_WARNINGS_H

#include "base/json_out.h"

enum warning { WARNING_SIMULATED, WARNING_SURVIVOR_BIAS, WARNING_UNMANAGED };

void warnings_begin(struct json_out *json); /* "warnings":[ */
void warning_put(struct json_out *json, enum warning warning);
void warnings_end(struct json_out *json);

#endif
