/*
 * answer.h - the one way to answer a cacheable GET: validator first, then the caches, then the work.
 *
 * A handler reads its parameters, writes down in a struct answer all that its bytes depend on, and returns
 * answer(). What follows, each step only when the one before did not answer:
 *   304 from the tag alone · in-process cache, both on the polling thread when the route is LANE_QUICK
 *   · join an equal request that is already at work · Redis · produce, compress, keep in both caches
 */
#ifndef HANDLERS_ANSWER_H
#define HANDLERS_ANSWER_H

#include "server/request.h"
#include "store/catalog.h"

/*
 * Makes the reply on a worker: reply_type, reply_header, reply_body with bytes in the request's arena. The
 * type, the headers set here and the body are what is kept. Runs once for equal requests at the same time.
 */
typedef enum status produce_fn(struct request *request, void *cls, struct err *err);

struct answer {
    /*
     * The mart that is read, and its version: names the tag and the keys, and says when the next publish is
     * due. NULL for answers made from the catalogue itself. An unmanaged mart (version 0) is never kept: its
     * tag comes from the body.
     */
    const struct mart *mart;
    int64_t version;
    bool is_pinned; /* the address names the version: the answer never changes */

    /* Everything the bytes depend on but the encoding: the canonical query, the format, and the target where
     * the body repeats it. Equal text means equal bytes. */
    struct str identity;
    produce_fn *produce;

    /*
     * For an answer that is certain to be 200: sets its type and the headers that are known without the work,
     * which is all that HEAD needs. NULL when only the work shows whether there is anything.
     */
    produce_fn *head;
    void *cls;
};

/* version of a tag's first part; see negotiate.h for the headers it sets. */
enum status answer(struct request *request, const struct answer *answer, struct err *err);

#endif
