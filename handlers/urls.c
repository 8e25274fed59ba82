/* urls.c - percent-encoding and next-page links. */
#include "handlers/urls.h"

#include <string.h>

void url_encode(struct buf *out, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        /* ':' and ',' are allowed in a query and keep uids and lists readable. */
        if (is_alnum || (c != '\0' && strchr("-._~:,", c) != NULL)) {
            buf_add_char(out, (char)c);
            continue;
        }
        buf_add_char(out, '%');
        buf_add_char(out, hex[c >> 4]);
        buf_add_char(out, hex[c & 15]);
    }
}

enum status url_with_cursor(struct request *request, struct str cursor, struct str *ret,
                            struct err *err)
{
    struct buf out;
    buf_init(&out, &request->arena, (size_t)64 * 1024);
    buf_add(&out, request->path);
    buf_add_char(&out, '?');
    for (size_t i = 0; i < request->n_params; i++) {
        if (str_eq_c(request->params[i].name, "cursor") ||
            str_eq_c(request->params[i].name, "offset"))
            continue; /* the cursor says where its page begins */
        url_encode(&out, request->params[i].name);
        buf_add_char(&out, '=');
        url_encode(&out, request->params[i].value);
        buf_add_char(&out, '&');
    }
    buf_add(&out, STR("cursor="));
    url_encode(&out, cursor);
    if (out.failed)
        return err_out_of_memory(err);
    *ret = buf_str(&out);
    return STATUS_OK;
}
