/* answer.c - validator, caches, work: the order in which a cacheable GET is answered. */
#include "handlers/answer.h"

#include "handlers/negotiate.h"

static const char *cache_control(const struct answer *answer)
{
    if (answer->is_pinned)
        return "public, max-age=31536000, immutable";
    bool is_versioned = answer->mart == NULL || answer->mart->is_managed;
    return is_versioned ? "public, max-age=60, stale-while-revalidate=600" : "no-cache";
}

/* Nothing but the body tells two states of an unmanaged mart apart. */
static enum status answer_by_content(struct request *request, const struct answer *answer,
                                     struct err *err)
{
    char tag[TAG_BYTES];
    enum status s = answer->produce(request, answer->cls, err);
    if (s == STATUS_OK)
        s = tag_make(0, request->reply.body, tag, err);
    if (s == STATUS_OK && reply_if_unchanged(request, tag, cache_control(answer)))
        reply_body(request, STR(""));
    return s;
}

enum status answer(struct request *request, const struct answer *answer, struct err *err)
{
    if (answer->mart != NULL && !answer->mart->is_managed)
        return answer_by_content(request, answer, err);
    char tag[TAG_BYTES];
    enum status s = tag_make(answer->version, answer->identity, tag, err);
    if (s != STATUS_OK || reply_if_known(request, tag, cache_control(answer)))
        return s;
    s = answer->produce(request, answer->cls, err);
    if (s == STATUS_OK && reply_if_unchanged(request, tag, cache_control(answer)))
        reply_body(request, STR("")); /* If-None-Match: * */
    return s;
}
