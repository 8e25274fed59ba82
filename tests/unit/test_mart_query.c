/* test_mart_query.c - parsing, canonical text, paging walks and the spelling of values, on both back ends. */
#include "tests/support/store_fixture.h"

#include "store/mart_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FX_COLUMNS "base,quote,date,rate,is_cross,source,is_filled,known_at"

static const struct mart *find(const struct catalog *c, const char *name)
{
    const struct mart *m = catalog_mart(c, str_of(name));
    assert_non_null(m);
    return m;
}

/* Parses "a=eq.1&b=in.(x)&select=..&order=..&limit=.." into a finished query. */
static enum status parse(const struct mart *mart, const char *text, struct arena *arena,
                         struct mart_query *ret, struct err *err)
{
    struct str rest = str_of(text), part;
    *ret = (struct mart_query){.mart = mart};
    ret->filters = arena_array(arena, MART_FILTERS_MAX + 1, sizeof *ret->filters);
    enum status s = STATUS_OK;
    while (s == STATUS_OK && text[0] != '\0' && str_next_field(&rest, '&', &part)) {
        size_t equals = str_find(part, '=', 0);
        struct str name = str_sub(part, 0, equals), value = str_sub(part, equals + 1, part.len);
        if (str_eq(name, STR("select")))
            s = select_parse(mart, value, arena, ret, err);
        else if (str_eq(name, STR("order")))
            s = order_parse(mart, value, arena, ret, err);
        else if (logic_is_name(name))
            s = logic_parse(mart, name, value, arena, &ret->filters[ret->n_filters++], err);
        else if (str_eq(name, STR("limit")))
            s = str_to_i64(value, &ret->limit) ? STATUS_OK : STATUS_BAD_VALUE;
        else
            s = filter_parse(mart, name, value, arena, &ret->filters[ret->n_filters++], err);
    }
    return s == STATUS_OK ? mart_query_finish(ret, arena, err) : s;
}

/* Runs one page; rows as text, fields joined by '|', NULL as '~'. The last row's order values go to after. */
static size_t run_page(struct fixture *f, struct mart_query *q, struct buf *out, struct str *after)
{
    struct err err = {0};
    struct db *db = NULL;
    struct rows rows = {0};
    bool has_row = false;
    size_t n = 0;
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    ok(mart_query_open(db, q, &f->arena, &rows, &err));
    for (;;) {
        ok(rows_next(&rows, &has_row, &err));
        if (!has_row || ++n > (size_t)q->limit)
            break;
        for (size_t i = 0; i < q->n_select; i++) {
            struct str v =
                mart_value_text(&rows, i, q->mart->columns[q->select[i]].kind, &f->arena);
            buf_add_c(out, i > 0 ? "|" : "");
            buf_add(out, v.ptr == NULL ? STR("~") : v);
        }
        buf_add_char(out, '\n');
        for (size_t i = 0; i < q->n_order; i++) {
            struct str v = mart_value_text(&rows, mart_query_order_result_column(q, i),
                                           q->mart->columns[q->order[i].column].kind, &f->arena);
            after[i] = v.ptr == NULL ? STR_NONE : (struct str){arena_dup(&f->arena, v), v.len};
        }
    }
    rows_clear(&rows);
    db_release(db);
    return n;
}

/* The whole answer of a query, walked in pages of limit rows. */
static const char *walk(struct fixture *f, struct mart_query q, int64_t limit)
{
    struct buf out;
    struct str after[64];
    buf_init(&out, &f->arena, 8 << 20);
    q.limit = limit;
    for (size_t n = (size_t)limit + 1, pages = 0; n > (size_t)limit; pages++) {
        assert_true(pages < 10000);
        n = run_page(f, &q, &out, after);
        q.after = after;
    }
    return buf_c_str(&out);
}

static const char *answer(struct fixture *f, const struct mart *mart, int64_t generation,
                          const char *text)
{
    struct err err = {0};
    struct mart_query q;
    ok(parse(mart, text, &f->arena, &q, &err));
    q.generation = generation;
    return walk(f, q, MART_LIMIT_MAX);
}

/* A foreign mart with ties, NULLs and every kind, and no key of its own. */
static void make_zoo(struct fixture *f)
{
    static const char *const animals[] = {"NULL",   "'ant'",     "'Ant'", "'bee'",
                                          "'한국'", "'z''oo\"'", "''"};
    static const char *const decimals[] = {"NULL",  "'9'",   "'10'",  "'-3.5'",
                                           "'0.1'", "'100'", "'-20'", "'0.10001'"};
    static const char *const dates[] = {"NULL", "'2020-01-02'", "'2019-12-31'"};
    static const char *const floats[] = {"NULL", "0.1", "1e300", "-2.5", "0.30000000000000004"};
    char row[256];
    bool is_pg = f->kind == DB_POSTGRESQL;
    run_sql(
        f,
        is_pg
            ? "CREATE TABLE mart_zoo (id BIGINT NOT NULL, t TEXT, d NUMERIC, day DATE, f DOUBLE PRECISION, "
              "i INTEGER NOT NULL, b BOOLEAN, at TIMESTAMPTZ, j JSON)"
            : "CREATE TABLE mart_zoo (id BIGINT NOT NULL, t TEXT, d DECIMAL_TEXT, day DATE_TEXT, f REAL, "
              "i INTEGER NOT NULL, b BOOLEAN, at INSTANT_TEXT, j JSON)");
    for (int i = 0; i < 120; i++) {
        (void)snprintf(
            row, sizeof row,
            "INSERT INTO mart_zoo VALUES (%d, %s, %s, %s, %s, %d, %s, '2020-01-0%dT00:00:00Z', '{\"n\":%d}')",
            i, animals[i % 7], decimals[i * 7 % 8], dates[i % 3], floats[i * 3 % 5], i % 4 - 2,
            i % 5 == 0   ? "NULL"
            : i % 2 == 0 ? "true"
                         : "false",
            i % 3 + 1, i % 6);
        run_sql(f, row);
    }
    if (is_pg)
        run_sql(
            f,
            "UPDATE mart_zoo SET f = 'NaN' WHERE id % 20 = 0; UPDATE mart_zoo SET f = 'Infinity' WHERE id % 20 = 5;"
            "UPDATE mart_zoo SET d = 'NaN' WHERE id % 30 = 0; UPDATE mart_zoo SET at = at + interval '0.25 s' "
            "WHERE id % 4 = 0");
}

