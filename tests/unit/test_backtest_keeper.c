/* test_backtest_keeper.c - answers that wait for the store: found, stored, bounded, dropped and drained. */
#include "tests/support/store_fixture.h"

#include "base/clock.h"
#include "base/digest.h"
#include "handlers/backtest_keeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROOM = 1 << 20 };

struct item {
    char id[DIGEST_HEX_BYTES];
    char body[256];
};

static struct backtest_kept kept_of(struct item *item, int i)
{
    (void)snprintf(item->id, sizeof item->id, "%064d", i);
    (void)snprintf(item->body, sizeof item->body, "{\"data\":{\"id\":%d}}\n", i);
    return (struct backtest_kept){.id = str_of(item->id),
                                  .spec = STR("{\"strategy\":\"equal\"}"),
                                  .body = str_of(item->body),
                                  .generation = 3,
                                  .summary = {.strategy = STR("equal"),
                                              .currency = STR("USD"),
                                              .start = 10957,
                                              .end = 11322,
                                              .n_assets = 2,
                                              .total_return = 0.25}};
}

/* The only connection of a pool is out, so that the keeper's thread waits for it. */
struct stuck {
    struct db_pool *pool;
    struct db *db;
    struct backtest_keeper *keeper;
};

static void set_stuck(const struct fixture *f, uint64_t room, struct stuck *ret)
{
    struct err err = {0};
    *ret = (struct stuck){.pool = fixture_pool(f, 1, 0)};
    ok(db_acquire(ret->pool, DB_WRITE, NULL, &ret->db, &err));
    ok(backtest_keeper_new(ret->pool, room, &ret->keeper, &err));
}

static void set_free(struct stuck *stuck)
{
    db_release(stuck->db);
    stuck->db = NULL;
}

static void clear(struct stuck *stuck)
{
    backtest_keeper_free(stuck->keeper);
    db_release(stuck->db);
    db_pool_close(stuck->pool);
}

static bool has_body(struct backtest_keeper *keeper, const struct item *item)
{
    CLEANUP(arena_clear) struct arena arena;
    CLEANUP(blob_unrefp) struct blob *blob = NULL;
    struct err err = {0};
    struct str body = STR_NONE;
    bool found = false;
    arena_init(&arena, ROOM);
    ok(backtest_keeper_find(keeper, str_of(item->id), &arena, &blob, &body, &found, &err));
    assert_int_equal(found, backtest_keeper_has(keeper, str_of(item->id)));
    return found && str_eq_c(body, item->body);
}

static bool is_stored(struct fixture *f, const struct item *item)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct err err = {0};
    struct str body;
    bool found = false;
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    ok(backtest_load(db, str_of(item->id), &f->arena, &body, &found, &err));
    if (found)
        assert_true(str_eq_c(body, item->body));
    return found;
}

static void what_waits_is_found_and_then_stored_with_its_summary(void **state)
{
    struct fixture *f = *state;
    struct stuck stuck;
    struct item item, other;
    set_stuck(f, ROOM, &stuck);
    struct backtest_kept kept = kept_of(&item, 1);
    (void)kept_of(&other, 2);
    assert_true(backtest_keeper_take(stuck.keeper, &kept));
    assert_true(backtest_keeper_take(stuck.keeper, &kept)); /* again: one is enough */
    assert_true(has_body(stuck.keeper, &item));
    assert_false(has_body(stuck.keeper, &other));
    set_free(&stuck);
    backtest_keeper_settle(stuck.keeper, 30000);
    assert_false(has_body(stuck.keeper, &item));
    assert_true(is_stored(f, &item));
    assert_string_equal(query_text(f, "SELECT spec, generation, strategy, currency, start_on, "
                                      "n_assets, total_return FROM backtest_result"),
                        "{\"strategy\":\"equal\"}|3|equal|USD|2000-01-01|2|0.25");
    struct backtest_keeper_stats stats;
    backtest_keeper_stats(stuck.keeper, &stats);
    assert_true(stats.items == 0 && stats.bytes == 0 && stats.behind == 1 && stats.direct == 0);
    clear(&stuck);
}

