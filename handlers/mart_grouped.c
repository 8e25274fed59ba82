/* mart_grouped.c - see mart_grouped.h. */
#include "handlers/mart_grouped.h"

#include "handlers/database.h"
#include "handlers/warnings.h"

enum { SCRATCH_BYTES_MAX = 1 << 20 };

enum status grouped_write_on(struct request *request, struct db *db, const struct mart_group *group,
                             struct str front, struct table *table, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    CLEANUP(arena_clear) struct arena scratch;
    struct mart_group asked = *group;
    struct str values[GROUP_OUTPUTS_MAX + 1] = {front};
    size_t n_front = front.ptr == NULL ? 0 : 1;
    int64_t n = 0;
    bool has_row = false;
    asked.limit = group->limit + 1;
    arena_init(&scratch, SCRATCH_BYTES_MAX);
    enum status s = mart_group_open(db, &asked, &request->arena, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        if (n++ == group->limit) {
            table_cut(table);
            break;
        }
        for (size_t i = 0; i < group->n_outputs; i++)
            values[n_front + i] = mart_value_text(&rows, i, group->outputs[i].kind, &scratch);
        s = table_row(table, values, err);
        arena_reset(&scratch);
    }
    return s;
}

enum status grouped_write(struct request *request, const struct mart_table *what,
                          const struct mart_group *group, struct table *table, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    if (!what->rows.query->mart->is_managed)
        table_warn(table, 1u << WARNING_UNMANAGED);
    enum status s = database_acquire(request, DB_READ_MARTS, &db, err);
    if (s == STATUS_OK)
        s = grouped_write_on(request, db, group, STR_NONE, table, err);
    return s == STATUS_GENERATION_RETIRED ? rows_moved_on(err) : s;
}
