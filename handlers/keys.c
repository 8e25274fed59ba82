/* keys.c - keys over HTTP, for administrators: make, list, revoke. Changes hold on this server at once. */
#include "handlers/handlers.h"

#include "base/clock.h"
#include "base/date.h"
#include "base/json_in.h"
#include "base/json_out.h"
#include "base/log.h"
#include "handlers/database.h"
#include "handlers/document.h"
#include "handlers/keyring.h"
#include "handlers/params.h"
#include "store/key_store.h"

#include <string.h>

enum { BODY_MAX = 16 * 1024 * 1024, NAME_BYTES_MAX = 256 };

static void put_instant(struct json_out *json, const char *key, int64_t seconds)
{
    char text[INSTANT_TEXT_BYTES];
    instant_format(seconds, text);
    jw_key_text(json, key, seconds == 0 ? STR_NONE : str_of(text));
}

static void put_scopes(struct json_out *json, unsigned scopes)
{
    struct str rest = str_of(scopes_text(scopes)), name;
    jw_key(json, "scopes");
    jw_array(json);
    while (rest.len > 0 && str_next_field(&rest, ',', &name))
        jw_str(json, name);
    jw_end_array(json);
}

static void put_key(struct json_out *json, const struct key *key, const char *text)
{
    jw_object(json);
    jw_key_i64(json, "id", key->id);
    jw_key_text(json, "name", key->name);
    put_scopes(json, key->scopes);
    if (key->rate < 0)
        jw_key_null(json, "rate");
    else
        jw_key_i64(json, "rate", key->rate);
    put_instant(json, "created_at", key->created_at);
    put_instant(json, "expires_at", key->expires_at);
    put_instant(json, "revoked_at", key->revoked_at);
    put_instant(json, "last_used_at", key->last_used_at);
    if (text != NULL)
        jw_key_c(json, "key", text);
    jw_end_object(json);
}

enum status keys_list(struct request *request, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct key *keys = NULL;
    size_t n = 0;
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK)
        s = database_acquire(request, DB_READ, &db, err);
    if (s == STATUS_OK)
        s = key_list(db, &request->arena, &keys, &n, err);
    if (s != STATUS_OK)
        return s;
    struct buf out;
    struct json_out json;
    document_begin(request, BODY_MAX, &out, &json);
    jw_array(&json);
    for (size_t i = 0; i < n; i++) {
        int64_t used_at = keyring_last_used(request->app->keys, keys[i].id);
        if (used_at > keys[i].last_used_at)
            keys[i].last_used_at = used_at;
        put_key(&json, &keys[i], NULL);
    }
    jw_end_array(&json);
    document_end(&json);
    return document_no_store(request, 200, "application/json", &out, err);
}

static enum status read_scopes(struct json_val list, unsigned *ret, struct err *err)
{
    static const char *const names[] = {"read", "backtest", "admin"};
    unsigned scopes = 0;
    enum status s = jr_expect_array(list, 1, ARRAY_LEN(names), err);
    for (size_t i = 0; s == STATUS_OK && i < jr_length(list); i++) {
        size_t at = 0;
        s = jr_read_choice(jr_item(list, i), names, ARRAY_LEN(names), &at, err);
        scopes |= 1U << at;
    }
    *ret = scopes;
    return s;
}

static enum status read_expiry(struct json_val val, int64_t *ret, struct err *err)
{
    struct str text;
    int32_t date;
    enum status s = jr_read_str(val, 1, 32, &text, err);
    if (s != STATUS_OK)
        return s;
    if (date_parse(text, &date)) {
        *ret = (int64_t)date * 86400;
        return STATUS_OK;
    }
    if (text.len >= INSTANT_TEXT_BYTES - 1 && instant_parse(text, ret))
        return STATUS_OK;
    (void)err_set(err, STATUS_OUT_OF_RANGE, "This is no moment.");
    jr_err_at(err, val);
    err_allow(err, "YYYY-MM-DD (its beginning, in UTC) or YYYY-MM-DDTHH:MM:SSZ");
    return STATUS_OUT_OF_RANGE;
}

static enum status read_options(struct json_val root, struct key_options *ret, struct err *err)
{
    static const char *const members[] = {"name", "scopes", "expires_at", "rate"};
    enum status s = jr_expect_object(root, members, ARRAY_LEN(members), err);
    if (s == STATUS_OK)
        s = jr_read_str(jr_member(root, "name"), 1, NAME_BYTES_MAX, &ret->name, err);
    if (s == STATUS_OK)
        s = read_scopes(jr_member(root, "scopes"), &ret->scopes, err);
    if (s == STATUS_OK && jr_is_present(jr_member(root, "expires_at")))
        s = read_expiry(jr_member(root, "expires_at"), &ret->expires_at, err);
    if (s == STATUS_OK && jr_is_present(jr_member(root, "rate")))
        s = jr_read_i64(jr_member(root, "rate"), 0, 1000000, &ret->rate, err);
    if (s != STATUS_OK)
        return s;
    s = key_options_check(ret, clock_wall_s(), err);
    if (s != STATUS_BAD_VALUE)
        return s;
    err->status = STATUS_OUT_OF_RANGE; /* valid JSON, an impossible key */
    return STATUS_OUT_OF_RANGE;
}

static enum status create(struct request *request, const struct key_options *options,
                          struct key *ret, char text[API_KEY_TEXT_BYTES], struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    enum status s = database_acquire(request, DB_WRITE, &db, err);
    if (s == STATUS_OK)
        s = key_create(db, options, clock_wall_s(), ret, text, err);
    /* It is made: were this to fail, nobody would see its secret. The next round takes it over anyway. */
    if (s == STATUS_OK && keyring_reload(request->app->keys, db, NULL) != STATUS_OK)
        log_event(LOG_WARN, "keys_failed",
                  LOG_TEXT("detail", "A new key holds from the next round on."));
    return s;
}

enum status keys_create(struct request *request, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct key_options options = {.rate = -1};
    struct key key;
    char text[API_KEY_TEXT_BYTES];
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK)
        s = params_read_body(request, &doc, err);
    if (s == STATUS_OK)
        s = read_options(jr_root(doc), &options, err);
    if (s == STATUS_OK)
        s = create(request, &options, &key, text, err);
    if (s != STATUS_OK)
        return s;
    log_event(LOG_INFO, "key_created", LOG_I64("key", key.id), LOG_STR("name", key.name),
              LOG_I64("by", request->principal.key_id));
    struct buf out;
    struct json_out json;
    document_begin(request, BODY_MAX, &out, &json);
    put_key(&json, &key, text);
    document_end(&json);
    reply_header(request, "Location", "/v1/admin/keys/%lld", (long long)key.id);
    return document_no_store(request, 201, "application/json", &out, err);
}

enum status keys_revoke(struct request *request, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    int64_t id = 0;
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK && !str_to_i64(request->path_params[0], &id))
        id = 0; /* nobody's */
    if (s == STATUS_OK)
        s = database_acquire(request, DB_WRITE, &db, err);
    if (s == STATUS_OK)
        s = key_revoke(db, id, clock_wall_s(), err);
    if (s == STATUS_OK)
        s = keyring_reload(request->app->keys, db, err);
    if (s != STATUS_OK)
        return s;
    log_event(LOG_INFO, "key_revoked", LOG_I64("key", id),
              LOG_I64("by", request->principal.key_id));
    reply_header(request, "Cache-Control", "no-store");
    reply_type(request, 204, NULL);
    return STATUS_OK;
}