static void pages_of_every_order_join_to_the_whole_without_gap_or_repetition(void **state)
{
    static const char *const orders[] = {"",
                                         "id",
                                         "id.desc",
                                         "t",
                                         "t.desc",
                                         "d",
                                         "d.desc",
                                         "day,t",
                                         "day.desc,t",
                                         "day,t.desc",
                                         "f",
                                         "f.desc,id.desc",
                                         "i,t.desc",
                                         "i.desc,d",
                                         "b,day,id",
                                         "b.desc,id",
                                         "at.desc,i",
                                         "j.desc",
                                         "i,id",
                                         "i.desc,id",
                                         "t,d,day,f,i,b,at,j,id",
                                         "id,i.desc",
                                         "d,f.desc,t",
                                         "at,t",
                                         "day,b.desc,d"};
    struct fixture *f = *state;
    make_zoo(f);
    struct catalog *c = load_catalog(f);
    const struct mart *m = find(c, "mart_zoo");
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct err err = {0};
        struct mart_query q;
        char text[128];
        (void)snprintf(text, sizeof text, "select=id,t,d%s%s",
                       orders[i][0] == '\0' ? "" : "&order=", orders[i]);
        ok(parse(m, text, &f->arena, &q, &err));
        const char *whole = walk(f, q, 1000);
        size_t lines = 0;
        for (const char *p = whole; *p != '\0'; p++)
            lines += *p == '\n';
        assert_int_equal(lines, 120);
        for (int64_t limit = 1; limit <= 50; limit += limit < 4 ? 1 : 23)
            if (strcmp(walk(f, q, limit), whole) != 0)
                fail_msg("order \"%s\" differs in pages of %d", orders[i], (int)limit);
    }
    catalog_unref(c);
}

static void nulls_are_last_ascending_and_first_descending(void **state)
{
    struct fixture *f = *state;
    run_sql(
        f,
        "CREATE TABLE mart_n (id BIGINT NOT NULL PRIMARY KEY, a BIGINT); INSERT INTO mart_n VALUES (1, NULL); "
        "INSERT INTO mart_n VALUES (2, 5); INSERT INTO mart_n VALUES (3, -5)");
    struct catalog *c = load_catalog(f);
    const struct mart *m = find(c, "mart_n");
    assert_string_equal(answer(f, m, 0, "order=a"), "3|-5\n2|5\n1|~\n");
    assert_string_equal(answer(f, m, 0, "order=a.desc"), "1|~\n2|5\n3|-5\n");
    catalog_unref(c);
}

static void filters_compare_by_value_and_kind(void **state)
{
    static const struct {
        const char *query, *ids;
    } cases[] = {
        {"d=gt.9", "2\n"},
        {"d=gte.9.000", "1\n2\n"},
        {"d=eq.0010", "2\n"},
        {"d=lt.0", "3\n"},
        {"d=in.(9,-3.50)", "1\n3\n"},
        {"d=neq.9", "2\n3\n"},
        {"d=is.null", "4\n"},
        {"d=is.not_null", "1\n2\n3\n"},
        {"n=eq.0005000000000", "3\n"},
        {"n=gt.-1&n=lt.3", "2\n"},
        {"day=gte.2020-01-02&day=lte.2020-01-03", "2\n3\n"},
        {"b=is.true", "1\n3\n"},
        {"b=eq.false", "2\n"},
        {"b=in.(true,false)", "1\n2\n3\n"},
        {"f=eq.0.1", "1\n"},
        {"f=lt.1e-1", "2\n"},
        {"t=eq.", "2\n"},
        {"t=in.(\"a,b\",\"q\\\"\\\\\")", "1\n3\n"},
        {"t=gt.a", "1\n3\n"},
        {"at=gt.2020-01-01 12:00:00+00", "2\n3\n"},
        {"at=eq.2020-01-03T00:00:00Z", "3\n"},
        {"t=is.null&d=is.null", "4\n"},
    };
    struct fixture *f = *state;
    bool is_pg = f->kind == DB_POSTGRESQL;
    run_sql(
        f,
        is_pg
            ? "CREATE TABLE mart_v (id BIGINT PRIMARY KEY, t TEXT, d NUMERIC(20,4), n BIGINT, f DOUBLE PRECISION, "
              "b BOOLEAN, day DATE, at TIMESTAMPTZ)"
            : "CREATE TABLE mart_v (id BIGINT PRIMARY KEY, t TEXT, d DECIMAL_TEXT, n BIGINT, f REAL, b BOOLEAN, "
              "day DATE_TEXT, at INSTANT_TEXT)");
    run_sql(
        f,
        "INSERT INTO mart_v VALUES (1, 'a,b', '9', -2, 0.1, true, '2020-01-01', '2020-01-01T00:00:00Z');"
        "INSERT INTO mart_v VALUES (2, '', '10', 0, -7, false, '2020-01-02', '2020-01-02T00:00:00Z');"
        "INSERT INTO mart_v VALUES (3, 'q\"\\', '-3.5', 5000000000, 7, true, '2020-01-03', '2020-01-03T00:00:00Z');"
        "INSERT INTO mart_v (id) VALUES (4)");
    struct catalog *c = load_catalog(f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[160];
        (void)snprintf(text, sizeof text, "%s&select=id&order=id", cases[i].query);
        const char *got = answer(f, find(c, "mart_v"), 0, text);
        if (strcmp(got, cases[i].ids) != 0)
            fail_msg("%s: got %s", cases[i].query, got);
    }
    catalog_unref(c);
}

