/* manifest.c - the list of files and their checksums; load.c reads what it names. */
#include "ingest/manifest.h"

#include "base/digest.h"
#include "base/json_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MANIFEST_BYTES_MAX = 1 << 20,
    FILES_MAX = 1000,
    PATH_BYTES_MAX = 200,
    ROWS_MAX = 1000000000
};
enum { PIECE_BYTES = 64 * 1024 };

static enum status no_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while reading the manifest.");
}

static const char *join(struct arena *arena, const char *dir, struct str path)
{
    struct buf out;
    buf_init(&out, arena, strlen(dir) + path.len + 2);
    buf_add_c(&out, dir);
    buf_add_char(&out, '/');
    buf_add(&out, path);
    return buf_c_str(&out);
}

static enum status read_whole(const char *location, struct arena *arena, struct str *ret,
                              struct err *err)
{
    FILE *file = fopen(location, "rbe");
    if (file == NULL) {
        (void)err_set(err, STATUS_IO, "The folder has no manifest.json that can be read.");
        err_at(err, ERR_PARAMETER, STR("manifest"), str_of(location));
        return STATUS_IO;
    }
    char *bytes = arena_alloc(arena, MANIFEST_BYTES_MAX + 1);
    size_t n = bytes == NULL ? 0 : fread(bytes, 1, MANIFEST_BYTES_MAX + 1, file);
    bool failed = ferror(file) != 0;
    (void)fclose(file);
    if (bytes == NULL)
        return no_memory(err);
    if (failed)
        return err_set(err, STATUS_IO, "manifest.json cannot be read.");
    if (n > MANIFEST_BYTES_MAX)
        return err_set(err, STATUS_TOO_LARGE, "manifest.json is larger than %d bytes.",
                       (int)MANIFEST_BYTES_MAX);
    *ret = (struct str){bytes, n};
    return STATUS_OK;
}

/* Letters, digits, ".", "_", "-" in parts between single slashes; no part begins with a point. */
static bool is_inner_path(struct str path)
{
    char before = '/';
    for (size_t i = 0; i < path.len; i++) {
        char c = path.ptr[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-';
        if (!is_word && (before == '/' || (c != '.' && c != '/')))
            return false;
        before = c;
    }
    return path.len > 0 && before != '/';
}

static bool is_sha256(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!((text.ptr[i] >= '0' && text.ptr[i] <= '9') ||
              (text.ptr[i] >= 'a' && text.ptr[i] <= 'f')))
            return false;
    return text.len == DIGEST_HEX_BYTES - 1;
}

static bool keep(struct arena *arena, struct str *text)
{
    text->ptr = arena_dup(arena, *text);
    return text->ptr != NULL;
}

static enum status read_file_entry(struct json_val val, const char *dir, struct arena *arena,
                                   struct manifest_file *ret, struct err *err)
{
    static const char *const allowed[] = {"path", "mart", "rows", "sha256"};
    struct json_val path = jr_member(val, "path");
    struct json_val sha256 = jr_member(val, "sha256");
    enum status s = jr_expect_object(val, allowed, ARRAY_LEN(allowed), err);
    if (s == STATUS_OK)
        s = jr_read_str(path, 1, PATH_BYTES_MAX, &ret->path, err);
    if (s == STATUS_OK)
        s = jr_read_str(jr_member(val, "mart"), 1, PATH_BYTES_MAX, &ret->mart, err);
    if (s == STATUS_OK)
        s = jr_read_i64(jr_member(val, "rows"), 0, ROWS_MAX, &ret->rows, err);
    if (s == STATUS_OK)
        s = jr_read_str(sha256, 1, PATH_BYTES_MAX, &ret->sha256, err);
    if (s != STATUS_OK)
        return s;
    if (!is_inner_path(ret->path)) {
        s = err_set(err, STATUS_BAD_DATA, "A file of the manifest does not lie below its folder.");
        jr_err_at(err, path);
        err_allow(err, "a relative path of letters, digits, '.', '_' and '-', without '..'");
        return s;
    }
    if (!is_sha256(ret->sha256)) {
        s = err_set(err, STATUS_BAD_DATA, "A checksum of the manifest is not a SHA-256.");
        jr_err_at(err, sha256);
        err_allow(err, "64 lower-case hexadecimal digits");
        return s;
    }
    ret->location = join(arena, dir, ret->path);
    bool is_kept = ret->location != NULL && keep(arena, &ret->path) && keep(arena, &ret->mart) &&
                   keep(arena, &ret->sha256);
    return is_kept ? STATUS_OK : no_memory(err);
}

