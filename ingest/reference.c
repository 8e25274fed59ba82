/* reference.c - see reference.h. */
#include "ingest/reference.h"

enum { SETS_BYTES_MAX = 1 << 20, MEMBERS_MAX = 4096 };

static const char *const members_sql[REFERENCE_SETS] = {
    [REFERENCE_CURRENCY] = "SELECT currency FROM dim_currency",
    [REFERENCE_MARKET] = "SELECT market FROM dim_market"};

static const struct {
    int column; /* enum feed_column_id */
    enum reference_set set;
} refers[] = {
#define REFERS(shape, column, set) {shape##_##column, REFERENCE_##set},
#include "ingest/contract.def"
};

static enum status read_set(struct db *db, struct references *r, enum reference_set set,
                            struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false;
    r->all[set] = arena_room(&r->arena, MEMBERS_MAX, sizeof **r->all);
    enum status s = r->all[set] == NULL ? err_out_of_memory(err)
                                        : db_query(db, members_sql[set], NO_PARAMS, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct str value = rows_text(&rows, 0);
        value.ptr = arena_dup(&r->arena, value);
        if (value.ptr == NULL || r->n[set] == MEMBERS_MAX)
            return err_out_of_memory(err);
        r->all[set][r->n[set]++] = value;
    }
    return s;
}

enum status references_read(struct db *db, struct references *ret, struct err *err)
{
    enum status s = STATUS_OK;
    *ret = (struct references){0};
    arena_init(&ret->arena, SETS_BYTES_MAX);
    for (unsigned set = 0; set < REFERENCE_SETS && s == STATUS_OK; set++)
        s = read_set(db, ret, (enum reference_set)set, err);
    return s;
}

void references_clear(struct references *references)
{
    arena_clear(&references->arena);
}

static bool is_member(struct references *r, enum reference_set set, struct str value)
{
    if (r->last[set] < r->n[set] && str_eq(r->all[set][r->last[set]], value))
        return true;
    for (size_t i = 0; i < r->n[set]; i++)
        if (str_eq(r->all[set][i], value)) {
            r->last[set] = i;
            return true;
        }
    return false;
}

bool references_hold(struct references *references, const struct silver_row *row,
                     const char **ret_reason, const char **ret_column)
{
    const struct feed_layout *layout = &feed_layouts[row->shape - silver_shapes];
    for (size_t i = 0; i < ARRAY_LEN(refers); i++) {
        size_t column = (size_t)refers[i].column;
        if (column < layout->first || column >= layout->first + layout->n)
            continue;
        struct str value = row->field[column - layout->first];
        if (value.ptr == NULL || is_member(references, refers[i].set, value))
            continue;
        *ret_reason = "unknown";
        *ret_column = feed_columns[column].name;
        return false;
    }
    return true;
}
