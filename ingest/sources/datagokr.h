/* datagokr.h - what the services of data.go.kr share: their envelope, their paging and how they refuse. Not for others. */
#ifndef INGEST_SOURCES_DATAGOKR_H
#define INGEST_SOURCES_DATAGOKR_H

#include "ingest/source.h"

enum status datagokr_target(const char *service, const struct source_ask *ask, struct arena *arena,
                            struct source_target *ret, struct err *err) NODISCARD;
struct feed_verdict datagokr_judge(const struct feed_reply *reply);

/* Writes the row of one item. */
typedef enum status datagokr_item_fn(struct json_val item, struct feed_writer *w, struct err *err);
enum status datagokr_parse(const struct source *source, datagokr_item_fn *parse_item,
                           struct str body, struct feed_writer *w, bool *ret_has_more,
                           struct err *err) NODISCARD;

#endif
