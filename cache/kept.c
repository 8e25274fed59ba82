/* kept.c - the layout of a kept reply: a head, then key, type and headers as C strings, then the body. */
#include "cache/kept.h"

#include "base/checksum.h"

#include <stdint.h>
#include <string.h>

/* The last byte is the layout's version; a value of another one, or of another byte order, is a miss. */
static const char magic[8] = {'c', 'm', 'm', 'c', 'k', 'v', '0', '2'};

struct head {
    char magic[8];
    unsigned char checksum[CHECKSUM_BYTES]; /* of all that follows this field */
    uint32_t key_len, type_len, headers_len, n_headers;
    uint32_t status;
    uint32_t byte_order; /* 1 */
    uint64_t body_len;
    int64_t made_at;
};

static void checksum_of(const struct blob *blob, unsigned char ret[CHECKSUM_BYTES])
{
    size_t from = offsetof(struct head, key_len);
    checksum((struct str){blob->bytes + from, blob->size - from}, ret);
}

static char *put(char *to, const char *bytes, size_t n)
{
    if (n > 0)
        memcpy(to, bytes, n);
    return to + n;
}

static char *put_c(char *to, const char *text)
{
    return put(to, text, strlen(text) + 1);
}

struct blob *kept_make(const struct kept *kept, bool has_checksum)
{
    const char *type = kept->type == NULL ? "" : kept->type;
    struct head head = {.key_len = (uint32_t)kept->key.len,
                        .type_len = (uint32_t)strlen(type),
                        .n_headers = (uint32_t)kept->n_headers,
                        .status = (uint32_t)kept->status,
                        .byte_order = 1,
                        .body_len = kept->body.len,
                        .made_at = kept->made_at};
    memcpy(head.magic, magic, sizeof magic);
    for (size_t i = 0; i < kept->n_headers; i++)
        head.headers_len +=
            (uint32_t)(strlen(kept->headers[i].name) + strlen(kept->headers[i].value) + 2);
    struct blob *blob = blob_new(sizeof head + head.key_len + 1 + head.type_len + 1 +
                                 head.headers_len + kept->body.len);
    if (blob == NULL)
        return NULL;
    char *to = put(blob->bytes, (const char *)&head, sizeof head);
    to = put(to, kept->key.ptr, kept->key.len);
    *to++ = '\0';
    to = put_c(to, type);
    for (size_t i = 0; i < kept->n_headers; i++) {
        to = put_c(to, kept->headers[i].name);
        to = put_c(to, kept->headers[i].value);
    }
    (void)put(to, kept->body.ptr, kept->body.len);
    if (has_checksum) {
        checksum_of(blob, head.checksum);
        memcpy(blob->bytes, &head, sizeof head);
    }
    return blob;
}

/* All but the headers, which begin at what it returns. */
static const char *open_plain(const struct blob *blob, const struct head *head, struct kept *ret)
{
    const char *at = blob->bytes + sizeof *head;
    ret->key = (struct str){at, head->key_len};
    at += head->key_len + 1;
    ret->type = head->type_len == 0 ? NULL : at;
    at += head->type_len + 1;
    ret->status = (enum status)head->status;
    ret->n_headers = 0;
    ret->body = (struct str){at + head->headers_len, (size_t)head->body_len};
    ret->made_at = head->made_at;
    return at;
}

void kept_open_plain(const struct blob *blob, struct kept *ret)
{
    struct head head;
    memcpy(&head, blob->bytes, sizeof head);
    (void)open_plain(blob, &head, ret);
}

void kept_open(const struct blob *blob, struct kept *ret)
{
    struct head head;
    memcpy(&head, blob->bytes, sizeof head);
    const char *at = open_plain(blob, &head, ret);
    for (; ret->n_headers < head.n_headers; ret->n_headers++) {
        struct kept_header *header = &ret->headers[ret->n_headers];
        header->name = at;
        at += strlen(at) + 1;
        header->value = at;
        at += strlen(at) + 1;
    }
}

/* As many strings as there should be, which end exactly where they should. */
static bool has_strings(const char *at, size_t len, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *end = memchr(at, '\0', len);
        if (end == NULL)
            return false;
        len -= (size_t)(end - at) + 1;
        at = end + 1;
    }
    return len == 0;
}

bool kept_check(const struct blob *blob, struct str key)
{
    struct head head;
    unsigned char found[CHECKSUM_BYTES];
    if (blob->size < sizeof head)
        return false;
    memcpy(&head, blob->bytes, sizeof head);
    uint64_t rest = blob->size - sizeof head;
    uint64_t text_len = (uint64_t)head.key_len + 1 + head.type_len + 1 + head.headers_len;
    if (memcmp(head.magic, magic, sizeof magic) != 0 || head.byte_order != 1 || text_len > rest ||
        head.body_len != rest - text_len || head.n_headers > KEPT_HEADERS_MAX ||
        head.status >= STATUS_COUNT)
        return false;
    const char *at = blob->bytes + sizeof head;
    if (!str_eq((struct str){at, head.key_len}, key) || at[head.key_len] != '\0')
        return false;
    at += head.key_len + 1;
    if (at[head.type_len] != '\0' || memchr(at, '\0', head.type_len) != NULL ||
        !has_strings(at + head.type_len + 1, head.headers_len, (size_t)head.n_headers * 2))
        return false;
    checksum_of(blob, found);
    return memcmp(found, head.checksum, sizeof found) == 0;
}

const char *kept_header(const struct kept *kept, const char *name)
{
    for (size_t i = 0; i < kept->n_headers; i++)
        if (strcmp(kept->headers[i].name, name) == 0)
            return kept->headers[i].value;
    return NULL;
}
