/* lake_s3.c - the lake on S3: what its settings say, opened and closed, and the calls that the other files make. */
#include "ingest/lake_s3_impl.h"

#include "base/date.h"
#include "base/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status is_wrong(const char *what, const char *setting, const char *value,
                            struct err *err)
{
    (void)err_set(err, STATUS_CONFIG, "%s", what);
    err_at(err, ERR_SETTING, str_of(setting), str_of(value));
    return STATUS_CONFIG;
}

static bool is_name(struct str s, const char *others)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && strchr(others, c) == NULL)
            return false;
    }
    return s.len > 0;
}

/* "s3://bucket/prefix" into bucket and "prefix/". */
static enum status read_address(struct lake_s3 *lake, const char *address, struct err *err)
{
    struct str rest = str_of(address);
    if (!str_starts(rest, STR("s3://")))
        return is_wrong("The address has to start with s3://.", "lake", address, err);
    rest = str_sub(rest, 5, rest.len);
    size_t slash = str_find(rest, '/', 0);
    struct str bucket = str_sub(rest, 0, slash), prefix = str_sub(rest, slash + 1, rest.len);
    while (prefix.len > 0 && prefix.ptr[prefix.len - 1] == '/')
        prefix.len--;
    bool is_good = bucket.len >= 3 && bucket.len < sizeof lake->bucket && is_name(bucket, ".-") &&
                   prefix.len + 2 < sizeof lake->prefix &&
                   (prefix.len == 0 || is_name(prefix, "./-_=")) && prefix.ptr[0] != '/';
    if (!is_good) {
        (void)is_wrong("That is no bucket with a prefix.", "lake", address, err);
        err_allow(err,
                  "s3://bucket/prefix; letters, digits, '.', '-'; in the prefix '_', '=' and '/'");
        return STATUS_CONFIG;
    }
    memcpy(lake->bucket, bucket.ptr, bucket.len);
    (void)snprintf(lake->prefix, sizeof lake->prefix, "%.*s%s", STR_ARG(prefix),
                   prefix.len > 0 ? "/" : "");
    return STATUS_OK;
}

/* Scheme and host of all requests, with the bucket's name in it or not. */
static enum status read_endpoint(struct lake_s3 *lake, const char *endpoint, const char *region,
                                 enum lake_s3_style style, struct err *err)
{
    char whole[AWS_URL_MAX];
    bool is_aws = endpoint[0] == '\0', has_dots = strchr(lake->bucket, '.') != NULL;
    int n = is_aws ? snprintf(whole, sizeof whole, "https://s3.%s.amazonaws.com%s", region,
                              strncmp(region, "cn-", 3) == 0 ? ".cn" : "")
                   : snprintf(whole, sizeof whole, "%s", endpoint);
    size_t length = (size_t)n;
    while (length > 0 && length < sizeof whole && whole[length - 1] == '/')
        whole[--length] = '\0';
    const char *host = strncmp(whole, "https://", 8) == 0  ? whole + 8
                       : strncmp(whole, "http://", 7) == 0 ? whole + 7
                                                           : NULL;
    if (host == NULL || length >= sizeof whole || !is_name(str_of(host), ".-:[]"))
        return is_wrong("That is no address of a server: a scheme, a host, and a port if need be.",
                        "s3_endpoint", endpoint, err);
    lake->has_path_style =
        style == LAKE_S3_PATH || (style == LAKE_S3_AUTO && (!is_aws || has_dots));
    if (lake->has_path_style)
        (void)snprintf(lake->base, sizeof lake->base, "%s", whole);
    else
        (void)snprintf(lake->base, sizeof lake->base, "%.*s%s.%s", (int)(host - whole), whole,
                       lake->bucket, host);
    return STATUS_OK;
}

static void close_lake(struct lake *lake)
{
    struct lake_s3 *s3 = (struct lake_s3 *)lake;
    aws_freep(&s3->aws);
    aws_credentials_freep(&s3->credentials);
    free(s3->costs);
    free(s3);
}