static void a_full_list_leaves_the_answer_to_the_caller(void **state)
{
    struct fixture *f = *state;
    struct stuck stuck;
    struct item item;
    struct backtest_keeper_stats stats;
    set_stuck(f, 300, &stuck);
    int n = 0;
    struct backtest_kept kept = kept_of(&item, n);
    while (n < 100 && backtest_keeper_take(stuck.keeper, &kept))
        kept = kept_of(&item, ++n);
    assert_true(n >= 2 && n <= 8); /* some 47 bytes each */
    backtest_keeper_stats(stuck.keeper, &stats);
    assert_true(stats.items == (uint64_t)n && stats.bytes <= 300 && stats.direct == 1);
    assert_false(has_body(stuck.keeper, &item));
    set_free(&stuck);
    backtest_keeper_settle(stuck.keeper, 30000);
    assert_true(backtest_keeper_take(stuck.keeper, &kept)); /* there is room again */
    clear(&stuck);
    assert_true(is_stored(f, &item));
}

static void the_list_is_bounded_in_number_too(void **state)
{
    struct fixture *f = *state;
    struct stuck stuck;
    struct item item;
    set_stuck(f, ROOM, &stuck);
    int n = 0;
    struct backtest_kept kept = kept_of(&item, n);
    while (n < 2 * BACKTEST_KEEPER_ITEMS_MAX && backtest_keeper_take(stuck.keeper, &kept))
        kept = kept_of(&item, ++n);
    assert_int_equal(n, BACKTEST_KEEPER_ITEMS_MAX);
    for (int i = 0; i < n; i++) {
        (void)kept_of(&item, i);
        assert_true(backtest_keeper_forget(stuck.keeper, str_of(item.id)) || i == 0);
    }
    clear(&stuck);
}

static void the_end_stores_everything_that_waits(void **state)
{
    struct fixture *f = *state;
    struct stuck stuck;
    struct item item;
    set_stuck(f, ROOM, &stuck);
    for (int i = 0; i < 50; i++) {
        struct backtest_kept kept = kept_of(&item, i);
        assert_true(backtest_keeper_take(stuck.keeper, &kept));
    }
    set_free(&stuck);
    backtest_keeper_stop(stuck.keeper);
    struct backtest_kept late = kept_of(&item, 50);
    assert_false(backtest_keeper_take(stuck.keeper, &late));
    clear(&stuck);
    assert_string_equal(query_text(f, "SELECT COUNT(*) FROM backtest_result"), "50");
}

static void what_is_forgotten_while_it_waits_is_never_stored(void **state)
{
    struct fixture *f = *state;
    struct stuck stuck;
    struct item items[3];
    set_stuck(f, ROOM, &stuck);
    for (int i = 0; i < 3; i++) {
        struct backtest_kept kept = kept_of(&items[i], i);
        assert_true(backtest_keeper_take(stuck.keeper, &kept));
    }
    assert_true(backtest_keeper_forget(stuck.keeper, str_of(items[2].id)));
    assert_false(backtest_keeper_forget(stuck.keeper, str_of(items[2].id)));
    assert_false(has_body(stuck.keeper, &items[2]));
    struct item again;
    struct backtest_kept kept = kept_of(&again, 7);
    assert_true(backtest_keeper_take(stuck.keeper, &kept)); /* behind the one that went */
    set_free(&stuck);
    clear(&stuck);
    assert_true(is_stored(f, &items[0]) && is_stored(f, &items[1]) && is_stored(f, &again));
    assert_false(is_stored(f, &items[2]));
}

