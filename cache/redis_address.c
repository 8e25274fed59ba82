/* redis_address.c - the URLs of Redis. */
#include "cache/redis_address.h"

#include <string.h>

static bool put_text(char *to, struct str text)
{
    if (text.len >= REDIS_ADDRESS_BYTES || memchr(text.ptr, '\0', text.len) != NULL)
        return false;
    memcpy(to, text.ptr, text.len);
    to[text.len] = '\0';
    return true;
}

static bool put_number(struct str text, int64_t max, int *ret)
{
    int64_t value;
    if (!str_to_i64(text, &value) || value < 0 || value > max)
        return false;
    *ret = (int)value;
    return true;
}

static bool parse_unix(struct str rest, struct redis_address *ret)
{
    ret->is_unix = true;
    size_t mark = str_find(rest, '?', 0);
    struct str query = mark == rest.len ? STR_NONE : str_sub(rest, mark + 1, rest.len);
    struct str path = str_sub(rest, 0, mark);
    if (path.len == 0 || path.ptr[0] != '/' || !put_text(ret->host, path))
        return false;
    return query.ptr == NULL || (str_starts(query, STR("db=")) &&
                                 put_number(str_sub(query, 3, query.len), 1 << 20, &ret->database));
}

static bool parse_user(struct str who, struct redis_address *ret)
{
    size_t colon = str_find(who, ':', 0);
    struct str password = colon == who.len ? STR("") : str_sub(who, colon + 1, who.len);
    return put_text(ret->user, str_sub(who, 0, colon)) && put_text(ret->password, password);
}

static bool parse_tcp(struct str rest, struct redis_address *ret)
{
    size_t slash = str_find(rest, '/', 0);
    struct str database = slash == rest.len ? STR("") : str_sub(rest, slash + 1, rest.len);
    struct str where = str_sub(rest, 0, slash);
    size_t at = where.len; /* the last '@': a password may hold one */
    while (at > 0 && where.ptr[at - 1] != '@')
        at--;
    if (at > 0 && !parse_user(str_sub(where, 0, at - 1), ret))
        return false;
    where = str_sub(where, at, where.len);
    size_t colon = where.len; /* the last ':', unless it is within [::1] */
    while (colon > 0 && where.ptr[colon - 1] != ':' && where.ptr[colon - 1] != ']')
        colon--;
    bool has_port = colon > 0 && where.ptr[colon - 1] == ':';
    struct str host = has_port ? str_sub(where, 0, colon - 1) : where;
    struct str port = has_port ? str_sub(where, colon, where.len) : STR("6379");
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = str_sub(host, 1, host.len - 1);
    return host.len > 0 && put_text(ret->host, host) && put_number(port, 65535, &ret->port) &&
           (database.len == 0 || put_number(database, 1 << 20, &ret->database));
}

bool redis_address_parse(struct str url, struct redis_address *ret)
{
    *ret = (struct redis_address){.port = 6379};
    if (str_starts(url, STR("unix://")))
        return parse_unix(str_sub(url, 7, url.len), ret);
    ret->is_tls = str_starts(url, STR("rediss://"));
    size_t start = ret->is_tls ? 9 : 8;
    return (ret->is_tls || str_starts(url, STR("redis://"))) &&
           parse_tcp(str_sub(url, start, url.len), ret);
}
