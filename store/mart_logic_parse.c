/*
 * mart_logic_parse.c - conditions joined by and and or, as they stand in a URL:
 * or=(a.eq.1,and(b.gt.2,not.or(c.is.null,"odd.name".in.(1,2)),d.eq."a,b")). A value ends at a comma or parenthesis
 * unless it is quoted; inside quotes a backslash takes the next character as it is.
 */
#include "store/mart_query_impl.h"

#include <string.h>

struct scan {
    const struct mart *mart;
    struct arena *arena;
    struct str parameter, text;
    size_t at;
    size_t n_conditions;
};

static const struct {
    struct str name;
    enum filter_op op;
    bool is_negated;
} groups[] = {
    {{"or", 2}, OP_OR, false},
    {{"and", 3}, OP_AND, false},
    {{"not.or", 6}, OP_OR, true},
    {{"not.and", 7}, OP_AND, true},
};

bool logic_is_name(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        if (str_eq(name, groups[i].name))
            return true;
    return false;
}

static enum status refuse(const struct scan *scan, const char *detail, struct err *err)
{
    enum status s = err_set(err, STATUS_BAD_FILTER, "%s", detail);
    struct str value = str_utf8_cut(str_sub(scan->text, scan->at, scan->text.len), 90);
    err_at(err, ERR_PARAMETER, scan->parameter, str_is_utf8(value) ? value : STR("(not UTF-8)"));
    err_allow(err,
              "(column.op.value,and(column.op.value,...)), at most %d conditions and %d levels; "
              "a value with a comma, quote or parenthesis in double quotes",
              (int)MART_FILTERS_MAX, (int)MART_FILTER_DEPTH_MAX);
    return s;
}

static char peek(const struct scan *scan)
{
    return scan->at < scan->text.len ? scan->text.ptr[scan->at] : '\0';
}

static bool is_end(char c)
{
    return c == ',' || c == ')' || c == '(';
}

/* The longest column name that a point follows; names may hold points themselves. */
static enum status take_column(struct scan *scan, struct filter *filter, struct err *err)
{
    struct str rest = str_sub(scan->text, scan->at, scan->text.len);
    struct str name = STR_NONE;
    size_t end = 0;
    int column = -1;
    if (peek(scan) == '"') {
        char *room = arena_alloc(scan->arena, rest.len);
        if (room == NULL)
            return mart_query_no_memory(err);
        if (!filter_take_quoted(rest, &end, room, &name) || end >= rest.len || rest.ptr[end] != '.')
            return refuse(scan, "A quoted column name is not closed, or no point follows it.", err);
        column = mart_column_index(scan->mart, name);
    } else {
        size_t first = rest.len;
        for (size_t i = 0; i < rest.len && !is_end(rest.ptr[i]); i++) {
            if (rest.ptr[i] != '.')
                continue;
            first = first == rest.len ? i : first;
            int found = mart_column_index(scan->mart, str_sub(rest, 0, i));
            column = found >= 0 ? found : column;
            end = found >= 0 ? i : end;
        }
        name = str_sub(rest, 0, first);
        if (first == rest.len)
            return refuse(
                scan, "A condition is a column, a point, an operator, a point and a value.", err);
    }
    if (column < 0) {
        const char *parameter = arena_dup(scan->arena, scan->parameter);
        return parameter == NULL ? mart_query_no_memory(err)
                                 : mart_unknown_column(scan->mart, name, parameter, err);
    }
    filter->column = (size_t)column;
    scan->at += end + 1;
    return STATUS_OK;
}

/* Where the list that begins at from ends: behind its parenthesis; past the end when it is not closed. */
static size_t list_end(struct str text, size_t from)
{
    bool is_quoted = false;
    for (size_t i = from; i < text.len; i++) {
        if (is_quoted && text.ptr[i] == '\\')
            i++;
        else if (text.ptr[i] == '"')
            is_quoted = !is_quoted;
        else if (text.ptr[i] == ')' && !is_quoted)
            return i + 1;
    }
    return text.len + 1;
}