static void an_end_without_a_connection_gives_up_and_returns(void **state)
{
    struct fixture *f = *state;
    struct stuck stuck;
    struct item item;
    set_stuck(f, ROOM, &stuck);
    for (int i = 0; i < 5; i++) {
        struct backtest_kept kept = kept_of(&item, i);
        assert_true(backtest_keeper_take(stuck.keeper, &kept));
    }
    backtest_keeper_stop(stuck.keeper);
    struct backtest_keeper_stats stats;
    backtest_keeper_stats(stuck.keeper, &stats);
    assert_true(stats.items == 0 && stats.bytes == 0 && stats.failed == 5 && stats.behind == 0);
    clear(&stuck);
}

static void a_connection_that_comes_late_is_waited_for(void **state)
{
    struct fixture *f = *state;
    struct stuck stuck;
    struct item item;
    set_stuck(f, ROOM, &stuck);
    struct backtest_kept kept = kept_of(&item, 1);
    assert_true(backtest_keeper_take(stuck.keeper, &kept));
    int64_t from_ns = clock_mono_ns();
    backtest_keeper_settle(stuck.keeper, 50); /* not for ever */
    assert_true(clock_mono_ns() - from_ns >= 45000000);
    assert_true(has_body(stuck.keeper, &item));
    set_free(&stuck);
    backtest_keeper_settle(stuck.keeper, 30000);
    assert_true(is_stored(f, &item));
    clear(&stuck);
}

static bool pause_until(int64_t end_ns)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
    return clock_mono_ns() < end_ns;
}

/* Waits until the list holds fewer bytes than these. */
static void await_fewer(struct backtest_keeper *keeper, uint64_t bytes)
{
    struct backtest_keeper_stats stats;
    int64_t end_ns = clock_mono_ns() + INT64_C(30000000000);
    do
        backtest_keeper_stats(keeper, &stats);
    while (stats.bytes >= bytes && pause_until(end_ns));
    assert_true(stats.bytes < bytes);
}

/* "0123456789..." in a blob that the caller has a reference of. */
static struct blob *digits_of(size_t len)
{
    struct blob *blob = blob_new(len);
    assert_non_null(blob);
    for (size_t i = 0; i < len; i++)
        blob->bytes[i] = (char)('0' + i % 10);
    return blob;
}

static void what_waits_is_packed_and_gives_its_memory_back(void **state)
{
    enum { LEN = 100000 };
    struct fixture *f = *state;
    struct stuck stuck;
    struct item item;
    struct err err = {0};
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(blob_unrefp) struct blob *blob = digits_of(LEN), *found_blob = NULL;
    struct str body = {blob->bytes, LEN}, found_body = STR_NONE;
    bool found = false;
    set_stuck(f, ROOM, &stuck);
    struct backtest_kept kept = kept_of(&item, 1);
    kept.blob = blob;
    kept.body = body;
    assert_true(backtest_keeper_take(stuck.keeper, &kept));
    await_fewer(stuck.keeper, LEN / 10);
    while (atomic_load(&blob->references) > 1) /* the keeper's goes right after it has counted */
        (void)pause_until(0);
    ok(backtest_keeper_find(stuck.keeper, kept.id, &f->arena, &found_blob, &found_body, &found,
                            &err));
    assert_true(found && found_blob == NULL && str_eq(found_body, body));
    set_free(&stuck);
    backtest_keeper_settle(stuck.keeper, 30000);
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    ok(backtest_load(db, kept.id, &f->arena, &found_body, &found, &err));
    assert_true(found && str_eq(found_body, body));
    clear(&stuck);
}

/* A body that is written when it is needed. */
struct draft {
    struct backtest_later later;
    char body[256];
    atomic_int *n_written, *n_freed;
    int n_failures; /* to come first */
};

