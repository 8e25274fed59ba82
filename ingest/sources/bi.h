/* bi.h - what the price lists of Markets Insider share; in bi_bond.c. */
#ifndef INGEST_SOURCES_BI_H
#define INGEST_SOURCES_BI_H

#include "ingest/source.h"

struct feed_verdict bi_judge(const struct feed_reply *reply);

/* A list of daily bars of what was asked for, its dates in this form. */
enum status bi_parse(const struct source *source, enum feed_spelling dates,
                     const struct source_ask *ask, struct str body, struct feed_writer *w,
                     bool *ret_has_more, struct err *err) NODISCARD;

#endif
