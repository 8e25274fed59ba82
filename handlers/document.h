/*
 * document.h - the last step of an answer that was written as a whole into one buffer. out lives in the
 * request's arena; OUT_OF_MEMORY when it did not fit.
 */
#ifndef HANDLERS_DOCUMENT_H
#define HANDLERS_DOCUMENT_H

#include "server/request.h"

/* For the caller and for now: no cache may keep it. */
enum status document_no_store(struct request *request, int http_status, const char *media_type,
                              const struct buf *out, struct err *err) NODISCARD;

/*
 * With a tag made from the bytes, and 304 for whoever has them. generation is the tag's first part: of the data
 * that the document is about, or 0.
 */
enum status document_tagged(struct request *request, int64_t generation, const char *cache_control,
                            const char *media_type, const struct buf *out, struct err *err)
    NODISCARD;

#endif
