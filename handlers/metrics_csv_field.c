/* metrics_csv_field.c - see metrics_csv_field.h. */
#include "handlers/metrics_csv_field.h"

#include "base/date.h"

#include <stdio.h>
#include <string.h>

enum { DAY_BYTES = DATE_TEXT_BYTES - 1, NUMBER_BYTES = 256 };

bool metrics_csv_day(struct str text, int32_t *ret)
{
    static const char of_midnight[] = "0:.+Z";
    text = str_trim(text);
    struct str day = str_sub(text, 0, DAY_BYTES), time = str_sub(text, DAY_BYTES, text.len);
    bool is_midnight = time.len == 0 || time.ptr[0] == 'T' || time.ptr[0] == ' ';
    for (size_t i = 1; i < time.len && is_midnight; i++)
        is_midnight = memchr(of_midnight, time.ptr[i], sizeof of_midnight - 1) != NULL;
    return is_midnight && date_parse(day, ret);
}

bool metrics_csv_number(struct str text, bool is_rate, double *ret)
{
    char room[NUMBER_BYTES];
    text = str_trim(text);
    if (!is_rate || text.len == 0 || text.ptr[text.len - 1] != '%')
        return str_to_f64(text, ret);
    struct str digits = str_trim(str_sub(text, 0, text.len - 1));
    int n = snprintf(room, sizeof room, "%.*se-2", STR_ARG(digits));
    return n > 0 && (size_t)n < sizeof room && str_to_f64(str_of(room), ret);
}

static bool has_word(struct str name, struct str word)
{
    for (size_t at = 0; at + word.len <= name.len; at++)
        if (str_eq_nocase(str_sub(name, at, at + word.len), word))
            return true;
    return false;
}

struct str metrics_csv_meaning(struct str name)
{
    static const struct {
        const char *word, *column;
    } meanings[] = {
        {"date", "date"},      {"time", "date"},
        {"day", "date"},       {"bench", "benchmark_return"},
        {"free", "risk_free"}, {"return", "return"},
        {"close", "price"},    {"price", "price"},
        {"value", "price"},    {"nav", "price"},
        {"equity", "price"},   {"balance", "price"},
    };
    for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
        if (has_word(name, str_of(meanings[i].word)))
            return str_of(meanings[i].column);
    return STR_NONE;
}
