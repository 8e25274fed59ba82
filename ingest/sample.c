/* sample.c - see sample.h. */
#include "ingest/sample_impl.h"

#include "base/gzip.h"
#include "ingest/cost_book.h"
#include "ingest/transport.h"

#include <stdio.h>
#include <string.h>

enum {
    TABLE_BYTES_MAX = 512 << 20,
    TEXT_BYTES_MAX = 256 << 20, /* of an object; silver takes as much */
    KEPT_BYTES_MAX = 16 << 20,
    GZIP_LEVEL = 6,
    DAY_S = 86400
};

/* Descriptions of instruments have no day: they are as of the last price. */
static const struct {
    const char *mart, *dataset;
} tables[] = {{"mart_calendar", "table_calendar"},
              {"mart_fx_daily", "table_rate"},
              {"mart_economic_indicator", "table_observation"},
              {"mart_news_article", "table_article"},
              {"mart_price_daily", "table_price"},
              {"mart_instrument", "table_instrument"},
              {"mart_corporate_action", "table_action"}};

struct run {
    const struct ingest_world *world;
    struct ingest_report report; /* of the table in hand */
    const struct stop *stop;
    struct manifest manifest;
    struct arena kept;
    int32_t last_price;
};

static enum status check(const struct run *run, struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; i < run->manifest.n_files && s == STATUS_OK; i++) {
        const struct manifest_file *file = &run->manifest.files[i];
        size_t k = 0;
        while (k < ARRAY_LEN(tables) && !str_eq_c(file->mart, tables[k].mart))
            k++;
        if (k == ARRAY_LEN(tables))
            return err_set(err, STATUS_BAD_DATA,
                           "File %.*s is of %.*s, which no data set of tables is for.",
                           STR_ARG(file->path), STR_ARG(file->mart));
        s = manifest_verify(file, err);
    }
    return s;
}

static size_t count_rows(const struct run *run, const char *mart)
{
    size_t n = 0;
    for (size_t i = 0; i < run->manifest.n_files; i++)
        n += str_eq_c(run->manifest.files[i].mart, mart) ? (size_t)run->manifest.files[i].rows : 0;
    return n;
}

static enum status read_file(void *from, char *room, size_t size, size_t *ret_n, struct err *err)
{
    *ret_n = fread(room, 1, size, from);
    return ferror((FILE *)from) == 0
               ? STATUS_OK
               : err_set(err, STATUS_IO, "A file of the sample cannot be read.");
}

static enum status put(struct run *run, const char *key, struct lake_source source,
                       const struct lake_meta *meta, struct err *err)
{
    bool is_new = false;
    enum status s = lake_put(run->world->lake, key, source, meta, run->stop, &is_new, err);
    run->report.objects += s == STATUS_OK && is_new;
    run->report.objects_skipped += s == STATUS_OK && !is_new;
    return s;
}

/* The file as it is; *ret_key is kept. */
static enum status put_raw(struct run *run, const struct sample_table *table,
                           const struct manifest_file *file, const char **ret_key, struct err *err)
{
    char key[BRONZE_KEY_BYTES], day[DATE_TEXT_BYTES], stamp[BRONZE_STAMP_BYTES];
    struct lake_meta meta = {.fetched_at = ((int64_t)table->day + 1) * DAY_S};
    struct str ending = STR(".gz");
    bool is_packed =
        file->path.len > ending.len &&
        str_eq(str_sub(file->path, file->path.len - ending.len, file->path.len), ending);
    date_format(table->day, day);
    bronze_stamp(meta.fetched_at, stamp);
    (void)snprintf(key, sizeof key, "bronze/%s/ymd=%s/raw-%s-%.16s.%s", table->dataset->folder, day,
                   stamp, file->sha256.ptr, is_packed ? "csv.gz" : "csv");
    (void)snprintf(meta.source_url, sizeof meta.source_url, "%.*s/%.*s",
                   STR_ARG(str_utf8_cut(run->manifest.name, 200)),
                   STR_ARG(str_utf8_cut(file->path, 200)));
    *ret_key = arena_dup(&run->kept, str_of(key));
    FILE *stream = fopen(file->location, "rbe");
    if (stream == NULL)
        return err_set(err, STATUS_IO, "File %.*s cannot be opened.", STR_ARG(file->path));
    enum status s = *ret_key == NULL
                        ? err_out_of_memory(err)
                        : put(run, key, (struct lake_source){read_file, stream}, &meta, err);
    (void)fclose(stream);
    return s;
}