static enum status take_value(struct scan *scan, const struct filter *filter, struct str *ret,
                              struct err *err)
{
    size_t end = scan->at;
    if (filter->op == OP_IN && peek(scan) == '(') {
        end = list_end(scan->text, scan->at);
        if (end > scan->text.len)
            return refuse(scan, "A list is not closed.", err);
        *ret = str_sub(scan->text, scan->at, end);
    } else if (peek(scan) == '"') {
        char *room = arena_alloc(scan->arena, scan->text.len);
        if (room == NULL)
            return mart_query_no_memory(err);
        if (!filter_take_quoted(scan->text, &end, room, ret))
            return refuse(scan, "A quoted value is not closed.", err);
    } else {
        while (end < scan->text.len && !is_end(scan->text.ptr[end]))
            end++;
        *ret = str_sub(scan->text, scan->at, end);
    }
    scan->at = end;
    return STATUS_OK;
}

static enum status take_condition(struct scan *scan, struct filter *filter, struct err *err)
{
    struct str rest = STR_NONE, value = STR_NONE;
    enum status s = take_column(scan, filter, err);
    if (s == STATUS_OK)
        s = filter_operator_parse(scan->parameter, str_sub(scan->text, scan->at, scan->text.len),
                                  filter, &rest, err);
    if (s != STATUS_OK)
        return s;
    scan->at = scan->text.len - rest.len;
    s = take_value(scan, filter, &value, err);
    if (s != STATUS_OK)
        return s;
    if (++scan->n_conditions > MART_FILTERS_MAX)
        return refuse(scan, "There are too many conditions.", err);
    return filter_value_parse(scan->mart, scan->parameter, value, scan->arena, filter, err);
}

/* The group whose name stands here with a parenthesis behind it; NULL when there is none. */
static bool take_group_name(struct scan *scan, struct filter *filter)
{
    struct str rest = str_sub(scan->text, scan->at, scan->text.len);
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        size_t n = groups[i].name.len;
        if (!str_starts(rest, groups[i].name) || n >= rest.len || rest.ptr[n] != '(')
            continue;
        filter->op = groups[i].op;
        filter->is_negated = groups[i].is_negated;
        scan->at += n;
        return true;
    }
    return false;
}

/* (term,term,...); the group's operator is known. Depth is at most MART_FILTER_DEPTH_MAX. */
static enum status take_terms(struct scan *scan, struct filter *group, unsigned depth,
                              struct err *err)
{
    if (depth > MART_FILTER_DEPTH_MAX)
        return refuse(scan, "Conditions are nested too deeply.", err);
    if (peek(scan) != '(')
        return refuse(scan, "Conditions stand in parentheses.", err);
    group->terms = arena_array(scan->arena, MART_FILTERS_MAX, sizeof *group->terms);
    if (group->terms == NULL)
        return mart_query_no_memory(err);
    do {
        scan->at++;
        struct filter term = {0};
        enum status s = take_group_name(scan, &term) ? take_terms(scan, &term, depth + 1, err)
                                                     : take_condition(scan, &term, err);
        if (s != STATUS_OK)
            return s;
        if (group->n_terms == MART_FILTERS_MAX)
            return refuse(scan, "There are too many conditions.", err);
        group->terms[group->n_terms++] = term;
    } while (peek(scan) == ',');
    if (peek(scan) != ')')
        return refuse(scan, "A parenthesis is not closed, or a value needs double quotes.", err);
    scan->at++;
    return STATUS_OK;
}

enum status logic_parse(const struct mart *mart, struct str parameter, struct str value,
                        struct arena *arena, struct filter *ret_filter, struct err *err)
{
    struct scan scan = {.mart = mart, .arena = arena, .parameter = parameter, .text = value};
    struct filter group = {0};
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        if (str_eq(parameter, groups[i].name)) {
            group.op = groups[i].op;
            group.is_negated = groups[i].is_negated;
        }
    enum status s = take_terms(&scan, &group, 1, err);
    if (s != STATUS_OK)
        return s;
    if (scan.at != value.len)
        return refuse(&scan, "Something follows the last parenthesis.", err);
    *ret_filter = group;
    return STATUS_OK;
}
