/*
 * key_store.h - the table of keys: made, listed and revoked here, read into memory by handlers/keyring.h.
 * Any thread, each with a connection of its own. The texts of a struct key live in the arena they were read into.
 */
#ifndef STORE_KEY_STORE_H
#define STORE_KEY_STORE_H

#include "base/arena.h"
#include "store/api_key.h"
#include "store/db.h"

enum { KEYS_MAX = 10000 }; /* that a server keeps in memory */

struct key {
    int64_t id;
    struct str name;
    unsigned char hash[DIGEST_BYTES];
    unsigned scopes;    /* SCOPE_x added up */
    int64_t rate;       /* requests a minute; -1: what the setting says; 0: no limit */
    int64_t created_at; /* seconds since 1970, as the next three; 0: never */
    int64_t expires_at;
    int64_t revoked_at;
    int64_t last_used_at; /* at most a minute old */
};

/* What a new key is to be. */
struct key_options {
    struct str name;
    unsigned scopes;
    int64_t rate;       /* as above */
    int64_t expires_at; /* 0: never */
};

/* Checks name, scopes, rate and expiry. Errors: BAD_VALUE naming what is wrong. */
enum status key_options_check(const struct key_options *options, int64_t now, struct err *err)
    NODISCARD;

/*
 * Makes a key, in a transaction of its own. ret_text is the only time its secret is seen.
 * Errors: KEY_EXISTS when the name is taken (also by a revoked key); TOO_LARGE past KEYS_MAX; database errors.
 */
enum status key_create(struct db *db, const struct key_options *options, int64_t now,
                       struct key *ret, char ret_text[API_KEY_TEXT_BYTES], struct err *err)
    NODISCARD;

/* Takes a key out of force for good; one that was already is left as it is. Errors: UNKNOWN_KEY. */
enum status key_revoke(struct db *db, int64_t id, int64_t now, struct err *err) NODISCARD;

/* The id of a key by its name or by the digits of its id. Errors: UNKNOWN_KEY, with the nearest name. */
enum status key_find(struct db *db, struct str name_or_id, int64_t *ret_id, struct err *err)
    NODISCARD;

/* Every key by id, revoked ones too. */
enum status key_list(struct db *db, struct arena *arena, struct key **ret, size_t *ret_n,
                     struct err *err) NODISCARD;

/* A number that changes whenever the list does, use apart. */
enum status key_revision(struct db *db, int64_t *ret, struct err *err) NODISCARD;

enum status key_touch(struct db *db, int64_t id, int64_t used_at, struct err *err) NODISCARD;

#endif
