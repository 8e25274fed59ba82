/* bronze_put.c - keys of objects in the lake, and bytes under them. */
#include "ingest/bronze_impl.h"

#include "ingest/transport.h"

#include <stdio.h>

void bronze_stamp(int64_t at_s, char ret[BRONZE_STAMP_BYTES])
{
    char text[INSTANT_TEXT_BYTES];
    size_t n = 0;
    instant_format(at_s, text);
    for (const char *c = text; *c != '\0' && n < BRONZE_STAMP_BYTES - 1; c++)
        if (*c != '-' && *c != ':')
            ret[n++] = *c;
    ret[n] = '\0';
}

enum status bronze_name(const struct bronze_object *object, char ret[BRONZE_KEY_BYTES],
                        struct err *err)
{
    char hash[DIGEST_HEX_BYTES], day[DATE_TEXT_BYTES], stamp[BRONZE_STAMP_BYTES];
    enum status s = digest_hex(object->hashed, hash, err);
    if (s != STATUS_OK)
        return s;
    date_format(object->ymd, day);
    bronze_stamp(object->fetched_at, stamp);
    (void)snprintf(ret, BRONZE_KEY_BYTES, "bronze/%s%s/ymd=%s/%s-%s-%.16s.%s", object->folder,
                   object->is_rejected ? "/rejected" : "", day, object->kind, stamp, hash,
                   object->ending);
    return STATUS_OK;
}

enum status bronze_put(const struct bronze_run *run, const char *key, struct str bytes,
                       const struct lake_meta *meta, bool *ret_is_new, struct err *err)
{
    struct lake_source source = {transport_read_str, &bytes};
    return lake_put(run->world->lake, key, source, meta, run->stop, ret_is_new, err);
}
