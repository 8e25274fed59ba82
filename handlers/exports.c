/*
 * exports.c - whole marts as files that never change: one a generation and format, made when first asked for, with byte
 * ranges, a strong tag and a digest, so that downloads can be resumed and mirrored.
 */
#include "handlers/handlers.h"

#include "handlers/byte_range.h"
#include "handlers/export_file.h"
#include "handlers/params.h"
#include "handlers/rows_render.h"
#include "server/app.h"

#include <stdio.h>
#include <unistd.h>

static const struct kind {
    const char *extension, *media_type;
    enum format format;
    enum encoding encoding;
} kinds[] = {
    {"csv.gz", "application/gzip", FORMAT_CSV, ENCODING_GZIP},
    {"ndjson.zst", "application/zstd", FORMAT_NDJSON, ENCODING_ZSTD},
    {"arrow", "application/vnd.apache.arrow.file", FORMAT_ARROW, ENCODING_IDENTITY},
};

struct export
{
    struct rows_request rows;
    const struct kind *kind;
    struct str name; /* of the file */
};

static enum status unknown_file(struct str file, struct err *err)
{
    (void)err_set(err, STATUS_NOT_FOUND, "There is no export \"%.*s\".",
                  STR_ARG(str_utf8_cut(file, 64)));
    err_at(err, ERR_PARAMETER, STR("file"), file);
    err_allow(err, "{generation} or latest, then .csv.gz, .ndjson.zst or .arrow");
    return STATUS_NOT_FOUND;
}

/* "412.csv.gz": what stands before the first point; generation 0 for latest. */
static enum status read_file(struct str file, const struct kind **ret_kind, int64_t *ret_generation,
                             struct err *err)
{
    size_t point = str_find(file, '.', 0);
    struct str first = str_sub(file, 0, point);
    struct str extension = point == file.len ? STR("") : str_sub(file, point + 1, file.len);
    *ret_kind = NULL;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq_c(extension, kinds[i].extension))
            *ret_kind = &kinds[i];
    *ret_generation = 0;
    bool is_known =
        *ret_kind != NULL &&
        (str_eq_c(first, "latest") || (str_to_i64(first, ret_generation) && *ret_generation > 0 &&
                                       first.ptr[0] != '0')); /* one address for each file */
    return is_known ? STATUS_OK : unknown_file(file, err);
}

static enum status name_file(struct request *request, struct export *export, int64_t generation,
                             struct err *err)
{
    struct buf name;
    buf_init(&name, &request->arena, 256);
    buf_printf(&name, "%.*s-g%lld.%s", STR_ARG(export->rows.query->mart->name),
               (long long)generation, export->kind->extension);
    export->name = buf_str(&name);
    return name.failed ? err_out_of_memory(err) : STATUS_OK;
}

static enum status redirect(struct request *request, const struct export *export)
{
    reply_type(request, 302, NULL);
    reply_header(request, "Location", "/v1/marts/%.*s/export/%lld.%s",
                 STR_ARG(export->rows.query->mart->name),
                 (long long)export->rows.version.generation, export->kind->extension);
    reply_cache_control(request, "no-cache");
    return STATUS_OK;
}

/* Every row of the version, without parameters. */
static enum status make(struct request *request, struct export *export, struct err *err)
{
    struct mart_query *query = export->rows.query;
    struct rows_page page = {.rows = &export->rows, .canonical = STR(""), .count = -1};
    struct table_request what = {.mart = query->mart,
                                 .version = export->rows.version.generation,
                                 .fill = rows_fill,
                                 .cls = &page};
    struct table table = {.request = request,
                          .what = &what,
                          .options = {.format = export->kind->format},
                          .is_arrow_file = export->kind->format == FORMAT_ARROW};
    query->limit = MART_LIMIT_ALL;
    query->generation = export->rows.read_at;
    enum status s = mart_query_finish(query, &request->arena, err);
    if (s == STATUS_OK)
        s = export_make(&table, export->name, export->kind->encoding, err);
    if (s == STATUS_OK)
        export_sweep(request->app->config, export->name,
                     (int64_t)request->app->config->export_mib * 1024 * 1024);
    return s;
}

