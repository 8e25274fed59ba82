/* conformance.c - finds, parses and compares the conformance cases. */
#include "tests/support/conformance.h"

#include "base/date.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t n_disagreements; /* since the file was opened */
static const char DEFAULT_PATH[] = "../shared/conformance/cases.json";
enum { FILE_MAX = 256 << 20 };

static struct str read_all(FILE *in, struct arena *arena)
{
    char *text = NULL;
    size_t n = 0, room = 0;
    for (;;) {
        if (n == room) {
            size_t more = room == 0 ? 1 << 20 : room * 2;
            text = arena_grow(arena, text, room, more);
            assert_non_null(text);
            room = more;
        }
        size_t got = fread(text + n, 1, room - n, in);
        if (got == 0)
            return (struct str){text, n};
        n += got;
    }
}

bool conformance_open(struct conformance *c)
{
    const char *path = getenv("CMMC_CONFORMANCE");
    FILE *in = fopen(path != NULL ? path : DEFAULT_PATH, "rb");
    if (in == NULL) {
        assert_null(path); /* named, so it must be there */
        return false;
    }
    struct err err = {0};
    arena_init(&c->arena, FILE_MAX);
    struct str text = read_all(in, &c->arena);
    (void)fclose(in);
    if (jr_parse(text, &c->arena, &c->doc, &err) != STATUS_OK)
        fail_msg("conformance cases: %s", err.detail);
    c->cases = jr_member(jr_root(c->doc), "cases");
    c->datasets = jr_member(jr_root(c->doc), "datasets");
    assert_true(jr_length(c->cases) > 0);
    return true;
}

void conformance_close(struct conformance *c)
{
    size_t n = n_disagreements;
    n_disagreements = 0;
    jr_free(c->doc);
    arena_clear(&c->arena);
    assert_int_equal(n, 0); /* each has been printed */
}

static const char *text_of(struct conformance *c, struct json_val val)
{
    struct str text;
    if (jr_type(val) != JR_STRING || jr_read_str(val, 0, SIZE_MAX, &text, NULL) != STATUS_OK)
        return NULL;
    return arena_dup(&c->arena, text);
}

/* "0.035/12" and "1/sqrt(252)"; NaN for other text. */
static double quotient_of(const char *text)
{
    static const char ROOT[] = "sqrt(";
    char *end;
    double x = strtod(text, &end);
    if (end == text || *end != '/')
        return *end == '\0' && isfinite(x) ? x : (double)NAN;
    bool is_root = strncmp(end + 1, ROOT, sizeof ROOT - 1) == 0;
    double y = strtod(end + 1 + (is_root ? sizeof ROOT - 1 : 0), NULL);
    return x / (is_root ? sqrt(y) : y);
}

/* Numbers as they are; "NaN", "Infinity" and "-Infinity" all mean that there is no finite value. */
static double number_of(struct json_val val)
{
    double x = (double)NAN;
    char text[64];
    struct str str;
    if (jr_type(val) == JR_INT || jr_type(val) == JR_REAL) {
        assert_int_equal(jr_read_f64(val, -1e300, 1e300, &x, NULL), STATUS_OK);
    } else if (jr_type(val) == JR_STRING &&
               jr_read_str(val, 1, sizeof text - 1, &str, NULL) == STATUS_OK) {
        (void)snprintf(text, sizeof text, "%.*s", (int)str.len, str.ptr);
        x = quotient_of(text);
    }
    return x;
}

static double tolerance(struct json_val one, const char *kind)
{
    struct json_val val = jr_member(jr_member(one, "tolerance"), kind);
    return jr_is_present(val) ? number_of(val) : 0;
}

