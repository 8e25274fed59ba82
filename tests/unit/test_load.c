/* test_load.c - folders of CSV into generations: what loads, what is refused and where it says the fault is. */
#include "tests/support/store_fixture.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/gzip.h"
#include "ingest/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FX_HEADER "base,quote,date,rate,is_cross,source,is_filled,known_at\n"
#define FX_LINE(day, rate) \
    "EUR,KRW,2020-01-" day "," rate ",false,t,false,2020-01-" day "T15:00:00Z\n"

struct entry {
    const char *path, *mart, *content;
    int64_t rows;
    bool is_packed;
};

/* Writes files and their manifest. */
static void write_set(struct fixture *f, const struct entry *entries, size_t n)
{
    struct buf manifest;
    buf_init(&manifest, &f->arena, 1 << 20);
    buf_add_c(&manifest, "{\"format\": 1, \"name\": \"test\", \"files\": [");
    for (size_t i = 0; i < n; i++) {
        struct str bytes = str_of(entries[i].content);
        char hex[DIGEST_HEX_BYTES];
        if (entries[i].is_packed)
            assert_int_equal(gzip_pack(bytes, 6, &f->arena, &bytes, NULL), STATUS_OK);
        assert_int_equal(digest_hex(bytes, hex, NULL), STATUS_OK);
        write_file(f, entries[i].path, bytes.ptr, bytes.len);
        buf_printf(
            &manifest, "%s{\"path\": \"%s\", \"mart\": \"%s\", \"rows\": %lld, \"sha256\": \"%s\"}",
            i > 0 ? ", " : "", entries[i].path, entries[i].mart, (long long)entries[i].rows, hex);
    }
    buf_add_c(&manifest, "]}");
    write_file(f, "manifest.json", manifest.ptr, manifest.len);
}

static void several_files_load_as_one_generation(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct load_report r;
    const struct entry entries[] = {
        {"a.csv", "mart_fx_daily", FX_HEADER FX_LINE("02", "1300.50") FX_LINE("03", "1301"), 2,
         false},
        {"i.csv", "mart_instrument",
         "uid,asset_class,symbol,name,currency,source,quote_unit,price_basis,is_active,is_survivor_biased\r\n"
         "s:A,stock,A,\"Ay, \"\"the\"\" first\",USD,t,price,raw,true,false\r\n",
         1, false},
        {"b.csv.gz", "mart_fx_daily",
         "known_at,rate,date,quote,base,is_filled,source,is_cross\n2020-01-06T15:00:00Z,1302,2020-01-06,KRW,EUR,true,t,false\n",
         1, true},
        {"p.csv", "mart_price_daily",
         "uid,date,adj_close,currency,source,quality,known_at\ns:A,2020-01-02,1.0,USD,t,0,2020-01-02T21:00:00Z\n",
         1, false},
    };
    write_set(f, entries, ARRAY_LEN(entries));
    ok(load_directory(f->pool, f->dir, true, 3, &r, &err));
    assert_false(r.is_skipped);
    assert_int_equal(r.n_files, 4);
    assert_int_equal(r.n_rows, 5);
    assert_int_equal(r.publish.generation, 1);
    assert_int_equal(r.publish.inserted, 5);
    assert_string_equal(query_text(f, "SELECT date, rate FROM mart_fx_daily ORDER BY date"),
                        "2020-01-02|1300.5\n2020-01-03|1301\n2020-01-06|1302");
    assert_string_equal(query_text(f, "SELECT name, first_date, n_rows FROM mart_instrument"),
                        "Ay, \"the\" first|2020-01-02|1");
    ok(load_directory(f->pool, f->dir, false, 3, &r, &err));
    assert_false(r.publish.is_changed);
    assert_int_equal(r.publish.generation, 1);
    ok(load_directory(f->pool, f->dir, true, 3, &r, &err));
    assert_true(r.is_skipped);
    assert_int_equal(r.publish.generation, 1);
}

