/* mart_query.c - defaults of a query, running it, and the spelling of results. */
#include "store/mart_query_impl.h"

#include "base/date.h"
#include "base/json_number.h"
#include "base/number.h"
#include "store/generation.h"
#include "store/mart_sql.h"
#include "store/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum status mart_value_check(const struct mart_column *column, struct str value, struct err *err)
{
    return value_check(column, value, VALUE_QUERY_BYTES_MAX, err);
}

static bool is_ordered_by(const struct mart_query *query, size_t column)
{
    for (size_t i = 0; i < query->n_order; i++)
        if (query->order[i].column == column)
            return true;
    return false;
}

static enum status check_range(const char *name, int64_t value, int64_t min, int64_t max,
                               struct err *err)
{
    if (value >= min && value <= max)
        return STATUS_OK;
    enum status s = err_set(err, STATUS_BAD_VALUE, "The %s is out of range.", name);
    err_at(err, ERR_PARAMETER, str_of(name), STR_NONE);
    err_allow(err, "%lld to %lld", (long long)min, (long long)max);
    return s;
}

static enum status select_all(struct mart_query *query, struct arena *arena, struct err *err)
{
    query->select = arena_array(arena, query->mart->n_columns, sizeof *query->select);
    if (query->select == NULL)
        return mart_query_no_memory(err);
    for (size_t i = 0; i < query->mart->n_columns; i++)
        query->select[i] = i;
    query->n_select = query->mart->n_columns;
    query->n_names = 0;
    return STATUS_OK;
}

/* Where NULLs are by default is not said, nor where there are none. */
static enum nulls plain_nulls(const struct mart *mart, const struct order_term *term)
{
    bool is_default = term->nulls == (term->is_descending ? NULLS_FIRST : NULLS_LAST);
    bool is_never_null = mart->is_managed && !mart->columns[term->column].is_nullable;
    return is_default || is_never_null ? NULLS_DEFAULT : term->nulls;
}

static enum status complete_order(struct mart_query *query, struct arena *arena, struct err *err)
{
    const struct mart *mart = query->mart;
    struct order_term *order = arena_array(arena, mart->n_columns, sizeof *order);
    if (order == NULL)
        return mart_query_no_memory(err);
    if (query->n_order > 0)
        memcpy(order, query->order, query->n_order * sizeof *order);
    for (size_t i = 0; i < query->n_order; i++)
        order[i].nulls = plain_nulls(mart, &order[i]);
    query->order = order;
    for (size_t i = 0; i < mart->n_key; i++)
        if (!is_ordered_by(query, mart->key[i]))
            query->order[query->n_order++] = (struct order_term){.column = mart->key[i]};
    return STATUS_OK;
}

enum status mart_query_finish(struct mart_query *query, struct arena *arena, struct err *err)
{
    if (query->limit == 0)
        query->limit = MART_LIMIT_DEFAULT;
    enum status s = query->limit == MART_LIMIT_ALL
                        ? STATUS_OK
                        : check_range("limit", query->limit, 1, MART_LIMIT_MAX, err);
    if (s == STATUS_OK)
        s = check_range("offset", query->offset, 0, MART_OFFSET_MAX, err);
    if (s != STATUS_OK)
        return s;
    if (filter_count(query->filters, query->n_filters) > MART_FILTERS_MAX)
        return err_set(err, STATUS_BAD_FILTER, "At most %d filters may be given.",
                       (int)MART_FILTERS_MAX);
    s = filters_normalise(&query->filters, &query->n_filters, arena, err);
    if (s == STATUS_OK && query->n_select == 0)
        s = select_all(query, arena, err);
    return s != STATUS_OK ? s : complete_order(query, arena, err);
}

struct str mart_query_name(const struct mart_query *query, size_t i)
{
    return i < query->n_names ? query->names[i] : query->mart->columns[query->select[i]].name;
}

static bool is_selected(const struct mart_query *query, size_t column, size_t *ret_at)
{
    for (size_t i = 0; i < query->n_select; i++)
        if (query->select[i] == column) {
            *ret_at = i;
            return true;
        }
    return false;
}

