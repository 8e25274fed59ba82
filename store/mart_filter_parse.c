/*
 * mart_filter_parse.c - one condition on a column as it stands in a URL, checked against the catalogue. Conditions
 * joined by and and or are read by mart_logic_parse.c, which comes back here for each.
 */
#include "store/mart_query_impl.h"

#include "base/date.h"
#include "base/suggest.h"
#include "store/value.h"

#include <string.h>

enum { KINDS_ALL = 0xffff, KINDS_TEXT = 1 << COLUMN_TEXT, KINDS_ORDERED = ~(1 << COLUMN_OTHER) };

static const struct {
    struct str name;
    enum filter_op op;
    unsigned kinds; /* bits 1 << COLUMN_x of the columns that it is for */
} operators[] = {
    {{"eq", 2}, OP_EQ, KINDS_ALL},
    {{"neq", 3}, OP_NEQ, KINDS_ALL},
    {{"gt", 2}, OP_GT, (unsigned)KINDS_ORDERED},
    {{"gte", 3}, OP_GTE, (unsigned)KINDS_ORDERED},
    {{"lt", 2}, OP_LT, (unsigned)KINDS_ORDERED},
    {{"lte", 3}, OP_LTE, (unsigned)KINDS_ORDERED},
    {{"in", 2}, OP_IN, KINDS_ALL},
    {{"is", 2}, OP_IS, KINDS_ALL},
    {{"isdistinct", 10}, OP_ISDISTINCT, KINDS_ALL},
    {{"like", 4}, OP_LIKE, KINDS_TEXT},
    {{"ilike", 5}, OP_ILIKE, KINDS_TEXT},
    {{"fts", 3}, OP_FTS, KINDS_TEXT},
};

static const struct {
    struct str name;
    enum is_what is;
    bool is_of_booleans;
} conditions[] = {
    {{"null", 4}, IS_NULL, false},   {{"not_null", 8}, IS_NOT_NULL, false},
    {{"true", 4}, IS_TRUE, true},    {{"false", 5}, IS_FALSE, true},
    {{"unknown", 7}, IS_NULL, true}, /* the SQL name of a boolean that is NULL */
};

bool filter_op_fits(enum filter_op op, enum column_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(operators); i++)
        if (operators[i].op == op)
            return (operators[i].kinds >> kind & 1) != 0;
    return false;
}

struct str filter_op_name(size_t i, enum filter_op *ret)
{
    if (i >= ARRAY_LEN(operators))
        return STR_NONE;
    *ret = operators[i].op;
    return operators[i].name;
}

enum status mart_query_no_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while reading the query.");
}

enum status filter_refuse(struct str parameter, struct str value, struct err *err,
                          const char *detail)
{
    enum status s = err_set(err, STATUS_BAD_FILTER, "%s", detail);
    err_at(err, ERR_PARAMETER, parameter, str_is_utf8(value) ? value : STR("(not UTF-8)"));
    err_allow(err,
              "eq.V neq.V gt.V gte.V lt.V lte.V in.(V,V) isdistinct.V is.null is.not_null is.true "
              "is.false is.unknown like.V ilike.V fts.V, each also behind \"not.\"");
    return s;
}

/* Checks a value and keeps its canonical spelling in the arena. */
static enum status keep_value(const struct mart *mart, size_t at, struct str value,
                              struct arena *arena, struct str *ret, struct err *err)
{
    const struct mart_column *column = &mart->columns[at];
    char room[VALUE_ROOM_BYTES], instant[INSTANT_EXACT_BYTES];
    bool is_instant = column->kind == COLUMN_INSTANT;
    if (is_instant && !instant_to_utc(value, instant))
        return value_refuse(column, value, VALUE_QUERY_BYTES_MAX, err);
    enum status s = is_instant ? STATUS_OK : mart_value_check(column, value, err);
    if (s != STATUS_OK)
        return s;
    struct str canonical =
        is_instant ? str_of(instant) : value_canonical(column->kind, value, room);
    *ret = (struct str){arena_dup(arena, canonical), canonical.len};
    return ret->ptr == NULL ? mart_query_no_memory(err) : STATUS_OK;
}

/* The next item of a,b,"c,d" at *at, which moves behind the comma after it; past the end when it was the last. */
static bool take_item(struct str list, size_t *at, char *room, struct str *ret)
{
    if (*at < list.len && list.ptr[*at] == '"') {
        if (!filter_take_quoted(list, at, room, ret))
            return false;
        if (*at < list.len && list.ptr[*at] != ',')
            return false;
    } else {
        size_t end = str_find(list, ',', *at);
        *ret = str_sub(list, *at, end);
        *at = end;
    }
    *at += 1;
    return true;
}

bool filter_take_quoted(struct str list, size_t *at, char *room, struct str *ret)
{
    size_t n = 0;
    size_t i = *at + 1;
    while (i < list.len && list.ptr[i] != '"') {
        if (list.ptr[i] == '\\')
            i++;
        if (i < list.len)
            room[n++] = list.ptr[i];
        i++;
    }
    if (i >= list.len)
        return false;
    *at = i + 1;
    *ret = (struct str){room, n};
    return true;
}