static enum status read_root(struct json_val root, const char *dir, struct arena *arena,
                             struct manifest *ret, struct err *err)
{
    static const char *const allowed[] = {"format", "name", "files"};
    int64_t format = 0;
    struct json_val files = jr_member(root, "files");
    enum status s = jr_expect_object(root, allowed, ARRAY_LEN(allowed), err);
    if (s == STATUS_OK)
        s = jr_read_i64(jr_member(root, "format"), 1, 1, &format, err);
    if (s == STATUS_OK)
        s = jr_read_str(jr_member(root, "name"), 1, PATH_BYTES_MAX, &ret->name, err);
    if (s == STATUS_OK)
        s = jr_expect_array(files, 1, FILES_MAX, err);
    if (s != STATUS_OK)
        return s;
    ret->n_files = jr_length(files);
    ret->files = arena_array(arena, ret->n_files, sizeof *ret->files);
    if (ret->files == NULL || !keep(arena, &ret->name))
        return no_memory(err);
    for (size_t i = 0; i < ret->n_files && s == STATUS_OK; i++)
        s = read_file_entry(jr_item(files, i), dir, arena, &ret->files[i], err);
    return s;
}

/* Says which file the sentence is about; a JSON pointer stays the place. */
static enum status in_manifest(enum status s, struct err *err)
{
    char detail[sizeof err->detail];
    if (err == NULL || s == STATUS_OK)
        return s;
    (void)snprintf(detail, sizeof detail, "manifest.json: %.400s", err->detail);
    memcpy(err->detail, detail, sizeof detail);
    if (err->where == ERR_NOWHERE)
        err_at(err, ERR_LINE, STR("manifest.json"), STR_NONE);
    return s;
}

enum status manifest_read(const char *dir, struct arena *arena, struct manifest *ret,
                          struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct str text = STR_NONE;
    struct manifest manifest = {0};
    const char *location = join(arena, dir, STR("manifest.json"));
    if (location == NULL)
        return no_memory(err);
    enum status s = read_whole(location, arena, &text, err);
    if (s != STATUS_OK)
        return s;
    s = jr_parse(text, arena, &doc, err);
    if (s == STATUS_OK)
        s = read_root(jr_root(doc), dir, arena, &manifest, err);
    if (s == STATUS_OK)
        *ret = manifest;
    return in_manifest(s, err);
}

static enum status digest_file(FILE *file, unsigned char ret[DIGEST_BYTES], struct err *err)
{
    CLEANUP(digest_freep) struct digest *digest = NULL;
    enum status s = digest_new(&digest, err);
    char *piece = malloc(PIECE_BYTES);
    if (s == STATUS_OK && piece == NULL)
        s = no_memory(err);
    size_t n;
    while (s == STATUS_OK && (n = fread(piece, 1, PIECE_BYTES, file)) > 0)
        s = digest_add(digest, (struct str){piece, n}, err);
    free(piece);
    if (s == STATUS_OK && ferror(file) != 0)
        s = err_set(err, STATUS_IO, "A file cannot be read.");
    return s == STATUS_OK ? digest_finish(digest, ret, err) : s;
}

enum status manifest_verify(const struct manifest_file *file, struct err *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[DIGEST_BYTES];
    char hex[DIGEST_HEX_BYTES];
    FILE *stream = fopen(file->location, "rbe");
    if (stream == NULL) {
        enum status s = err_set(err, STATUS_IO, "File %.*s of the manifest cannot be opened.",
                                STR_ARG(file->path));
        err_at(err, ERR_LINE, file->path, STR_NONE);
        return s;
    }
    enum status s = digest_file(stream, sum, err);
    (void)fclose(stream);
    if (s != STATUS_OK)
        return s;
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        hex[2 * i] = digits[sum[i] >> 4];
        hex[2 * i + 1] = digits[sum[i] & 15];
    }
    if (str_eq((struct str){hex, 2 * DIGEST_BYTES}, file->sha256))
        return STATUS_OK;
    s = err_set(err, STATUS_BAD_DATA,
                "File %.*s is not the one the manifest speaks of: its SHA-256 differs.",
                STR_ARG(file->path));
    err_at(err, ERR_LINE, file->path, (struct str){hex, 2 * DIGEST_BYTES});
    err_allow(err, "%.*s", STR_ARG(file->sha256));
    return s;
}
