/* krx.h - what the services of the KRX Open API share: a whole market for one day, in OutBlock_1. For krx*.c only. */
#ifndef INGEST_SOURCES_KRX_H
#define INGEST_SOURCES_KRX_H

#include "ingest/source.h"

/* The page is the day of the window. */
enum status krx_target(const char *service, const struct source_ask *ask, struct arena *arena,
                       struct source_target *ret, struct err *err) NODISCARD;
struct feed_verdict krx_judge(const struct feed_reply *reply);

typedef enum status krx_row_fn(struct json_val row, struct feed_writer *w, struct err *err);
enum status krx_parse(const struct source *source, krx_row_fn *parse_row,
                      const struct source_ask *ask, struct str body, struct feed_writer *w,
                      bool *ret_has_more, struct err *err) NODISCARD;

/* Prices, volumes and sizes of an ETF, and its index: the service names them as the page does (krx_web_etf.c). */
void krx_put_fund(struct feed_writer *w, struct json_val row);

#endif
