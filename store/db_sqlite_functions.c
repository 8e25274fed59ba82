/*
 * db_sqlite_functions.c - what SQL needs beyond SQLite's own functions to say the same as on PostgreSQL:
 * words(text), the words of a text between spaces, as words.h makes them; decimal_sum(x) and decimal_average(x) of
 * decimals in text and of integers, as decimal.h adds them up; to_decimal(x), a double as a decimal of 15 digits; and
 * split_part(text, separator, n), the n-th of the parts between separators of one byte, from 1.
 */
#include "store/db_sqlite.h"

#include "base/decimal.h"
#include "base/number.h"
#include "base/words.h"

#include <sqlite3.h>

enum { FUNCTION_FLAGS = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS };

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

/* NULL is left out, and so is what is no number: a managed mart has none, for others a NULL stands there already. */
static void add_value(sqlite3_context *context, int n, sqlite3_value **values)
{
    (void)n;
    struct decimal_sum *sum = sqlite3_aggregate_context(context, sizeof *sum);
    if (sum == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    if (sqlite3_value_type(values[0]) == SQLITE_NULL)
        return;
    struct str text = {(const char *)sqlite3_value_text(values[0]),
                       (size_t)sqlite3_value_bytes(values[0])};
    if (text.ptr != NULL && decimal_is_valid(text))
        decimal_sum_add(sum, text);
}

static void finish(sqlite3_context *context,
                   size_t (*text_of)(const struct decimal_sum *, char[DECIMAL_SUM_BYTES]))
{
    const struct decimal_sum *sum = sqlite3_aggregate_context(context, 0);
    char text[DECIMAL_SUM_BYTES];
    if (sum == NULL || sum->n == 0)
        sqlite3_result_null(context);
    else
        sqlite3_result_text64(context, text, text_of(sum, text), SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void finish_sum(sqlite3_context *context)
{
    finish(context, decimal_sum_text);
}

static void finish_average(sqlite3_context *context)
{
    finish(context, decimal_average_text);
}

static void to_decimal(sqlite3_context *context, int n, sqlite3_value **values)
{
    (void)n;
    double value = sqlite3_value_double(values[0]);
    char text[DECIMAL_TEXT_BYTES];
    if (sqlite3_value_type(values[0]) == SQLITE_NULL || !(value > -1e22 && value < 1e22))
        return;
    sqlite3_result_text64(context, text, decimal_format(value, text), SQLITE_TRANSIENT,
                          SQLITE_UTF8);
}

/* "" behind the last part, as elsewhere. */
static void split_part(sqlite3_context *context, int n, sqlite3_value **values)
{
    (void)n;
    struct str rest = {(const char *)sqlite3_value_text(values[0]),
                       (size_t)sqlite3_value_bytes(values[0])};
    const char *separator = (const char *)sqlite3_value_text(values[1]);
    int64_t at = sqlite3_value_int64(values[2]);
    struct str part = STR_NONE;
    if (rest.ptr == NULL || separator == NULL)
        return;
    while (at > 0 && str_next_field(&rest, separator[0], &part))
        at--;
    if (at > 0)
        part = STR("");
    sqlite3_result_text64(context, part.ptr, part.len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

int sqlite_add_functions(sqlite3 *handle)
{
    int rc = sqlite3_create_function_v2(handle, "words", 1, FUNCTION_FLAGS, NULL, words_of, NULL,
                                        NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(handle, "decimal_sum", 1, FUNCTION_FLAGS, NULL, NULL,
                                        add_value, finish_sum, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(handle, "decimal_average", 1, FUNCTION_FLAGS, NULL, NULL,
                                        add_value, finish_average, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(handle, "to_decimal", 1, FUNCTION_FLAGS, NULL, to_decimal,
                                        NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(handle, "split_part", 3, FUNCTION_FLAGS, NULL, split_part,
                                        NULL, NULL, NULL);
    return rc;
}