static void values_are_spelled_the_same_on_both_back_ends(void **state)
{
    struct fixture *f = *state;
    publish_text(f, "mart_fx_daily", PUBLISH_MERGE, FX_COLUMNS,
                 "EUR|KRW|2020-01-02|001.50000|true|\"q\" 한국|false|2020-01-02 15:00:00.5+00", 1,
                 NULL);
    struct catalog *c = load_catalog(f);
    assert_string_equal(answer(f, find(c, "mart_fx_daily"), 1, ""),
                        "EUR|KRW|2020-01-02|1.5|true|\"q\" 한국|false|2020-01-02T15:00:00Z\n");
    catalog_unref(c);
}

static void foreign_values_are_spelled_by_kind(void **state)
{
    struct fixture *f = *state;
    bool is_pg = f->kind == DB_POSTGRESQL;
    run_sql(
        f,
        is_pg
            ? "CREATE TABLE mart_w (id BIGINT PRIMARY KEY, f DOUBLE PRECISION, r REAL, d NUMERIC(12,6), at TIMESTAMP, "
              "j JSONB, a TEXT[])"
            : "CREATE TABLE mart_w (id BIGINT PRIMARY KEY, f DOUBLE, r FLOAT, d NUMERIC, at INSTANT_TEXT, j JSON, a)");
    run_sql(
        f,
        "INSERT INTO mart_w VALUES (1, 1e-7, 0.5, 12.5, '2020-01-02 03:04:05', '{\"a\": 1}', '{x,y}')");
    struct catalog *c = load_catalog(f);
    assert_string_equal(answer(f, find(c, "mart_w"), 0, "j=eq.{\"a\": 1}"),
                        "1|1e-07|0.5|12.5|2020-01-02T03:04:05Z|{\"a\": 1}|{x,y}\n");
    if (is_pg) {
        run_sql(
            f,
            "UPDATE mart_w SET f = 'NaN', r = 'Infinity', d = 'NaN', at = '2020-01-02 03:04:05.125'");
        assert_string_equal(answer(f, find(c, "mart_w"), 0, "select=f,r,d,at"),
                            "~|~|~|2020-01-02T03:04:05.125Z\n");
    }
    catalog_unref(c);
}

static void a_query_reads_the_generation_it_names(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct mart_query q;
    struct db *db = NULL;
    struct rows rows = {0};
    for (int i = 1; i <= 3; i++) {
        char row[128];
        (void)snprintf(row, sizeof row, "EUR|KRW|2020-01-02|%d|false|t|false|2020-01-02T15:00:00Z",
                       i);
        publish_text(f, "mart_fx_daily", PUBLISH_MERGE, FX_COLUMNS, row, 2, NULL);
    }
    struct catalog *c = load_catalog(f);
    const struct mart *m = find(c, "mart_fx_daily");
    assert_string_equal(answer(f, m, 2, "select=rate"), "2\n");
    assert_string_equal(answer(f, m, 3, "select=rate"), "3\n");
    ok(parse(m, "", &f->arena, &q, &err));
    q.generation = 1;
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    expect(STATUS_GENERATION_RETIRED, mart_query_open(db, &q, &f->arena, &rows, &err));
    db_release(db);
    catalog_unref(c);
}

