/* epoch.c - a short list of purged marts; most servers never have one. */
#include "cache/epoch.h"

#include "base/lock.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct epochs {
    atomic_uint_fast64_t stamp;
    struct lock lock; /* leaf lock; guards every GUARDED field below */
    int64_t everybody GUARDED;
    int64_t greatest GUARDED;
    size_t n GUARDED;
    struct {
        char name[EPOCH_NAME_BYTES];
        int64_t at_ms;
    } marts[EPOCH_MARTS_MAX] GUARDED;
};

enum status epochs_new(struct epochs **ret, struct err *err)
{
    struct epochs *epochs = calloc(1, sizeof *epochs);
    if (epochs == NULL)
        return err_out_of_memory(err);
    lock_init(&epochs->lock);
    *ret = epochs;
    return STATUS_OK;
}

void epochs_free(struct epochs *epochs)
{
    if (epochs == NULL)
        return;
    lock_clear(&epochs->lock);
    free(epochs);
}

/* Where mart stands; n when it does not. */
static size_t find(const struct epochs *epochs, struct str mart) REQUIRES(epochs->lock)
{
    size_t i = 0;
    while (i < epochs->n && !str_eq_c(mart, epochs->marts[i].name))
        i++;
    return i;
}

int64_t epochs_of(struct epochs *epochs, struct str mart)
{
    if (epochs_stamp(epochs) == 0)
        return 0;
    lock_take(&epochs->lock);
    size_t i = find(epochs, mart);
    int64_t at_ms = epochs->everybody;
    if (i < epochs->n && epochs->marts[i].at_ms > at_ms)
        at_ms = epochs->marts[i].at_ms;
    lock_give(&epochs->lock);
    return at_ms;
}

/* The place to raise; NULL for no room. */
static int64_t *place_of(struct epochs *epochs, struct str mart) REQUIRES(epochs->lock)
{
    if (mart.len == 0)
        return &epochs->everybody;
    size_t i = find(epochs, mart);
    if (i < epochs->n)
        return &epochs->marts[i].at_ms;
    if (i == EPOCH_MARTS_MAX || mart.len >= EPOCH_NAME_BYTES)
        return &epochs->everybody;
    memcpy(epochs->marts[i].name, mart.ptr, mart.len);
    epochs->marts[i].name[mart.len] = '\0';
    epochs->n++;
    return &epochs->marts[i].at_ms;
}

bool epochs_raise(struct epochs *epochs, struct str mart, int64_t at_ms)
{
    lock_take(&epochs->lock);
    int64_t *place = place_of(epochs, mart);
    bool rises = *place < at_ms;
    if (rises)
        *place = at_ms;
    if (at_ms > epochs->greatest)
        epochs->greatest = at_ms;
    if (rises)
        (void)atomic_fetch_add(&epochs->stamp, 1);
    lock_give(&epochs->lock);
    return rises;
}

int64_t epochs_next(struct epochs *epochs, int64_t now_ms)
{
    lock_take(&epochs->lock);
    int64_t next = now_ms > epochs->greatest ? now_ms : epochs->greatest + 1;
    lock_give(&epochs->lock);
    return next;
}

uint64_t epochs_stamp(const struct epochs *epochs)
{
    return atomic_load(&epochs->stamp);
}
