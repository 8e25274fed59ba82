/*
 * db_sqlite_functions.c - what SQL needs beyond SQLite's own functions to say the same as on PostgreSQL:
 * words(text), the words of a text between spaces, as words.h makes them.
 */
#include "store/db_sqlite.h"

#include "base/words.h"

#include <sqlite3.h>

enum { SCALAR_FLAGS = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS };

static void words_of(sqlite3_context *context, int n, sqlite3_value **values)
{
    (void)n;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL)
        return;
    struct str text = {(const char *)sqlite3_value_text(values[0]),
                       (size_t)sqlite3_value_bytes(values[0])};
    char *out = text.ptr == NULL ? NULL : sqlite3_malloc64(text.len + 2);
    if (out == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    size_t len = words_normalise(text, out);
    sqlite3_result_text64(context, out, len, sqlite3_free, SQLITE_UTF8);
}

int sqlite_add_functions(sqlite3 *handle)
{
    return sqlite3_create_function_v2(handle, "words", 1, SCALAR_FLAGS, NULL, words_of, NULL, NULL,
                                      NULL);
}
