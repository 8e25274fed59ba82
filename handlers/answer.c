/* answer.c - validator, caches, work: the order in which a cacheable GET is answered. */
#include "handlers/answer.h"

#include "handlers/encoding.h"
#include "handlers/negotiate.h"

#include <stdio.h>

static const char *cache_control(const struct answer *answer)
{
    if (answer->is_pinned)
        return "public, max-age=31536000, immutable";
    bool is_versioned = answer->mart == NULL || answer->mart->is_managed;
    return is_versioned ? "public, max-age=60, stale-while-revalidate=600" : "no-cache";
}

static void add_suffix(char tag[TAG_BYTES], enum encoding encoding)
{
    size_t len = str_of(tag).len;
    (void)snprintf(tag + len, TAG_BYTES - len, "%s", encoding_suffix(encoding));
}

static enum status compress(struct request *request, enum encoding encoding, struct err *err)
{
    struct str packed;
    if (encoding == ENCODING_IDENTITY)
        return STATUS_OK;
    enum status s = encode_pack(encoding, request->reply.body, &request->arena, &packed, err);
    if (s != STATUS_OK)
        return s;
    reply_header(request, "Content-Encoding", "%s", encoding_name(encoding));
    reply_body(request, packed);
    return STATUS_OK;
}

/* Nothing but the body tells two states of an unmanaged mart apart. */
static enum status answer_by_content(struct request *request, const struct answer *answer,
                                     enum encoding encoding, struct err *err)
{
    char tag[TAG_BYTES];
    enum status s = answer->produce(request, answer->cls, err);
    if (s == STATUS_OK)
        s = tag_make(0, request->reply.body, tag, err);
    if (s != STATUS_OK)
        return s;
    add_suffix(tag, encoding);
    if (!reply_if_unchanged(request, tag, cache_control(answer)))
        return compress(request, encoding, err);
    reply_body(request, STR(""));
    return STATUS_OK;
}

enum status answer(struct request *request, const struct answer *answer, struct err *err)
{
    enum encoding encoding;
    enum status s = encoding_choose(request, &encoding, err);
    if (s != STATUS_OK)
        return s;
    if (answer->mart != NULL && !answer->mart->is_managed)
        return answer_by_content(request, answer, encoding, err);
    char tag[TAG_BYTES];
    s = tag_make(answer->version, answer->identity, tag, err);
    if (s != STATUS_OK)
        return s;
    add_suffix(tag, encoding);
    if (reply_if_known(request, tag, cache_control(answer)))
        return STATUS_OK;
    s = answer->produce(request, answer->cls, err);
    if (s != STATUS_OK)
        return s;
    if (!reply_if_unchanged(request, tag, cache_control(answer)))
        return compress(request, encoding, err);
    reply_body(request, STR("")); /* If-None-Match: * */
    return STATUS_OK;
}
