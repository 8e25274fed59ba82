/* mart_query_parse.c - column lists, orders and searches as they stand in a URL, checked against the catalogue. */
#include "store/mart_query_impl.h"

#include "base/suggest.h"

static enum status bad_list(const char *parameter, struct str value, struct err *err,
                            const char *detail)
{
    enum status s = err_set(err, STATUS_BAD_VALUE, "%s", detail);
    err_at(err, ERR_PARAMETER, str_of(parameter), str_is_utf8(value) ? value : STR("(not UTF-8)"));
    return s;
}

/* Whether name can be an alias: a letter or underscore, then letters, digits and underscores. */
static bool is_alias(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        bool is_digit = c >= '0' && c <= '9';
        if (!is_letter && !(is_digit && i > 0))
            return false;
    }
    return name.len > 0 && name.len <= MART_NAME_BYTES_MAX;
}

/* "a" or "name:a"; a column may itself be called so. */
static enum status parse_selected(const struct mart *mart, struct str text, size_t *ret_column,
                                  struct str *ret_name, struct err *err)
{
    int column = mart_column_index(mart, text);
    *ret_name = text;
    size_t colon = str_find(text, ':', 0);
    if (column < 0 && colon < text.len) {
        *ret_name = str_sub(text, 0, colon);
        text = str_sub(text, colon + 1, text.len);
        column = mart_column_index(mart, text);
        if (column >= 0 && !is_alias(*ret_name)) {
            enum status s = bad_list("select", *ret_name, err, "This is no name for a column.");
            err_allow(err, "a letter or _, then letters, digits and _, at most %d characters",
                      (int)MART_NAME_BYTES_MAX);
            return s;
        }
    }
    if (column < 0)
        return mart_unknown_column(mart, text, "select", err);
    *ret_column = (size_t)column;
    return STATUS_OK;
}

enum status select_parse(const struct mart *mart, struct str text, struct arena *arena,
                         struct mart_query *query, struct err *err)
{
    size_t n_max = 1;
    for (size_t i = 0; i < text.len; i++)
        n_max += text.ptr[i] == ',' ? 1 : 0;
    if (n_max > MART_SELECT_MAX)
        return bad_list("select", STR(""), err, "Too many columns are selected.");
    size_t *select = arena_array(arena, n_max, sizeof *select);
    struct str *names = arena_array(arena, n_max, sizeof *names);
    size_t n = 0;
    if (select == NULL || names == NULL)
        return mart_query_no_memory(err);
    struct str rest = text.ptr == NULL ? STR("") : text;
    struct str item;
    while (str_next_field(&rest, ',', &item)) {
        enum status s = parse_selected(mart, item, &select[n], &names[n], err);
        if (s != STATUS_OK)
            return s;
        for (size_t i = 0; i < n; i++)
            if (str_eq(names[i], names[n]))
                return bad_list("select", item, err, "Two selected columns have one name.");
        n++;
    }
    query->select = select;
    query->names = names;
    query->n_select = query->n_names = n;
    return STATUS_OK;
}

static const struct {
    struct str name;
    bool is_direction, is_descending;
    enum nulls nulls;
} directions[] = {
    {{"asc", 3}, true, false, NULLS_DEFAULT},
    {{"desc", 4}, true, true, NULLS_DEFAULT},
    {{"nullsfirst", 10}, false, false, NULLS_FIRST},
    {{"nullslast", 9}, false, false, NULLS_LAST},
};

/* term: all that was said of the column. A word that is known stands twice, or before one that it comes behind. */
static enum status bad_direction(struct str term, struct str word, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(directions); i++)
        if (str_eq(word, directions[i].name)) {
            (void)bad_list("order", term, err, "A direction stands twice, or behind its nulls.");
            err_allow(err,
                      "a column, behind it asc or desc, and behind that nullsfirst or nullslast");
            return STATUS_BAD_VALUE;
        }
    enum status s = bad_list("order", word, err, "The direction of an order is unknown.");
    struct suggest search = suggest_start(word);
    for (size_t i = 0; i < ARRAY_LEN(directions); i++)
        suggest_offer(&search, directions[i].name);
    err_suggest(err, suggest_take(&search));
    err_allow(err, "asc, desc, and behind it nullsfirst, nullslast");
    return s;
}

static size_t last_point(struct str text)
{
    size_t point = text.len;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '.')
            point = i;
    return point;
}

/* Takes the word behind the last point off *text when it is one of directions, and one that may stand here. */
static bool take_direction(struct str *text, struct order_term *term, bool *has_direction)
{
    size_t point = last_point(*text);
    if (point == text->len || *has_direction)
        return false;
    struct str word = str_sub(*text, point + 1, text->len);
    for (size_t i = 0; i < ARRAY_LEN(directions); i++) {
        if (!str_eq(word, directions[i].name))
            continue;
        if (!directions[i].is_direction && term->nulls != NULLS_DEFAULT)
            return false;
        *has_direction = directions[i].is_direction;
        term->is_descending |= directions[i].is_descending;
        if (!directions[i].is_direction)
            term->nulls = directions[i].nulls;
        *text = str_sub(*text, 0, point);
        return true;
    }
    return false;
}

/* "date.desc.nullslast": the column's name may itself contain points, so it is read from its end. */
static enum status parse_order_term(const struct mart *mart, struct str text,
                                    struct order_term *ret, struct err *err)
{
    struct order_term term = {0};
    struct str left = text;
    bool has_direction = false;
    int column = mart_column_index(mart, left);
    while (column < 0 && take_direction(&left, &term, &has_direction))
        column = mart_column_index(mart, left);
    if (column < 0) {
        size_t point = last_point(left);
        bool is_column = mart_column_index(mart, str_sub(left, 0, point)) >= 0 ||
                         mart_column_index(mart, str_sub(left, 0, str_find(left, '.', 0))) >= 0;
        if (point < left.len && is_column)
            return bad_direction(text, str_sub(left, point + 1, left.len), err);
        return mart_unknown_column(mart, left, "order", err);
    }
    term.column = (size_t)column;
    *ret = term;
    return STATUS_OK;
}

enum status order_parse(const struct mart *mart, struct str text, struct arena *arena,
                        struct mart_query *query, struct err *err)
{
    /* mart_query_finish appends the key in place: at most every column stands here once. */
    struct order_term *order = arena_array(arena, mart->n_columns, sizeof *order);
    size_t n = 0;
    if (order == NULL)
        return mart_query_no_memory(err);
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
        return mart_query_no_memory(err);
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
