/*
 * load.c - streams the files of a manifest into one publish. A mart's files are staged together, in the
 * manifest's order; each file names its columns in its header, so their order and absence may differ.
 */
#include "ingest/load.h"

#include "base/csv_in.h"
#include "base/gzip.h"
#include "ingest/manifest.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_BYTES = 16 << 20, ROW_BYTES_MAX = 1 << 20, FIELD_BYTES_MAX = 64 * 1024 };

struct load {
    const struct manifest *manifest;
    const struct catalog *catalog;
    struct publish *publish;
    struct arena *arena;
    int64_t n_rows;

    const struct mart *mart; /* being staged */
    struct str *names;       /* its columns, those that publishing computes left out */
    size_t n_names;
    int64_t n_mart_rows; /* rows staged for it before the current file */
};

/* A file being read: its rows, and which staged field each of its columns goes to. */
struct table {
    struct gzip_file *file;
    struct csv_in *csv;
    size_t target[DB_COPY_COLUMNS_MAX];
    size_t width;
};

static enum status read_bytes(void *from, char *to, size_t size, size_t *ret_n, struct err *err)
{
    return gzip_read(from, to, size, ret_n, err);
}

static void table_close(struct table *table)
{
    csv_free(table->csv);
    gzip_close(table->file);
}

/* Puts "file:line" where the error is; line 0 when it is about the whole file. */
static enum status at_line(enum status s, const struct manifest_file *file, int64_t line,
                           struct err *err)
{
    if (err == NULL || s == STATUS_OK)
        return s;
    char place[sizeof err->name];
    char detail[sizeof err->detail];
    char value[sizeof err->value];
    if (line > 0)
        (void)snprintf(place, sizeof place, "%.*s:%lld",
                       (int)(file->path.len < 100 ? file->path.len : 100), file->path.ptr,
                       (long long)line);
    else
        (void)snprintf(place, sizeof place, "%.*s",
                       (int)(file->path.len < 100 ? file->path.len : 100), file->path.ptr);
    (void)snprintf(detail, sizeof detail, "%s: %.300s", place, err->detail);
    (void)snprintf(value, sizeof value, "%s", err->value);
    memcpy(err->detail, detail, sizeof detail);
    err_at(err, ERR_LINE, str_of(place), str_of(value));
    return s;
}

/* csv_in puts the line of what it refuses into the error's name. */
static enum status at_csv_line(enum status s, const struct manifest_file *file, struct err *err)
{
    int64_t line = 0;
    if (s == STATUS_BAD_CSV && err != NULL && !str_to_i64(str_of(err->name), &line))
        line = 0;
    return at_line(s, file, line, err);
}

static enum status table_open(const struct manifest_file *file, struct table *ret, struct err *err)
{
    struct csv_limits limits = {ROW_BYTES_MAX, FIELD_BYTES_MAX, DB_COPY_COLUMNS_MAX};
    enum status s = gzip_open(file->location, &ret->file, err);
    if (s == STATUS_OK)
        s = csv_new(read_bytes, ret->file, limits, &ret->csv, err);
    return at_line(s, file, 0, err);
}

static enum status map_column(const struct load *load, struct table *table, size_t at,
                              struct err *err)
{
    struct str name = csv_field(table->csv, at);
    size_t target = 0;
    while (target < load->n_names && !str_eq(load->names[target], name))
        target++;
    if (target == load->n_names && publish_is_computed(load->mart->name, name))
        return err_set(err, STATUS_BAD_DATA,
                       "Column \"%.*s\" is computed when publishing; leave it out.", (int)name.len,
                       name.ptr);
    if (target == load->n_names) {
        (void)mart_unknown_column(load->mart, name, "header", err);
        if (err != NULL)
            err->status = STATUS_BAD_DATA;
        return STATUS_BAD_DATA;
    }
    for (size_t i = 0; i < at; i++)
        if (table->target[i] == target)
            return err_set(err, STATUS_BAD_DATA, "Column \"%.*s\" stands twice in the header.",
                           (int)name.len, name.ptr);
    table->target[at] = target;
    return STATUS_OK;
}

