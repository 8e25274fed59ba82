/* feed.c - layouts of the shapes, and the writer that checks a row against its own. */
#include "ingest/feed.h"

#include <assert.h>
#include <string.h>

const struct feed_column feed_columns[FEED_COLUMN_IDS] = {
#define SHAPE(shape, text)
#define COLUMN(shape, name, text, kind, is_needed) [shape##_##name] = {text, kind, is_needed},
#include "ingest/shapes.def"
};

#define WIDTH_OF(shape) (shape##_LAST_ - shape##_FIRST_ + 1)
/* Through its last key column; key columns come first. */
#define KEY_TO(shape, last) KEY_OF_##shape = (shape##_##last + 1 - shape##_FIRST_)
enum {
    KEY_TO(BAR, DATE),
    KEY_TO(ACTION, KIND),
    KEY_TO(FUND, DATE),
    KEY_TO(RATE, DATE),
    KEY_TO(OBSERVATION, VINTAGE),
    KEY_TO(ARTICLE, ID),
    KEY_TO(HOLIDAY, DATE),
    KEY_TO(LISTING, DATE),
    KEY_TO(BOND, DATE),
    KEY_TO(CODE, CODE),
    KEY_TO(PRICE, DATE),
    KEY_TO(INSTRUMENT, DATE),
    KEY_TO(SESSION, DATE),
    KEY_TO(CORPORATE_ACTION, INTO)
};
const struct feed_layout feed_layouts[SHAPE_COUNT] = {
#define SHAPE(shape, text) \
    [SHAPE_##shape] = {text, shape##_FIRST_, WIDTH_OF(shape), KEY_OF_##shape},
#define COLUMN(shape, name, text, kind, is_needed)
#include "ingest/shapes.def"
};

void feed_begin(struct feed_writer *w, enum feed_shape shape)
{
    w->row = (struct feed_row){.shape = shape, .ymd = DATE_NONE};
    w->is_rejected = false;
}

void feed_refuse(struct feed_writer *w, const char *reason, enum feed_column_id column,
                 struct str value)
{
    if (w->is_rejected)
        return;
    w->is_rejected = true;
    w->reject = (struct feed_reject){
        reason, column == FEED_COLUMN_IDS ? NULL : feed_columns[column].name, value};
}

static struct str *place(struct feed_writer *w, enum feed_column_id column)
{
    const struct feed_layout *layout = &feed_layouts[w->row.shape];
    assert((size_t)column >= layout->first && (size_t)column < layout->first + layout->n);
    return &w->row.field[(size_t)column - layout->first];
}

/* Into the arena: the text outlives the caller's room. */
static void put_copy(struct feed_writer *w, enum feed_column_id column, struct str text)
{
    const char *copy = arena_dup(w->arena, text);
    w->is_out_of_memory |= copy == NULL;
    *place(w, column) = (struct str){copy, copy == NULL ? 0 : text.len};
}

void feed_put_text(struct feed_writer *w, enum feed_column_id column, struct str value)
{
    value = str_trim(value);
    if (value.len > 0 && !str_is_utf8(value))
        feed_refuse(w, "bad-text", column, value);
    else
        *place(w, column) = value.len > 0 ? value : STR_NONE;
}

void feed_put_number(struct feed_writer *w, enum feed_column_id column, struct str value)
{
    char room[FEED_NUMBER_BYTES];
    struct str text = STR_NONE;
    enum feed_reading reading = value.ptr == NULL ? FEED_NULL : feed_number(value, room, &text);
    bool is_whole = text.ptr == NULL || str_find(text, '.', 0) == text.len;
    if (reading == FEED_BAD || (feed_columns[column].kind == FEED_INTEGER && !is_whole))
        feed_refuse(w, "bad-number", column, value);
    else if (reading == FEED_VALUE)
        put_copy(w, column, text);
}

void feed_put_date(struct feed_writer *w, enum feed_column_id column, int32_t date)
{
    char text[DATE_TEXT_BYTES];
    if (date < DATE_MIN || date > DATE_MAX) {
        feed_refuse(w, "bad-date", column, STR_NONE);
        return;
    }
    date_format(date, text);
    put_copy(w, column, str_of(text));
    w->row.ymd = w->row.ymd == DATE_NONE ? date : w->row.ymd;
}

void feed_put_instant(struct feed_writer *w, enum feed_column_id column, int64_t instant_s)
{
    char text[INSTANT_TEXT_BYTES];
    int32_t date = feed_local_date(instant_s, 0, false);
    if (date < DATE_MIN || date > DATE_MAX) {
        feed_refuse(w, "bad-date", column, STR_NONE);
        return;
    }
    instant_format(instant_s, text);
    put_copy(w, column, str_of(text));
    w->row.ymd = w->row.ymd == DATE_NONE ? date : w->row.ymd;
}

void feed_json_text(struct feed_writer *w, enum feed_column_id column, struct json_val val)
{
    struct str text = STR_NONE;
    int64_t number = 0;
    struct buf digits;
    if (!jr_is_present(val))
        return;
    if (jr_type(val) == JR_STRING && jr_read_str(val, 0, SIZE_MAX, &text, NULL) == STATUS_OK) {
        feed_put_text(w, column, text);
        return;
    }
    if (jr_type(val) != JR_INT ||
        jr_read_i64(val, INT64_MIN, INT64_MAX, &number, NULL) != STATUS_OK) {
        feed_refuse(w, "bad-text", column, STR_NONE);
        return;
    }
    char room[24];
    buf_init_fixed(&digits, room, sizeof room);
    buf_add_i64(&digits, number);
    put_copy(w, column, buf_str(&digits));
}

void feed_json_number(struct feed_writer *w, enum feed_column_id column, struct json_val val)
{
    char room[FEED_NUMBER_BYTES];
    struct str text = STR_NONE;
    double value = 0;
    if (!jr_is_present(val))
        return;
    if (jr_type(val) == JR_REAL) {
        enum feed_reading reading = jr_read_f64(val, -1.7e308, 1.7e308, &value, NULL) == STATUS_OK
                                        ? feed_double(value, room, &text)
                                        : FEED_BAD;
        if (reading == FEED_VALUE)
            feed_put_number(w, column, text);
        else
            feed_refuse(w, "bad-number", column, STR_NONE);
        return;
    }
    if (jr_type(val) == JR_STRING && jr_read_str(val, 0, SIZE_MAX, &text, NULL) == STATUS_OK)
        feed_put_number(w, column, text);
    else if (jr_type(val) == JR_INT)
        feed_json_text(w, column, val);
    else
        feed_refuse(w, "bad-number", column, STR_NONE);
}

void feed_json_date(struct feed_writer *w, enum feed_column_id column, struct json_val val,
                    enum feed_spelling spelling)
{
    struct str text = STR_NONE;
    int32_t date = 0;
    if (!jr_is_present(val))
        return;
    if (jr_type(val) != JR_STRING || jr_read_str(val, 0, SIZE_MAX, &text, NULL) != STATUS_OK ||
        !feed_date(text, spelling, &date))
        feed_refuse(w, "bad-date", column, text);
    else
        feed_put_date(w, column, date);
}

void feed_clear_zeros(struct feed_writer *w, enum feed_column_id first, enum feed_column_id last)
{
    for (enum feed_column_id column = first; column <= last; column++)
        if (str_eq_c(*place(w, column), "0"))
            *place(w, column) = STR_NONE;
}

enum status feed_end(struct feed_writer *w, struct err *err)
{
    const struct feed_layout *layout = &feed_layouts[w->row.shape];
    if (w->is_out_of_memory)
        return err_out_of_memory(err);
    for (size_t i = 0; i < layout->n; i++)
        if (feed_columns[layout->first + i].is_needed && w->row.field[i].ptr == NULL)
            feed_refuse(w, "missing", (enum feed_column_id)(layout->first + i), STR_NONE);
    if (w->is_rejected) {
        w->n_rejected++;
        return w->sink->reject(w->sink->cls, &w->row, &w->reject, err);
    }
    w->n_rows++;
    return w->sink->row(w->sink->cls, &w->row, err);
}
