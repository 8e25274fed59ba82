/*
 * keyring.h - the keys in force, in memory, so that no request waits for the database to be let in.
 *
 * A background thread looks every refresh_ms whether keys changed, and writes down which were used, at most once
 * a minute each. While the database is away, known keys stay good (an expiry still ends them), and an unknown one
 * is "cannot tell", not "no". keyring_check may be called from any thread and takes one short lock.
 */
#ifndef HANDLERS_KEYRING_H
#define HANDLERS_KEYRING_H

#include "server/app.h"
#include "store/key_store.h"

enum keyring_verdict {
    KEYRING_GOOD,
    KEYRING_MALFORMED, /* no key of ours, or mistyped */
    KEYRING_UNKNOWN,
    KEYRING_WRONG, /* a key's number with another secret */
    KEYRING_EXPIRED,
    KEYRING_REVOKED,
    KEYRING_UNSURE /* unknown, but the table could not be read for a while */
};

const char *keyring_verdict_name(enum keyring_verdict verdict); /* for metrics */

/* What a good key allows. */
struct keyring_entry {
    int64_t id;
    char name[API_KEY_NAME_MAX + 1];
    unsigned scopes;
    int64_t rate; /* -1: what the setting says */
    int64_t expires_at;
};

struct keyring;

/* app->db must be set. */
enum status keyring_new(struct app *app, struct keyring **ret, struct err *err) NODISCARD;
enum status keyring_start(struct keyring *ring, struct err *err) NODISCARD;
void keyring_free(struct keyring *ring); /* stops the thread, if any; accepts NULL */

/* One round on the calling thread, so that a server with its database at hand starts with its keys. */
void keyring_run_once(struct keyring *ring);

/* Reads the keys through db, so that a change made through this server holds at once. */
enum status keyring_reload(struct keyring *ring, struct db *db, struct err *err) NODISCARD;

/* ret is filled for GOOD only. The time it takes does not depend on what is wrong with the secret. */
enum keyring_verdict keyring_check(struct keyring *ring, struct str text, int64_t now,
                                   struct keyring_entry *ret);

/* When the key was last used, from memory; 0 when not since the start. */
int64_t keyring_last_used(struct keyring *ring, int64_t id);

#endif