static void every_bad_row_is_refused_with_file_line_column_and_what_is_allowed(void **state)
{
    static const struct {
        const char *content;
        int64_t rows;
        enum status status;
        const char *place, *says, *value, *allowed;
    } cases[] = {
        {FX_HEADER FX_LINE("02", "1") FX_LINE("03", "x1"), 2, STATUS_BAD_DATA, "fx.csv:3",
         "\"rate\"", "x1", "38 digits"},
        {FX_HEADER FX_LINE("02", ""), 1, STATUS_BAD_DATA, "fx.csv:2", "\"rate\" must not be empty",
         "", ""},
        {FX_HEADER FX_LINE("32", "1"), 1, STATUS_BAD_DATA, "fx.csv:2", "\"date\"", "2020-01-32",
         "YYYY-MM-DD"},
        {FX_HEADER "EUR,KRW,2020-01-02,1,no,t,false,2020-01-02T15:00:00Z\n", 1, STATUS_BAD_DATA,
         "fx.csv:2", "\"is_cross\"", "no", "true or false"},
        {FX_HEADER
         "EUR,KRW,2020-01-02,1,true,\"a\nb\",false,2020-01-02T15:00:00Z\nEUR,KRW,2020-01-03,,,,,\n",
         2, STATUS_BAD_DATA, "fx.csv:4", "\"rate\"", "", ""},
        {FX_HEADER FX_LINE("02", "1") FX_LINE("03", "1") FX_LINE("02", "1"), 3, STATUS_BAD_DATA,
         "fx.csv:4", "repeats the key", "", ""},
        {FX_HEADER FX_LINE("02", "\"1"), 1, STATUS_BAD_CSV, "fx.csv:2", "not closed", "", ""},
        {FX_HEADER "EUR,KRW\n", 1, STATUS_BAD_CSV, "fx.csv:2", "number of fields", "", ""},
        {FX_HEADER FX_LINE("02", "1\xff"), 1, STATUS_BAD_CSV, "fx.csv:2", "UTF-8", "", ""},
        {"base,quote,date\nEUR,KRW,2020-01-02\n", 1, STATUS_BAD_DATA, "fx.csv:1",
         "\"rate\" of mart_fx_daily is required", "", ""},
        {"base,quote,date,rat\n", 0, STATUS_BAD_DATA, "fx.csv:1", "\"rat\"", "rat", "is_cross"},
        {"base,quote,date,base\n", 0, STATUS_BAD_DATA, "fx.csv:1", "stands twice", "", ""},
        {"", 0, STATUS_BAD_CSV, "fx.csv:1", "empty", "", ""},
        {FX_HEADER FX_LINE("02", "1"), 2, STATUS_BAD_DATA, "fx.csv", "fewer rows", "", ""},
        {FX_HEADER FX_LINE("02", "1") FX_LINE("03", "1"), 1, STATUS_BAD_DATA, "fx.csv", "more rows",
         "", ""},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        struct load_report r;
        const struct entry entry = {"fx.csv", "mart_fx_daily", cases[i].content, cases[i].rows,
                                    false};
        write_set(f, &entry, 1);
        expect(cases[i].status, load_directory(f->pool, f->dir, false, 3, &r, &err));
        if (err.where != ERR_LINE || strcmp(err.name, cases[i].place) != 0 ||
            strstr(err.detail, cases[i].says) == NULL || strcmp(err.value, cases[i].value) != 0 ||
            strstr(err.allowed, cases[i].allowed) == NULL)
            fail_msg("case %zu: [%s] [%s] [%s] [%s]", i, err.name, err.detail, err.value,
                     err.allowed);
    }
    assert_string_equal(query_text(f, "SELECT count(*) FROM publication"), "0");
}

static void a_key_repeated_in_another_file_is_named_there(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct load_report r;
    const struct entry entries[] = {
        {"a.csv", "mart_fx_daily", FX_HEADER FX_LINE("02", "1") FX_LINE("03", "1"), 2, false},
        {"b.csv", "mart_fx_daily",
         FX_HEADER FX_LINE("06", "1") FX_LINE("03", "1") FX_LINE("07", "1"), 3, false},
        {"c.csv", "mart_fx_daily", FX_HEADER FX_LINE("08", "1"), 1, false},
    };
    write_set(f, entries, ARRAY_LEN(entries));
    expect(STATUS_BAD_DATA, load_directory(f->pool, f->dir, false, 3, &r, &err));
    assert_string_equal(err.name, "b.csv:3");
}

static void computed_columns_cannot_be_loaded(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct load_report r;
    const struct entry entry = {"i.csv", "mart_instrument", "uid,n_rows\na,1\n", 1, false};
    write_set(f, &entry, 1);
    expect(STATUS_BAD_DATA, load_directory(f->pool, f->dir, false, 3, &r, &err));
    assert_non_null(strstr(err.detail, "computed"));
}