static void what_cannot_be_meant_is_refused_with_a_hint(void **state)
{
    static const struct {
        const char *query;
        enum status status;
        const char *name, *suggestion, *allowed;
    } cases[] = {
        {"rat=eq.1", STATUS_UNKNOWN_COLUMN, "rat", "rate", "is_cross"},
        {"rate=1", STATUS_BAD_FILTER, "rate", "", "eq.V"},
        {"rate=gtte.1", STATUS_BAD_FILTER, "rate", "gte", "eq.V"},
        {"rate=eq.abc", STATUS_BAD_VALUE, "rate", "", "38 digits"},
        {"rate=eq.1e5", STATUS_BAD_VALUE, "rate", "", "38 digits"},
        {"rate=eq.", STATUS_BAD_VALUE, "rate", "", "38 digits"},
        {"rate=eq.123456789012345678901234567890123456789", STATUS_BAD_VALUE, "rate", "",
         "38 digits"},
        {"date=eq.2020-02-30", STATUS_BAD_VALUE, "date", "", "YYYY-MM-DD"},
        {"is_cross=eq.1", STATUS_BAD_VALUE, "is_cross", "", "true or false"},
        {"is_cross=is.maybe", STATUS_BAD_FILTER, "is_cross", "", "not_null"},
        {"rate=is.true", STATUS_BAD_FILTER, "rate", "", "null"},
        {"rate=is.nul", STATUS_BAD_FILTER, "rate", "null", "null"},
        {"base=in.EUR", STATUS_BAD_FILTER, "base", "", "in.(V,V)"},
        {"base=in.()", STATUS_BAD_FILTER, "base", "", "in.(V,V)"},
        {"base=in.(\"EUR)", STATUS_BAD_FILTER, "base", "", "in.(V,V)"},
        {"base=in.(\"EUR\"x)", STATUS_BAD_FILTER, "base", "", "in.(V,V)"},
        {"date=in.(2020-01-02,x)", STATUS_BAD_VALUE, "date", "", "YYYY-MM-DD"},
        {"base=eq.\xff", STATUS_BAD_VALUE, "base", "", "UTF-8"},
        {"select=base,rat", STATUS_UNKNOWN_COLUMN, "select", "rate", "is_cross"},
        {"select=base,base", STATUS_BAD_VALUE, "select", "", ""},
        {"select=", STATUS_UNKNOWN_COLUMN, "select", "", "is_cross"},
        {"order=date.down", STATUS_BAD_VALUE, "order", "", "asc, desc"},
        {"order=date.desc.asc", STATUS_BAD_VALUE, "order", "", "nullsfirst or nullslast"},
        {"order=date.nullslast.desc", STATUS_BAD_VALUE, "order", "", "nullsfirst or nullslast"},
        {"order=date.descc", STATUS_BAD_VALUE, "order", "desc", "asc, desc"},
        {"order=dat", STATUS_UNKNOWN_COLUMN, "order", "date", "is_cross"},
        {"order=date,date.desc", STATUS_BAD_VALUE, "order", "", ""},
        {"limit=50001", STATUS_BAD_VALUE, "limit", "", "1 to 50000"},
        {"limit=-2", STATUS_BAD_VALUE, "limit", "", "1 to 50000"},
    };
    struct fixture *f = *state;
    struct catalog *c = load_catalog(f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        struct mart_query q;
        enum status s = parse(find(c, "mart_fx_daily"), cases[i].query, &f->arena, &q, &err);
        if (s != cases[i].status || strcmp(err.name, cases[i].name) != 0 ||
            strcmp(err.suggestion, cases[i].suggestion) != 0 ||
            strstr(err.allowed, cases[i].allowed) == NULL)
            fail_msg("%s: %s name \"%s\" suggestion \"%s\" allowed \"%s\"", cases[i].query,
                     status_name(s), err.name, err.suggestion, err.allowed);
    }
    catalog_unref(c);
}

static void limits_of_text_and_lists_are_kept(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct filter filter;
    struct buf text;
    struct catalog *c = load_catalog(f);
    const struct mart *m = find(c, "mart_fx_daily");
    buf_init(&text, &f->arena, 1 << 20);
    buf_add_c(&text, "eq.");
    for (int i = 0; i < 1024; i++)
        buf_add_char(&text, 'x');
    ok(filter_parse(m, STR("base"), buf_str(&text), &f->arena, &filter, &err));
    buf_add_char(&text, 'x');
    expect(STATUS_BAD_VALUE,
           filter_parse(m, STR("base"), buf_str(&text), &f->arena, &filter, &err));
    expect(STATUS_BAD_VALUE,
           filter_parse(m, STR("base"), (struct str){"eq.a\0b", 6}, &f->arena, &filter, &err));
    struct buf list;
    buf_init(&list, &f->arena, 1 << 20);
    buf_add_c(&list, "in.(a");
    for (int i = 1; i < MART_IN_MAX; i++)
        buf_add_c(&list, ",a");
    struct str full = {arena_dup(&f->arena, buf_str(&list)), list.len};
    buf_add_c(&list, ",a)");
    expect(STATUS_BAD_FILTER,
           filter_parse(m, STR("base"), buf_str(&list), &f->arena, &filter, &err));
    struct buf closed;
    buf_init(&closed, &f->arena, 1 << 20);
    buf_add(&closed, full);
    buf_add_char(&closed, ')');
    ok(filter_parse(m, STR("base"), buf_str(&closed), &f->arena, &filter, &err));
    assert_int_equal(filter.n_values, MART_IN_MAX);
    catalog_unref(c);
}

