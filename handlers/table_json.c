/*
 * table_json.c - tables as JSON: the envelope in its shapes, a bare array, and NDJSON. Decimals are written in
 * their own digits and never pass through a double. data comes first, so that a stream need not know its end.
 */
#include "handlers/table_write.h"

#include "handlers/warnings.h"

#include <string.h>

enum { STEP = 16 }; /* bytes copied at once, also when fewer are meant */

/* What does not change from row to row. */
struct state {
    struct str *keys; /* ,"name": with its comma, quotes and colon; readable up to a whole STEP */
    bool *is_bare;    /* of each column: its values stand without quotes */
    size_t
        row_bytes; /* of an object but for its values: keys, quotes or null, braces, and a STEP */
    struct buf *columns; /* shape=columns: the values so far of each */
};

static bool is_bare(const struct table *table, enum column_kind kind)
{
    return kind == COLUMN_BOOL || (column_is_number(kind) && !table->options.numbers_as_strings);
}

/* The value as JSON: a number in its own digits, a string, true, false or null. */
static void put_value(struct table *table, enum column_kind kind, struct str text)
{
    struct buf *out = &table->out;
    if (text.ptr == NULL) {
        buf_add(out, STR("null"));
    } else if (is_bare(table, kind)) {
        buf_add(out, text);
    } else {
        buf_add_char(out, '"');
        jw_escape(out, text);
        buf_add_char(out, '"');
    }
}

static enum status make_keys(struct table *table, struct state *state, struct err *err)
{
    struct arena *arena = &table->request->arena;
    state->keys = arena_array(arena, table->n_columns, sizeof *state->keys);
    state->is_bare = arena_array(arena, table->n_columns, sizeof *state->is_bare);
    if (state->keys == NULL || state->is_bare == NULL)
        return err_out_of_memory(err);
    state->row_bytes = sizeof "{}" + STEP;
    for (size_t i = 0; i < table->n_columns; i++) {
        struct buf key;
        buf_init(&key, arena, (size_t)64 * 1024);
        buf_add(&key, STR(",\""));
        jw_escape(&key, table->columns[i].name);
        buf_add(&key, STR("\":"));
        if (buf_room(&key, STEP) == NULL)
            return err_out_of_memory(err);
        state->keys[i] = buf_str(&key);
        state->is_bare[i] = is_bare(table, table->columns[i].kind);
        state->row_bytes += key.len + sizeof "null";
    }
    return STATUS_OK;
}

static enum status make_state(struct table *table, struct err *err)
{
    struct arena *arena = &table->request->arena;
    struct state *state = ARENA_NEW(arena, struct state);
    if (state == NULL)
        return err_out_of_memory(err);
    *state = (struct state){0};
    table->state = state;
    if (table->options.format == FORMAT_JSON && table->options.shape == SHAPE_COLUMNS &&
        !table->what->is_single) {
        state->columns = arena_array(arena, table->n_columns, sizeof *state->columns);
        if (state->columns == NULL)
            return err_out_of_memory(err);
        for (size_t i = 0; i < table->n_columns; i++)
            buf_init(&state->columns[i], arena, SIZE_MAX / 4);
    }
    return make_keys(table, state, err);
}

/* A call costs more than the few bytes that nearly every value has. */
static inline char *put(char *to, struct str s)
{
    if (s.len > STEP) {
        memcpy(to, s.ptr, s.len);
    } else if (s.len >= 8) { /* two pieces that may overlap */
        memcpy(to, s.ptr, 8);
        memcpy(to + s.len - 8, s.ptr + s.len - 8, 8);
    } else if (s.len >= 4) {
        memcpy(to, s.ptr, 4);
        memcpy(to + s.len - 4, s.ptr + s.len - 4, 4);
    } else {
        for (size_t i = 0; i < s.len; i++)
            to[i] = s.ptr[i];
    }
    return to + s.len;
}

/* The key from its byte `from` on: bytes behind it are read and written, too, and written over by what follows. */
static inline char *put_key(char *to, struct str key, size_t from)
{
    for (size_t at = from; at < key.len; at += STEP)
        memcpy(to + at - from, key.ptr + at, STEP);
    return to + key.len - from;
}

/* Room for an object but for what escapes take. */
static size_t object_bytes(const struct table *table, const struct str *values)
{
    const struct state *state = table->state;
    size_t bytes = state->row_bytes;
    for (size_t i = 0; i < table->n_columns; i++)
        bytes += values[i].len;
    return bytes;
}

/* A string; NULL when there is no room for what its escapes take beside room for the rest. */
static char *put_string(struct buf *out, char *to, struct str text, size_t room)
{
    *to++ = '"';
    if (jw_is_clean(text)) {
        to = put(to, text);
    } else {
        out->len = (size_t)(to - out->ptr);
        jw_escape(out, text);
        to = buf_room(out, room);
        if (to == NULL)
            return NULL;
    }
    *to++ = '"';
    return to;
}

/* Written in place, into room asked for once: every value of every page comes by here. */
static void put_object(struct table *table, const struct str *values)
{
    const struct state *state = table->state;
    struct buf *out = &table->out;
    size_t room = object_bytes(table, values), n = table->n_columns;
    bool drops_nulls = table->options.drops_nulls;
    char *to = buf_room(out, room);
    size_t comma = 1; /* of the first key, left out */
    if (to == NULL)
        return;
    *to++ = '{';
    for (size_t i = 0; i < n; i++) {
        struct str text = values[i];
        if (text.ptr == NULL && drops_nulls)
            continue;
        to = put_key(to, state->keys[i], comma);
        comma = 0;
        if (text.ptr == NULL)
            to = put(to, STR("null"));
        else if (state->is_bare[i])
            to = put(to, text);
        else
            to = put_string(out, to, text, room);
        if (to == NULL)
            return;
    }
    *to++ = '}';
    out->len = (size_t)(to - out->ptr);
}