/* The table's lines with their origin behind them. */
static void write_lines(const struct sample_table *table, const char *const *raw, struct buf *out)
{
    char when[INSTANT_TEXT_BYTES];
    instant_format(((int64_t)table->day + 1) * DAY_S, when);
    spool_header(table->dataset->shape, out);
    for (size_t i = 0; i < table->n; i++) {
        const struct sample_row *row = &table->rows[i];
        buf_add(out, row->line);
        buf_add_char(out, ',');
        spool_field(out, row->source);
        buf_printf(out, ",%s,%s\r\n", when, raw[row->file]);
    }
}

static enum status put_rows(struct run *run, struct sample_table *table, const char *const *raw,
                            struct err *err)
{
    char key[BRONZE_KEY_BYTES], header_room[1024];
    struct buf text, header;
    struct str packed = STR_NONE;
    struct lake_meta meta = {.fetched_at = ((int64_t)table->day + 1) * DAY_S};
    buf_init(&text, &table->arena, TEXT_BYTES_MAX);
    buf_init_fixed(&header, header_room, sizeof header_room);
    spool_header(table->dataset->shape, &header);
    write_lines(table, raw, &text);
    if (text.failed)
        return err_set(err, STATUS_TOO_LARGE, "The table of %s has more than %d MiB.",
                       table->dataset->name, TEXT_BYTES_MAX >> 20);
    struct bronze_object object = {table->dataset->folder, false,    table->day,    "rows",
                                   meta.fetched_at,        "csv.gz", buf_str(&text)};
    enum status s = bronze_name(&object, key, err);
    if (s == STATUS_OK)
        s = digest_hex(buf_str(&header), meta.schema_hash, err);
    if (s == STATUS_OK)
        s = gzip_pack(buf_str(&text), GZIP_LEVEL, &table->arena, &packed, err);
    return s == STATUS_OK
               ? put(run, key, (struct lake_source){transport_read_str, &packed}, &meta, err)
               : s;
}

static enum status put_table(struct run *run, struct sample_table *table, const char *mart,
                             struct err *err)
{
    const char **raw = arena_array(&run->kept, run->manifest.n_files, sizeof *raw);
    enum status s = STATUS_OK;
    if (raw == NULL)
        return err_out_of_memory(err);
    if (table->day == DATE_NONE)
        return err_set(err, STATUS_BAD_DATA, "No row of %s has a day.", mart);
    for (size_t i = 0; i < run->manifest.n_files && s == STATUS_OK; i++)
        if (str_eq_c(run->manifest.files[i].mart, mart))
            s = put_raw(run, table, &run->manifest.files[i], &raw[i], err);
    sample_sort(table);
    return s == STATUS_OK ? put_rows(run, table, raw, err) : s;
}

static enum status make_table(struct run *run, size_t t, struct sample_table *table,
                              struct err *err)
{
    size_t n = count_rows(run, tables[t].mart);
    table->rows = arena_room(&table->arena, n, sizeof *table->rows);
    enum status s = table->rows == NULL ? err_out_of_memory(err) : STATUS_OK;
    for (size_t i = 0; i < run->manifest.n_files && s == STATUS_OK; i++)
        if (str_eq_c(run->manifest.files[i].mart, tables[t].mart))
            s = sample_read(table, &run->manifest.files[i], i, err);
    run->report.rows_in = (int64_t)table->n;
    if (s == STATUS_OK)
        s = put_table(run, table, tables[t].mart, err);
    run->report.rows_out = s == STATUS_OK ? (int64_t)table->n : 0;
    return s;
}