static void injected_text_is_only_ever_a_value(void **state)
{
    static const char *const strings[] = {"' OR '1'='1",
                                          "\" OR 1=1 --",
                                          "'; DROP TABLE gen_fx_daily; --",
                                          "$1",
                                          "$99",
                                          "?1",
                                          ":a",
                                          "@a",
                                          "\\'",
                                          "\\",
                                          "%",
                                          "_",
                                          "/*",
                                          "*/",
                                          "--",
                                          ";",
                                          "a' || 'b",
                                          "CAST(1 AS TEXT)",
                                          "NULL",
                                          "null",
                                          "\xEF\xBC\x87 OR 1=1",
                                          "1); SELECT pg_sleep(5); --",
                                          "x' UNION SELECT version() --",
                                          "{{text}}",
                                          "${a}",
                                          "\n\r\t",
                                          "E'\\x27'"};
    static const char *const operators[] = {"eq.", "neq.", "gt.", "gte.", "lt.", "lte."};
    struct fixture *f = *state;
    struct err err = {0};
    struct buf rows;
    buf_init(&rows, &f->arena, 1 << 20);
    struct catalog *c = load_catalog(f);
    run_sql(f, "CREATE TABLE mart_text (t TEXT NOT NULL PRIMARY KEY)");
    catalog_unref(c);
    c = load_catalog(f);
    const struct mart *m = find(c, "mart_text");
    struct db *db = NULL;
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    for (size_t i = 0; i < ARRAY_LEN(strings); i++)
        ok(db_exec(db, "INSERT INTO mart_text (t) VALUES ($1)", PARAMS(db_text(str_of(strings[i]))),
                   NULL, &err));
    db_release(db);
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        size_t expected[6] = {0};
        for (size_t k = 0; k < ARRAY_LEN(strings); k++) {
            int order = strcmp(strings[k], strings[i]);
            expected[0] += order == 0;
            expected[1] += order != 0;
            expected[2] += order > 0;
            expected[3] += order >= 0;
            expected[4] += order < 0;
            expected[5] += order <= 0;
        }
        for (size_t op = 0; op < 6; op++) {
            struct mart_query q = {.mart = m};
            char value[128];
            (void)snprintf(value, sizeof value, "%s%s", operators[op], strings[i]);
            q.filters = arena_array(&f->arena, 1, sizeof *q.filters);
            q.n_filters = 1;
            ok(filter_parse(m, STR("t"), str_of(value), &f->arena, &q.filters[0], &err));
            ok(mart_query_finish(&q, &f->arena, &err));
            struct str after[1];
            struct buf out;
            buf_init(&out, &f->arena, 1 << 20);
            assert_int_equal(run_page(f, &q, &out, after), expected[op]);
            struct str cursor = str_of(strings[i]); /* as the last value of a page, too */
            q.n_filters = 0;
            q.after = &cursor;
            assert_int_equal(run_page(f, &q, &out, after), expected[2]);
        }
        struct mart_query unused = {.mart = m};
        struct filter filter;
        assert_int_not_equal(select_parse(m, str_of(strings[i]), &f->arena, &unused, NULL),
                             STATUS_OK);
        assert_int_not_equal(order_parse(m, str_of(strings[i]), &f->arena, &unused, NULL),
                             STATUS_OK);
        assert_int_not_equal(
            filter_parse(m, str_of(strings[i]), STR("eq.1"), &f->arena, &filter, NULL), STATUS_OK);
    }
    assert_string_equal(query_text(f, "SELECT count(*) FROM gen_fx_daily"), "0");
    catalog_unref(c);
}

static void a_foreign_column_name_cannot_break_out_of_its_quotes(void **state)
{
    struct fixture *f = *state;
    run_sql(
        f,
        "CREATE TABLE mart_odd (\"a\"\" FROM x; --\" BIGINT NOT NULL PRIMARY KEY, \"select\" TEXT); "
        "INSERT INTO mart_odd VALUES (1, 'x')");
    struct catalog *c = load_catalog(f);
    assert_string_equal(answer(f, find(c, "mart_odd"), 0, "order=select.desc"), "1|x\n");
    catalog_unref(c);
}

static void a_forged_cursor_is_refused(void **state)
{
    static const struct {
        const char *order;
        struct str value;
        bool is_left_to_postgresql;
    } cases[] = {
        {"n_rows", {"x", 1}, false},
        {"n_rows", {"99999999999999999999", 20}, false},
        {"is_active", {"maybe", 5}, false},
        {"name", {"a\0b", 3}, false},
        {"delisted_on", {"not a date", 10}, true},
        {"delisted_on", {"2020-02-30", 10}, true},
        {"delisted_on", {"2020-01-01'; --", 15}, true},
        {"name", {"\xff", 1}, true},
    };
    struct fixture *f = *state;
    struct str after[2] = {STR_NONE, STR("uid")};
    struct catalog *c = load_catalog(f);
    const struct mart *m = find(c, "mart_instrument");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        struct mart_query q;
        struct rows rows = {0};
        struct db *db = NULL;
        char text[64];
        (void)snprintf(text, sizeof text, "order=%s", cases[i].order);
        ok(parse(m, text, &f->arena, &q, &err));
        after[0] = cases[i].value;
        q.after = after;
        ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
        enum status s = mart_query_open(db, &q, &f->arena, &rows, &err);
        bool is_compared = cases[i].is_left_to_postgresql && f->kind == DB_SQLITE;
        if (s != (is_compared ? STATUS_OK : STATUS_BAD_CURSOR) ||
            (s != STATUS_OK && strcmp(err.name, "cursor") != 0))
            fail_msg("case %zu: %s %s", i, status_name(s), err.detail);
        rows_clear(&rows);
        db_release(db);
    }
    catalog_unref(c);
}

/* What another tool's table may hold in SQLite, whatever its columns are declared as. */
static void make_loose(struct fixture *f)
{
    run_sql(
        f,
        "CREATE TABLE mart_loose (k INTEGER PRIMARY KEY, t TEXT, i INTEGER, d DECIMAL_TEXT, f DECIMAL(9, 2), "
        "b BOOLEAN, day DATE, at INSTANT_TEXT, o BLOB);"
        "INSERT INTO mart_loose VALUES (1, 'a', 1, '1.50', 1.5, 1, '2020-02-29', '2020-01-02 03:04:05', 'x');"
        "INSERT INTO mart_loose VALUES (2, x'fffe', 'abc1', 'NaN', 9e999, 2, '2020-02-30', 'now', x'fffe');"
        "INSERT INTO mart_loose VALUES (3, 'a' || char(0), '1,\"z\":2', '1' || char(0) || '\"', -9e999, -1, "
        "20200101, '2459000.5', 'x' || char(0));"
        "INSERT INTO mart_loose VALUES (4, '', 1.5, '1e5', 9007199254740993, 'true', 'someday', "
        "'2020-01-02T03:04:05.250+00:00', 1.5);"
        "INSERT INTO mart_loose VALUES (5, 'b', 9223372036854775807, "
        "'-123456789012345678901234567890123456789', 'r1', 'false', '9999-12-31', 'x', NULL);"
        "INSERT INTO mart_loose VALUES (6, NULL, x'31', x'31', x'31', x'31', x'31', x'31', x'41');"
        "INSERT INTO mart_loose VALUES (7, 'c', -1, '-.5', -0.0, 0, '2020-2-1', '2020-01-02T03:04:05.25Z', '');"
        "INSERT INTO mart_loose VALUES (8, 'c', -1, '-0.5', 9007199254740992, '', '', '', 7)");
}

