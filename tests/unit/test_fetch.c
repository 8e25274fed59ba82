/* test_fetch.c - the manners towards sources: pauses, quotas, other addresses, and keys that are covered. */
#include "base/http_date.h"
#include "ingest/fetch.h"
#include "ingest/fetch_base.h"
#include "ingest/fetch_pace.h"
#include "ingest/redact.h"
#include "ingest/schema_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void what_a_source_asks_for_is_kept(void **state)
{
    char date[HTTP_DATE_BYTES];
    (void)state;
    assert_int_equal(pace_retry_after(STR(" 120 "), 1000), 120);
    assert_int_equal(pace_retry_after(STR("-1"), 1000), 0);
    assert_int_equal(pace_retry_after(STR("soon"), 1000), 0);
    assert_int_equal(pace_retry_after(STR_NONE, 1000), 0);
    http_date_format(1733100060, date);
    assert_int_equal(pace_retry_after(str_of(date), 1733100000), 60);
    assert_int_equal(pace_retry_after(str_of(date), 1733100060), 0);
    assert_int_equal(pace_retry_after(STR("99999999999"), 1000), 0); /* longer than anyone waits */
    assert_int_equal(pace_delay_ms(7, 3, 0.5), 7000);
    for (unsigned tries = 0; tries < 40; tries++) { /* full jitter under a ceiling that doubles */
        int64_t ceiling = tries < 7 ? 500LL << tries : 60000;
        assert_int_equal(pace_delay_ms(0, tries, 0.0), 0);
        assert_int_equal(pace_delay_ms(0, tries, 0.5), (ceiling < 60000 ? ceiling : 60000) / 2);
    }
}

static void requests_are_counted_by_day(void **state)
{
    char folder[] = "/tmp/cmmc-pace-XXXXXX", path[64];
    const struct source_manners manners = {.per_day = 3};
    const int64_t day_ms = 86400000;
    struct pace pace, other;
    struct err err = {0};
    struct stop stop = {0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (unsigned i = 0; i < 4; i++) { /* as many processes */
        assert_int_equal(pace_hold(folder, STR("a.b:80"), 20000 * day_ms + 5, NULL, &pace, &err),
                         STATUS_OK);
        assert_int_equal(pace.count, i);
        assert_int_equal(pace_left(&pace, &manners), i < 3 ? 3 - i : 0);
        pace.count++;
        pace.next_ms = 1234567890123 + i;
        assert_int_equal(pace_save(&pace, &err), STATUS_OK);
        pace_drop(&pace);
    }
    assert_int_equal(pace_hold(folder, STR("a.b:80"), 20001 * day_ms, NULL, &pace, &err),
                     STATUS_OK);
    assert_int_equal(pace.count, 0);
    assert_true(pace.next_ms == 1234567890126);
    stop_raise(&stop, STOP_DRAINING); /* whoever waits for the holder can be stopped */
    assert_int_equal(pace_hold(folder, STR("a.b:80"), 0, &stop, &other, &err), STATUS_DRAINING);
    assert_int_equal(pace_hold(folder, STR("c"), 0, &stop, &other, &err), STATUS_OK);
    pace_drop(&other);
    pace_drop(&pace);
    (void)snprintf(path, sizeof path, "%s/c.pace", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("20\0xx garbage", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(pace_hold(folder, STR("c"), 0, NULL, &pace, &err), STATUS_OK);
    assert_int_equal(pace.count, 0);
    pace_drop(&pace);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/a.b_80.pace", folder);
    (void)unlink(path);
    (void)rmdir(folder);
}

static const char *base_of(const char *bases, const char *source)
{
    static char room[256];
    struct buf out;
    buf_init_fixed(&out, room, sizeof room);
    return fetch_base(str_of(bases), source_find(str_of(source)), &out) ? buf_c_str(&out) : "own";
}

static void sources_may_live_elsewhere(void **state)
{
    static const char *const good[] = {"", "yahoo=https://mirror.example",
                                       "*=http://127.0.0.1:9/,fred=http://localhost:1/x",
                                       "ecos=http://[::1]:9"};
    static const char *const bad[] = {"yahoo",
                                      "yahoo=",
                                      "nobody=https://x",
                                      "yahoo=http://mirror.example",
                                      "yahoo=http://127.0.0.1.example",
                                      "yahoo=http://localhost@example",
                                      "yahoo=https://u:p@x",
                                      "yahoo=ftp://x",
                                      "yahoo=https://x?key=",
                                      "yahoo=https://"};
    struct err err = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(fetch_bases_check(str_of(good[i]), &err), STATUS_OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(fetch_bases_check(str_of(bad[i]), &err), STATUS_CONFIG);
    assert_string_equal(base_of("", "yahoo"), "own");
    assert_string_equal(base_of("fred=https://x", "yahoo"), "own");
    assert_string_equal(base_of("*=http://127.0.0.1:9/, fred=https://x/", "yahoo"),
                        "http://127.0.0.1:9/yahoo");
    assert_string_equal(base_of("*=http://127.0.0.1:9/, fred=https://x/", "fred"), "https://x");
    struct str host = fetch_host(STR("https://a.b:80/c"));
    assert_true(str_eq_c(host, "a.b:80"));
}

static const char *covered(const char *text, const char *secret)
{
    static char room[256];
    (void)snprintf(room, sizeof room, "%s", text);
    redact(room, strlen(room), str_of(secret));
    return room;
}

static void keys_are_covered(void **state)
{
    (void)state;
    assert_string_equal(covered("/api/SECRET1/json?x=SECRET1", "SECRET1"),
                        "/api/*******/json?x=*******");
    assert_string_equal(covered("k=a%2Bb%3D%3D&k=a+b==", "a+b=="), "k=***********&k=*****");
    assert_string_equal(covered("SSECRET", "SECRET"), "S******");
    assert_string_equal(covered("SECRE", "SECRET"), "SECRE");
    assert_string_equal(covered("nothing", ""), "nothing");
    assert_string_equal(covered("abc", "abc"), "abc"); /* too short for a key */
    redact(NULL, 0, STR("SECRET"));
}

static void hash_of(const char *body, char ret[DIGEST_HEX_BYTES])
{
    struct err err = {0};
    assert_int_equal(schema_hash(str_of(body), ret, &err), STATUS_OK);
}

static void a_schema_is_known_by_its_names(void **state)
{
    char a[DIGEST_HEX_BYTES], b[DIGEST_HEX_BYTES];
    (void)state;
    hash_of("{\"x\":1,\"rates\":{\"2024-12-02\":{\"y\":\"a:\\\"b\\\":\"}}}", a);
    hash_of(" {\"rates\" : {\"2025-01-01\":{\"y\":2},\"2025-01-02\":{}}, \"x\":[]}", b);
    assert_string_equal(a, b);
    hash_of("{\"rates\":{},\"x\":[],\"y\":0,\"z\":0}", b);
    assert_string_not_equal(a, b);
    hash_of("<a><b c='<d'/>text</a>", a);
    hash_of("<b/><a>", b);
    assert_string_not_equal(a, ""); /* the quoted one counts: it is no parser */
    hash_of("symbol,date\nA,B\n", a);
    hash_of("symbol,date\nC,D\n", b);
    assert_string_equal(a, b);
    hash_of("[]", a);
    assert_string_equal(a, "");
    hash_of("{\"open", a);
    assert_string_equal(a, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_source_asks_for_is_kept),
        cmocka_unit_test(requests_are_counted_by_day),
        cmocka_unit_test(sources_may_live_elsewhere),
        cmocka_unit_test(keys_are_covered),
        cmocka_unit_test(a_schema_is_known_by_its_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