static void add_report(struct ingest_report *total, const struct ingest_report *one)
{
    total->objects += one->objects;
    total->objects_skipped += one->objects_skipped;
    total->rows_in += one->rows_in;
    total->rows_out += one->rows_out;
    total->rejected += one->rejected;
    total->s3_puts += one->s3_puts;
    total->s3_lists += one->s3_lists;
    total->s3_gets += one->s3_gets;
    total->s3_bytes += one->s3_bytes;
    total->rows_copied += one->rows_copied;
}

/* One table, and what it cost as the pipeline's stages write it down. */
static enum status run_table(struct run *run, size_t t, struct ingest_report *total,
                             struct err *err)
{
    struct ingest_report *report = &run->report;
    struct sample_table table = {.dataset = dataset_find(str_of(tables[t].dataset)),
                                 .day = DATE_NONE};
    struct lake_cost before = {0}, after = {0};
    if (count_rows(run, tables[t].mart) == 0)
        return STATUS_OK;
    if (table.dataset->shape == SHAPE_INSTRUMENT)
        table.day = run->last_price;
    arena_init(&table.arena, (size_t)TABLE_BYTES_MAX + TEXT_BYTES_MAX);
    *report = (struct ingest_report){.quota_left = -1};
    lake_cost(run->world->lake, &before);
    enum status s = make_table(run, t, &table, err);
    lake_cost(run->world->lake, &after);
    arena_clear(&table.arena);
    if (table.dataset->shape == SHAPE_PRICE)
        run->last_price = table.day;
    report->s3_puts = after.requests[LAKE_PUT] - before.requests[LAKE_PUT];
    report->s3_lists = after.requests[LAKE_LIST] - before.requests[LAKE_LIST];
    report->s3_gets = after.requests[LAKE_GET] - before.requests[LAKE_GET];
    report->s3_bytes = after.bytes - before.bytes;
    int32_t day = table.day == DATE_NONE ? DATE_MIN : table.day;
    struct ingest_task task = {.dataset = table.dataset, .from = day, .to = day};
    cost_book_add(run->world->folder, ingest_stage_names[INGEST_BRONZE], &task, report, s);
    add_report(total, report);
    return s;
}

static enum status bronze(const struct ingest_world *world, const char *folder,
                          struct ingest_report *total, const struct stop *stop, struct err *err)
{
    struct run run = {.world = world, .stop = stop, .last_price = DATE_NONE};
    arena_init(&run.kept, KEPT_BYTES_MAX);
    enum status s = manifest_read(folder, &run.kept, &run.manifest, err);
    if (s == STATUS_OK)
        s = check(&run, err);
    for (size_t t = 0; t < ARRAY_LEN(tables) && s == STATUS_OK; t++)
        s = stop_is_raised(stop) ? stop_status(stop, err) : run_table(&run, t, total, err);
    arena_clear(&run.kept);
    return s;
}

enum status sample_stage_run(const struct ingest_world *world, enum ingest_stage stage,
                             const char *folder, struct ingest_report *total,
                             const struct stop *stop, struct err *err)
{
    /* Gold and publish take what is new of all data sets at once. */
    size_t n = stage == INGEST_SILVER ? ARRAY_LEN(tables) : 1;
    enum status s = STATUS_OK;
    if (stage == INGEST_BRONZE)
        return bronze(world, folder, total, stop, err);
    for (size_t t = 0; t < n && s == STATUS_OK; t++) {
        struct ingest_report report = {.quota_left = -1};
        struct ingest_task task = {
            .dataset = dataset_find(str_of(tables[t].dataset)), .from = DATE_MIN, .to = DATE_MAX};
        s = ingest_stage_run(world, stage, &task, &report, stop, err);
        add_report(total, &report);
        total->generation = report.generation;
    }
    return s;
}