static void values_of_another_type_are_null_in_every_place(void **state)
{
    static const char *const columns[] = {"t", "i", "d", "f", "b", "day", "at", "o"};
    struct fixture *f = *state;
    if (f->kind != DB_SQLITE)
        skip(); /* PostgreSQL keeps no such values */
    make_loose(f);
    struct catalog *c = load_catalog(f);
    const struct mart *m = find(c, "mart_loose");
    assert_string_equal(answer(f, m, 0, ""),
                        "1|a|1|1.5|1.5|true|2020-02-29|2020-01-02T03:04:05Z|x\n"
                        "2|~|~|~|~|~|~|~|\\xfffe\n"
                        "3|~|~|~|~|~|~|~|~\n"
                        "4||~|~|9007199254740992|true|~|2020-01-02T03:04:05.25Z|1.5\n"
                        "5|b|9223372036854775807|~|~|false|9999-12-31|~|~\n"
                        "6|~|~|~|~|~|~|~|\\x41\n"
                        "7|c|-1|~|0|false|~|2020-01-02T03:04:05.25Z|\n"
                        "8|c|-1|-0.5|9007199254740992|~|~|~|7\n");
    assert_string_equal(answer(f, m, 0, "select=k&i=is.null"), "2\n3\n4\n6\n");
    assert_string_equal(answer(f, m, 0, "select=k&f=eq.9007199254740992"), "4\n8\n");
    assert_string_equal(answer(f, m, 0, "select=k&d=lt.5"), "1\n8\n");
    assert_string_equal(answer(f, m, 0, "select=k&b=is.true"), "1\n4\n");
    assert_string_equal(answer(f, m, 0, "select=k&at=eq.2020-01-02T03:04:05.25Z"), "4\n7\n");
    assert_string_equal(answer(f, m, 0, "select=k&o=eq.\\x41"), "6\n");
    for (size_t i = 0; i < 2 * ARRAY_LEN(columns); i++) {
        struct err err = {0};
        struct mart_query q;
        char text[64];
        (void)snprintf(text, sizeof text, "select=k&order=%s%s", columns[i / 2],
                       i % 2 == 0 ? "" : ".desc");
        ok(parse(m, text, &f->arena, &q, &err));
        const char *whole = walk(f, q, 1000);
        assert_int_equal(strlen(whole), 16);
        for (int64_t limit = 1; limit < 4; limit++)
            if (strcmp(walk(f, q, limit), whole) != 0)
                fail_msg("%s differs in pages of %d", text, (int)limit);
    }
    catalog_unref(c);
}

static void what_no_filter_takes_can_still_be_paged_over(void **state)
{
    static const char *const orders[] = {"day", "day.desc", "at", "at.desc", "z", "z.desc",
                                         "n",   "n.desc",   "f",  "f.desc",  "b", "day,at,n,f"};
    struct fixture *f = *state;
    bool is_pg = f->kind == DB_POSTGRESQL;
    run_sql(f, is_pg
                   ? "CREATE TABLE mart_endless (k BIGINT PRIMARY KEY, day DATE, at TIMESTAMP, "
                     "z TIMESTAMPTZ, n NUMERIC, f REAL, b BOOLEAN)"
                   : "CREATE TABLE mart_endless (k BIGINT PRIMARY KEY, day DATE, at INSTANT_TEXT, "
                     "z TIMESTAMP, n DECIMAL_TEXT, f REAL, b BOOLEAN)");
    run_sql(f, "INSERT INTO mart_endless VALUES (1, '9999-12-31', '9999-12-31 00:00:00', "
               "'9999-12-31 23:59:59', '99999999999999999999999999999999999999', 1e30, true);"
               "INSERT INTO mart_endless VALUES (2, '1066-10-14', '1066-10-14 09:00:00.5', "
               "'1066-10-14 09:00:00', '-0.5', -1e-40, false);"
               "INSERT INTO mart_endless VALUES (3, '9999-12-31', '9999-12-31 00:00:00', "
               "'9999-12-31 23:59:59', '1', 0.1, NULL);"
               "INSERT INTO mart_endless (k) VALUES (4)");
    if (is_pg)
        run_sql(
            f,
            "INSERT INTO mart_endless VALUES (5, 'infinity', 'infinity', '-infinity', "
            "'123456789012345678901234567890123456789.5', 'Infinity', true);"
            "INSERT INTO mart_endless VALUES (6, '-infinity', '-infinity', 'infinity', 'NaN', 'NaN', true);"
            "INSERT INTO mart_endless VALUES (7, '0044-03-15 BC', '0044-03-15 12:00:00 BC', "
            "'12345-01-01 00:00:00.125', 1e60, -2e-45, false);"
            "INSERT INTO mart_endless VALUES (8, '12345-01-01', '12345-01-01 00:00:00', "
            "'0044-03-15 12:00:00 BC', 1e-60, 0, false)");
    struct catalog *c = load_catalog(f);
    const struct mart *m = find(c, "mart_endless");
    assert_string_equal(answer(f, m, 0, "k=eq.1&select=day,at"),
                        "9999-12-31|9999-12-31T00:00:00Z\n");
    assert_string_equal(answer(f, m, 0, "k=eq.2&select=day,at"),
                        "1066-10-14|1066-10-14T09:00:00.5Z\n");
    if (is_pg)
        assert_string_equal(answer(f, m, 0, "k=eq.5&select=day,at,z,f"),
                            "infinity|infinity|-infinity|~\n");
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct err err = {0};
        struct mart_query q;
        char text[64];
        (void)snprintf(text, sizeof text, "select=k&order=%s", orders[i]);
        ok(parse(m, text, &f->arena, &q, &err));
        const char *whole = walk(f, q, 1000);
        assert_int_equal(strlen(whole), is_pg ? 16 : 8);
        for (int64_t limit = 1; limit < 4; limit++)
            if (strcmp(walk(f, q, limit), whole) != 0)
                fail_msg("%s differs in pages of %d", text, (int)limit);
    }
    catalog_unref(c);
}