bool conformance_next(struct conformance *c, const char *group, size_t *i,
                      struct conformance_case *ret)
{
    for (; *i < jr_length(c->cases); ++*i) {
        struct json_val one = jr_item(c->cases, *i);
        const char *name = text_of(c, jr_member(one, "group"));
        if (*group != '\0' && (name == NULL || strcmp(name, group) != 0))
            continue;
        *ret = (struct conformance_case){
            .id = text_of(c, jr_member(one, "id")),
            .group = name,
            .metric = text_of(c, jr_member(one, "metric")),
            .locator = text_of(c, jr_member(one, "locator")),
            .inputs = jr_member(one, "inputs"),
            .expected = jr_member(one, "expected"),
            .absolute = tolerance(one, "abs"),
            .relative = tolerance(one, "rel"),
        };
        if (ret->locator == NULL)
            ret->locator = "";
        ++*i;
        return true;
    }
    return false;
}

bool conformance_has(const struct conformance_case *one, const char *input)
{
    return jr_is_present(jr_member(one->inputs, input));
}

double conformance_number(const struct conformance_case *one, const char *input)
{
    return number_of(jr_member(one->inputs, input));
}

double conformance_number_or(const struct conformance_case *one, const char *input,
                             double otherwise)
{
    return conformance_has(one, input) ? conformance_number(one, input) : otherwise;
}

double conformance_parameter(const struct conformance_case *one, const char *name, double otherwise)
{
    struct json_val val = jr_member(jr_member(one->inputs, "params"), name);
    return jr_is_present(val) ? number_of(val) : otherwise;
}

double conformance_item(struct json_val list, size_t i)
{
    return i < jr_length(list) ? number_of(jr_item(list, i)) : (double)NAN;
}

const char *conformance_text(struct conformance *c, const struct conformance_case *one,
                             const char *input)
{
    return text_of(c, jr_member(one->inputs, input));
}

static const int32_t *dates_of(struct conformance *c, struct json_val list)
{
    size_t n = jr_length(list);
    int32_t *date = arena_array(&c->arena, n + 1, sizeof *date);
    assert_non_null(date);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(jr_read_date(jr_item(list, i), &date[i], NULL), STATUS_OK);
    return date;
}

static struct conformance_series numbers_of(struct conformance *c, struct json_val list)
{
    size_t n = jr_length(list);
    double *value = arena_array(&c->arena, n + 1, sizeof *value);
    assert_non_null(value);
    bool is_series = jr_read_f64_array(list, value, NULL) == STATUS_OK;
    return (struct conformance_series){.value = value, .n = is_series ? n : 0};
}

/* "managers.HAM1 (series)" is column HAM1 of managers; "empyrical.df_week" is a data set whose name has the dot. */
static struct conformance_series named(struct conformance *c, const char *name, const char *column)
{
    char text[128];
    (void)snprintf(text, sizeof text, "%.*s", (int)strcspn(name, " "), name);
    struct json_val set = jr_member(c->datasets, text), list = jr_member(set, "values");
    char *dot = strchr(text, '.');
    if (!jr_is_present(set) && dot != NULL) {
        *dot = '\0';
        set = jr_member(c->datasets, text);
        list = jr_member(set, dot + 1);
    }
    if (column != NULL)
        list = jr_is_present(list) ? jr_member(list, column) : jr_member(set, column);
    if (jr_type(list) != JR_ARRAY)
        return (struct conformance_series){0};
    struct conformance_series series = numbers_of(c, list);
    series.frequency = text_of(c, jr_member(set, "freq"));
    if (jr_length(jr_member(set, "dates")) == series.n)
        series.date = dates_of(c, jr_member(set, "dates"));
    return series;
}

/* a - b of names; b without its data set is of that of a. */
static struct conformance_series difference(struct conformance *c, const char *name,
                                            const char *minus)
{
    char other[128];
    int n_set = strchr(minus, '.') == NULL ? (int)strcspn(name, ".") : 0;
    (void)snprintf(other, sizeof other, "%.*s%s%s", n_set, name, n_set > 0 ? "." : "", minus);
    struct conformance_series a = named(c, name, NULL), b = named(c, other, NULL);
    double *value = arena_array(&c->arena, a.n + 1, sizeof *value);
    assert_non_null(value);
    if (a.n != b.n)
        return (struct conformance_series){0};
    for (size_t i = 0; i < a.n; i++)
        value[i] = a.value[i] - b.value[i];
    a.value = value;
    return a;
}