static void a_manifest_is_checked_before_any_file_is_read(void **state)
{
#define SHA "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define FILE_ENTRY(path, mart, rows, sha)                                             \
    "{\"format\":1,\"name\":\"x\",\"files\":[{\"path\":\"" path "\",\"mart\":\"" mart \
    "\",\"rows\":" rows ",\"sha256\":\"" sha "\"}]}"
    static const struct {
        const char *manifest;
        enum status status;
        const char *says; /* in detail, name or value */
    } cases[] = {
        {"", STATUS_MALFORMED_JSON, "manifest.json"},
        {"{\"format\":1,}", STATUS_MALFORMED_JSON, "manifest.json: Line 1"},
        {"{\"format\":2,\"name\":\"x\",\"files\":[]}", STATUS_OUT_OF_RANGE, "/format"},
        {"{\"format\":1,\"name\":\"x\",\"files\":[]}", STATUS_OUT_OF_RANGE, "/files"},
        {"{\"format\":1,\"name\":\"x\",\"file\":[]}", STATUS_UNKNOWN_FIELD, "file"},
        {FILE_ENTRY("../x.csv", "mart_fx_daily", "1", SHA), STATUS_BAD_DATA, "/files/0/path"},
        {FILE_ENTRY("/etc/passwd", "mart_fx_daily", "1", SHA), STATUS_BAD_DATA, "/files/0/path"},
        {FILE_ENTRY("a/../../x", "mart_fx_daily", "1", SHA), STATUS_BAD_DATA, "/files/0/path"},
        {FILE_ENTRY("a//x", "mart_fx_daily", "1", SHA), STATUS_BAD_DATA, "/files/0/path"},
        {FILE_ENTRY("a/", "mart_fx_daily", "1", SHA), STATUS_BAD_DATA, "/files/0/path"},
        {FILE_ENTRY("a\\\\b", "mart_fx_daily", "1", SHA), STATUS_BAD_DATA, "/files/0/path"},
        {FILE_ENTRY(".hidden", "mart_fx_daily", "1", SHA), STATUS_BAD_DATA, "/files/0/path"},
        {FILE_ENTRY("x.csv", "mart_fx_daily", "-1", SHA), STATUS_OUT_OF_RANGE, "/files/0/rows"},
        {FILE_ENTRY("x.csv", "mart_fx_daily", "1", "E3"), STATUS_BAD_DATA, "/files/0/sha256"},
        {FILE_ENTRY("x.csv", "mart_fx_dayly", "1", SHA), STATUS_UNKNOWN_MART, "mart_fx_dayly"},
        {FILE_ENTRY("missing.csv", "mart_fx_daily", "1", SHA), STATUS_IO, "missing.csv"},
        {FILE_ENTRY("x.csv", "mart_fx_daily", "1", SHA), STATUS_BAD_DATA, "SHA-256 differs"},
    };
    struct fixture *f = *state;
    write_file(f, "x.csv", FX_HEADER, sizeof FX_HEADER - 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        struct load_report r;
        write_file(f, "manifest.json", cases[i].manifest, strlen(cases[i].manifest));
        expect(cases[i].status, load_directory(f->pool, f->dir, false, 3, &r, &err));
        if (strstr(err.detail, cases[i].says) == NULL && strstr(err.name, cases[i].says) == NULL)
            fail_msg("case %zu: [%s] [%s]", i, err.detail, err.name);
    }
}

static void a_folder_without_a_manifest_is_an_input_error(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct load_report r;
    expect(STATUS_IO, load_directory(f->pool, f->dir, false, 3, &r, &err));
    expect(STATUS_IO, load_directory(f->pool, "/nonexistent", false, 3, &r, &err));
}

static void the_sample_loads_once_and_answers_alike_on_both_back_ends(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct load_report r;
    if (access("data/sample/manifest.json", R_OK) != 0)
        skip();
    int64_t from = clock_mono_ns();
    ok(load_directory(f->pool, "data/sample", true, 3, &r, &err));
    print_message("sample: %lld rows in %lld ms\n", (long long)r.n_rows,
                  (long long)(clock_mono_ns() - from) / 1000000);
    assert_true(r.n_rows > 0);
    assert_int_equal(r.publish.inserted, r.n_rows);
    ok(load_directory(f->pool, "data/sample", false, 3, &r, &err));
    assert_false(r.publish.is_changed);
    assert_string_equal(query_text(f,
                                   "SELECT count(*) FROM mart_instrument i WHERE n_rows <> "
                                   "(SELECT count(*) FROM mart_price_daily p WHERE p.uid = i.uid)"),
                        "0");
    assert_string_equal(
        query_text(f, "SELECT count(*) FROM mart_generation g JOIN meta_mart m ON m.mart = g.mart "
                      "WHERE g.n_rows = 0"),
        "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(several_files_load_as_one_generation),
        TEST(every_bad_row_is_refused_with_file_line_column_and_what_is_allowed),
        TEST(a_key_repeated_in_another_file_is_named_there),
        TEST(computed_columns_cannot_be_loaded),
        TEST(a_manifest_is_checked_before_any_file_is_read),
        TEST(a_folder_without_a_manifest_is_an_input_error),
        TEST(the_sample_loads_once_and_answers_alike_on_both_back_ends),
    };
    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
