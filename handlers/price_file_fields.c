/* price_file_fields.c - the long layout's fields beyond the close: which there are, their values, and what a series makes of them. */
#include "handlers/price_file_parts.h"

#include "base/date.h"

#include <math.h>
#include <stdio.h>

static const char *const field_names[N_FIELDS] = {
    "date", "uid", "currency", "close",    "adj_close",   "open",
    "high", "low", "volume",   "dividend", "split_ratio", "pay_date"};
enum status price_file_refuse(const struct reader *reader, int64_t line, struct str value,
                              const char *allowed, struct err *err)
{
    char place[24];
    (void)snprintf(place, sizeof place, "%lld", (long long)line);
    (void)err_set(err, STATUS_BAD_VALUE, "%s:%lld: \"%.*s\" cannot be used.", reader->path,
                  (long long)line, STR_ARG(str_utf8_cut(value.ptr == NULL ? STR("") : value, 64)));
    err_at(err, ERR_LINE, str_of(place), value);
    err_allow(err, "%s", allowed);
    return STATUS_BAD_VALUE;
}

bool price_file_find_fields(struct reader *reader, const struct csv_in *csv)
{
    size_t n_found = 0;
    for (size_t f = 0; f < N_FIELDS; f++) {
        reader->at_field[f] = -1;
        for (size_t i = csv_width(csv); i-- > 0;)
            if (str_eq_c(csv_field(csv, i), field_names[f]))
                reader->at_field[f] = (int)i;
        n_found += price_file_has(reader, (enum field)f);
    }
    return n_found == csv_width(csv);
}

enum status price_file_put_values(struct reader *reader, struct column *column,
                                  const struct csv_in *csv, struct err *err)
{
    for (size_t f = ADJ_CLOSE; f < N_FIELDS; f++) {
        bool may_be_0 = f == VOLUME || f == DIVIDEND;
        if (!price_file_has(reader, (enum field)f))
            continue;
        struct str text = csv_field(csv, (size_t)reader->at_field[f]);
        double *value = &column->value[f - CLOSE][column->n - 1];
        *value = (double)NAN;
        if (text.ptr == NULL || text.len == 0)
            continue;
        int32_t day = 0;
        if (f == PAY_DATE && !date_parse(text, &day))
            return price_file_refuse(reader, csv_line(csv), text, "a date, YYYY-MM-DD, or nothing",
                                     err);
        if (f == PAY_DATE) {
            *value = day;
            continue;
        }
        if (!str_to_f64(text, value) || !(may_be_0 ? *value >= 0 : *value > 0))
            return price_file_refuse(reader, csv_line(csv), text,
                                     may_be_0 ? "a number of at least 0, or nothing"
                                              : "a number above 0, or nothing",
                                     err);
    }
    return STATUS_OK;
}

/*
 * Closes alone are what a run is made of, whatever was done to them. Beside anything else they are as quoted; dividends or
 * splits without adj_close then leave no adjusted price.
 */
struct price_series price_file_series(const struct column *column)
{
    double *const *value = column->value;
    bool has_actions = value[DIVIDEND - CLOSE] != NULL || value[SPLIT - CLOSE] != NULL;
    bool is_quoted = false;
    for (size_t k = 1; k < N_VALUES; k++)
        is_quoted = is_quoted || value[k] != NULL;
    return (struct price_series){.uid = column->uid,
                                 .n = column->n,
                                 .date = column->date,
                                 .price = has_actions || value[ADJ_CLOSE - CLOSE] != NULL
                                              ? value[ADJ_CLOSE - CLOSE]
                                              : value[0],
                                 .known_at = column->known_at,
                                 .open = value[OPEN - CLOSE],
                                 .high = value[HIGH - CLOSE],
                                 .low = value[LOW - CLOSE],
                                 .close = is_quoted ? value[0] : NULL,
                                 .volume = value[VOLUME - CLOSE],
                                 .dividend = value[DIVIDEND - CLOSE],
                                 .split = value[SPLIT - CLOSE],
                                 .pay_date = value[PAY_DATE - CLOSE],
                                 .delisted_on = DATE_NONE};
}
