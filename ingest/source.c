/* source.c - the table of sources, and what they have in common. */
#include "ingest/source.h"

#include <string.h>

#define SOURCE(name) &source_##name,
const struct source *const sources[] = {
#include "ingest/sources.def"
};
#undef SOURCE
const size_t n_sources = sizeof sources / sizeof sources[0];

const struct source *source_find(struct str name)
{
    for (size_t i = 0; i < n_sources; i++)
        if (str_eq_c(name, sources[i]->name))
            return sources[i];
    return NULL;
}

enum status source_changed(const struct source *source, const char *what, struct err *err)
{
    return err_set(err, STATUS_BAD_DATA, "The answer of %s is not of the known form: %s.",
                   source->title, what);
}

enum status source_json(const struct source *source, struct str body, struct arena *arena,
                        struct json_doc **ret, struct err *err)
{
    struct err why = {0};
    enum status s = jr_parse(body, arena, ret, &why);
    if (s == STATUS_OUT_OF_MEMORY)
        return err_out_of_memory(err);
    return s == STATUS_OK ? s : source_changed(source, why.detail, err);
}

void source_escape(struct buf *out, struct str text)
{
    static const char marks[] = "-._~";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                        (c >= 'a' && c <= 'z') || memchr(marks, c, sizeof marks - 1) != NULL;
        if (is_plain)
            buf_add_char(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
}

enum status source_path(const struct buf *path, struct source_target *ret, struct err *err)
{
    if (path->failed)
        return err_out_of_memory(err);
    ret->path = buf_str(path);
    return STATUS_OK;
}

enum status source_bad_symbol(const struct source_ask *ask, const char *allowed, struct err *err)
{
    (void)err_set(err, STATUS_BAD_VALUE, "\"%.*s\" cannot be asked for there.",
                  STR_ARG(str_utf8_cut(ask->symbol, 64)));
    err_allow(err, "%s", allowed);
    return STATUS_BAD_VALUE;
}
