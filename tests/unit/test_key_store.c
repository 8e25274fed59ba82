/* test_key_store.c - keys in both databases: made, listed, revoked, found by name or number. */
#include "tests/support/store_fixture.h"

#include "store/key_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

enum { NOW = 1800000000 };

static struct db *writer(struct fixture *f)
{
    struct err err = {0};
    struct db *db = NULL;
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    return db;
}

static enum status make(struct db *db, const char *name, struct key *ret, struct err *err)
{
    char text[API_KEY_TEXT_BYTES];
    struct key_options options = {.name = str_of(name), .scopes = SCOPE_READ, .rate = -1};
    return key_create(db, &options, NOW, ret, text, err);
}

static void a_key_is_listed_with_all_that_was_said_about_it(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct key key, *keys = NULL;
    size_t n = 0;
    char text[API_KEY_TEXT_BYTES];
    struct key_options options = {.name = STR("notebook"),
                                  .scopes = SCOPE_READ | SCOPE_ADMIN,
                                  .rate = 120,
                                  .expires_at = NOW + 86400};
    ok(key_create(db, &options, NOW, &key, text, &err));
    ok(make(db, "plain", &key, &err));
    ok(key_list(db, &f->arena, &keys, &n, &err));
    assert_int_equal(n, 2);
    assert_true(str_eq_c(keys[0].name, "notebook"));
    assert_int_equal(keys[0].scopes, SCOPE_READ | SCOPE_ADMIN);
    assert_int_equal(keys[0].rate, 120);
    assert_int_equal(keys[0].created_at, NOW);
    assert_int_equal(keys[0].expires_at, NOW + 86400);
    assert_int_equal(keys[0].revoked_at, 0);
    assert_int_equal(keys[1].id, keys[0].id + 1);
    assert_int_equal(keys[1].rate, -1);
    assert_int_equal(keys[1].expires_at, 0);
    unsigned char hash[DIGEST_BYTES];
    ok(digest_raw(str_of(text), hash, &err));
    assert_true(digest_is_equal(keys[0].hash, hash));
    db_release(db);
}

static void the_table_does_not_hold_the_key(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct key key;
    char text[API_KEY_TEXT_BYTES];
    struct key_options options = {.name = STR("a"), .scopes = SCOPE_READ, .rate = -1};
    ok(key_create(db, &options, NOW, &key, text, &err));
    db_release(db);
    const char *rows =
        query_text(f, "SELECT id, name, hash, scopes, rate, created_at FROM api_key");
    assert_null(strstr(rows, text + strlen("cmmc_1_")));
}

static void a_name_is_taken_for_good(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct key key;
    ok(make(db, "a", &key, &err));
    expect(STATUS_KEY_EXISTS, make(db, "a", &key, &err));
    ok(key_revoke(db, key.id, NOW, &err));
    expect(STATUS_KEY_EXISTS, make(db, "a", &key, &err));
    db_release(db);
    assert_string_equal(query_text(f, "SELECT COUNT(*) FROM api_key"), "1");
}

static void a_revoked_key_stays_revoked_since_the_first_time(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct key key, *keys = NULL;
    size_t n = 0;
    ok(make(db, "a", &key, &err));
    ok(key_revoke(db, key.id, NOW + 5, &err));
    ok(key_revoke(db, key.id, NOW + 9, &err));
    expect(STATUS_UNKNOWN_KEY, key_revoke(db, key.id + 1, NOW, &err));
    ok(key_list(db, &f->arena, &keys, &n, &err));
    assert_int_equal(keys[0].revoked_at, NOW + 5);
    db_release(db);
}

static void the_revision_follows_changes_and_not_use(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct key key, *keys = NULL;
    size_t n = 0;
    int64_t none, made, used, revoked, deleted;
    ok(key_revision(db, &none, &err));
    ok(make(db, "a", &key, &err));
    ok(key_revision(db, &made, &err));
    ok(key_touch(db, key.id, NOW + 60, &err));
    ok(key_touch(db, key.id, NOW + 30, &err)); /* another server, a little behind */
    ok(key_revision(db, &used, &err));
    ok(key_revoke(db, key.id, NOW, &err));
    ok(key_revision(db, &revoked, &err));
    ok(key_list(db, &f->arena, &keys, &n, &err));
    assert_int_equal(keys[0].last_used_at, NOW + 60);
    ok(db_exec(db, "DELETE FROM api_key", NO_PARAMS, NULL, &err));
    ok(key_revision(db, &deleted, &err));
    assert_true(none != made && made == used && used != revoked && revoked != deleted);
    db_release(db);
}

static void a_key_is_found_by_name_and_by_number(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct key key;
    int64_t id = 0;
    ok(make(db, "notebook", &key, &err));
    ok(key_find(db, STR("notebook"), &id, &err));
    assert_int_equal(id, key.id);
    ok(key_find(db, STR("1"), &id, &err));
    assert_int_equal(id, key.id);
    expect(STATUS_UNKNOWN_KEY, key_find(db, STR("notebok"), &id, &err));
    assert_string_equal(err.suggestion, "notebook");
    expect(STATUS_UNKNOWN_KEY, key_find(db, STR("cmmc_1_secret"), &id, &err));
    assert_string_equal(err.value, ""); /* a key given by mistake is not repeated */
    db_release(db);
}

static void impossible_keys_are_refused(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct key key;
    char text[API_KEY_TEXT_BYTES];
    const struct key_options bad[] = {
        {.name = STR("a b"), .scopes = SCOPE_READ, .rate = -1},
        {.name = STR("a"), .scopes = 0, .rate = -1},
        {.name = STR("a"), .scopes = SCOPE_ALL + 1, .rate = -1},
        {.name = STR("a"), .scopes = SCOPE_READ, .rate = 1000001},
        {.name = STR("a"), .scopes = SCOPE_READ, .rate = -1, .expires_at = NOW},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        expect(STATUS_BAD_VALUE, key_create(db, &bad[i], NOW, &key, text, &err));
        assert_true(err.name[0] == '/' && err.allowed[0] != '\0');
    }
    db_release(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_is_listed_with_all_that_was_said_about_it),
        TEST(the_table_does_not_hold_the_key),
        TEST(a_name_is_taken_for_good),
        TEST(a_revoked_key_stays_revoked_since_the_first_time),
        TEST(the_revision_follows_changes_and_not_use),
        TEST(a_key_is_found_by_name_and_by_number),
        TEST(impossible_keys_are_refused),
    };
    return cmocka_run_group_tests_name("key_store", tests, NULL, NULL);
}
