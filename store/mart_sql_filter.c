/*
 * mart_sql_filter.c - the conditions of a query about a mart in SQL. Values become parameters.
 */
#include "store/mart_sql_impl.h"

#include "base/words.h"
#include "store/value.h"

#include <string.h>

/* Where whole seconds are compared as text, a fraction has to sort between them: "...59Z" < "...59Z.5" < "...60Z". */
static struct str instant_as_text(struct builder *b, struct str value)
{
    size_t point = str_find(value, '.', 0);
    if (point == value.len)
        return value;
    char *out = arena_dup(b->out.arena, value);
    if (out == NULL) {
        b->out.failed = true;
        return value;
    }
    memcpy(out + point + 1, value.ptr + point, value.len - point - 1);
    out[point] = 'Z';
    return (struct str){out, value.len};
}

static void add_value(struct builder *b, enum column_kind kind, struct str value)
{
    if (kind == COLUMN_INSTANT && b->kind == DB_SQLITE && b->query->mart->is_managed)
        value = instant_as_text(b, value);
    sql_add_placeholder(b, kind, sql_new_param(b, value_param(kind, value)));
}

/* The pattern of LIKE as one of GLOB, which minds the case: "%" is "*", "_" is "?", and brackets make text of the rest. */
static struct str glob_of(struct builder *b, struct str like)
{
    char *out = arena_alloc(b->out.arena, 3 * like.len + 1);
    size_t n = 0;
    if (out == NULL) {
        b->out.failed = true;
        return STR("");
    }
    for (size_t i = 0; i < like.len; i++) {
        bool is_escaped = like.ptr[i] == '\\' && i + 1 < like.len;
        char c = like.ptr[is_escaped ? ++i : i];
        if (!is_escaped && (c == '%' || c == '_')) {
            out[n++] = c == '%' ? '*' : '?';
        } else if (strchr("*?[", c) != NULL) {
            out[n++] = '[';
            out[n++] = c;
            out[n++] = ']';
        } else {
            out[n++] = c;
        }
    }
    return (struct str){out, n};
}

static void add_pattern(struct builder *b, const struct filter *filter)
{
    struct str pattern = filter->values[0];
    bool is_glob = b->kind == DB_SQLITE && filter->op == OP_LIKE;
    bool is_folded = b->kind == DB_POSTGRESQL && filter->op == OP_ILIKE;
    buf_add_c(&b->out, is_folded ? "LOWER(" : "");
    sql_add_column(b, filter->column);
    buf_add_c(&b->out, b->kind == DB_SQLITE ? "" : " COLLATE \"C\"");
    buf_add_c(&b->out, is_folded ? ")" : "");
    buf_printf(&b->out, is_glob ? " GLOB $%zu" : " LIKE $%zu ESCAPE '\\'",
               sql_new_param(b, db_text(is_glob ? glob_of(b, pattern) : pattern)));
}

/* The words of the column's text stand between spaces, as words.h makes them; each word is looked for as it stands. */
static void add_words(struct builder *b, const struct filter *filter)
{
    if (b->kind == DB_POSTGRESQL && b->separators == 0) {
        struct str from = str_of(words_separators);
        char *spaces = arena_alloc(b->out.arena, from.len);
        if (spaces == NULL) {
            b->out.failed = true;
            return;
        }
        memset(spaces, ' ', from.len);
        b->separators = sql_new_param(b, db_text(from));
        (void)sql_new_param(b, db_text((struct str){spaces, from.len}));
    }
    buf_add_char(&b->out, '(');
    for (size_t i = 0; i < filter->n_values; i++) {
        buf_add_c(&b->out, i > 0 ? " AND " : "");
        buf_add_c(&b->out,
                  b->kind == DB_SQLITE ? "INSTR(words(" : "STRPOS(' ' || TRANSLATE(LOWER(");
        sql_add_column(b, filter->column);
        if (b->kind == DB_POSTGRESQL)
            buf_printf(&b->out, " COLLATE \"C\"), CAST($%zu AS TEXT), CAST($%zu AS TEXT)) || ' '",
                       b->separators, b->separators + 1);
        else
            buf_add_char(&b->out, ')');
        buf_printf(&b->out, b->kind == DB_SQLITE ? ", $%zu) > 0" : ", CAST($%zu AS TEXT)) > 0",
                   sql_new_param(b, db_text(filter->values[i])));
    }
    buf_add_char(&b->out, ')');
}

static void add_comparison(struct builder *b, const struct filter *filter)
{
    static const char *const signs[] = {[OP_EQ] = " = ",   [OP_NEQ] = " <> ",
                                        [OP_GT] = " > ",   [OP_LT] = " < ",
                                        [OP_GTE] = " >= ", [OP_LTE] = " <= ",
                                        [OP_IN] = " IN (", [OP_ISDISTINCT] = " IS DISTINCT FROM "};
    enum column_kind kind = sql_column_at(b, filter->column)->kind;
    sql_add_ordered(b, filter->column);
    buf_add_c(&b->out, signs[filter->op]);
    for (size_t i = 0; i < filter->n_values; i++) {
        buf_add_c(&b->out, i > 0 ? ", " : "");
        add_value(b, kind, filter->values[i]);
    }
    if (filter->op == OP_IN)
        buf_add_char(&b->out, ')');
}

static void add_filter(struct builder *b, const struct filter *filter);

