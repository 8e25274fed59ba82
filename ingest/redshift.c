/* redshift.c - see redshift.h. */
#define _GNU_SOURCE /* getrandom */
#include "ingest/redshift.h"

#include "base/clock.h"
#include "base/date.h"
#include "base/gzip.h"
#include "base/json_out.h"
#include "base/stop.h"
#include "ingest/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    PIECE_BYTES = 16 << 20,
    LINE_BYTES_MAX = 4 << 20,
    PIECES_MAX = 4096,
    GZIP_LEVEL = 1,
    COLUMNS_BYTES = 4096,
    MANIFEST_BYTES_MAX = 32 << 20,
    DAY_S = 86400
};

struct db_bulk_load {
    const struct redshift *to;
    char table[64], columns[COLUMNS_BYTES];
    size_t n_columns;
    char folder[128]; /* silver/load/{table}/ymd={today}/ */
    char token[17];   /* begins the names of this load's objects */
    size_t n_pieces;
    int64_t piece_bytes[PIECES_MAX];
    struct arena arena; /* of the piece being written */
    struct buf csv;
};

static void name_of(const struct db_bulk_load *load, size_t piece, char ret[LAKE_KEY_MAX])
{
    (void)snprintf(ret, LAKE_KEY_MAX, "%s%s-%04zu.csv.gz", load->folder, load->token, piece);
}

static void manifest_of(const struct db_bulk_load *load, char ret[LAKE_KEY_MAX])
{
    (void)snprintf(ret, LAKE_KEY_MAX, "%s%s.manifest", load->folder, load->token);
}

static void start_piece(struct db_bulk_load *load)
{
    arena_reset(&load->arena);
    buf_init(&load->csv, &load->arena, (size_t)PIECE_BYTES + LINE_BYTES_MAX);
}

static bool join_columns(struct db_bulk_load *load, const char *const *columns, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        int len = snprintf(load->columns + at, sizeof load->columns - at, "%s%s", i > 0 ? ", " : "",
                           columns[i]);
        if (len < 0 || at + (size_t)len >= sizeof load->columns)
            return false;
        at += (size_t)len;
    }
    load->n_columns = n;
    return true;
}

static enum status begin(void *cls, const char *table, const char *const *columns, size_t n_columns,
                         struct db_bulk_load **ret, struct err *err)
{
    char day[DATE_TEXT_BYTES];
    uint64_t number = 0;
    struct db_bulk_load *load = calloc(1, sizeof *load);
    if (load == NULL)
        return err_out_of_memory(err);
    load->to = cls;
    arena_init(&load->arena, (size_t)4 * (PIECE_BYTES + LINE_BYTES_MAX));
    bool is_good = join_columns(load, columns, n_columns) &&
                   getrandom(&number, sizeof number, 0) == (ssize_t)sizeof number;
    if (!is_good) {
        free(load);
        return err_set(err, STATUS_INTERNAL, "A load into the warehouse cannot be begun.");
    }
    (void)snprintf(load->token, sizeof load->token, "%016llx", (unsigned long long)number);
    (void)snprintf(load->table, sizeof load->table, "%s", table);
    date_format((int32_t)(clock_wall_s() / DAY_S), day);
    (void)snprintf(load->folder, sizeof load->folder, "silver/load/%s/ymd=%s/", table, day);
    *ret = load;
    start_piece(load);
    return STATUS_OK;
}

static enum status put(struct db_bulk_load *load, const char *key, struct str bytes,
                       const struct stop *stop, struct err *err)
{
    struct lake_meta meta = {.fetched_at = clock_wall_s()};
    bool is_new = false;
    const struct lake_source source = {transport_read_str, &bytes};
    return lake_put(load->to->lake, key, source, &meta, stop, &is_new, err);
}

static enum status send_piece(struct db_bulk_load *load, const struct stop *stop, struct err *err)
{
    char key[LAKE_KEY_MAX];
    struct str packed = STR_NONE;
    if (load->csv.failed)
        return err_out_of_memory(err);
    if (load->csv.len == 0)
        return STATUS_OK;
    if (load->n_pieces == PIECES_MAX)
        return err_set(err, STATUS_TOO_LARGE, "A load into the warehouse has more than %d pieces.",
                       PIECES_MAX);
    enum status s = gzip_pack(buf_str(&load->csv), GZIP_LEVEL, &load->arena, &packed, err);
    name_of(load, load->n_pieces, key);
    if (s == STATUS_OK)
        s = put(load, key, packed, stop, err);
    if (s != STATUS_OK)
        return s;
    load->piece_bytes[load->n_pieces++] = (int64_t)packed.len;
    start_piece(load);
    return STATUS_OK;
}

/* NULL is the word \N without quotes, so that an empty text stays one. */
static enum status add(struct db_bulk_load *load, const struct str *fields, const struct stop *stop,
                       struct err *err)
{
    for (size_t i = 0; i < load->n_columns; i++) {
        if (i > 0)
            buf_add_char(&load->csv, ',');
        if (fields[i].ptr == NULL)
            buf_add_c(&load->csv, "\\N");
        else
            buf_add_quoted(&load->csv, fields[i]);
    }
    buf_add_char(&load->csv, '\n');
    return load->csv.len < PIECE_BYTES && !load->csv.failed ? STATUS_OK
                                                            : send_piece(load, stop, err);
}