static enum status draft_write(struct backtest_later *later, struct blob **ret,
                               struct str *ret_body, struct err *err)
{
    struct draft *draft = (struct draft *)(void *)later;
    size_t len = strlen(draft->body);
    if (draft->n_failures-- > 0)
        return err_out_of_memory(err);
    struct blob *blob = blob_new(len);
    assert_non_null(blob);
    memcpy(blob->bytes, draft->body, len);
    *ret = blob;
    *ret_body = (struct str){blob->bytes, len};
    atomic_fetch_add(draft->n_written, 1);
    return STATUS_OK;
}

static void draft_free(struct backtest_later *later)
{
    struct draft *draft = (struct draft *)(void *)later;
    atomic_fetch_add(draft->n_freed, 1);
    free(draft);
}

/* kept_of, but with a draft in place of the body. */
static struct backtest_kept drafted_of(struct item *item, int i, atomic_int counts[2])
{
    struct backtest_kept kept = kept_of(item, i);
    struct draft *draft = calloc(1, sizeof *draft);
    assert_non_null(draft);
    draft->later = (struct backtest_later){1000, draft_write, draft_free};
    draft->n_written = &counts[0];
    draft->n_freed = &counts[1];
    memcpy(draft->body, item->body, sizeof draft->body);
    kept.later = &draft->later;
    kept.body = STR_NONE;
    return kept;
}

static void a_draft_is_written_once_for_whoever_asks_first(void **state)
{
    struct fixture *f = *state;
    struct stuck stuck;
    struct item items[3];
    struct backtest_keeper_stats stats;
    atomic_int counts[2] = {0, 0};
    set_stuck(f, ROOM, &stuck);
    for (int i = 0; i < 3; i++) {
        struct backtest_kept kept = drafted_of(&items[i], i, counts);
        assert_true(backtest_keeper_take(stuck.keeper, &kept));
    }
    for (int i = 0; i < 6; i++)
        assert_true(has_body(stuck.keeper, &items[i % 3]));
    assert_int_equal(counts[0], 3);
    assert_int_equal(counts[1], 3);
    backtest_keeper_stats(stuck.keeper, &stats);
    assert_true(stats.items == 3 && stats.bytes < 1000); /* the drafts are gone */
    struct backtest_kept again = drafted_of(&items[1], 1, counts);
    assert_true(backtest_keeper_take(stuck.keeper, &again)); /* of no use, and freed */
    assert_int_equal(counts[1], 4);
    set_free(&stuck);
    clear(&stuck);
    for (int i = 0; i < 3; i++)
        assert_true(is_stored(f, &items[i]));
    assert_int_equal(counts[0], 3);
}

static void a_draft_for_which_there_is_no_room_stays_the_caller_s(void **state)
{
    struct fixture *f = *state;
    struct stuck stuck;
    struct item item;
    atomic_int counts[2] = {0, 0};
    set_stuck(f, 500, &stuck);
    struct backtest_kept kept = drafted_of(&item, 1, counts);
    assert_false(backtest_keeper_take(stuck.keeper, &kept));
    assert_int_equal(counts[1], 0);
    kept.later->free(kept.later);
    clear(&stuck);
}

static void a_draft_that_is_forgotten_or_given_up_is_freed(void **state)
{
    struct fixture *f = *state;
    struct stuck stuck;
    struct item items[2];
    atomic_int counts[2] = {0, 0};
    set_stuck(f, ROOM, &stuck);
    struct backtest_kept first = kept_of(&items[0], 0);
    assert_true(backtest_keeper_take(stuck.keeper, &first));
    struct backtest_kept kept = drafted_of(&items[1], 1, counts);
    assert_true(backtest_keeper_take(stuck.keeper, &kept));
    assert_true(backtest_keeper_forget(stuck.keeper, kept.id));
    assert_int_equal(counts[1], 1);
    kept = drafted_of(&items[1], 1, counts);
    assert_true(backtest_keeper_take(stuck.keeper, &kept));
    backtest_keeper_stop(stuck.keeper);
    assert_int_equal(counts[1], 2);
    clear(&stuck);
}