struct conformance_series conformance_series(struct conformance *c, struct json_val val,
                                             const char *column)
{
    static const char MINUS[] = " - ";
    if (jr_type(val) == JR_ARRAY)
        return numbers_of(c, val);
    const char *name = text_of(c, jr_type(val) == JR_OBJECT ? jr_member(val, "dataset") : val);
    const char *minus = name == NULL ? NULL : strstr(name, MINUS);
    if (minus != NULL)
        return difference(c, name, minus + sizeof MINUS - 1);
    return name == NULL ? (struct conformance_series){0} : named(c, name, column);
}

size_t conformance_rows(struct conformance *c, const struct conformance_case *one, size_t n)
{
    const char *rows = conformance_text(c, one, "rows");
    size_t wanted = rows == NULL ? n : strtoul(rows + strcspn(rows, "0123456789"), NULL, 10);
    return wanted > 0 && wanted < n ? wanted : n;
}

double conformance_expected(const struct conformance_case *one, const char *member)
{
    return number_of(*member == '\0' ? one->expected : jr_member(one->expected, member));
}

const char *conformance_member(struct conformance *c, const struct conformance_case *one,
                               const char *beginning)
{
    struct str name;
    struct json_val val;
    for (size_t k = 0; jr_member_at(one->expected, k, &name, &val); k++) {
        const char *member = arena_dup(&c->arena, name);
        if (strncmp(member, beginning, strlen(beginning)) == 0)
            return member;
    }
    return NULL;
}

/*
 * Ids of the cases that this program has compared something with, a line each, into the file that
 * CMMC_CONFORMANCE_CLAIMS names: test_conformance_cases.c asks every driver for them.
 */
void conformance_claim(const struct conformance_case *one)
{
    const char *id = one->id;
    static char last[128];
    const char *path = getenv("CMMC_CONFORMANCE_CLAIMS");
    if (path == NULL || strcmp(id, last) == 0)
        return;
    (void)snprintf(last, sizeof last, "%s", id);
    FILE *out = fopen(path, "ab");
    assert_non_null(out);
    (void)fprintf(out, "%s\n", id);
    assert_int_equal(fclose(out), 0);
}

bool conformance_agrees(const struct conformance_case *one, double expected, double actual)
{
    conformance_claim(one);
    if (isnan(expected) || isnan(actual))
        return isnan(expected) && isnan(actual);
    return fabs(actual - expected) <= one->absolute + one->relative * fabs(expected);
}

void conformance_compare(const struct conformance_case *one, const char *what, double expected,
                         double actual)
{
    if (conformance_agrees(one, expected, actual))
        return;
    print_error("%s %s: %.17g is not %.17g (rel %g, abs %g)\n", one->id, what, actual, expected,
                one->relative, one->absolute);
    n_disagreements++;
}

void conformance_check(const struct conformance_case *one, const char *member, double actual)
{
    conformance_compare(one, member, conformance_expected(one, member), actual);
}

void conformance_check_list(const struct conformance_case *one, const char *member,
                            const double *actual, size_t n)
{
    struct json_val list = *member == '\0' ? one->expected : jr_member(one->expected, member);
    char what[64];
    conformance_compare(one, "length", (double)jr_length(list), (double)n);
    for (size_t i = 0; i < n && i < jr_length(list); i++) {
        (void)snprintf(what, sizeof what, "%s[%zu]", member, i);
        conformance_compare(one, what, conformance_item(list, i), actual[i]);
    }
}

size_t conformance_check_figures(const struct conformance_case *one,
                                 const struct conformance_figure *figures, size_t n)
{
    size_t n_compared = 0;
    for (size_t i = 0; i < n; i++) {
        if (!jr_is_present(jr_member(one->expected, figures[i].member)))
            continue;
        conformance_check(one, figures[i].member, figures[i].value);
        n_compared++;
    }
    return n_compared;
}
