/* lake_s3_list.c - the lake on S3 listed by prefix and day: pages of ListObjectsV2, jumping over days not asked for. */
#include "ingest/lake_s3_impl.h"

#include "base/date.h"
#include "base/stop.h"
#include "ingest/xml_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_ARENA_BYTES = 16 << 20, NAME_BYTES = LAKE_S3_PATH_MAX };

struct item {
    struct str key; /* whole, with the lake's prefix */
    int64_t bytes;
};

struct page {
    struct arena arena;
    struct item items[LAKE_S3_PAGE_KEYS];
    size_t n;
    bool is_encoded, is_truncated;
};

static void free_pagep(struct page **page)
{
    if (*page != NULL)
        arena_clear(&(*page)->arena);
    free(*page);
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Keys come escaped as in addresses, because XML cannot hold every byte. */
static size_t unescape(char *text, size_t n)
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        bool is_escape =
            text[i] == '%' && i + 2 < n && digit_of(text[i + 1]) >= 0 && digit_of(text[i + 2]) >= 0;
        if (is_escape) {
            text[to++] = (char)(digit_of(text[i + 1]) * 16 + digit_of(text[i + 2]));
            i += 2;
        } else {
            text[to++] = text[i] == '+' ? ' ' : text[i];
        }
    }
    return to;
}

static enum status on_element(void *to, struct str path, struct str text, struct err *err)
{
    struct page *page = to;
    struct item *item = &page->items[page->n < LAKE_S3_PAGE_KEYS ? page->n : LAKE_S3_PAGE_KEYS - 1];
    if (str_eq_c(path, "ListBucketResult/Contents/Key")) {
        char *copy = arena_dup(&page->arena, text);
        if (copy == NULL)
            return err_out_of_memory(err);
        item->key = (struct str){copy, text.len};
    } else if (str_eq_c(path, "ListBucketResult/Contents/Size")) {
        if (!str_to_i64(text, &item->bytes))
            return err_set(err, STATUS_BAD_DATA, "The listing has an object without a size.");
    } else if (str_eq_c(path, "ListBucketResult/Contents")) {
        if (page->n >= LAKE_S3_PAGE_KEYS || item->key.ptr == NULL)
            return err_set(err, STATUS_BAD_DATA,
                           "The listing has more objects than were asked for.");
        page->n++;
    } else if (str_eq_c(path, "ListBucketResult/EncodingType")) {
        page->is_encoded = str_eq_c(text, "url");
    } else if (str_eq_c(path, "ListBucketResult/IsTruncated")) {
        page->is_truncated = str_eq_c(text, "true");
    }
    return STATUS_OK;
}

/* The keys behind after, in the order of their bytes. */
static enum status read_page(struct lake_s3 *lake, struct str prefix, struct str after,
                             const struct stop *stop, struct page *page, struct err *err)
{
    char path[LAKE_S3_PATH_MAX];
    char most[16];
    struct aws_answer answer;
    (void)snprintf(most, sizeof most, "%u", lake->page_keys);
    const struct sigv4_field query[] = {{STR("list-type"), STR("2")},
                                        {STR("encoding-type"), STR("url")},
                                        {STR("max-keys"), str_of(most)},
                                        {STR("prefix"), prefix},
                                        {STR("start-after"), after}};
    struct aws_call call = lake_s3_call(lake, "GET", "", path, stop);
    call.query = query;
    call.n_query = after.len == 0 ? 4 : ARRAY_LEN(query);
    arena_reset(&page->arena);
    memset(page->items, 0, sizeof page->items);
    page->n = 0;
    page->is_encoded = page->is_truncated = false;
    enum status s = aws_send(lake->aws, &call, &page->arena, &answer, err);
    if (s == STATUS_OK && answer.verdict != AWS_FINE)
        s = err_set(err, STATUS_CONFIG, "The server knows no such bucket.");
    if (s == STATUS_OK)
        s = xml_read(answer.body, on_element, page, err);
    for (size_t i = 0; s == STATUS_OK && page->is_encoded && i < page->n; i++) {
        char *text = arena_dup(&page->arena, page->items[i].key);
        if (text == NULL)
            return err_out_of_memory(err);
        page->items[i].key = (struct str){text, unescape(text, page->items[i].key.len)};
    }
    if (s == STATUS_OK && page->is_truncated && page->n == 0)
        s = err_set(err, STATUS_BAD_DATA, "The listing goes on without objects.");
    return s;
}

