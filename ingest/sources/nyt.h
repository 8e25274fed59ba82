/* nyt.h - what the two endpoints of the New York Times share: their articles, and how they refuse. Not for others. */
#ifndef INGEST_SOURCES_NYT_H
#define INGEST_SOURCES_NYT_H

#include "ingest/source.h"

struct feed_verdict nyt_judge(const struct feed_reply *reply);

/* response.docs of the body; *ret_n articles. */
enum status nyt_parse(const struct source *source, struct str body, struct feed_writer *w,
                      size_t *ret_n, struct err *err) NODISCARD;

#endif
