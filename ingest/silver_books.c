/* silver_books.c - which objects of the lake have been loaded: load_object. */
#include "base/date.h"
#include "ingest/silver_impl.h"

#include <stdio.h>

static enum status book_object(const struct silver_load *load, const struct silver_object *o,
                               struct err *err)
{
    char ymd[DATE_TEXT_BYTES], number[6][24];
    const int64_t counts[] = {o->n_rows,  o->n_bad,          o->n_repeated,
                              o->n_nulls, o->n_out_of_range, load->load_id};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        (void)snprintf(number[i], sizeof number[i], "%lld", (long long)counts[i]);
    date_format(o->ymd, ymd);
    return db_copy_row(load->db,
                       (struct str[]){str_of(o->key), str_of(o->sha256), str_of(load->name),
                                      str_of(ymd), str_of(number[0]), str_of(number[1]),
                                      str_of(number[2]), str_of(number[3]), str_of(number[4]),
                                      o->fetched_at[0] == '\0' ? STR_NONE : str_of(o->fetched_at),
                                      str_of(number[5])},
                       err);
}

enum status silver_objects_book(const struct silver_load *load, const struct silver_object *all,
                                size_t n, struct err *err)
{
    static const char *const columns[] = {"object_key",     "sha256",     "dataset",    "ymd",
                                          "n_rows",         "n_bad",      "n_repeated", "n_nulls",
                                          "n_out_of_range", "fetched_at", "load_id"};
    enum status s = db_copy_begin(load->db, "load_object", columns, ARRAY_LEN(columns), err);
    for (size_t i = 0; i < n && s == STATUS_OK; i++)
        s = book_object(load, &all[i], err);
    return s == STATUS_OK ? db_copy_end(load->db, err) : s;
}

enum status silver_object_forget(const struct silver_load *load, const char *object_key,
                                 struct err *err)
{
    struct db_param key[] = {db_text(str_of(object_key))};
    enum status s =
        db_exec(load->db, "DELETE FROM load_object WHERE object_key = $1", key, 1, NULL, err);
    return s == STATUS_OK ? db_exec(load->db, "DELETE FROM quarantine WHERE object_key = $1", key,
                                    1, NULL, err)
                          : s;
}
