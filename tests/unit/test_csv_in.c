/* test_csv_in.c - CSV as files really are: quotes, line ends, marks, limits, whatever the size of a read. */
#include "base/arena.h"
#include "base/csv_in.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define TEXT(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

/* Gives the text in pieces of at most step bytes. */
struct pieces {
    struct str text;
    size_t at, step;
};

static enum status give(void *from, char *to, size_t size, size_t *ret_n, struct err *err)
{
    struct pieces *p = from;
    (void)err;
    size_t n = p->text.len - p->at;
    n = n < p->step ? n : p->step;
    n = n < size ? n : size;
    if (n > 0)
        memcpy(to, p->text.ptr + p->at, n);
    p->at += n;
    *ret_n = n;
    return STATUS_OK;
}

/* All rows as "line:a|b" with NULL as "~", or the status. */
static enum status read_all(struct str text, size_t step, struct csv_limits limits, struct buf *out,
                            struct err *err)
{
    CLEANUP(csv_freep) struct csv_in *csv = NULL;
    struct pieces pieces = {text, 0, step};
    bool has_row = false;
    enum status s = csv_new(give, &pieces, limits, &csv, err);
    while (s == STATUS_OK && (s = csv_next(csv, &has_row, err)) == STATUS_OK && has_row) {
        buf_add_i64(out, csv_line(csv));
        buf_add_char(out, ':');
        for (size_t i = 0; i < csv_width(csv); i++) {
            struct str field = csv_field(csv, i);
            buf_add_c(out, i > 0 ? "|" : "");
            buf_add(out, field.ptr == NULL ? STR("~") : field);
        }
        buf_add_char(out, ' ');
    }
    return s;
}

static const struct csv_limits wide = {1000, 500, 10};

static void rows_are_read_the_same_whatever_the_size_of_a_read(void **state)
{
    static const struct {
        struct str text;
        const char *rows;
    } cases[] = {
        {TEXT("a,b\n1,2\n"), "1:a|b 2:1|2 "},
        {TEXT("a,b\r\n1,2\r\n"), "1:a|b 2:1|2 "},
        {TEXT("a,b\n1,2"), "1:a|b 2:1|2 "},
        {TEXT("a,b\r\n1,2\r"), "1:a|b 2:1|2 "},
        {TEXT("\xEF\xBB\xBF"
              "a,b\n,\"\"\n"),
         "1:a|b 2:~| "},
        {TEXT("a,b\n\"x,\"\"y\"\"\",\"l1\nl2\"\n3,\n"), "1:a|b 2:x,\"y\"|l1\nl2 4:3|~ "},
        {TEXT("a,b\n\"x\"\r\n\"y\",\"z\"\r\n"), NULL},
        {TEXT("a\n\"x\"\r\n\"\"\n"), "1:a 2:x 3: "},
        {TEXT(""), ""},
        {TEXT("\xEF\xBB\xBF"), ""},
        {TEXT("한국,b\n"), "1:한국|b "},
        {TEXT("a,b\n1,2\n\n"), "1:a|b 2:1|2 "},
        {TEXT("a,b\r\n1,2\r\n\r\n  \t\r\n\r"), "1:a|b 2:1|2 "},
        {TEXT("a,b\n1,2\n   "), "1:a|b 2:1|2 "},
        {TEXT("a\n1\n\n\n"), "1:a 2:1 "},
        {TEXT("a\n  \n\n"), "1:a 2:   "}, /* the only column: a value of spaces */
        {TEXT("\n \r\n"), ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t step = 1; step <= 100; step += step < 5 ? 1 : 95) {
            CLEANUP(arena_clear) struct arena arena;
            struct buf out;
            struct err err = {0};
            arena_init(&arena, 1 << 20);
            buf_init(&out, &arena, 1 << 16);
            enum status s = read_all(cases[i].text, step, wide, &out, &err);
            assert_int_equal(s, cases[i].rows == NULL ? STATUS_BAD_CSV : STATUS_OK);
            if (cases[i].rows != NULL)
                assert_string_equal(buf_c_str(&out), cases[i].rows);
        }
}

static void what_is_not_csv_is_refused_with_its_line(void **state)
{
    static const struct {
        struct str text;
        const char *line, *says;
    } cases[] = {
        {TEXT("a,b\n1,\"2\n3,4\n"), "2", "not closed"},
        {TEXT("a,b\n1,2\"3\n"), "2", "inside a field"},
        {TEXT("a,b\n1,\"2\"3\n"), "2", "follows a closing quote"},
        {TEXT("a,b\n1,\"2\"\r3\n"), "2", "follows a closing quote"},
        {TEXT("a,b\n\"1\"\r\"2\",3\n"), "2", "follows a closing quote"},
        {TEXT("a,b\n1,2,3\n"), "2", "another number of fields"},
        {TEXT("a,b\n1\n"), "2", "another number of fields"},
        {TEXT("a,b\n\n1,2\n"), "2", "empty"},
        {TEXT("a,b\n1,2\n \r\n\n\n3,4\n"), "3", "empty"},
        {TEXT("a\n\n1\n"), "2", "empty"},
        {TEXT("\na,b\n"), "1", "empty"},
        {TEXT("a,b\n\"\"\n"), "2", "another number of fields"},
        {TEXT("a,b\n  ,\n \"\"\n"), "3", "inside a field"},
        {TEXT("a,b\n1,\xff\n"), "2", "UTF-8"},
        {TEXT("a,b\n1,\0\n"), "2", "NUL"},
        {TEXT("a\n\"1\n2\n3\"\nb,c\n"), "5", "another number of fields"},
        {TEXT("a,b,c,d,e,f,g,h,i,j,k\n"), "1", "more fields"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_clear) struct arena arena;
        struct buf out;
        struct err err = {0};
        arena_init(&arena, 1 << 20);
        buf_init(&out, &arena, 1 << 16);
        assert_int_equal(read_all(cases[i].text, 100, wide, &out, &err), STATUS_BAD_CSV);
        assert_string_equal(err.name, cases[i].line);
        assert_int_equal(err.where, ERR_LINE);
        assert_non_null(strstr(err.detail, cases[i].says));
    }
}

static void limits_are_reached_and_not_passed(void **state)
{
    static const struct csv_limits narrow = {8, 4, 3};
    static const struct {
        const char *text;
        enum status status;
    } cases[] = {
        {"1234,1234\n", STATUS_OK},        {"12345\n", STATUS_BAD_CSV},
        {"123,123,123\n", STATUS_BAD_CSV}, {"1,2,3\n", STATUS_OK},
        {"1,2,3,4\n", STATUS_BAD_CSV},     {"\"1234\"\n", STATUS_OK},
        {"\"123456789", STATUS_BAD_CSV},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_clear) struct arena arena;
        struct buf out;
        struct err err = {0};
        arena_init(&arena, 1 << 20);
        buf_init(&out, &arena, 1 << 16);
        assert_int_equal(read_all(str_of(cases[i].text), 100, narrow, &out, &err), cases[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read_the_same_whatever_the_size_of_a_read),
        cmocka_unit_test(what_is_not_csv_is_refused_with_its_line),
        cmocka_unit_test(limits_are_reached_and_not_passed),
    };
    return cmocka_run_group_tests_name("csv_in", tests, NULL, NULL);
}
