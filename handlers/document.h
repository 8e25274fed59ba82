/*
 * document.h - the first and the last step of an answer that is written as a whole into one buffer. out lives in the
 * request's arena; OUT_OF_MEMORY when it did not fit.
 */
#ifndef HANDLERS_DOCUMENT_H
#define HANDLERS_DOCUMENT_H

#include "base/json_out.h"
#include "handlers/negotiate.h"

/* Begins {"data": in a buffer of at most max_bytes: the value of "data" comes next, then other members, then the end. */
void document_begin(struct request *request, size_t max_bytes, struct buf *ret_out,
                    struct json_out *ret_json);
void document_end(struct json_out *json); /* of the outermost object, and the line */

/* For the caller and for now: no cache may keep it. */
enum status document_no_store(struct request *request, int http_status, const char *media_type,
                              const struct buf *out, struct err *err) NODISCARD;

/*
 * In the content coding that the client prefers (NOT_ACCEPTABLE: none), under tag, which gets the coding's suffix; 304
 * for whoever has it. Equal tags mean equal bodies: what was packed is kept in the in-process cache.
 */
enum status document_named(struct request *request, char tag[TAG_BYTES], const char *cache_control,
                           const char *media_type, struct str body, struct err *err) NODISCARD;

/*
 * The same with a tag made from the bytes. generation is the tag's first part: of the data
 * that the document is about, or 0.
 */
enum status document_tagged(struct request *request, int64_t generation, const char *cache_control,
                            const char *media_type, const struct buf *out, struct err *err)
    NODISCARD;

#endif
