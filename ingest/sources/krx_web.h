/* krx_web.h - what the pages of the Korean exchange share: a form that is posted, rows under a name. Not for others. */
#ifndef INGEST_SOURCES_KRX_WEB_H
#define INGEST_SOURCES_KRX_WEB_H

#include "ingest/source.h"

/* Posts form to path. */
enum status krx_web_target(const char *path, const struct buf *form, struct source_target *ret,
                           struct err *err) NODISCARD;
struct feed_verdict krx_web_judge(const struct feed_reply *reply);

/* *ret: the rows under name, which may be empty. The document is the caller's. */
enum status krx_web_rows(const struct source *source, struct str body, const char *name,
                         struct arena *arena, struct json_doc **ret_doc, struct json_val *ret,
                         struct err *err) NODISCARD;

/* YYYYMMDD */
void krx_web_add_day(struct buf *form, int32_t date);

#endif
