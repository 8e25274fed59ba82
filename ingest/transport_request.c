/* transport_request.c - what goes out: an address taken apart, the list of headers, libcurl's options. */
#include "ingest/transport_impl.h"

#include <string.h>

static bool part_of(CURLU *url, CURLUPart part, char *ret, size_t size)
{
    char *text = NULL;
    bool fits =
        curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK && strlen(text) < size;
    if (fits)
        memcpy(ret, text, strlen(text) + 1);
    curl_free(text);
    return fits;
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= 0x20 || (unsigned char)*text >= 0x7f)
            return false;
    return true;
}

enum status transport_find_origin(const char *address, struct transport_origin *ret,
                                  struct err *err)
{
    CURLU *url = curl_url();
    if (url == NULL)
        return err_out_of_memory(err);
    bool is_good = is_printable(address) &&
                   curl_url_set(url, CURLUPART_URL, address, CURLU_PATH_AS_IS) == CURLUE_OK &&
                   part_of(url, CURLUPART_SCHEME, ret->scheme, sizeof ret->scheme) &&
                   part_of(url, CURLUPART_HOST, ret->host, sizeof ret->host) &&
                   part_of(url, CURLUPART_PORT, ret->port, sizeof ret->port) &&
                   (strcmp(ret->scheme, "https") == 0 || strcmp(ret->scheme, "http") == 0);
    curl_url_cleanup(url);
    return is_good ? STATUS_OK
                   : err_set(err, STATUS_BAD_VALUE, "That is no address of http or https.");
}

/* "name: value" for libcurl; an empty value is written "name;". */
static enum status add_header(struct arena *arena, struct curl_slist **list, struct str name,
                              struct str value, struct err *err)
{
    struct buf line;
    buf_init(&line, arena, TRANSPORT_HEAD_BYTES);
    buf_add(&line, name);
    buf_add_c(&line, value.len > 0 ? ": " : ";");
    buf_add(&line, value);
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < 0x20)
            return err_set(err, STATUS_BAD_VALUE, "A header holds a control character.");
    const char *text = buf_c_str(&line);
    struct curl_slist *longer = text == NULL ? NULL : curl_slist_append(*list, text);
    if (longer == NULL)
        return err_out_of_memory(err);
    *list = longer;
    return STATUS_OK;
}

static bool is_given(const struct transport_request *request, struct str name)
{
    for (size_t i = 0; i < request->n_headers; i++)
        if (str_eq_nocase(request->headers[i].name, name))
            return true;
    return false;
}

/* Headers to be sent; those that libcurl would add of its own are taken out ("name:"). */
enum status transport_make_headers(struct arena *arena, const struct transport_request *request,
                                   bool is_same_origin, struct curl_slist **list, struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; s == STATUS_OK && i < request->n_headers; i++) {
        struct str name = request->headers[i].name;
        if (is_same_origin || str_eq_nocase(name, STR("accept")) ||
            str_eq_nocase(name, STR("user-agent")))
            s = add_header(arena, list, name, request->headers[i].value, err);
    }
    if (s == STATUS_OK && !is_given(request, STR("user-agent")))
        s = add_header(arena, list, STR("User-Agent"), STR("cmmc/" CMMC_VERSION), err);
    if (s == STATUS_OK && request->takes_gzip)
        s = add_header(arena, list, STR("Accept-Encoding"), STR("gzip"), err);
    const char *unwanted[] = {"Accept", "Content-Type"};
    for (size_t i = 0; s == STATUS_OK && i < ARRAY_LEN(unwanted); i++) {
        char line[32];
        struct buf out;
        buf_init_fixed(&out, line, sizeof line);
        buf_printf(&out, "%s:", unwanted[i]);
        if (is_given(request, str_of(unwanted[i])))
            continue;
        struct curl_slist *longer = curl_slist_append(*list, buf_c_str(&out));
        if (longer == NULL)
            return err_out_of_memory(err);
        *list = longer;
    }
    return s;
}

void transport_set_method(CURL *curl, const struct transport_request *request, const char *method)
{
    (void)curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    if (strcmp(method, "HEAD") == 0)
        (void)curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    if (request->read != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        (void)curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_bytes);
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
}

void transport_set_options(CURL *curl, const struct transport_request *request, const char *url,
                           long total_ms)
{
    const struct transport_limits *limits = &request->limits;
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)limits->connect_ms);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, total_ms);
    (void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)limits->slow_bytes_s);
    (void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)limits->slow_s);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    if (request->is_direct)
        (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
}

enum status transport_read_str(void *from, char *room, size_t size, size_t *ret_n, struct err *err)
{
    struct str *rest = from;
    size_t n = rest->len < size ? rest->len : size;
    (void)err;
    if (n > 0)
        memcpy(room, rest->ptr, n);
    *rest = str_sub(*rest, n, rest->len);
    *ret_n = n;
    return STATUS_OK;
}
