/*
 * redact.h - keys of sources do not get into logs, errors, addresses or the lake. Pure; any thread.
 */
#ifndef INGEST_REDACT_H
#define INGEST_REDACT_H

#include "base/str.h"

enum { REDACT_SECRET_MAX = 1024 };

/*
 * Writes '*' over every place of text where secret stands, as it is or percent-encoded; the length stays. A secret of fewer
 * than four bytes, or more than REDACT_SECRET_MAX, is none.
 */
void redact(char *text, size_t len, struct str secret);

#endif