size_t mart_query_order_result_column(const struct mart_query *query, size_t i)
{
    size_t at = 0;
    if (is_selected(query, query->order[i].column, &at))
        return at;
    size_t extra = query->n_select;
    for (size_t k = 0; k < i; k++)
        if (!is_selected(query, query->order[k].column, &at))
            extra++;
    return extra;
}

size_t mart_query_width(const struct mart_query *query)
{
    size_t at = 0;
    size_t width = query->n_select;
    for (size_t i = 0; i < query->n_order; i++)
        width += is_selected(query, query->order[i].column, &at) ? 0 : 1;
    return width;
}

static enum status bad_cursor(struct err *err)
{
    enum status s = err_set(err, STATUS_BAD_CURSOR,
                            "The cursor holds a value that is not of its column's type.");
    err_at(err, ERR_PARAMETER, STR("cursor"), STR_NONE);
    err_allow(err, "the value of links.next, unchanged");
    return s;
}

static enum status check_after(const struct mart_query *query, struct err *err)
{
    for (size_t i = 0; query->after != NULL && i < query->n_order; i++) {
        enum column_kind kind = query->mart->columns[query->order[i].column].kind;
        if (query->after[i].ptr != NULL && !value_can_follow(kind, query->after[i]))
            return bad_cursor(err);
    }
    return STATUS_OK;
}

enum status mart_query_compile(const struct mart_query *query, enum db_kind kind,
                               struct arena *arena, struct mart_sql *ret, struct err *err)
{
    enum status s = check_after(query, err);
    return s == STATUS_OK ? mart_sql_build(query, kind, arena, ret, err) : s;
}

/* Every other value was checked by its kind; PostgreSQL reads those of a cursor for the first time. */
enum status mart_query_explain(const struct mart_query *query, enum status s, struct err *err)
{
    return s == STATUS_BAD_DATA && query->after != NULL ? bad_cursor(err) : s;
}

enum status mart_query_open(struct db *db, const struct mart_query *query, struct arena *arena,
                            struct rows *ret_rows, struct err *err)
{
    struct mart_sql sql;
    enum status s = mart_query_compile(query, db_kind(db), arena, &sql, err);
    if (s == STATUS_OK)
        s = generation_pin_mart(db, query->mart, query->generation, err);
    if (s != STATUS_OK)
        return s;
    s = db_query(db, sql.text, sql.params, sql.n_params, ret_rows, err);
    return mart_query_explain(query, s, err);
}

static bool is_canonical_decimal(struct str s)
{
    size_t from = s.len > 0 && s.ptr[0] == '-' ? 1 : 0;
    bool has_leading_zero = s.len > from + 1 && s.ptr[from] == '0' && s.ptr[from + 1] != '.';
    if (has_leading_zero || s.len == 0 || s.ptr[s.len - 1] != '0')
        return !has_leading_zero;
    return str_find(s, '.', from) == s.len && !str_eq(s, STR("-0"));
}

/* YYYY-MM-DD HH:MM:SS+00, as PostgreSQL writes nearly every instant; only that has this length and these marks. */
static bool is_plain_instant(struct str text)
{
    return text.len == sizeof "0000-00-00 00:00:00+00" - 1 && text.ptr[4] == '-' &&
           text.ptr[10] == ' ' && text.ptr[16] == ':' && memcmp(text.ptr + 19, "+00", 3) == 0;
}

/* YYYY-MM-DD HH:MM:SS with anything behind it; the database has seen to it that there is such a day. */
static bool is_instant_shaped(struct str text)
{
    static const char shape[] = "0000-00-00 00:00:00";
    for (size_t i = 0; i < sizeof shape - 1 && text.len >= sizeof shape - 1; i++) {
        bool is_digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        bool is_between = i == 10 && text.ptr[i] == 'T';
        if (shape[i] == '0' ? !is_digit : text.ptr[i] != shape[i] && !is_between)
            return false;
    }
    return text.len >= sizeof shape - 1;
}

/*
 * Only an unmanaged mart has fractions of a second; they are kept, without trailing zeros. What has no such form
 * (infinity, years before 1 or after 9999) stays as the database writes it and reads it back.
 */
