/* transport_impl.h - what transport.c and transport_request.c share; for them alone. */
#ifndef INGEST_TRANSPORT_IMPL_H
#define INGEST_TRANSPORT_IMPL_H

#include "base/arena.h"
#include "ingest/transport.h"

#include <curl/curl.h>

/* An address taken apart as far as needed here. */
struct transport_origin {
    char scheme[8], host[256], port[8];
};

/* Errors: BAD_VALUE unless it is http or https and printable; OUT_OF_MEMORY. */
enum status transport_find_origin(const char *address, struct transport_origin *ret,
                                  struct err *err) NODISCARD;

/* *list may hold a part after an error; the caller frees it. Errors: BAD_VALUE, OUT_OF_MEMORY. */
enum status transport_make_headers(struct arena *arena, const struct transport_request *request,
                                   bool is_same_origin, struct curl_slist **list, struct err *err)
    NODISCARD;

/* All but callbacks and headers. total_ms 0: no limit. */
void transport_set_options(CURL *curl, const struct transport_request *request, const char *url,
                           long total_ms);
void transport_set_method(CURL *curl, const struct transport_request *request, const char *method);

#endif