static const char *search(struct fixture *f, const struct mart *m, const char *text)
{
    struct err err = {0};
    struct mart_query q;
    ok(parse(m, "select=symbol&asset_class=eq.stock", &f->arena, &q, &err));
    q.generation = 1;
    ok(mart_query_search(&q, str_of(text), "uid,symbol,name,name_local", &f->arena, &err));
    return walk(f, q, MART_LIMIT_MAX);
}

static void a_search_folds_ascii_letters_and_takes_everything_else_as_it_is(void **state)
{
    struct fixture *f = *state;
    publish_text(
        f, "mart_instrument", PUBLISH_MERGE,
        "uid,asset_class,symbol,name,name_local,market,currency,source,quote_unit,price_basis,is_active,"
        "is_survivor_biased",
        "stock:US.AAPL|stock|AAPL|Apple Inc.|애플|XNAS|USD|t|price|raw|true|false\n"
        "stock:KR.005930|stock|005930|Samsung Electronics|삼성전자|XKRX|KRW|t|price|raw|true|false\n"
        "stock:US.GONE|stock|GONE|100% Gone_Co's \"Ä\"|~|XNYS|USD|t|price|raw|false|false\n"
        "etf:US.SPY|etf|SPY|SPDR Apple|~|ARCX|USD|t|price|raw|true|false\n",
        9, NULL);
    struct catalog *c = load_catalog(f);
    const struct mart *m = find(c, "mart_instrument");
    assert_string_equal(search(f, m, "ApPlE"), "AAPL\n");
    assert_string_equal(search(f, m, "STOCK:us."), "AAPL\nGONE\n");
    assert_string_equal(search(f, m, "삼성"), "005930\n");
    assert_string_equal(search(f, m, "5930"), "005930\n");
    assert_string_equal(search(f, m, "%"), "GONE\n");
    assert_string_equal(search(f, m, "e_c"), "GONE\n");
    assert_string_equal(search(f, m, "_"), "GONE\n");
    assert_string_equal(search(f, m, "'"), "GONE\n");
    assert_string_equal(search(f, m, "\"Ä\""), "GONE\n");
    assert_string_equal(search(f, m, "ä"), ""); /* only ASCII is folded, alike on both back ends */
    assert_string_equal(search(f, m, "\\"), "");
    assert_string_equal(search(f, m, "' OR '1'='1"), "");
    assert_string_equal(search(f, m, ""), "005930\nAAPL\nGONE\n");
    catalog_unref(c);
}

static void a_search_goes_over_text_columns_only(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct mart_query q;
    struct catalog *c = load_catalog(f);
    ok(parse(find(c, "mart_fx_daily"), "", &f->arena, &q, &err));
    expect(STATUS_INTERNAL, mart_query_search(&q, STR("x"), "base,rate", &f->arena, &err));
    expect(STATUS_INTERNAL, mart_query_search(&q, STR("x"), "nothing", &f->arena, &err));
    catalog_unref(c);
}

static const char *canonical_search(struct fixture *f, const struct mart *m, const char *text)
{
    struct err err = {0};
    struct mart_query q;
    struct buf out;
    ok(parse(m, "", &f->arena, &q, &err));
    if (text != NULL)
        ok(mart_query_search(&q, str_of(text), "base,quote", &f->arena, &err));
    buf_init(&out, &f->arena, 1 << 16);
    mart_query_canonical(&q, &out);
    return buf_c_str(&out);
}

static void the_canonical_text_tells_searches_apart(void **state)
{
    struct fixture *f = *state;
    struct catalog *c = load_catalog(f);
    const struct mart *m = find(c, "mart_fx_daily");
    assert_string_equal(canonical_search(f, m, "EUR"), canonical_search(f, m, "eur"));
    assert_string_not_equal(canonical_search(f, m, "eur"), canonical_search(f, m, "usd"));
    assert_string_not_equal(canonical_search(f, m, "eur"), canonical_search(f, m, NULL));
    assert_string_not_equal(canonical_search(f, m, ""), canonical_search(f, m, NULL));
    assert_string_not_equal(canonical_search(f, m, "eur\"&order=\""),
                            canonical_search(f, m, "eur"));
    catalog_unref(c);
}

static const char *canonical(struct fixture *f, const struct mart *m, const char *text)
{
    struct err err = {0};
    struct mart_query q;
    struct buf out;
    ok(parse(m, text, &f->arena, &q, &err));
    buf_init(&out, &f->arena, 1 << 16);
    mart_query_canonical(&q, &out);
    return buf_c_str(&out);
}