static void add_group(struct builder *b, const struct filter *group)
{
    buf_add_char(&b->out, '(');
    for (size_t i = 0; i < group->n_terms; i++) {
        buf_add_c(&b->out, i == 0 ? "" : group->op == OP_AND ? " AND " : " OR ");
        add_filter(b, &group->terms[i]);
    }
    buf_add_char(&b->out, ')');
}

static void add_filter(struct builder *b, const struct filter *filter)
{
    static const char *const is[] = {[IS_NULL] = " IS NULL",
                                     [IS_NOT_NULL] = " IS NOT NULL",
                                     [IS_TRUE] = " IS TRUE",
                                     [IS_FALSE] = " IS FALSE"};
    buf_add_c(&b->out, filter->is_negated ? "NOT (" : "");
    switch (filter->op) {
    case OP_AND:
    case OP_OR:
        add_group(b, filter);
        break;
    case OP_IS:
        sql_add_column(b, filter->column);
        buf_add_c(&b->out, is[filter->is]);
        break;
    case OP_LIKE:
    case OP_ILIKE:
        add_pattern(b, filter);
        break;
    case OP_FTS:
        add_words(b, filter);
        break;
    case OP_EQ:
    case OP_NEQ:
    case OP_GT:
    case OP_GTE:
    case OP_LT:
    case OP_LTE:
    case OP_IN:
    case OP_ISDISTINCT:
        add_comparison(b, filter);
        break;
    }
    buf_add_char(&b->out, filter->is_negated ? ')' : ' ');
}

/* "contains", byte by byte after folding ASCII letters, the same on both back ends. */
static void add_search(struct builder *b)
{
    const struct mart_query *query = b->query;
    size_t number = query->n_search_columns == 0
                        ? 0
                        : sql_new_param(b, value_param(COLUMN_TEXT, query->search));
    for (size_t i = 0; i < query->n_search_columns; i++) {
        buf_add_c(&b->out, i == 0 ? " AND (" : " OR ");
        buf_add_c(&b->out, b->kind == DB_SQLITE ? "INSTR(LOWER(" : "STRPOS(LOWER(");
        sql_add_column(b, query->search_columns[i]);
        buf_printf(&b->out, "%s), $%zu) > 0", b->kind == DB_SQLITE ? "" : " COLLATE \"C\"", number);
    }
    buf_add_c(&b->out, query->n_search_columns == 0 ? "" : ")");
}

void sql_add_where(struct builder *b)
{
    const struct mart_query *query = b->query;
    buf_add_c(&b->out, " FROM ");
    sql_identifier(&b->out, query->mart->source_table);
    buf_add_c(&b->out, " WHERE ");
    if (query->mart->is_managed) {
        size_t number = sql_new_param(b, db_i64(query->generation));
        buf_printf(&b->out, "gen_from <= $%zu AND gen_to > $%zu", number, number);
    } else {
        buf_add_c(&b->out, "1 = 1");
    }
    for (size_t i = 0; i < query->n_filters; i++) {
        buf_add_c(&b->out, " AND ");
        add_filter(b, &query->filters[i]);
    }
    add_search(b);
}

static size_t count_values(const struct filter *filters, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += filters[i].n_values + count_values(filters[i].terms, filters[i].n_terms);
    return count;
}

enum status sql_begin(struct builder *b, const struct mart_query *query, enum db_kind kind,
                      struct arena *arena, struct err *err)
{
    /* Generation, search, the two of full-text search, and the bounds of paging; all of it twice (mart_sql_group.c). */
    size_t n_params = 2 * (count_values(query->filters, query->n_filters) + query->n_order + 6);
    *b = (struct builder){.query = query, .kind = kind};
    buf_init(&b->out, arena, SQL_BYTES_MAX);
    b->params = arena_array(arena, n_params, sizeof *b->params);
    b->after = arena_array(arena, query->n_order + 1, sizeof *b->after);
    return b->params == NULL || b->after == NULL ? mart_query_no_memory(err) : STATUS_OK;
}

enum status sql_finish(struct builder *b, struct mart_sql *ret, struct err *err)
{
    const char *text = buf_c_str(&b->out);
    if (text == NULL)
        return mart_query_no_memory(err);
    *ret = (struct mart_sql){text, b->params, b->n_params};
    return STATUS_OK;
}

enum status mart_sql_count(const struct mart_query *query, int64_t max, enum db_kind kind,
                           struct arena *arena, struct mart_sql *ret, struct err *err)
{
    struct builder b;
    enum status s = sql_begin(&b, query, kind, arena, err);
    if (s != STATUS_OK)
        return s;
    buf_add_c(&b.out, max > 0 ? "SELECT COUNT(*) FROM (SELECT 1" : "SELECT COUNT(*)");
    sql_add_where(&b);
    if (max > 0)
        buf_printf(&b.out, " LIMIT %lld) AS found", (long long)max);
    return sql_finish(&b, ret, err);
}

enum status mart_sql_explain(const struct mart_query *query, enum db_kind kind, struct arena *arena,
                             struct mart_sql *ret, struct err *err)
{
    struct builder b;
    enum status s = sql_begin(&b, query, kind, arena, err);
    if (s != STATUS_OK)
        return s;
    buf_add_c(&b.out, "EXPLAIN (FORMAT JSON) SELECT 1");
    sql_add_where(&b);
    return sql_finish(&b, ret, err);
}
