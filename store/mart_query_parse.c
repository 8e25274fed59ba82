/* mart_query_parse.c - filters, column lists and orders as they stand in a URL, checked against the catalogue. */
#include "store/mart_query.h"

#include "base/suggest.h"
#include "store/value.h"

#include <string.h>

static const struct {
    struct str name;
    enum filter_op op;
} operators[] = {
    {{"eq", 2}, OP_EQ}, {{"neq", 3}, OP_NEQ}, {{"gt", 2}, OP_GT}, {{"gte", 3}, OP_GTE},
    {{"lt", 2}, OP_LT}, {{"lte", 3}, OP_LTE}, {{"in", 2}, OP_IN}, {{"is", 2}, OP_IS},
};

static const struct {
    struct str name;
    enum is_what is;
} conditions[] = {
    {{"null", 4}, IS_NULL},
    {{"not_null", 8}, IS_NOT_NULL},
    {{"true", 4}, IS_TRUE},
    {{"false", 5}, IS_FALSE},
};

static enum status no_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while reading the query.");
}

static enum status bad_filter(struct str parameter, struct str value, struct err *err,
                              const char *detail)
{
    enum status s = err_set(err, STATUS_BAD_FILTER, "%s", detail);
    err_at(err, ERR_PARAMETER, parameter, str_is_utf8(value) ? value : STR("(not UTF-8)"));
    err_allow(err,
              "eq.V neq.V gt.V gte.V lt.V lte.V in.(V,V) is.null is.not_null is.true is.false");
    return s;
}

/* Checks a value and keeps its canonical spelling in the arena; a foreign instant keeps its fraction. */
static enum status keep_value(const struct mart *mart, size_t at, struct str value,
                              struct arena *arena, struct str *ret, struct err *err)
{
    const struct mart_column *column = &mart->columns[at];
    char room[VALUE_ROOM_BYTES];
    enum status s = mart_value_check(column, value, err);
    if (s != STATUS_OK)
        return s;
    bool is_kept =
        column->kind == COLUMN_INSTANT && !mart->is_managed && str_find(value, '.', 0) < value.len;
    struct str canonical = is_kept ? value : value_canonical(column->kind, value, room);
    *ret = (struct str){arena_dup(arena, canonical), canonical.len};
    return ret->ptr == NULL ? no_memory(err) : STATUS_OK;
}

/* "..." with \" and \\ at list[*at]; the bytes between go to room, which holds list.len. */
static bool take_quoted(struct str list, size_t *at, char *room, struct str *ret)
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

