/*
 * fuzz_filter.c - any text as filter, conditions joined by and and or, select, order or search of a mart with a column of every kind: refused with a
 * reason, or a query whose canonical text and SQL can be made. The first byte says what the rest is.
 */
#include "store/mart_group.h"
#include "store/mart_query.h"
#include "store/mart_sql.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COLUMN(text, of_kind, nullable)                                                \
    {                                                                                  \
        .name = {text, sizeof(text) - 1}, .kind = (of_kind), .is_nullable = (nullable) \
    }

/* The mart is const in use; its members point to mutable columns. */
static void make_mart(struct mart *mart, bool is_managed)
{
    static struct mart_column columns[] = {
        COLUMN("id", COLUMN_INT, false),       COLUMN("t", COLUMN_TEXT, true),
        COLUMN("price", COLUMN_DECIMAL, true), COLUMN("f", COLUMN_FLOAT, true),
        COLUMN("flag", COLUMN_BOOL, true),     COLUMN("date", COLUMN_DATE, false),
        COLUMN("at", COLUMN_INSTANT, true),    COLUMN("j", COLUMN_OTHER, true),
        COLUMN("a.desc", COLUMN_TEXT, false),  COLUMN("q\"@$1", COLUMN_TEXT, true),
    };
    static size_t key[] = {5, 0};
    *mart = (struct mart){.name = STR("mart_fuzz"),
                          .is_managed = is_managed,
                          .source_table = STR("gen_fuzz"),
                          .columns = columns,
                          .n_columns = ARRAY_LEN(columns),
                          .key = key,
                          .n_key = ARRAY_LEN(key),
                          .time_column = 5,
                          .as_of = STR("")};
}

/* Identifiers are quoted, values bound: outside quotes there is nothing of the input, and quotes are closed. */
static void check_sql(const struct mart_query *query, enum db_kind kind, struct arena *arena)
{
    struct mart_sql sql;
    struct err err = {0};
    enum status s = mart_sql_build(query, kind, arena, &sql, &err);
    assert(s == STATUS_OK);
    char quote = '\0';
    for (const char *at = sql.text; *at != '\0'; at++) {
        if (quote == '\0' && (*at == '"' || *at == '\''))
            quote = *at;
        else if (*at == quote)
            quote = '\0';
        else
            assert(quote != '\0' || (*at != ';' && *at != '\n' && (unsigned char)*at < 0x80));
    }
    assert(quote == '\0');
    for (size_t i = 0; i < sql.n_params; i++)
        assert(sql.params[i].type != DB_TEXT ||
               memchr(sql.params[i].text.ptr, '\0', sql.params[i].text.len) == NULL);
    (void)s;
}

static const char *canonical(const struct mart_query *query, struct arena *arena)
{
    struct buf out;
    buf_init(&out, arena, (size_t)1 << 20);
    mart_query_canonical(query, &out);
    const char *text = buf_c_str(&out);
    assert(text != NULL);
    return text;
}

/* A value that was accepted is accepted again in its canonical spelling, which it keeps. */
static void check_filter(const struct mart *mart, const struct filter *filter, struct arena *arena)
{
    for (size_t i = 0; i < filter->n_terms; i++)
        check_filter(mart, &filter->terms[i], arena);
    if (filter->op == OP_LIKE || filter->op == OP_ILIKE || filter->op == OP_FTS)
        return; /* patterns and words have a spelling of their own */
    for (size_t i = 0; i < filter->n_values; i++) {
        struct filter again;
        struct buf text;
        buf_init(&text, arena, 4096);
        buf_add_c(&text, "eq.");
        buf_add(&text, filter->values[i]);
        enum status s = filter_parse(mart, mart->columns[filter->column].name, buf_str(&text),
                                     arena, &again, NULL);
        assert(s == STATUS_OK && str_eq(again.values[0], filter->values[i]));
        (void)s;
    }
}