static enum status send_bytes(struct request *request, int fd, int64_t from, int64_t to,
                              struct err *err)
{
    enum { PIECE_BYTES = 64 * 1024 };
    char *piece = arena_alloc(&request->arena, PIECE_BYTES);
    if (piece == NULL)
        return err_out_of_memory(err);
    request->stream_bytes = to - from;
    enum status s = stream_begin(request, err);
    while (s == STATUS_OK && from < to && request->method != METHOD_HEAD) {
        size_t want = to - from < PIECE_BYTES ? (size_t)(to - from) : (size_t)PIECE_BYTES;
        ssize_t n = pread(fd, piece, want, (off_t)from);
        if (n <= 0)
            return err_set(err, STATUS_IO, "An export file could not be read.");
        s = stream_write(request, (struct str){piece, (size_t)n}, err);
        from += n;
    }
    return s;
}

static enum status send_file(struct request *request, const struct export *export,
                             const struct export_file *file, struct err *err)
{
    char tag[TAG_BYTES + 2];
    int64_t from = 0, to = file->size;
    if (reply_if_unchanged(request, file->tag, "public, max-age=31536000, immutable"))
        return STATUS_OK;
    (void)snprintf(tag, sizeof tag, "\"%s\"", file->tag);
    reply_header(request, "Accept-Ranges", "bytes");
    enum range_kind kind =
        byte_range_read(request_header(request, "Range"), request_header(request, "If-Range"),
                        str_of(tag), file->size, &from, &to);
    if (kind == RANGE_UNSATISFIABLE) {
        reply_header(request, "Content-Range", "bytes */%lld", (long long)file->size);
        (void)err_set(err, STATUS_RANGE_NOT_SATISFIABLE, "The file ends before this range.");
        err_at(err, ERR_HEADER, STR("Range"), request_header(request, "Range"));
        err_allow(err, "bytes 0 to %lld", (long long)file->size - 1);
        return STATUS_RANGE_NOT_SATISFIABLE;
    }
    if (kind == RANGE_PART)
        reply_header(request, "Content-Range", "bytes %lld-%lld/%lld", (long long)from,
                     (long long)to - 1, (long long)file->size);
    else
        reply_header(request, "Content-Digest", "%s", file->digest);
    if (file->warnings[0] != '\0')
        reply_header(request, "Data-Warnings", "%s", file->warnings);
    reply_header(request, "Repr-Digest", "%s", file->digest);
    reply_header(request, "Content-Disposition", "attachment; filename=\"%.*s\"",
                 STR_ARG(export->name));
    reply_type(request, kind == RANGE_PART ? 206 : 200, export->kind->media_type);
    return send_bytes(request, file->fd, from, to, err);
}

static enum status answer_file(struct request *request, struct export *export, struct err *err)
{
    struct export_file file = {.fd = -1};
    bool is_found = false;
    if (request->lane != LANE_STREAM || request->is_quick)
        return request_defer(request, LANE_STREAM);
    enum status s = export_open(request, export->name, &file, &is_found, err);
    if (s == STATUS_OK && !is_found)
        s = make(request, export, err);
    if (s == STATUS_OK && !is_found)
        s = export_open(request, export->name, &file, &is_found, err);
    if (s == STATUS_OK && !is_found)
        s = err_set(err, STATUS_IO, "The export file is gone already; export_mib is too small.");
    if (s != STATUS_OK)
        return s;
    s = send_file(request, export, &file, err);
    (void)close(file.fd);
    return s;
}

enum status mart_export_get(struct request *request, struct err *err)
{
    CLEANUP(rows_end) struct rows_request rows = {0};
    int64_t generation = 0;
    const struct mart_version *version = NULL;
    struct export export = {0};
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK)
        s = rows_begin(request, request->path_params[0], &rows, err);
    if (s == STATUS_OK)
        s = read_file(request->path_params[1], &export.kind, &generation, err);
    if (s != STATUS_OK)
        return s;
    export.rows = rows; /* the reference stays with rows */
    if (rows.query->mart->n_versions == 0)
        return unknown_file(request->path_params[1], err);
    if (generation == 0)
        return redirect(request, &export);
    s = catalog_resolve(rows.catalog, rows.query->mart, generation, &version, &export.rows.read_at,
                        err);
    if (s == STATUS_BAD_VALUE)
        return unknown_file(request->path_params[1], err);
    if (s != STATUS_OK)
        return s;
    export.rows.version = *version;
    if (version->generation != generation)
        return redirect(request, &export);
    s = name_file(request, &export, generation, err);
    return s != STATUS_OK ? s : answer_file(request, &export, err);
}
