/* migrate_render.c - one text of SQL in the dialect of a back end: tokens, and what only some of them know. */
#include "store/migrate.h"

#include <string.h>

enum { KEY_BYTES = 200 };

static const struct token {
    const char *name, *in[3]; /* by enum sql_dialect */
} tokens[] = {
    {"{{text}}", {"TEXT", "TEXT COLLATE \"C\"", "VARCHAR(65535)"}},
    {"{{decimal}}", {"DECIMAL_TEXT", "NUMERIC", "DECIMAL(38,18)"}},
    {"{{date}}", {"DATE_TEXT", "DATE", "DATE"}},
    {"{{instant}}", {"INSTANT_TEXT", "TIMESTAMPTZ", "TIMESTAMPTZ"}},
    {"{{bool}}", {"BOOLEAN", "BOOLEAN", "BOOLEAN"}},
    {"{{float}}", {"REAL", "DOUBLE PRECISION", "DOUBLE PRECISION"}},
    {"{{bytes}}", {"BLOB", "BYTEA", "VARBYTE(1024000)"}},
};
static const char clustered[] = "{{clustered}}";

static const char *const dialects[] = {
    [SQL_SQLITE] = "sqlite", [SQL_POSTGRESQL] = "postgresql", [SQL_REDSHIFT] = "redshift"};

struct rendering {
    enum sql_dialect dialect;
    struct buf *out;
    char key[KEY_BYTES]; /* "uid, date": of the table that is being made */
};

enum sql_dialect migrate_dialect(enum db_kind kind)
{
    static const enum sql_dialect of[] = {
        [DB_SQLITE] = SQL_SQLITE, [DB_POSTGRESQL] = SQL_POSTGRESQL, [DB_REDSHIFT] = SQL_REDSHIFT};
    return of[kind];
}

static void note_key(struct rendering *r, struct str line)
{
    static const char head[] = "    PRIMARY KEY (";
    if (str_starts(line, STR("CREATE TABLE ")))
        r->key[0] = '\0';
    size_t end = str_find(line, ')', 0);
    size_t at = sizeof head - 1;
    if (!str_starts(line, str_of(head)) || end >= line.len || end - at >= KEY_BYTES)
        return;
    memcpy(r->key, line.ptr + at, end - at);
    r->key[end - at] = '\0';
}

/*
 * How rows lie. Redshift: tables with a key of several columns are spread by the first one and sorted by their day, so that
 * series are joined where they lie and spans of days are read alone; the small ones lie everywhere.
 */
static void add_clustered(struct rendering *r)
{
    struct str rest = str_of(r->key), first = STR_NONE, column, day = STR_NONE;
    if (r->dialect == SQL_SQLITE)
        buf_add_c(r->out, " WITHOUT ROWID");
    if (r->dialect != SQL_REDSHIFT)
        return;
    size_t n = 0;
    while (rest.len > 0 && str_next_field(&rest, ',', &column)) {
        column = str_trim(column);
        first = n++ == 0 ? column : first;
        bool is_day = str_eq(column, STR("date")) || str_eq(column, STR("as_of")) ||
                      str_eq(column, STR("pub_day")) || str_eq(column, STR("period_end")) ||
                      str_eq(column, STR("ymd"));
        day = is_day ? column : day;
    }
    if (n < 2)
        buf_add_c(r->out, " DISTSTYLE ALL");
    else
        buf_printf(r->out, " DISTKEY(%.*s) SORTKEY(%.*s)", STR_ARG(first),
                   STR_ARG(day.ptr == NULL ? first : day));
}

/* Writes line with its tokens replaced; false when one is unknown. */
static bool add_line(struct rendering *r, struct str line)
{
    size_t i = 0;
    note_key(r, line);
    while (i < line.len) {
        struct str rest = str_sub(line, i, line.len);
        if (!str_starts(rest, STR("{{"))) {
            buf_add_char(r->out, line.ptr[i]);
            i++;
            continue;
        }
        if (str_starts(rest, str_of(clustered))) {
            add_clustered(r);
            i += sizeof clustered - 1;
            continue;
        }
        const struct token *token = NULL;
        for (size_t k = 0; k < ARRAY_LEN(tokens) && token == NULL; k++)
            if (str_starts(rest, str_of(tokens[k].name)))
                token = &tokens[k];
        if (token == NULL)
            return false;
        buf_add_c(r->out, token->in[r->dialect]);
        i += strlen(token->name);
    }
    buf_add_char(r->out, '\n');
    return true;
}

/* "-- only: a" or "-- only: a, b"; false for another line. */
static bool read_only(struct str line, enum sql_dialect dialect, bool *ret_is_skipping)
{
    static const char head[] = "-- only: ";
    struct str rest, name;
    if (!str_starts(line, str_of(head)))
        return false;
    rest = str_sub(line, sizeof head - 1, line.len);
    *ret_is_skipping = true;
    while (rest.len > 0 && str_next_field(&rest, ',', &name))
        if (str_eq_c(str_trim(name), dialects[dialect]))
            *ret_is_skipping = false;
    return true;
}

/* Redshift sorts instead. */
static bool is_index(struct str line)
{
    return str_starts(line, STR("CREATE INDEX ")) || str_starts(line, STR("CREATE UNIQUE INDEX "));
}

enum status migrate_render(const struct migration_file *file, enum sql_dialect dialect,
                           struct buf *out, struct err *err)
{
    struct rendering r = {.dialect = dialect, .out = out};
    struct str rest = str_of(file->sql);
    struct str line;
    bool is_skipping = false;
    while (str_next_field(&rest, '\n', &line)) {
        if (read_only(line, dialect, &is_skipping))
            continue;
        bool is_left_out = is_skipping || (dialect == SQL_REDSHIFT && is_index(line));
        if (!is_left_out && !add_line(&r, line))
            return err_set(err, STATUS_INTERNAL, "Migration %s uses an unknown {{token}}.",
                           file->name);
        if (line.len > 0 && line.ptr[line.len - 1] == ';')
            is_skipping = false;
    }
    return STATUS_OK;
}