static void put_array(struct table *table, const struct str *values)
{
    buf_add_char(&table->out, '[');
    for (size_t i = 0; i < table->n_columns; i++) {
        if (i > 0)
            buf_add_char(&table->out, ',');
        put_value(table, table->columns[i].kind, values[i]);
    }
    buf_add_char(&table->out, ']');
}

/* Each column grows on its own until the end; out lends itself to the value. */
static void keep_columns(struct table *table, const struct str *values)
{
    struct state *state = table->state;
    struct buf out = table->out;
    for (size_t i = 0; i < table->n_columns; i++) {
        table->out = state->columns[i];
        if (table->n_rows > 0)
            buf_add_char(&table->out, ',');
        put_value(table, table->columns[i].kind, values[i]);
        out.failed |= table->out.failed;
        state->columns[i] = table->out;
    }
    table->out = out;
}

static enum status begin(struct table *table, struct err *err)
{
    enum status s = make_state(table, err);
    if (table->options.shape != SHAPE_BARE)
        buf_add(&table->out, STR("{\"data\":"));
    if (!table->what->is_single)
        buf_add_char(&table->out, table->options.shape == SHAPE_COLUMNS ? '{' : '[');
    return s;
}

static enum status row(struct table *table, const struct str *values, struct err *err)
{
    (void)err;
    enum table_shape shape = table->options.shape;
    if (shape == SHAPE_COLUMNS && !table->what->is_single) {
        keep_columns(table, values);
        return STATUS_OK;
    }
    if (table->n_rows > 0)
        buf_add_char(&table->out, ',');
    if (shape == SHAPE_ARRAYS && !table->what->is_single)
        put_array(table, values);
    else
        put_object(table, values);
    return STATUS_OK;
}

static void put_columns(struct table *table)
{
    const struct state *state = table->state;
    for (size_t i = 0; i < table->n_columns; i++) {
        struct str key = state->keys[i];
        buf_add(&table->out, i > 0 ? key : str_sub(key, 1, key.len));
        buf_add_char(&table->out, '[');
        buf_add(&table->out, buf_str(&state->columns[i]));
        buf_add_char(&table->out, ']');
    }
    buf_add_char(&table->out, '}');
}

static void put_meta(struct table *table, struct json_out *json)
{
    const struct table_request *what = table->what;
    jw_object(json);
    if (table->options.shape == SHAPE_ARRAYS && !what->is_single) {
        jw_key(json, "columns");
        jw_array(json);
        for (size_t i = 0; i < table->n_columns; i++)
            jw_str(json, table->columns[i].name);
        jw_end_array(json);
    }
    if (what->put_meta != NULL)
        what->put_meta(json, what->cls);
    if (!what->is_single) {
        jw_key_i64(json, "returned", (int64_t)table->n_rows);
        jw_key_bool(json, "truncated", table->next.ptr != NULL || table->is_cut);
    }
    warnings_put(json, table->warnings);
    jw_end_object(json);
}

static void put_links(struct table *table, struct json_out *json)
{
    jw_object(json);
    jw_key_text(json, "self", table->request->target);
    if (!table->what->is_single) {
        jw_key_text(json, "first", table_url_first(table));
        jw_key_text(json, "prev", table->prev);
        jw_key_text(json, "next", table->next);
    }
    jw_key_text(json, "canonical", table->canonical);
    if (table->what->describedby.ptr != NULL)
        jw_key_text(json, "describedby", table->what->describedby);
    if (table->what->collection.ptr != NULL)
        jw_key_text(json, "collection", table->what->collection);
    jw_end_object(json);
}

static enum status end(struct table *table, struct err *err)
{
    struct buf *out = &table->out;
    (void)err;
    if (!table->what->is_single && table->options.shape == SHAPE_COLUMNS)
        put_columns(table);
    else if (!table->what->is_single)
        buf_add_char(out, ']');
    if (table->options.shape != SHAPE_BARE) {
        struct json_out json;
        buf_add(out, STR(",\"meta\":"));
        jw_init(&json, out);
        put_meta(table, &json);
        buf_add(out, STR(",\"links\":"));
        jw_init(&json, out);
        put_links(table, &json);
        buf_add_char(out, '}');
    }
    buf_add_char(out, '\n');
    return STATUS_OK;
}

static enum status put_line(struct table *table, const struct str *values, struct err *err)
{
    (void)err;
    put_object(table, values);
    buf_add_char(&table->out, '\n');
    return STATUS_OK;
}

static enum status end_lines(struct table *table, struct err *err)
{
    (void)err;
    if (table->options.has_end_record)
        buf_printf(&table->out, "{\"_end\":{\"rows\":%zu,\"generation\":%lld}}\n", table->n_rows,
                   (long long)table->what->version);
    return STATUS_OK;
}

const struct table_writer table_json = {.begin = begin, .row = row, .end = end};
const struct table_writer table_ndjson = {.begin = make_state, .row = put_line, .end = end_lines};
