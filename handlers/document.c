/* document.c - what every answer of one piece ends with: headers that say who may keep it, type, body. */
#include "handlers/document.h"

#include "handlers/negotiate.h"

static enum status reply_whole(struct request *request, int http_status, const char *media_type,
                               const struct buf *out)
{
    reply_type(request, http_status, media_type);
    reply_body(request, buf_str(out));
    return STATUS_OK;
}

enum status document_no_store(struct request *request, int http_status, const char *media_type,
                              const struct buf *out, struct err *err)
{
    if (out->failed)
        return err_out_of_memory(err);
    reply_header(request, "Cache-Control", "no-store");
    return reply_whole(request, http_status, media_type, out);
}

enum status document_tagged(struct request *request, int64_t generation, const char *cache_control,
                            const char *media_type, const struct buf *out, struct err *err)
{
    char tag[TAG_BYTES];
    if (out->failed)
        return err_out_of_memory(err);
    enum status s = tag_make(generation, buf_str(out), tag, err);
    if (s != STATUS_OK || reply_if_unchanged(request, tag, cache_control))
        return s;
    return reply_whole(request, 200, media_type, out);
}