/* The next item of a,b,"c,d" at *at, which moves behind the comma after it; past the end when it was the last. */
static bool take_item(struct str list, size_t *at, char *room, struct str *ret)
{
    if (*at < list.len && list.ptr[*at] == '"') {
        if (!take_quoted(list, at, room, ret))
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

static enum status parse_list(const struct mart *mart, struct str parameter, struct str value,
                              struct arena *arena, struct filter *filter, struct err *err)
{
    if (value.len < 3 || value.ptr[0] != '(' || value.ptr[value.len - 1] != ')')
        return bad_filter(parameter, value, err,
                          "\"in\" takes a list in parentheses with at least one value.");
    struct str list = str_sub(value, 1, value.len - 1);
    char *room = arena_alloc(arena, list.len);
    filter->values = arena_array(arena, MART_IN_MAX, sizeof *filter->values);
    if (room == NULL || filter->values == NULL)
        return no_memory(err);
    size_t at = 0;
    while (at <= list.len) {
        struct str item = STR_NONE;
        if (!take_item(list, &at, room, &item))
            return bad_filter(
                parameter, value, err,
                "A quoted value of the list is not closed, or more than a comma follows it.");
        if (filter->n_values == MART_IN_MAX) {
            enum status s =
                bad_filter(parameter, str_sub(value, 0, 80), err, "The list has too many values.");
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
        if (column->kind == COLUMN_BOOL || filter->is == IS_NULL || filter->is == IS_NOT_NULL)
            return STATUS_OK;
        enum status s =
            bad_filter(parameter, value, err, "Only columns of booleans are true or false.");
        err_allow(err, "null, not_null");
        return s;
    }
    enum status s =
        bad_filter(parameter, value, err, "\"is\" takes null, not_null, true or false.");
    err_allow(err, "null, not_null, true, false");
    err_suggest(err, suggest_take(&search));
    return s;
}

/* The operator before the first point. */
static enum status parse_operator(struct str parameter, struct str value, enum filter_op *ret,
                                  struct str *ret_rest, struct err *err)
{
    size_t point = str_find(value, '.', 0);
    struct str name = str_sub(value, 0, point);
    struct suggest search = suggest_start(name);
    for (size_t i = 0; i < ARRAY_LEN(operators) && point < value.len; i++) {
        suggest_offer(&search, operators[i].name);
        if (str_eq(name, operators[i].name)) {
            *ret = operators[i].op;
            *ret_rest = str_sub(value, point + 1, value.len);
            return STATUS_OK;
        }
    }
    if (point == value.len)
        return bad_filter(parameter, value, err, "A filter is an operator, a point and a value.");
    enum status s = bad_filter(parameter, value, err, "The filter's operator is unknown.");
    err_suggest(err, suggest_take(&search));
    return s;
}

enum status filter_parse(const struct mart *mart, struct str parameter, struct str value,
                         struct arena *arena, struct filter *ret_filter, struct err *err)
{
    int i = mart_column_index(mart, parameter);
    if (i < 0) {
        const char *name = arena_dup(arena, parameter);
        return name == NULL ? no_memory(err) : mart_unknown_column(mart, parameter, name, err);
    }
    const struct mart_column *column = &mart->columns[i];
    struct filter filter = {.column = (size_t)i};
    struct str rest = STR_NONE;
    enum status s = parse_operator(parameter, value, &filter.op, &rest, err);
    if (s != STATUS_OK)
        return s;
    if (column->kind == COLUMN_OTHER && filter.op != OP_EQ && filter.op != OP_NEQ &&
        filter.op != OP_IN && filter.op != OP_IS) {
        s = bad_filter(parameter, value, err, "Values of this column's type have no order here.");
        err_allow(err, "eq.V neq.V in.(V,V) is.null is.not_null");
        return s;
    }
    if (filter.op == OP_IS) {
        s = parse_is(column, parameter, rest, &filter, err);
    } else if (filter.op == OP_IN) {
        s = parse_list(mart, parameter, rest, arena, &filter, err);
    } else {
        filter.values = ARENA_NEW(arena, struct str);
        filter.n_values = 1;
        s = filter.values == NULL
                ? no_memory(err)
                : keep_value(mart, filter.column, rest, arena, &filter.values[0], err);
    }
    if (s == STATUS_OK)
        *ret_filter = filter;
    return s;
}

static enum status bad_list(const char *parameter, struct str value, struct err *err,
                            const char *detail)
{
    enum status s = err_set(err, STATUS_BAD_VALUE, "%s", detail);
    err_at(err, ERR_PARAMETER, str_of(parameter), str_is_utf8(value) ? value : STR("(not UTF-8)"));
    return s;
}

enum status select_parse(const struct mart *mart, struct str text, struct arena *arena,
                         struct mart_query *query, struct err *err)
{
    size_t *select = arena_array(arena, mart->n_columns, sizeof *select);
    size_t n = 0;
    if (select == NULL)
        return no_memory(err);
    struct str rest = text.ptr == NULL ? STR("") : text;
    struct str name;
    while (str_next_field(&rest, ',', &name)) {
        int column = mart_column_index(mart, name);
        if (column < 0)
            return mart_unknown_column(mart, name, "select", err);
        for (size_t i = 0; i < n; i++)
            if (select[i] == (size_t)column)
                return bad_list("select", name, err, "A column is selected twice.");
        select[n++] = (size_t)column;
    }
    query->select = select;
    query->n_select = n;
    return STATUS_OK;
}

/* "date.desc": the column's name may itself contain points, so the last one counts. */
static enum status parse_order_term(const struct mart *mart, struct str text,
                                    struct order_term *ret, struct err *err)
{
    int column = mart_column_index(mart, text);
    bool is_descending = false;
    size_t point = text.len;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '.')
            point = i;
    if (column < 0) {
        struct str direction = str_sub(text, point + 1, text.len);
        struct str name = str_sub(text, 0, point);
        column = mart_column_index(mart, name);
        if (column < 0)
            return mart_unknown_column(mart, name, "order", err);
        is_descending = str_eq(direction, STR("desc"));
        if (!is_descending && !str_eq(direction, STR("asc"))) {
            enum status s =
                bad_list("order", direction, err, "The direction of an order is unknown.");
            struct suggest search = suggest_start(direction);
            suggest_offer(&search, STR("asc"));
            suggest_offer(&search, STR("desc"));
            err_suggest(err, suggest_take(&search));
            err_allow(err, "asc, desc");
            return s;
        }
    }
    *ret = (struct order_term){(size_t)column, is_descending};
    return STATUS_OK;
}

enum status order_parse(const struct mart *mart, struct str text, struct arena *arena,
                        struct mart_query *query, struct err *err)
{
    /* mart_query_finish appends the key in place: at most every column stands here once. */
    struct order_term *order = arena_array(arena, mart->n_columns, sizeof *order);
    size_t n = 0;
    if (order == NULL)
        return no_memory(err);
    struct str rest = text.ptr == NULL ? STR("") : text;
    struct str item;
    while (str_next_field(&rest, ',', &item)) {
        struct order_term term = {0};
        enum status s = parse_order_term(mart, item, &term, err);
        if (s != STATUS_OK)
            return s;
        for (size_t i = 0; i < n; i++)
            if (order[i].column == term.column)
                return bad_list("order", item, err, "A column stands twice in the order.");
        order[n++] = term;
    }
    query->order = order;
    query->n_order = n;
    return STATUS_OK;
}

enum status mart_query_search(struct mart_query *query, struct str text, const char *columns,
                              struct arena *arena, struct err *err)
{
    char *folded = arena_dup(arena, text);
    if (folded == NULL)
        return no_memory(err);
    for (size_t i = 0; i < text.len; i++)
        if (folded[i] >= 'A' && folded[i] <= 'Z')
            folded[i] = (char)(folded[i] + ('a' - 'A'));
    query->search = (struct str){folded, text.len};
    query->n_search_columns = 0;
    struct str rest = str_of(columns);
    struct str name;
    while (str_next_field(&rest, ',', &name) &&
           query->n_search_columns < ARRAY_LEN(query->search_columns)) {
        int column = mart_column_index(query->mart, name);
        if (column < 0 || query->mart->columns[column].kind != COLUMN_TEXT)
            return err_set(err, STATUS_INTERNAL, "The mart has no text column \"%.*s\".",
                           STR_ARG(name));
        query->search_columns[query->n_search_columns] = (size_t)column;
        query->n_search_columns++;
    }
    return STATUS_OK;
}