static enum status remove_object(struct lake *lake, const char *key, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    char path[LAKE_S3_PATH_MAX];
    struct aws_answer answer;
    struct lake_s3 *s3 = (struct lake_s3 *)lake;
    const struct aws_call call = lake_s3_call(s3, "DELETE", key, path, NULL);
    arena_init(&arena, LAKE_S3_ARENA_BYTES);
    return aws_send(s3->aws, &call, &arena, &answer, err);
}

static void address_of(const struct lake *lake, const char *key, char ret[LAKE_ADDRESS_MAX])
{
    const struct lake_s3 *s3 = (const struct lake_s3 *)lake;
    (void)snprintf(ret, LAKE_ADDRESS_MAX, "s3://%s/%s%s", s3->bucket, s3->prefix, key);
}

static void cost_of(const struct lake *lake, struct lake_cost *ret)
{
    const struct lake_s3 *s3 = (const struct lake_s3 *)lake;
    for (size_t i = 0; i < LAKE_REQUESTS; i++) {
        ret->requests[i] = atomic_load(&s3->costs[i].requests);
        ret->bytes += atomic_load(&s3->costs[i].bytes);
    }
}

static const struct lake_ops s3_ops = {lake_s3_put,  lake_s3_head,  lake_s3_get,
                                       lake_s3_list, remove_object, lake_s3_tidy,
                                       address_of,   close_lake,    cost_of};

enum status lake_open_s3(const char *address, const struct lake_s3_options *options,
                         struct lake **ret, struct err *err)
{
    struct aws_login login = options->login;
    login.region = aws_region_of(&login);
    struct lake_s3 *lake = calloc(1, sizeof *lake);
    if (lake != NULL)
        lake->costs = calloc(LAKE_REQUESTS, sizeof *lake->costs);
    if (lake == NULL || lake->costs == NULL) {
        free(lake);
        return err_out_of_memory(err);
    }
    lake->lake.ops = &s3_ops;
    lake->page_keys = options->page_keys > 0 && options->page_keys < LAKE_S3_PAGE_KEYS
                          ? options->page_keys
                          : LAKE_S3_PAGE_KEYS;
    enum status s = read_address(lake, address, err);
    if (s == STATUS_OK && (!is_name(str_of(login.region), "-") || strlen(login.region) > 40))
        s = is_wrong("That is no region.", "aws_region", login.region, err);
    if (s == STATUS_OK)
        s = read_endpoint(lake, options->endpoint, login.region, options->style, err);
    if (s == STATUS_OK)
        s = aws_credentials_new(&login, &lake->credentials, err);
    const struct aws_options client = {login.region, login.ca_file, lake->credentials, false};
    if (s == STATUS_OK)
        s = aws_new(&client, &lake->aws, err);
    if (s != STATUS_OK) {
        close_lake(&lake->lake);
        return s;
    }
    *ret = &lake->lake;
    return STATUS_OK;
}

struct aws_call lake_s3_call(const struct lake_s3 *lake, const char *method, const char *key,
                             char path[LAKE_S3_PATH_MAX], const struct stop *stop)
{
    int n = snprintf(path, LAKE_S3_PATH_MAX, "/%s%s%s%s", lake->has_path_style ? lake->bucket : "",
                     lake->has_path_style && key[0] != '\0' ? "/" : "",
                     key[0] == '\0' ? "" : lake->prefix, key);
    enum lake_request kind = key[0] == '\0'                                 ? LAKE_LIST
                             : strcmp(method, "DELETE") == 0                ? LAKE_FREE
                             : strcmp(method, "GET") == 0 || *method == 'H' ? LAKE_GET
                                                                            : LAKE_PUT;
    return (struct aws_call){.service = STR("s3"),
                             .cost = &lake->costs[kind],
                             .base = str_of(lake->base),
                             .method = str_of(method),
                             .path = {path, (size_t)n},
                             .stop = stop};
}
