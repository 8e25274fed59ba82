/* framing.c - the rules that stand between a parsed header block and everything that believes it. */
#include "server/framing.h"

#include "server/router.h"
#include "server/target.h"

#include <string.h>

struct count {
    unsigned length, encoding, host, expect;
    struct str length_value, encoding_value, host_value, expect_value;
};

static enum status refuse(struct str name, const char *why, struct err *err)
{
    enum status s = err_set(err, STATUS_BAD_REQUEST, "Header \"%.*s\" %s.",
                            STR_ARG(str_utf8_cut(name, 64)), why);
    err_at(err, ERR_HEADER, name, STR_NONE);
    return s;
}

static bool is_token_char(char c)
{
    static const char others[] = "!#$%&'*+.^_`|~";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           memchr(others, c, sizeof others - 1) != NULL;
}

bool framing_is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_token_char(s.ptr[i]))
            return false;
    return s.len > 0;
}

static bool has_control(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

/* Counts name when it is wanted; false when it only starts like it ("Content-Length2", "Host_"). */
static bool note(const struct header *header, struct str wanted, unsigned *count, struct str *value)
{
    if (header->name.len < wanted.len ||
        !str_eq_nocase(str_sub(header->name, 0, wanted.len), wanted))
        return true;
    if (header->name.len > wanted.len)
        return false;
    *count += 1;
    *value = str_trim(header->value);
    return true;
}

static enum status walk(const struct framing_head *head, struct count *count, struct err *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < head->n_headers && i < REQUEST_HEADERS_MAX; i++) {
        const struct header *header = &head->headers[i];
        bytes += header->name.len + header->value.len + 4;
        if (!framing_is_token(header->name))
            return refuse(header->name, "is not a valid header name", err);
        if (has_control(header->value))
            return refuse(header->name, "has a control character in its value", err);
        if (!note(header, STR("Content-Length"), &count->length, &count->length_value) ||
            !note(header, STR("Transfer-Encoding"), &count->encoding, &count->encoding_value) ||
            !note(header, STR("Host"), &count->host, &count->host_value))
            return refuse(header->name, "looks like a header that frames the request", err);
        if (str_eq_nocase(header->name, STR("Expect"))) {
            count->expect++;
            count->expect_value = str_trim(header->value);
        }
    }
    if (head->n_headers > REQUEST_HEADERS_MAX || bytes > FRAMING_HEADER_BYTES_MAX) {
        enum status s = err_set(err, STATUS_HEADERS_TOO_LARGE,
                                "The request has too many headers or too long ones.");
        err_allow(err, "at most %d headers of %d bytes together", REQUEST_HEADERS_MAX,
                  FRAMING_HEADER_BYTES_MAX);
        return s;
    }
    return STATUS_OK;
}

static bool read_length(struct str value, uint64_t *ret)
{
    int64_t length = 0;
    if (value.len == 0 || value.ptr[0] == '-' || !str_to_i64(value, &length))
        return false;
    *ret = (uint64_t)length;
    return true;
}

/* Where does the request end? */
static enum status check_end(const struct count *count, bool is_http_10, struct framing *ret,
                             struct err *err)
{
    if (count->length + count->encoding > 1)
        return refuse(count->length > 0 ? STR("Content-Length") : STR("Transfer-Encoding"),
                      "is repeated or contradicted by another one", err);
    if (count->length == 1 && !read_length(count->length_value, &ret->content_length))
        return refuse(STR("Content-Length"), "is not a number", err);
    if (count->encoding == 1 && is_http_10)
        return refuse(STR("Transfer-Encoding"), "does not exist in HTTP/1.0", err);
    ret->has_length = count->length == 1;
    if (count->encoding == 0)
        return STATUS_OK;
    if (!str_eq_nocase(count->encoding_value, STR("chunked"))) {
        enum status s =
            err_set(err, STATUS_NOT_IMPLEMENTED, "This transfer coding is not implemented.");
        err_at(err, ERR_HEADER, STR("Transfer-Encoding"), count->encoding_value);
        err_allow(err, "chunked");
        return s;
    }
    ret->is_chunked = true;
    return STATUS_OK;
}

static enum status check_line(const struct framing_head *head, struct framing *ret, struct err *err)
{
    if (!str_eq_c(head->version, "HTTP/1.1") && !str_eq_c(head->version, "HTTP/1.0")) {
        enum status s = err_set(err, STATUS_HTTP_VERSION, "This version of HTTP is not supported.");
        err_allow(err, "HTTP/1.1, HTTP/1.0");
        return s;
    }
    if (!method_parse(head->method, &ret->method)) {
        enum status s = err_set(err, STATUS_NOT_IMPLEMENTED, "Method \"%.*s\" is not implemented.",
                                STR_ARG(str_utf8_cut(head->method, 32)));
        err_allow(err, "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS");
        return s;
    }
    return STATUS_OK;
}

static enum status check_host(const struct count *count, bool is_http_10, struct err *err)
{
    if (count->host == 0 && is_http_10)
        return STATUS_OK; /* RFC 9112 asks for Host from HTTP/1.1 on */
    if (count->host != 1)
        return refuse(STR("Host"), "must be sent exactly once", err);
    if (!target_is_authority(count->host_value))
        return refuse(STR("Host"), "is not a host name with an optional port", err);
    return STATUS_OK;
}

enum status framing_check(const struct framing_head *head, struct framing *ret, struct err *err)
{
    struct count count = {0};
    *ret = (struct framing){.method = METHOD_GET, .must_close = true};
    if (head->is_cut)
        return err_set(err, STATUS_BAD_REQUEST, "A header holds a NUL byte.");
    enum status s = walk(head, &count, err);
    if (s != STATUS_OK)
        return s;
    bool is_http_10 = str_eq_c(head->version, "HTTP/1.0");
    ret->is_http_10 = is_http_10;
    s = check_end(&count, is_http_10, ret, err);
    if (s == STATUS_OK)
        s = check_line(head, ret, err);
    if (s == STATUS_OK)
        s = check_host(&count, is_http_10, err);
    if (s != STATUS_OK)
        return s;
    /* Bare line feeds and a NUL in the request line cannot be seen from here; a body behind one is only
     * dangerous on a connection that stays open. */
    ret->must_close = (ret->method != METHOD_GET && ret->method != METHOD_HEAD) ||
                      ret->has_length || ret->is_chunked;
    if (count.expect > 0) {
        ret->expects_continue =
            count.expect == 1 && str_eq_nocase(count.expect_value, STR("100-continue"));
        if (!ret->expects_continue) {
            s = err_set(err, STATUS_EXPECTATION_FAILED, "This expectation cannot be met.");
            err_at(err, ERR_HEADER, STR("Expect"), count.expect_value);
            err_allow(err, "100-continue");
        }
    }
    return s;
}