static void equal_queries_have_equal_canonical_text(void **state)
{
    struct fixture *f = *state;
    struct catalog *c = load_catalog(f);
    const struct mart *m = find(c, "mart_fx_daily");
    const char *a =
        canonical(f, m, "rate=gt.1.50&base=in.(USD,EUR,USD)&date=gte.2020-01-01&select=base,rate");
    assert_string_equal(
        a, canonical(f, m,
                     "date=gte.2020-01-01&base=in.(EUR,USD)&rate=gt.01.5&select=base,rate"
                     "&order=base,quote,date&limit=1000"));
    assert_string_equal(
        a,
        "mart_fx_daily?generation=0&select=base,rate&base=in.\"EUR\",\"USD\"&date=gte.\"2020-01-01\""
        "&rate=gt.\"1.5\"&order=base.asc,quote.asc,date.asc&limit=1000");
    assert_string_not_equal(
        a, canonical(f, m, "rate=gte.1.5&base=in.(USD,EUR)&date=gte.2020-01-01&select=base,rate"));
    assert_string_not_equal(canonical(f, m, "source=in.(\"a\\\",\\\"b\")"),
                            canonical(f, m, "source=in.(a,b)"));
    catalog_unref(c);
}

static void joined_conditions_have_one_form(void **state)
{
    static const struct {
        const char *one, *other;
    } equal[] = {
        {"or=(base.eq.A,base.eq.B,base.eq.A)", "or=(base.eq.B,base.eq.A)"},
        {"and=(base.eq.A,quote.eq.B)", "quote=eq.B&base=eq.A"},
        {"or=(or(base.eq.A,quote.eq.B),rate.gt.1)", "or=(rate.gt.1.0,quote.eq.B,base.eq.A)"},
        {"not.or=(rate.gt.1)", "rate=lte.1"},
        {"not.and=(or(base.is.null))", "base=is.not_null"},
        {"base=not.in.(A)", "base=neq.A"},
        {"base=not.eq.A", "base=neq.A"},
        {"base=in.(A,A)", "base=eq.A"},
        {"base=like.a**%b", "base=like.a*b"},
        {"base=ilike.AbC", "base=ilike.abc"},
        {"base=fts.b A", "base=fts.a, B!"},
        {"order=base.asc.nullslast,rate.desc.nullsfirst", "order=base,rate.desc"},
        {"select=base:base,rate", "select=base,rate"},
    };
    static const char *const different[] = {
        "or=(base.eq.A,quote.eq.B)",
        "and=(base.eq.A,quote.eq.B)",
        "not.or=(base.eq.A,quote.eq.B)",
        "not.and=(base.eq.A,quote.eq.B)",
        "or=(base.eq.\"A,quote.eq.B\")",
        "or=(base.eq.A,and(quote.eq.B,rate.eq.1))",
        "and=(rate.eq.1,or(base.eq.A,quote.eq.B))",
        "base=like.a%",
        "base=ilike.a%",
        "base=fts.a",
        "base=fts.a*",
        "base=like.a\\%",
        "base=isdistinct.a",
        "base=not.isdistinct.a",
        "order=rate.desc",
        "select=x:base",
        "select=y:base",
    };
    struct fixture *f = *state;
    struct catalog *c = load_catalog(f);
    const struct mart *m = find(c, "mart_fx_daily");
    for (size_t i = 0; i < ARRAY_LEN(equal); i++)
        assert_string_equal(canonical(f, m, equal[i].one), canonical(f, m, equal[i].other));
    for (size_t i = 0; i < ARRAY_LEN(different); i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(canonical(f, m, different[i]), canonical(f, m, different[k])) == 0)
                fail_msg("%s and %s have one text", different[i], different[k]);
    catalog_unref(c);
}

static void order_columns_that_are_not_selected_follow_the_selected_ones(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct mart_query q;
    struct catalog *c = load_catalog(f);
    ok(parse(find(c, "mart_fx_daily"), "select=rate,date&order=source,date.desc", &f->arena, &q,
             &err));
    assert_int_equal(q.n_order, 4); /* source, date, base, quote */
    assert_int_equal(mart_query_order_result_column(&q, 0), 2);
    assert_int_equal(mart_query_order_result_column(&q, 1), 1);
    assert_int_equal(mart_query_order_result_column(&q, 2), 3);
    assert_int_equal(mart_query_order_result_column(&q, 3), 4);
    catalog_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pages_of_every_order_join_to_the_whole_without_gap_or_repetition),
        TEST(nulls_are_last_ascending_and_first_descending),
        TEST(filters_compare_by_value_and_kind),
        TEST(values_are_spelled_the_same_on_both_back_ends),
        TEST(foreign_values_are_spelled_by_kind),
        TEST(a_query_reads_the_generation_it_names),
        TEST(what_cannot_be_meant_is_refused_with_a_hint),
        TEST(limits_of_text_and_lists_are_kept),
        TEST(injected_text_is_only_ever_a_value),
        TEST(a_foreign_column_name_cannot_break_out_of_its_quotes),
        TEST(a_forged_cursor_is_refused),
        TEST(values_of_another_type_are_null_in_every_place),
        TEST(what_no_filter_takes_can_still_be_paged_over),
        TEST(a_search_folds_ascii_letters_and_takes_everything_else_as_it_is),
        TEST(a_search_goes_over_text_columns_only),
        TEST(the_canonical_text_tells_searches_apart),
        TEST(equal_queries_have_equal_canonical_text),
        TEST(joined_conditions_have_one_form),
        TEST(order_columns_that_are_not_selected_follow_the_selected_ones),
    };
    return cmocka_run_group_tests_name("mart_query", tests, NULL, NULL);
}