static struct str instant_text(struct str text, struct arena *room)
{
    enum { SECONDS_END = 19 };
    if (text.len == INSTANT_TEXT_BYTES - 1 && text.ptr[10] == 'T' && text.ptr[SECONDS_END] == 'Z')
        return text;
    bool is_plain = is_plain_instant(text);
    if (!is_plain && !is_instant_shaped(text))
        return text;
    size_t end = SECONDS_END;
    if (end < text.len && text.ptr[end] == '.')
        end++;
    while (end < text.len && text.ptr[end] >= '0' && text.ptr[end] <= '9')
        end++;
    struct str zone = str_sub(text, end, text.len);
    if (!is_plain && zone.len > 0 && !str_eq(zone, STR("Z")) && !str_eq(zone, STR("+00")))
        return text;
    while (end > SECONDS_END && (text.ptr[end - 1] == '0' || text.ptr[end - 1] == '.'))
        end--;
    char *out = arena_alloc(room, end + 1);
    if (out == NULL)
        return STR_NONE;
    memcpy(out, text.ptr, end);
    out[10] = 'T';
    out[end] = 'Z';
    return (struct str){out, end + 1};
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct str decimal_text(struct str text, struct arena *room)
{
    bool ends_in_digit = text.len > 0 && is_digit(text.ptr[text.len - 1]);
    if (!ends_in_digit || (text.ptr[0] != '-' && !is_digit(text.ptr[0])))
        return STR_NONE; /* NaN, Infinity */
    if (is_canonical_decimal(text))
        return text;
    char *out = arena_alloc(room, text.len + 2);
    return out == NULL ? STR_NONE : decimal_canonical(text, out);
}

/* The kinds whose text is made from the value. */
static struct str computed_text(const struct rows *rows, size_t column, enum column_kind kind,
                                struct arena *room)
{
    if (rows_is_null(rows, column))
        return STR_NONE;
    if (kind == COLUMN_BOOL)
        return rows_bool(rows, column) ? STR("true") : STR("false");
    double value = rows_f64(rows, column);
    char *out = isfinite(value) ? arena_alloc(room, NUMBER_TEXT_BYTES) : NULL;
    return out == NULL ? STR_NONE : (struct str){out, number_format(value, out)};
}

struct str mart_value_text(const struct rows *rows, size_t result_column, enum column_kind kind,
                           struct arena *room)
{
    if (kind == COLUMN_FLOAT || kind == COLUMN_BOOL)
        return computed_text(rows, result_column, kind, room);
    struct str text = rows_text(rows, result_column); /* every row of every page comes by here */
    if (text.ptr == NULL)
        return STR_NONE;
    if (kind == COLUMN_DECIMAL)
        return decimal_text(text, room);
    return kind == COLUMN_INSTANT ? instant_text(text, room) : text;
}

/* For a back end whose numbers may be any text. */
static struct str sound_text(const struct rows *rows, size_t column, enum column_kind kind,
                             struct arena *room)
{
    struct str text = mart_value_text(rows, column, kind, room);
    bool is_number = kind == COLUMN_INT || kind == COLUMN_DECIMAL || kind == COLUMN_FLOAT;
    return is_number && text.ptr != NULL && !json_number_is_valid(text) ? STR_NONE : text;
}

bool mart_row_texts(const struct rows *rows, const enum column_kind *kinds, size_t n,
                    struct arena *room, struct str *ret)
{
    bool has_gap = false, has_texts = rows_texts(rows, n, ret);
    for (size_t i = 0; i < n; i++) {
        if (has_texts ? ret[i].ptr == NULL : rows_is_null(rows, i)) {
            ret[i] = STR_NONE;
            continue;
        }
        if (!has_texts)
            ret[i] = sound_text(rows, i, kinds[i], room);
        else if (kinds[i] == COLUMN_DECIMAL)
            ret[i] = decimal_text(ret[i], room);
        else if (kinds[i] == COLUMN_INSTANT)
            ret[i] = instant_text(ret[i], room);
        else if (kinds[i] == COLUMN_FLOAT || kinds[i] == COLUMN_BOOL)
            ret[i] = computed_text(rows, i, kinds[i], room);
        has_gap = has_gap || ret[i].ptr == NULL;
    }
    return has_gap;
}
