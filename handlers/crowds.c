/* crowds.c - crowds of monkeys as blobs of the in-process cache. */
#include "handlers/crowds.h"

#include "backtest/monkey_crowd.h"
#include "cache/l1.h"

#include <stdlib.h>
#include <string.h>

struct crowds {
    struct l1 *kept;
};

/* A blob's bytes: the key, this, then the statistics one after the other. */
struct header {
    unsigned char key[DIGEST_BYTES];
    size_t count, n_names;
    size_t n[MONKEY_STATISTIC_COUNT];
};

enum status crowds_new(uint64_t max_bytes, struct crowds **ret, struct err *err)
{
    *ret = NULL;
    if (max_bytes == 0)
        return STATUS_OK;
    struct crowds *crowds = calloc(1, sizeof *crowds);
    if (crowds == NULL)
        return err_out_of_memory(err);
    enum status s = l1_new(max_bytes, &crowds->kept, err);
    if (s == STATUS_OK)
        *ret = crowds;
    else
        free(crowds);
    return s;
}

void crowds_free(struct crowds *crowds)
{
    if (crowds == NULL)
        return;
    l1_free(crowds->kept);
    free(crowds);
}

bool crowds_find(struct crowds *crowds, const unsigned char key[DIGEST_BYTES],
                 struct monkey_crowd *ret, struct blob **ret_blob)
{
    struct blob *blob =
        crowds == NULL ? NULL : l1_get(crowds->kept, (struct str){(const char *)key, DIGEST_BYTES});
    if (blob == NULL)
        return false;
    struct header header;
    memcpy(&header, blob->bytes, sizeof header);
    const double *values = (const double *)(const void *)(blob->bytes + sizeof header);
    *ret = (struct monkey_crowd){.count = header.count, .n_names = header.n_names};
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++) {
        ret->n[k] = header.n[k];
        ret->sorted[k] = values;
        values += header.n[k];
    }
    *ret_blob = blob;
    return true;
}

void crowds_keep(struct crowds *crowds, const unsigned char key[DIGEST_BYTES],
                 const struct monkey_crowd *crowd)
{
    struct header header = {.count = crowd->count, .n_names = crowd->n_names};
    size_t n_values = 0;
    if (crowds == NULL)
        return;
    memcpy(header.key, key, DIGEST_BYTES);
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++)
        n_values += header.n[k] = crowd->n[k];
    struct blob *blob = blob_new(sizeof header + n_values * sizeof(double));
    if (blob == NULL)
        return; /* not kept: a miss next time */
    char *to = blob->bytes;
    memcpy(to, &header, sizeof header);
    to += sizeof header;
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++) {
        if (crowd->n[k] > 0)
            memcpy(to, crowd->sorted[k], crowd->n[k] * sizeof(double));
        to += crowd->n[k] * sizeof(double);
    }
    (void)l1_put(crowds->kept, (struct str){blob->bytes, DIGEST_BYTES}, blob);
    blob_unref(blob);
}
