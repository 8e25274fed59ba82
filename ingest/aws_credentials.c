/* aws_credentials.c - the keys in force, and who renews them. */
#define _GNU_SOURCE /* explicit_bzero */
#include "ingest/aws_providers.h"

#include "base/clock.h"
#include "base/lock.h"
#include "base/stop.h"

#include <stdlib.h>
#include <string.h>

enum { EARLY_S = 300, RETRY_S = 30, POLL_NS = 50000000 };

struct aws_credentials {
    struct aws_provider provider; /* fixed at creation */
    struct lock lock;             /* a leaf: the keys, and who is at it */
    struct cond changed;
    struct aws_keys keys GUARDED; /* serial 0: none yet */
    int64_t not_before_s GUARDED; /* after a renewal that failed */
    bool is_renewing GUARDED;
};

enum status aws_credentials_new(const struct aws_login *login, struct aws_credentials **ret,
                                struct err *err)
{
    struct aws_credentials *c = calloc(1, sizeof *c);
    if (c == NULL)
        return err_out_of_memory(err);
    enum status s = aws_provider_init(&c->provider, login, err);
    if (s != STATUS_OK) {
        free(c);
        return s;
    }
    lock_init(&c->lock);
    cond_init(&c->changed);
    *ret = c;
    return STATUS_OK;
}

void aws_credentials_freep(struct aws_credentials **credentials)
{
    struct aws_credentials *c = *credentials;
    if (c == NULL)
        return;
    aws_provider_clear(&c->provider);
    lock_clear(&c->lock);
    cond_clear(&c->changed);
    explicit_bzero(c, sizeof *c);
    free(c);
    *credentials = NULL;
}

static bool is_usable(const struct aws_keys *keys, unsigned expired_serial, int64_t margin_s)
{
    return keys->serial != 0 && keys->serial != expired_serial &&
           (keys->expires_s == 0 || keys->expires_s > clock_wall_s() + margin_s);
}

/* Asks the provider, outside the lock, and takes over what it gave. */
static enum status renew(struct aws_credentials *c, const struct stop *stop,
                         struct err *err) NO_THREAD_SAFETY
{
    struct aws_keys keys = {0};
    lock_give(&c->lock);
    enum status s = aws_provider_ask(&c->provider, stop, &keys, err);
    lock_take(&c->lock);
    if (s == STATUS_OK) {
        keys.serial = c->keys.serial + 1;
        c->keys = keys;
    } else {
        c->not_before_s = clock_wall_s() + RETRY_S;
    }
    explicit_bzero(&keys, sizeof keys);
    c->is_renewing = false;
    cond_broadcast(&c->changed);
    return s;
}

enum status aws_credentials_get(struct aws_credentials *credentials, unsigned expired_serial,
                                const struct stop *stop, struct aws_keys *ret, struct err *err)
{
    struct aws_credentials *c = credentials;
    enum status s = STATUS_OK;
    lock_take(&c->lock);
    while (c->is_renewing && !is_usable(&c->keys, expired_serial, 0) && !stop_is_raised(stop))
        (void)cond_wait_until(&c->changed, &c->lock, clock_mono_ns() + POLL_NS);
    bool is_early = is_usable(&c->keys, expired_serial, 0) &&
                    (c->is_renewing || c->not_before_s > clock_wall_s());
    if (!is_early && !is_usable(&c->keys, expired_serial, EARLY_S)) {
        c->is_renewing = true;
        s = stop_is_raised(stop) ? stop_status(stop, err) : STATUS_OK;
        if (s == STATUS_OK)
            s = renew(c, stop, err);
        else
            c->is_renewing = false;
        if (s != STATUS_OK && is_usable(&c->keys, expired_serial, 0))
            s = STATUS_OK; /* those that still hold for a while */
    }
    if (s == STATUS_OK)
        *ret = c->keys;
    lock_give(&c->lock);
    return s;
}
