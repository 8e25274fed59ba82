/*
 * warnings.h - meta.warnings: what a reader must know before trusting an answer. One table, so that the
 * same warning has the same words everywhere.
 */
#ifndef HANDLERS_WARNINGS_H
#define HANDLERS_WARNINGS_H

#include "base/json_out.h"
#include "server/request.h"

enum warning {
    WARNING_SIMULATED,
    WARNING_SURVIVOR_BIAS,
    WARNING_UNMANAGED,
    WARNING_NOT_FINITE,
    WARNING_NO_RATE
};

/* Bit of the column quality: the instrument was chosen knowing that it survived. */
enum { QUALITY_SURVIVOR_BIASED = 16 };

/* What a price of that source and quality has to be accompanied by. */
unsigned warnings_of(struct str source, int64_t quality);

/* Bits 1 << WARNING_x of what is to be said. */
void warnings_put(struct json_out *json,
                  unsigned mask); /* "warnings":[{"code":...,"detail":...}] */

/* The same for answers without a place for it: Data-Warnings: simulated_data, survivorship. Nothing without any. */
enum { WARNINGS_TEXT_BYTES = 256 };
void warnings_header(struct request *request, unsigned mask);
void warnings_text(unsigned mask, char ret[WARNINGS_TEXT_BYTES]);

#endif