/* Whether key is one of the lake's and within range; its partition's days in *ret. */
static bool is_of_lake(const struct lake_s3 *lake, struct str key, char text[LAKE_KEY_MAX + 1],
                       struct lake_key *ret)
{
    struct str own = str_sub(key, strlen(lake->prefix), key.len);
    if (!str_starts(key, str_of(lake->prefix)) || own.len > LAKE_KEY_MAX)
        return false;
    memcpy(text, own.ptr, own.len);
    text[own.len] = '\0';
    return lake_key_parse((struct str){text, own.len}, ret, NULL) == STATUS_OK;
}

/*
 * Where the next page starts: behind the last key, or further when that key's day is outside the range: at the first
 * day asked for, or behind all days of the data set ('>' follows '=').
 */
static size_t next_start(const struct lake_s3 *lake, struct str last,
                         const struct lake_range *range, char ret[NAME_BYTES])
{
    char text[LAKE_KEY_MAX + 1], day[DATE_TEXT_BYTES];
    struct lake_key key;
    int n = snprintf(ret, NAME_BYTES, "%.*s", STR_ARG(last));
    if (!is_of_lake(lake, last, text, &key) || key.to - key.from != 1)
        return n < NAME_BYTES ? (size_t)n : NAME_BYTES - 1;
    size_t root = strlen(lake->prefix) + (size_t)(key.dataset.ptr + key.dataset.len - text) + 1;
    if (key.to <= range->from) {
        date_format(range->from, day);
        n = snprintf(ret, NAME_BYTES, "%.*symd=%s", (int)root, last.ptr, day);
    } else if (key.from >= range->to) {
        n = snprintf(ret, NAME_BYTES, "%.*symd>", (int)root, last.ptr);
    }
    return n < NAME_BYTES ? (size_t)n : NAME_BYTES - 1;
}

enum status lake_s3_list(struct lake *lake, const struct lake_range *range, lake_visit *visit,
                         void *to, const struct stop *stop, struct err *err)
{
    struct lake_s3 *s3 = (struct lake_s3 *)lake;
    char prefix[NAME_BYTES], after[NAME_BYTES] = "", next[NAME_BYTES];
    size_t after_bytes = 0, next_bytes = 0;
    int n = snprintf(prefix, sizeof prefix, "%s%.*s", s3->prefix, STR_ARG(range->prefix));
    if (range->prefix.len > LAKE_KEY_MAX || range->from > DATE_MAX)
        return STATUS_OK; /* no key is like that */
    CLEANUP(free_pagep) struct page *page = calloc(1, sizeof *page);
    if (page == NULL)
        return err_out_of_memory(err);
    arena_init(&page->arena, PAGE_ARENA_BYTES);
    enum status s = STATUS_OK;
    for (;;) {
        s = read_page(s3, (struct str){prefix, (size_t)n}, (struct str){after, after_bytes}, stop,
                      page, err);
        for (size_t i = 0; s == STATUS_OK && i < page->n; i++) {
            struct lake_entry entry = {.bytes = page->items[i].bytes};
            struct lake_key key;
            if (!is_of_lake(s3, page->items[i].key, entry.key, &key) || key.from >= range->to ||
                key.to <= range->from)
                continue;
            s = stop_is_raised(stop) ? stop_status(stop, err) : visit(to, &entry, err);
        }
        if (s != STATUS_OK || !page->is_truncated)
            break;
        next_bytes = next_start(s3, page->items[page->n - 1].key, range, next);
        if (str_cmp((struct str){next, next_bytes}, (struct str){after, after_bytes}) <= 0)
            return err_set(err, STATUS_BAD_DATA, "The listing does not go on.");
        memcpy(after, next, next_bytes + 1);
        after_bytes = next_bytes;
    }
    return s;
}
