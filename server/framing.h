/*
 * framing.h - the first guard: may this header block be trusted to say where the request ends?
 * The library below ignores what it cannot parse (a space before a colon, a folded or doubled length) and
 * would then run a body as a second request, so every doubt is refused and the connection closed.
 * Pure; callable from any thread.
 */
#ifndef SERVER_FRAMING_H
#define SERVER_FRAMING_H

#include "server/request.h"

enum { FRAMING_HEADER_BYTES_MAX = 16 * 1024 };

struct framing_head {
    struct str method, version;
    const struct header *headers; /* the first REQUEST_HEADERS_MAX of them */
    size_t n_headers;             /* as received, may be more than that */
    bool is_cut;                  /* a name or value did not survive parsing: it held a NUL */
};

struct framing {
    enum method method;
    uint64_t content_length;
    bool has_length;
    bool is_chunked;
    bool expects_continue;
    bool is_http_10;
    bool must_close; /* every answer to this request ends the connection */
};

/*
 * ret is filled as far as known even when the head is refused; must_close is then set.
 * Errors: STATUS_BAD_REQUEST (a name that is no token, a control character in a value, more than one of
 * Content-Length and Transfer-Encoding, a length that is no number, a name that merely starts like one of
 * the framing headers, not exactly one valid Host - HTTP/1.0 may have none -, Transfer-Encoding in
 * HTTP/1.0), STATUS_HTTP_VERSION, STATUS_NOT_IMPLEMENTED (method, or a coding other than chunked),
 * STATUS_HEADERS_TOO_LARGE, STATUS_EXPECTATION_FAILED (the only one that leaves the framing trusted).
 */
enum status framing_check(const struct framing_head *head, struct framing *ret, struct err *err)
    NODISCARD;

/* A method or header name: one or more of RFC 9110's tchar. */
bool framing_is_token(struct str s);

#endif