static enum status put_manifest(struct db_bulk_load *load, const struct stop *stop, struct err *err)
{
    char key[LAKE_KEY_MAX], address[LAKE_ADDRESS_MAX];
    struct buf out;
    struct json_out json;
    buf_init(&out, &load->arena, MANIFEST_BYTES_MAX);
    jw_init(&json, &out);
    jw_object(&json);
    jw_key(&json, "entries");
    jw_array(&json);
    for (size_t i = 0; i < load->n_pieces; i++) {
        name_of(load, i, key);
        lake_address(load->to->lake, key, address);
        jw_object(&json);
        jw_key_c(&json, "url", address);
        jw_key_bool(&json, "mandatory", true);
        jw_key(&json, "meta");
        jw_object(&json);
        jw_key_i64(&json, "content_length", load->piece_bytes[i]);
        jw_end_object(&json);
        jw_end_object(&json);
    }
    jw_end_array(&json);
    jw_end_object(&json);
    manifest_of(load, key);
    return out.failed ? err_out_of_memory(err) : put(load, key, buf_str(&out), stop, err);
}

/* What the cluster recorded of the first row that it refused. The failed transaction is over. */
static enum status explain(const struct db_bulk_load *load, struct db *db, enum status failed,
                           struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    char pattern[40];
    bool found = false;
    db_rollback(db);
    (void)snprintf(pattern, sizeof pattern, "%%%s%%", load->token);
    enum status s = db_query_one(db,
                                 "SELECT line_number, column_name, error_message FROM "
                                 "sys_load_error_detail WHERE file_name LIKE $1 "
                                 "ORDER BY file_name, line_number LIMIT 1",
                                 PARAMS(db_text(str_of(pattern))), &rows, &found, NULL);
    if (s != STATUS_OK || !found)
        return failed; /* err says what it is */
    struct str line = rows_text(&rows, 0), column = rows_text(&rows, 1),
               reason = rows_text(&rows, 2);
    return err_set(err, STATUS_BAD_DATA,
                   "The warehouse refuses line %.*s of a load into %s: %.*s%s%.*s",
                   STR_ARG(str_trim(line)), load->table, STR_ARG(str_trim(column)),
                   str_trim(column).len > 0 ? ": " : "", STR_ARG(str_trim(reason)));
}

static enum status copy(const struct db_bulk_load *load, struct db *db, struct err *err)
{
    char key[LAKE_KEY_MAX], address[LAKE_ADDRESS_MAX], sql[COLUMNS_BYTES + LAKE_ADDRESS_MAX + 512];
    const char *role = load->to->role;
    bool is_default = strcmp(role, "default") == 0;
    manifest_of(load, key);
    lake_address(load->to->lake, key, address);
    int n = snprintf(sql, sizeof sql,
                     "COPY %s (%s) FROM '%s' IAM_ROLE %s%s%s MANIFEST FORMAT AS CSV GZIP "
                     "NULL AS '\\N' DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE OFF",
                     load->table, load->columns, address, is_default ? "" : "'", role,
                     is_default ? "" : "'");
    if (n < 0 || n >= (int)sizeof sql || strchr(address + 5, '\'') != NULL ||
        strchr(role, '\'') != NULL)
        return err_set(err, STATUS_INTERNAL, "The address of a load cannot be written down.");
    enum status s = db_exec(db, sql, NO_PARAMS, NULL, err);
    return s == STATUS_DB_ERROR ? explain(load, db, s, err) : s;
}

static enum status finish(struct db_bulk_load *load, struct db *db, const struct stop *stop,
                          struct err *err)
{
    enum status s = send_piece(load, stop, err);
    if (s != STATUS_OK || load->n_pieces == 0)
        return s;
    s = put_manifest(load, stop, err);
    return s == STATUS_OK ? copy(load, db, err) : s;
}

static void drop(struct db_bulk_load *load)
{
    char key[LAKE_KEY_MAX];
    struct err unheard = {0}; /* what stays is removed by redshift_tidy */
    for (size_t i = 0; i < load->n_pieces; i++) {
        name_of(load, i, key);
        (void)!lake_remove(load->to->lake, key, &unheard);
    }
    if (load->n_pieces > 0) {
        manifest_of(load, key);
        (void)!lake_remove(load->to->lake, key, &unheard);
    }
    arena_clear(&load->arena);
    free(load);
}

void redshift_bulk(struct redshift *redshift, struct db_bulk *ret)
{
    *ret = (struct db_bulk){
        .cls = redshift, .begin = begin, .add = add, .finish = finish, .drop = drop};
}

static enum status remove_one(void *to, const struct lake_entry *entry, struct err *err)
{
    return lake_remove(to, entry->key, err);
}

enum status redshift_tidy(struct lake *lake, const struct stop *stop, struct err *err)
{
    int32_t today = (int32_t)(clock_wall_s() / DAY_S);
    const struct lake_range range = {STR("silver/load/"), DATE_MIN, today - 1};
    return lake_list(lake, &range, remove_one, lake, stop, err);
}
