/*
 * fuzz_source.c - any bytes as the answer of a source, chosen by the first byte: refused, or rows of its shape whose needed
 * fields are there, whose numbers are canonical and whose dates are dates.
 */
#include "base/number.h"
#include "ingest/schema_hash.h"
#include "ingest/source.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_well_formed(const struct feed_column *column, struct str value)
{
    char room[FEED_NUMBER_BYTES + 2];
    int32_t date = 0;
    int64_t instant = 0;
    switch (column->kind) {
    case FEED_DECIMAL:
    case FEED_INTEGER:
        return decimal_is_valid(value) && str_eq(decimal_canonical(value, room), value);
    case FEED_DATE:
        return date_parse(value, &date);
    case FEED_INSTANT:
        return instant_parse(value, &instant);
    case FEED_BOOL:
        return str_eq(value, STR("true")) || str_eq(value, STR("false"));
    case FEED_TEXT:
    case FEED_JSON:
        break;
    }
    return value.len > 0 && str_is_utf8(value);
}

static enum status on_row(void *cls, const struct feed_row *row, struct err *err)
{
    const struct feed_layout *layout = &feed_layouts[row->shape];
    (void)cls;
    (void)err;
    for (size_t i = 0; i < layout->n; i++) {
        const struct feed_column *column = &feed_columns[layout->first + i];
        if (row->field[i].ptr == NULL)
            assert(!column->is_needed);
        else
            assert(is_well_formed(column, row->field[i]));
    }
    assert(row->ymd != DATE_NONE);
    return STATUS_OK;
}

static enum status on_reject(void *cls, const struct feed_row *row, const struct feed_reject *why,
                             struct err *err)
{
    (void)cls;
    (void)row;
    (void)err;
    assert(why->reason != NULL);
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct source *source = sources[data[0] % n_sources];
    struct str body = {(const char *)data + 1, size - 1};
    /* A file of the user is of a shape that is told; the others have a symbol. */
    struct str symbol = source == &source_upload
                            ? str_of(feed_layouts[data[0] / n_sources % SHAPE_COUNT].name)
                            : STR("DGS10/D");
    struct source_ask ask = {.symbol = symbol, .from = 20000, .to = 20001, .now_s = 2000000000};
    static const int statuses[] = {200, 400, 401, 403, 404, 418, 429, 451, 500};
    struct feed_reply reply = {statuses[data[0] / n_sources % ARRAY_LEN(statuses)],
                               STR("application/json"), 0, body};
    char hash[DIGEST_HEX_BYTES];
    struct feed_sink sink = {on_row, on_reject, NULL};
    struct arena arena;
    bool has_more = false;
    struct err err = {0};
    arena_init(&arena, 64 << 20);
    struct feed_writer w = {.sink = &sink, .arena = &arena};
    (void)source->judge(&reply);
    assert(schema_hash(body, hash, &err) == STATUS_OK);
    enum status s = source->parse(&ask, body, &w, &has_more, &err);
    assert(s == STATUS_OK || s == STATUS_BAD_DATA || s == STATUS_OUT_OF_MEMORY);
    arena_clear(&arena);
    return 0;
}