static void a_draft_that_cannot_be_written_is_tried_again(void **state)
{
    struct fixture *f = *state;
    struct stuck stuck;
    struct item item;
    atomic_int counts[2] = {0, 0};
    set_stuck(f, ROOM, &stuck);
    struct backtest_kept kept = drafted_of(&item, 1, counts);
    ((struct draft *)(void *)kept.later)->n_failures = 2;
    assert_true(backtest_keeper_take(stuck.keeper, &kept));
    set_free(&stuck);
    backtest_keeper_settle(stuck.keeper, 30000);
    assert_true(is_stored(f, &item));
    assert_int_equal(counts[0], 1);
    clear(&stuck);
}

struct crowd_member {
    struct fixture *f;
    struct backtest_keeper *keeper;
    int from;
    int n_lost;
    atomic_int *counts;
};

static void *take_and_find(void *arg)
{
    struct crowd_member *member = arg;
    struct item item;
    for (int i = 0; i < 100; i++) {
        CLEANUP(arena_clear) struct arena arena;
        CLEANUP(blob_unrefp) struct blob *blob = NULL;
        arena_init(&arena, ROOM);
        int which = (member->from + i) % 150;
        struct backtest_kept kept =
            i % 2 == 0 ? kept_of(&item, which) : drafted_of(&item, which, member->counts);
        struct str body = STR_NONE;
        bool found = false;
        if (!backtest_keeper_take(member->keeper, &kept) ||
            backtest_keeper_find(member->keeper, kept.id, &arena, &blob, &body, &found, NULL) !=
                STATUS_OK ||
            (found && !str_eq_c(body, item.body)))
            member->n_lost++;
    }
    return NULL;
}

static void many_threads_take_and_find_while_it_stores(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct backtest_keeper *keeper = NULL;
    struct crowd_member members[4];
    pthread_t threads[4];
    atomic_int counts[2] = {0, 0};
    ok(backtest_keeper_new(f->pool, ROOM, &keeper, &err));
    for (int i = 0; i < 4; i++) {
        members[i] = (struct crowd_member){f, keeper, 50 * i, 0, counts};
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_find, &members[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(members[i].n_lost, 0);
    }
    backtest_keeper_free(keeper);
    assert_int_equal(counts[1], 200);
    assert_string_equal(query_text(f, "SELECT COUNT(*) FROM backtest_result"), "150");
}

static void a_keeper_of_no_size_takes_nothing(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct backtest_keeper *keeper = (struct backtest_keeper *)f;
    struct item item;
    ok(backtest_keeper_new(f->pool, 0, &keeper, &err));
    assert_null(keeper);
    struct backtest_kept kept = kept_of(&item, 1);
    assert_false(backtest_keeper_take(keeper, &kept));
    assert_false(has_body(keeper, &item));
    assert_false(backtest_keeper_forget(keeper, kept.id));
    backtest_keeper_settle(keeper, 60000);
    backtest_keeper_free(keeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_waits_is_found_and_then_stored_with_its_summary),
        TEST(a_full_list_leaves_the_answer_to_the_caller),
        TEST(the_list_is_bounded_in_number_too),
        TEST(the_end_stores_everything_that_waits),
        TEST(what_is_forgotten_while_it_waits_is_never_stored),
        TEST(an_end_without_a_connection_gives_up_and_returns),
        TEST(a_connection_that_comes_late_is_waited_for),
        TEST(what_waits_is_packed_and_gives_its_memory_back),
        TEST(a_draft_is_written_once_for_whoever_asks_first),
        TEST(a_draft_for_which_there_is_no_room_stays_the_caller_s),
        TEST(a_draft_that_is_forgotten_or_given_up_is_freed),
        TEST(a_draft_that_cannot_be_written_is_tried_again),
        TEST(many_threads_take_and_find_while_it_stores),
        TEST(a_keeper_of_no_size_takes_nothing),
    };
    return cmocka_run_group_tests_name("backtest_keeper", tests, NULL, NULL);
}
