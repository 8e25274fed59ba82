/* key_store.c - SQL of api_key. Changes are serialised, so that ids and revisions follow one another. */
#include "store/key_store.h"

#include "base/array.h"
#include "base/date.h"
#include "base/suggest.h"
#include "store/statements.h"

#include <string.h>

enum { RATE_MAX = 1000000 };

static const char stmt_key_last[] =
    "SELECT COALESCE(MAX(id), 0), COALESCE(MAX(revision), 0), COUNT(*) FROM api_key";
static const char stmt_key_insert[] =
    "INSERT INTO api_key (id, name, hash, scopes, rate, created_at, expires_at, revision) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO NOTHING";
static const char stmt_key_revoke[] =
    "UPDATE api_key SET revoked_at = $2, revision = $3 WHERE id = $1 AND revoked_at IS NULL";
static const char stmt_key_has[] = "SELECT id FROM api_key WHERE id = $1";
static const char stmt_key_list[] =
    "SELECT id, name, hash, scopes, rate, created_at, expires_at, revoked_at, last_used_at "
    "FROM api_key ORDER BY id LIMIT 10000";
static const char stmt_key_touch[] =
    "UPDATE api_key SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";

static struct db_param instant(int64_t seconds, char room[INSTANT_TEXT_BYTES])
{
    if (seconds == 0)
        return db_text(STR_NONE);
    instant_format(seconds, room);
    return db_text(str_of(room));
}

/* name is a JSON pointer of one member. */
static enum status refuse(struct err *err, const char *name, struct str value, const char *allowed)
{
    (void)err_set(err, STATUS_BAD_VALUE, "A key cannot be made with this %s.", name + 1);
    err_at(err, ERR_POINTER, str_of(name), value);
    err_allow(err, "%s", allowed);
    return STATUS_BAD_VALUE;
}

enum status key_options_check(const struct key_options *options, int64_t now, struct err *err)
{
    if (!api_key_name_is_valid(options->name))
        return refuse(err, "/name", options->name,
                      "1 to 64 letters, digits, '.', '-' and '_', starting with a letter");
    if (options->scopes == 0 || options->scopes > SCOPE_ALL)
        return refuse(err, "/scopes", STR_NONE, "some of read, backtest, admin");
    if (options->rate < -1 || options->rate > RATE_MAX)
        return refuse(err, "/rate", STR_NONE, "0 (no limit) to 1000000 requests a minute");
    if (options->expires_at != 0 && options->expires_at <= now)
        return refuse(err, "/expires_at", STR_NONE, "a moment that is still to come");
    return STATUS_OK;
}

static enum status last_of(struct db *db, int64_t ret[3], struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool is_found;
    enum status s = db_query_one(db, stmt_key_last, NO_PARAMS, &rows, &is_found, err);
    for (size_t i = 0; s == STATUS_OK && i < 3; i++)
        ret[i] = rows_i64(&rows, i);
    return s;
}

static enum status insert(struct db *db, const struct key *key, int64_t revision, struct err *err)
{
    char created[INSTANT_TEXT_BYTES], expires[INSTANT_TEXT_BYTES];
    struct str hash = {(const char *)key->hash, sizeof key->hash};
    int64_t changed = 0;
    struct db_param rate = key->rate < 0 ? db_text(STR_NONE) : db_i64(key->rate);
    enum status s = db_exec(db, stmt_key_insert,
                            PARAMS(db_i64(key->id), db_text(key->name), db_bytes(hash),
                                   db_i64(key->scopes), rate, instant(key->created_at, created),
                                   instant(key->expires_at, expires), db_i64(revision)),
                            &changed, err);
    if (s != STATUS_OK || changed == 1)
        return s;
    s = err_set(err, STATUS_KEY_EXISTS, "There is a key of this name already.");
    err_at(err, ERR_POINTER, STR("/name"), key->name);
    err_allow(err, "a name that no key has or had");
    return s;
}

enum status key_create(struct db *db, const struct key_options *options, int64_t now,
                       struct key *ret, char ret_text[API_KEY_TEXT_BYTES], struct err *err)
{
    int64_t last[3];
    struct key key = {.name = options->name,
                      .scopes = options->scopes,
                      .rate = options->rate,
                      .created_at = now,
                      .expires_at = options->expires_at};
    enum status s = key_options_check(options, now, err);
    if (s == STATUS_OK)
        s = db_begin(db, err);
    if (s != STATUS_OK)
        return s;
    s = db_lock_writers(db, err);
    if (s == STATUS_OK)
        s = last_of(db, last, err);
    if (s == STATUS_OK && last[2] >= KEYS_MAX)
        s = err_set(err, STATUS_TOO_LARGE, "There are %d keys already.", KEYS_MAX);
    if (s == STATUS_OK) {
        key.id = last[0] + 1;
        s = api_key_make(key.id, ret_text, key.hash, err);
    }
    if (s == STATUS_OK)
        s = insert(db, &key, last[1] + 1, err);
    if (s == STATUS_OK)
        s = db_commit(db, err);
    if (s == STATUS_OK)
        *ret = key;
    else
        db_rollback(db);
    return s;
}