/* name=value for filters; whatever stands before the first '=' is the column. */
static enum status read_filter(struct str input, struct mart_query *query, struct arena *arena,
                               struct err *err)
{
    size_t equals = str_find(input, '=', 0);
    struct str value = equals == input.len ? STR("") : str_sub(input, equals + 1, input.len);
    query->filters = ARENA_NEW(arena, struct filter);
    assert(query->filters != NULL);
    enum status s =
        filter_parse(query->mart, str_sub(input, 0, equals), value, arena, query->filters, err);
    if (s != STATUS_OK)
        return s;
    query->n_filters = 1;
    check_filter(query->mart, query->filters, arena);
    return s;
}

/* not.or=(...) and its like; the first byte of input chooses the name. */
static enum status read_logic(struct str input, struct mart_query *query, struct arena *arena,
                              struct err *err)
{
    static const char *const names[] = {"or", "and", "not.or", "not.and"};
    size_t which = input.len == 0 ? 0 : (unsigned char)input.ptr[0] % ARRAY_LEN(names);
    query->filters = ARENA_NEW(arena, struct filter);
    assert(query->filters != NULL);
    enum status s = logic_parse(query->mart, str_of(names[which]), str_sub(input, 1, input.len),
                                arena, query->filters, err);
    if (s != STATUS_OK)
        return s;
    query->n_filters = 1;
    check_filter(query->mart, query->filters, arena);
    return s;
}

/* groups;metrics;order of an aggregate. What is accepted has a name for each output and a total order. */
static enum status read_group(struct str input, struct mart_query *query, struct arena *arena,
                              struct err *err)
{
    struct mart_group group = {.query = query, .limit = 1};
    struct str rest = input;
    struct str part = STR("");
    struct buf out;
    buf_init(&out, arena, (size_t)1 << 20);
    (void)str_next_field(&rest, ';', &part);
    enum status s = group_parse(query->mart, part, arena, &group, err);
    if (s == STATUS_OK && str_next_field(&rest, ';', &part))
        s = metrics_parse(query->mart, part, arena, &group, err);
    if (s == STATUS_OK && str_next_field(&rest, ';', &part))
        s = group_order_parse(part, &group, err);
    if (s != STATUS_OK)
        return s;
    mart_group_finish(&group);
    mart_group_canonical(&group, &out);
    assert(!out.failed && group.n_outputs > 0 && group.n_order <= group.n_outputs);
    return s;
}

static enum status read_part(unsigned what, struct str input, struct mart_query *query,
                             struct arena *arena, struct err *err)
{
    switch (what) {
    case 's':
        return select_parse(query->mart, input, arena, query, err);
    case 'o':
        return order_parse(query->mart, input, arena, query, err);
    case 'q': /* parameters are UTF-8 without NUL before they come here */
        if (!str_is_utf8(input) || (input.len > 0 && memchr(input.ptr, '\0', input.len) != NULL))
            return STATUS_OK;
        return mart_query_search(query, input, "t,q\"@$1", arena, err);
    case 'g':
        return read_group(input, query, arena, err);
    case 'l':
        return read_logic(input, query, arena, err);
    default:
        return read_filter(input, query, arena, err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct mart mart;
    struct err err = {0};
    if (size == 0)
        return 0;
    make_mart(&mart, (size & 1) != 0);
    struct mart_query query = {.mart = &mart};
    struct str input = {(const char *)data + 1, size - 1};

    arena_init(&arena, (size_t)1 << 26);
    if (read_part(data[0], input, &query, &arena, &err) != STATUS_OK) {
        /* Parameters come here as UTF-8; of others it is only asked that they do no harm. */
        assert(err.detail[0] != '\0');
        assert(!str_is_utf8(input) ||
               (str_is_utf8(str_of(err.name)) && str_is_utf8(str_of(err.value)) &&
                str_is_utf8(str_of(err.suggestion))));
    } else {
        enum status s = mart_query_finish(&query, &arena, &err);
        assert(s == STATUS_OK && query.n_select > 0 && query.n_order >= mart.n_key);
        (void)s;
        const char *first = canonical(&query, &arena);
        assert(strcmp(first, canonical(&query, &arena)) == 0);
        (void)first;
        query.is_backward = query.n_filters % 2 == 1;
        check_sql(&query, DB_SQLITE, &arena);
        check_sql(&query, DB_POSTGRESQL, &arena);
    }
    arena_clear(&arena);
    return 0;
}