static bool has_target(const struct table *table, size_t target)
{
    for (size_t i = 0; i < table->width; i++)
        if (table->target[i] == target)
            return true;
    return false;
}

static enum status read_header(const struct load *load, const struct manifest_file *file,
                               struct table *table, struct err *err)
{
    bool has_row = false;
    enum status s = csv_next(table->csv, &has_row, err);
    if (s != STATUS_OK)
        return at_csv_line(s, file, err);
    if (!has_row)
        return at_line(err_set(err, STATUS_BAD_CSV, "The file is empty: a header is needed."), file,
                       1, err);
    table->width = csv_width(table->csv);
    for (size_t i = 0; i < table->width && s == STATUS_OK; i++)
        s = map_column(load, table, i, err);
    for (size_t i = 0; i < load->n_names && s == STATUS_OK; i++) {
        const struct mart_column *column =
            &load->mart->columns[mart_column_index(load->mart, load->names[i])];
        if (!column->is_nullable && !has_target(table, i))
            s = err_set(err, STATUS_BAD_DATA, "Column \"%.*s\" of %.*s is required and missing.",
                        STR_ARG(column->name), STR_ARG(load->mart->name));
    }
    return at_line(s, file, 1, err);
}

static enum status wrong_count(const struct manifest_file *file, int64_t n_rows, struct err *err)
{
    enum status s = err_set(err, STATUS_BAD_DATA, "The file has %s rows than the manifest's %lld.",
                            n_rows > file->rows ? "more" : "fewer", (long long)file->rows);
    return at_line(s, file, 0, err);
}

/* Stages a file's rows. A row that is refused at once is reported by its line; see find_bad_row for the rest. */
static enum status stage_rows(struct load *load, const struct manifest_file *file,
                              struct table *table, struct err *err)
{
    struct str fields[DB_COPY_COLUMNS_MAX] = {{NULL, 0}};
    int64_t n_rows = 0;
    for (;;) {
        bool has_row = false;
        enum status s = csv_next(table->csv, &has_row, err);
        if (s != STATUS_OK)
            return at_csv_line(s, file, err);
        if (!has_row)
            break;
        if (++n_rows > file->rows)
            return wrong_count(file, n_rows, err);
        for (size_t i = 0; i < table->width; i++)
            fields[table->target[i]] = csv_field(table->csv, i);
        s = publish_row(load->publish, fields, err);
        if (s != STATUS_OK && publish_bad_row(load->publish) == load->n_mart_rows + n_rows)
            return at_line(s, file, csv_line(table->csv), err);
        if (s != STATUS_OK)
            return s;
    }
    if (n_rows < file->rows)
        return wrong_count(file, n_rows, err);
    load->n_mart_rows += n_rows;
    load->n_rows += n_rows;
    return STATUS_OK;
}

static enum status stage_file(struct load *load, const struct manifest_file *file, struct err *err)
{
    CLEANUP(table_close) struct table table = {0};
    enum status s = table_open(file, &table, err);
    if (s == STATUS_OK)
        s = read_header(load, file, &table, err);
    return s == STATUS_OK ? stage_rows(load, file, &table, err) : s;
}

/* The line on which a file's n-th row begins; 0 when it cannot be read again. */
static int64_t line_of_row(const struct manifest_file *file, int64_t n)
{
    CLEANUP(table_close) struct table table = {0};
    bool has_row = true;
    enum status s = table_open(file, &table, NULL);
    for (int64_t i = 0; i <= n && s == STATUS_OK && has_row; i++) /* the header is row 0 */
        s = csv_next(table.csv, &has_row, NULL);
    return s == STATUS_OK && has_row ? csv_line(table.csv) : 0;
}