static enum status parse_list(const struct mart *mart, struct str parameter, struct str value,
                              struct arena *arena, struct filter *filter, struct err *err)
{
    if (value.len < 3 || value.ptr[0] != '(' || value.ptr[value.len - 1] != ')')
        return filter_refuse(parameter, value, err,
                             "\"in\" takes a list in parentheses with at least one value.");
    struct str list = str_sub(value, 1, value.len - 1);
    char *room = arena_alloc(arena, list.len);
    filter->values = arena_array(arena, MART_IN_MAX, sizeof *filter->values);
    if (room == NULL || filter->values == NULL)
        return mart_query_no_memory(err);
    size_t at = 0;
    while (at <= list.len) {
        struct str item = STR_NONE;
        if (!take_item(list, &at, room, &item))
            return filter_refuse(
                parameter, value, err,
                "A quoted value of the list is not closed, or more than a comma follows it.");
        if (filter->n_values == MART_IN_MAX) {
            enum status s = filter_refuse(parameter, str_sub(value, 0, 80), err,
                                          "The list has too many values.");
            err_allow(err, "at most %d values", (int)MART_IN_MAX);
            return s;
        }
        enum status s =
            keep_value(mart, filter->column, item, arena, &filter->values[filter->n_values], err);
        if (s != STATUS_OK)
            return s;
        filter->n_values++;
    }
    return STATUS_OK;
}

static enum status parse_is(const struct mart_column *column, struct str parameter,
                            struct str value, struct filter *filter, struct err *err)
{
    struct suggest search = suggest_start(value);
    for (size_t i = 0; i < ARRAY_LEN(conditions); i++) {
        suggest_offer(&search, conditions[i].name);
        if (!str_eq(value, conditions[i].name))
            continue;
        filter->is = conditions[i].is;
        if (column->kind == COLUMN_BOOL || !conditions[i].is_of_booleans)
            return STATUS_OK;
        enum status s = filter_refuse(parameter, value, err,
                                      "Only columns of booleans are true, false or unknown.");
        err_allow(err, "null, not_null");
        return s;
    }
    enum status s = filter_refuse(parameter, value, err,
                                  "\"is\" takes null, not_null, true, false or unknown.");
    err_allow(err, "null, not_null, true, false, unknown");
    err_suggest(err, suggest_take(&search));
    return s;
}

enum status filter_operator_parse(struct str parameter, struct str value, struct filter *filter,
                                  struct str *ret_rest, struct err *err)
{
    struct str rest = value;
    filter->is_negated = str_starts(rest, STR("not."));
    if (filter->is_negated)
        rest = str_sub(rest, 4, rest.len);
    size_t point = str_find(rest, '.', 0);
    struct str name = str_sub(rest, 0, point);
    struct suggest search = suggest_start(name);
    for (size_t i = 0; i < ARRAY_LEN(operators) && point < rest.len; i++) {
        suggest_offer(&search, operators[i].name);
        if (str_eq(name, operators[i].name)) {
            filter->op = operators[i].op;
            *ret_rest = str_sub(rest, point + 1, rest.len);
            return STATUS_OK;
        }
    }
    if (point == rest.len)
        return filter_refuse(parameter, value, err,
                             "A filter is an operator, a point and a value.");
    enum status s = filter_refuse(parameter, value, err, "The filter's operator is unknown.");
    err_suggest(err, suggest_take(&search));
    return s;
}

static enum status misfit(const struct mart_column *column, struct str parameter, struct str value,
                          struct err *err)
{
    if (column->kind == COLUMN_OTHER) {
        enum status s = filter_refuse(parameter, value, err,
                                      "Values of this column's type have no order here.");
        err_allow(err, "eq.V neq.V in.(V,V) isdistinct.V is.null is.not_null");
        return s;
    }
    enum status s = filter_refuse(parameter, value, err,
                                  "Only columns of text are searched by pattern or word.");
    err_allow(err, "eq.V neq.V gt.V gte.V lt.V lte.V in.(V,V) isdistinct.V is.null is.not_null");
    return s;
}

enum status filter_value_parse(const struct mart *mart, struct str parameter, struct str value,
                               struct arena *arena, struct filter *filter, struct err *err)
{
    const struct mart_column *column = &mart->columns[filter->column];
    if (!filter_op_fits(filter->op, column->kind))
        return misfit(column, parameter, value, err);
    enum status s = STATUS_OK;
    if (filter->op == OP_IS) {
        s = parse_is(column, parameter, value, filter, err);
    } else if (filter->op == OP_IN) {
        s = parse_list(mart, parameter, value, arena, filter, err);
    } else {
        filter->values = ARENA_NEW(arena, struct str);
        filter->n_values = 1;
        if (filter->values == NULL)
            return mart_query_no_memory(err);
        bool is_textual = filter->op == OP_LIKE || filter->op == OP_ILIKE || filter->op == OP_FTS;
        s = is_textual ? filter_text_parse(mart, parameter, value, arena, filter, err)
                       : keep_value(mart, filter->column, value, arena, &filter->values[0], err);
    }
    if (s == STATUS_OK && filter->is_negated) {
        filter->is_negated = false;
        filter_negate(filter);
    }
    return s;
}

enum status filter_parse(const struct mart *mart, struct str parameter, struct str value,
                         struct arena *arena, struct filter *ret_filter, struct err *err)
{
    int i = mart_column_index(mart, parameter);
    if (i < 0) {
        const char *name = arena_dup(arena, parameter);
        return name == NULL ? mart_query_no_memory(err)
                            : mart_unknown_column(mart, parameter, name, err);
    }
    struct filter filter = {.column = (size_t)i};
    struct str rest = STR_NONE;
    enum status s = filter_operator_parse(parameter, value, &filter, &rest, err);
    if (s == STATUS_OK)
        s = filter_value_parse(mart, parameter, rest, arena, &filter, err);
    if (s == STATUS_OK)
        *ret_filter = filter;
    return s;
}
