/* rows_warnings.c - one look for a first row of each kind; the order of rows does not matter, so none is asked for. */
#include "handlers/rows_warnings.h"

#include "handlers/warnings.h"
#include "store/mart_read.h"

#include <stdio.h>
#include <string.h>

enum { QUALITY_VALUES = 128, QUALITY_TEXT_BYTES = 4 };

/* Whether a row of query also meets extra. */
static enum status has_row(struct db *db, const struct mart_query *query, struct filter extra,
                           struct arena *arena, bool *ret, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct mart_query look = *query;
    look.filters = arena_array(arena, query->n_filters + 1, sizeof *look.filters);
    if (look.filters == NULL)
        return err_out_of_memory(err);
    if (query->n_filters > 0)
        memcpy(look.filters, query->filters, query->n_filters * sizeof *look.filters);
    look.filters[look.n_filters++] = extra;
    look.select = &extra.column;
    look.n_select = 1;
    look.n_names = 0;
    look.n_order = 0;
    look.after = NULL;
    look.offset = 0;
    look.limit = 1;
    enum status s = mart_read_page(db, &look, arena, &rows, err);
    return s != STATUS_OK ? s : rows_next(&rows, ret, err);
}

/* Every value with the bit, as a list that an index may serve. */
static enum status biased_qualities(struct arena *arena, struct filter *ret, struct err *err)
{
    char *text = arena_array(arena, QUALITY_VALUES, QUALITY_TEXT_BYTES);
    ret->values = arena_array(arena, QUALITY_VALUES, sizeof *ret->values);
    if (text == NULL || ret->values == NULL)
        return err_out_of_memory(err);
    ret->op = OP_IN;
    for (int i = 0; i < QUALITY_VALUES; i++) {
        if ((i & QUALITY_SURVIVOR_BIASED) == 0)
            continue;
        char *to = text + (size_t)i * QUALITY_TEXT_BYTES;
        int n = snprintf(to, QUALITY_TEXT_BYTES, "%d", i);
        ret->values[ret->n_values++] = (struct str){to, (size_t)n};
    }
    return STATUS_OK;
}

enum status rows_find_warnings(struct db *db, const struct mart_query *query, struct arena *arena,
                               unsigned *ret, struct err *err)
{
    struct str simulated = STR("simulated");
    int source = mart_column_index(query->mart, STR("source"));
    int quality = mart_column_index(query->mart, STR("quality"));
    int bias = mart_column_index(query->mart, STR("is_survivor_biased"));
    bool is_simulated = false, is_biased = false;
    enum status s = STATUS_OK;
    if (source >= 0)
        s = has_row(db, query,
                    (struct filter){
                        .column = (size_t)source, .op = OP_EQ, .values = &simulated, .n_values = 1},
                    arena, &is_simulated, err);
    if (s == STATUS_OK && quality >= 0) {
        struct filter filter = {.column = (size_t)quality};
        s = biased_qualities(arena, &filter, err);
        if (s == STATUS_OK)
            s = has_row(db, query, filter, arena, &is_biased, err);
    }
    if (s == STATUS_OK && bias >= 0 && !is_biased)
        s = has_row(db, query, (struct filter){.column = (size_t)bias, .op = OP_IS, .is = IS_TRUE},
                    arena, &is_biased, err);
    *ret = (is_simulated ? 1u << WARNING_SIMULATED : 0) |
           (is_biased ? 1u << WARNING_SURVIVOR_BIAS : 0);
    return s;
}