static enum status unknown(struct err *err, struct str name_or_id)
{
    (void)err_set(err, STATUS_UNKNOWN_KEY, "There is no such key.");
    /* A key in place of its name must not be repeated. */
    err_at(err, ERR_PARAMETER, STR("id"), api_key_is_in(name_or_id, NULL) ? STR_NONE : name_or_id);
    err_allow(err, "the number of a key, as listed");
    return STATUS_UNKNOWN_KEY;
}

static enum status has_key(struct db *db, int64_t id, bool *ret, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    return db_query_one(db, stmt_key_has, PARAMS(db_i64(id)), &rows, ret, err);
}

static enum status revoke_locked(struct db *db, int64_t id, int64_t now, struct err *err)
{
    int64_t last[3];
    bool is_found = false;
    char room[INSTANT_TEXT_BYTES];
    enum status s = has_key(db, id, &is_found, err);
    if (s == STATUS_OK && !is_found)
        s = unknown(err, STR_NONE);
    if (s == STATUS_OK)
        s = last_of(db, last, err);
    if (s != STATUS_OK)
        return s;
    return db_exec(db, stmt_key_revoke, PARAMS(db_i64(id), instant(now, room), db_i64(last[1] + 1)),
                   NULL, err);
}

enum status key_revoke(struct db *db, int64_t id, int64_t now, struct err *err)
{
    enum status s = db_begin(db, err);
    if (s != STATUS_OK)
        return s;
    s = db_lock_writers(db, err);
    if (s == STATUS_OK)
        s = revoke_locked(db, id, now, err);
    if (s == STATUS_OK)
        s = db_commit(db, err);
    else
        db_rollback(db);
    return s;
}

enum status key_find(struct db *db, struct str name_or_id, int64_t *ret_id, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    struct key *keys = NULL;
    size_t n = 0;
    int64_t id = 0;
    arena_init(&arena, 64 << 20);
    enum status s = key_list(db, &arena, &keys, &n, err);
    if (s != STATUS_OK)
        return s;
    bool is_id = str_to_i64(name_or_id, &id);
    struct suggest search = suggest_start(name_or_id);
    for (size_t i = 0; i < n; i++) {
        if (is_id ? keys[i].id == id : str_eq(keys[i].name, name_or_id)) {
            *ret_id = keys[i].id;
            return STATUS_OK;
        }
        suggest_offer(&search, keys[i].name);
    }
    s = unknown(err, name_or_id);
    err_suggest(err, suggest_take(&search));
    return s;
}

static int64_t instant_at(const struct rows *rows, size_t column)
{
    int64_t seconds;
    return rows_instant(rows, column, &seconds) ? seconds : 0;
}

static enum status read_key(const struct rows *rows, struct arena *arena, struct key *ret,
                            struct err *err)
{
    struct str name = rows_text(rows, 1), hash = rows_bytes(rows, 2);
    if (hash.len != DIGEST_BYTES)
        return err_set(err, STATUS_DB_ERROR, "A stored key is damaged.");
    *ret = (struct key){
        .id = rows_i64(rows, 0),
        .name = {arena_dup(arena, name), name.len},
        .scopes = (unsigned)rows_i64(rows, 3) & SCOPE_ALL,
        .rate = rows_is_null(rows, 4) ? -1 : rows_i64(rows, 4),
        .created_at = instant_at(rows, 5),
        .expires_at = instant_at(rows, 6),
        .revoked_at = instant_at(rows, 7),
        .last_used_at = instant_at(rows, 8),
    };
    memcpy(ret->hash, hash.ptr, DIGEST_BYTES);
    return ret->name.ptr == NULL ? err_out_of_memory(err) : STATUS_OK;
}

enum status key_list(struct db *db, struct arena *arena, struct key **ret, size_t *ret_n,
                     struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct key *keys = NULL;
    size_t n = 0, cap = 0;
    bool has_row = false;
    enum status s = db_query(db, stmt_key_list, NO_PARAMS, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        keys = arena_reserve(arena, keys, n + 1, &cap, sizeof *keys);
        if (keys == NULL)
            return err_out_of_memory(err);
        s = read_key(&rows, arena, &keys[n], err);
        n++;
    }
    if (s != STATUS_OK)
        return s;
    *ret = keys;
    *ret_n = n;
    return STATUS_OK;
}

enum status key_revision(struct db *db, int64_t *ret, struct err *err)
{
    int64_t last[3];
    enum status s = last_of(db, last, err);
    if (s == STATUS_OK)
        *ret = last[1] * (KEYS_MAX + 1) + last[2]; /* a row deleted by hand counts as a change */
    return s;
}

enum status key_touch(struct db *db, int64_t id, int64_t used_at, struct err *err)
{
    char room[INSTANT_TEXT_BYTES];
    return db_exec(db, stmt_key_touch, PARAMS(db_i64(id), instant(used_at, room)), NULL, err);
}

const struct statement key_statements[] = {STATEMENT(stmt_key_last),
                                           STATEMENT(stmt_key_insert),
                                           STATEMENT(stmt_key_revoke),
                                           STATEMENT(stmt_key_has),
                                           STATEMENT(stmt_key_list),
                                           STATEMENT(stmt_key_touch),
                                           STATEMENTS_END};
