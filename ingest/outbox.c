/* outbox.c - rows that wait to be written: the connection can read or copy, not both at once. */
#include "ingest/series.h"
#include "ingest/warehouse_impl.h"

#include <stdio.h>
#include <string.h>

enum { BYTES_MAX = 96 << 20 };

enum status outbox_init(struct outbox *box, struct db *db, const char *table,
                        const struct db_column *columns, size_t n_columns, int64_t load_id,
                        struct err *err)
{
    char sql[128];
    int64_t has_rows = 0;
    *box = (struct outbox){
        .table = table, .columns = columns, .n_columns = n_columns, .load_id = load_id};
    arena_init(&box->arena, BYTES_MAX);
    (void)snprintf(sql, sizeof sql, "SELECT 1 FROM %s LIMIT 1", table);
    enum status s = warehouse_number(db, sql, NO_PARAMS, &has_rows, err);
    box->was_empty = has_rows == 0;
    return s;
}

void outbox_clear(struct outbox *box)
{
    arena_clear(&box->arena);
}

enum status outbox_flush(struct outbox *box, struct db *db, struct err *err)
{
    if (box->n_rows == 0)
        return STATUS_OK;
    enum status s = db_copy_values_begin(db, box->table, box->columns, box->n_columns, err);
    for (size_t i = 0; i < box->n_rows && s == STATUS_OK; i++)
        s = db_copy_values(db, box->values + i * box->n_columns, err);
    if (s == STATUS_OK)
        s = db_copy_end_soon(db, err);
    if (s != STATUS_OK)
        db_copy_abort(db);
    box->n_written += (int64_t)box->n_rows;
    box->n_rows = 0;
    box->values = NULL;
    arena_reset(&box->arena);
    return s;
}

enum status outbox_add(struct outbox *box, struct db *db, const union db_value *values,
                       struct err *err)
{
    enum status s = box->n_rows == OUTBOX_ROWS_MAX ? outbox_flush(box, db, err) : STATUS_OK;
    if (s != STATUS_OK)
        return s;
    if (box->values == NULL)
        box->values =
            arena_room(&box->arena, (size_t)OUTBOX_ROWS_MAX * box->n_columns, sizeof *box->values);
    if (box->values == NULL)
        return err_out_of_memory(err);
    union db_value *row = box->values + box->n_rows * box->n_columns;
    for (size_t i = 0; i + 1 < box->n_columns; i++) {
        row[i] = values[i];
        if (!db_type_is_text(box->columns[i].type) || values[i].text.ptr == NULL)
            continue;
        row[i].text.ptr = arena_dup(&box->arena, values[i].text);
        if (row[i].text.ptr == NULL)
            return err_out_of_memory(err);
    }
    row[box->n_columns - 1].i64 = box->load_id;
    box->n_rows++;
    return STATUS_OK;
}