/* The database refused a row of this mart that was staged a while ago: its file is read again up to there. */
static enum status find_bad_row(const struct load *load, enum status s, struct err *err)
{
    int64_t row = publish_bad_row(load->publish);
    if (s != STATUS_BAD_DATA || row == 0 || (err != NULL && err->where == ERR_LINE))
        return s;
    for (size_t i = 0; i < load->manifest->n_files; i++) {
        const struct manifest_file *file = &load->manifest->files[i];
        if (!str_eq(file->mart, load->mart->name))
            continue;
        if (row <= file->rows)
            return at_line(s, file, line_of_row(file, row), err);
        row -= file->rows;
    }
    return s;
}

static enum status begin_mart(struct load *load, const struct mart *mart, struct err *err)
{
    load->mart = mart;
    load->n_names = 0;
    load->n_mart_rows = 0;
    load->names = arena_array(load->arena, mart->n_columns, sizeof *load->names);
    if (load->names == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while loading.");
    for (size_t i = 0; i < mart->n_columns; i++)
        if (!publish_is_computed(mart->name, mart->columns[i].name))
            load->names[load->n_names++] = mart->columns[i].name;
    return publish_mart_begin(load->publish, mart->name, PUBLISH_MERGE, load->names, load->n_names,
                              err);
}

static enum status stage_mart(struct load *load, const struct mart *mart, struct err *err)
{
    enum status s = begin_mart(load, mart, err);
    for (size_t i = 0; i < load->manifest->n_files && s == STATUS_OK; i++)
        if (str_eq(load->manifest->files[i].mart, mart->name))
            s = stage_file(load, &load->manifest->files[i], err);
    if (s == STATUS_OK)
        s = publish_mart_end(load->publish, err);
    return s == STATUS_OK ? s : find_bad_row(load, s, err);
}

static bool is_first_of_mart(const struct manifest *manifest, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (str_eq(manifest->files[i].mart, manifest->files[at].mart))
            return false;
    return true;
}

static enum status verify_all(const struct load *load, struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; i < load->manifest->n_files && s == STATUS_OK; i++) {
        const struct manifest_file *file = &load->manifest->files[i];
        if (catalog_mart(load->catalog, file->mart) == NULL)
            return at_line(catalog_unknown_mart(load->catalog, file->mart, err), file, 0, err);
        s = manifest_verify(file, err);
    }
    return s;
}

static enum status load_into(struct db *db, struct load *load, int keep, struct publish_result *ret,
                             struct err *err)
{
    enum status s = verify_all(load, err);
    if (s == STATUS_OK)
        s = publish_begin(db, load->catalog, &load->publish, err);
    if (s != STATUS_OK)
        return s;
    for (size_t i = 0; i < load->manifest->n_files && s == STATUS_OK; i++)
        if (is_first_of_mart(load->manifest, i))
            s = stage_mart(load, catalog_mart(load->catalog, load->manifest->files[i].mart), err);
    if (s == STATUS_OK)
        return publish_commit(load->publish, keep, ret, err);
    publish_abort(load->publish);
    return s;
}

enum status load_directory(struct db_pool *pool, const char *dir, bool only_if_empty, int keep,
                           struct load_report *ret, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    struct manifest manifest = {0};
    struct load_report report = {0};
    arena_init(&arena, ARENA_BYTES);
    enum status s = db_acquire(pool, DB_WRITE, NULL, &db, err);
    if (s == STATUS_OK)
        s = catalog_load(db, &catalog, err);
    if (s != STATUS_OK)
        return s;
    if (only_if_empty && catalog->generation > 0) {
        report.is_skipped = true;
        report.publish.generation = catalog->generation;
        *ret = report;
        return STATUS_OK;
    }
    s = manifest_read(dir, &arena, &manifest, err);
    struct load load = {.manifest = &manifest, .catalog = catalog, .arena = &arena};
    if (s == STATUS_OK)
        s = load_into(db, &load, keep, &report.publish, err);
    if (s != STATUS_OK)
        return s;
    report.n_files = manifest.n_files;
    report.n_rows = load.n_rows;
    *ret = report;
    return STATUS_OK;
}
