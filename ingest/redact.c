/* redact.c - a key in both spellings that addresses have. */
#include "ingest/redact.h"

#include "ingest/source.h"

#include <string.h>

enum { SECRET_MIN = 4 };

static void cover(char *text, size_t len, struct str secret)
{
    for (size_t i = 0; i + secret.len <= len;) {
        const char *found = memchr(text + i, secret.ptr[0], len - i - secret.len + 1);
        if (found == NULL)
            return;
        i = (size_t)(found - text);
        if (memcmp(found, secret.ptr, secret.len) == 0) {
            memset(text + i, '*', secret.len);
            i += secret.len;
        } else {
            i++;
        }
    }
}

void redact(char *text, size_t len, struct str secret)
{
    char room[3 * REDACT_SECRET_MAX + 1];
    struct buf encoded;
    if (secret.len < SECRET_MIN || secret.len > REDACT_SECRET_MAX)
        return;
    cover(text, len, secret);
    buf_init_fixed(&encoded, room, sizeof room);
    source_escape(&encoded, secret);
    cover(text, len, buf_str(&encoded));
}
