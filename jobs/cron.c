/* cron.c - see cron.h. */
#include "jobs/cron.h"

#include "base/date.h"

enum {
    MINUTE_S = 60,
    HOUR_S = 3600,
    DAY_S = 86400,
    DAYS_MAX = 366 * 9 /* leap days may be eight years apart */
};

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                          "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct field {
    const char *title, *allowed;
    int min, max;
    const char *const *names; /* of min and on; NULL: none */
    size_t n_names;
};

static const struct field fields[] = {
    {"minute", "0 to 59", 0, 59, NULL, 0},
    {"hour", "0 to 23", 0, 23, NULL, 0},
    {"day of the month", "1 to 31", 1, 31, NULL, 0},
    {"month", "1 to 12, or jan to dec", 1, 12, month_names, ARRAY_LEN(month_names)},
    {"day of the week", "0 to 7 (Sunday is 0 and 7), or sun to sat", 0, 7, weekday_names,
     ARRAY_LEN(weekday_names)},
};

static bool read_number(const struct field *field, struct str text, int *ret)
{
    int64_t value = 0;
    for (size_t i = 0; i < field->n_names; i++)
        if (str_eq_nocase(text, str_of(field->names[i]))) {
            *ret = field->min + (int)i;
            return true;
        }
    if (text.len == 0 || text.len > 2 || text.ptr[0] < '0' || !str_to_i64(text, &value) ||
        value < field->min || value > field->max)
        return false;
    *ret = (int)value;
    return true;
}

/* "*", "a" or "a-b", each perhaps with "/n"; "a/n" runs to the field's end. */
static bool read_item(const struct field *field, struct str item, uint64_t *bits)
{
    int from = field->min, to = field->max;
    int64_t step = 1;
    size_t slash = str_find(item, '/', 0);
    struct str range = str_sub(item, 0, slash);
    size_t dash = str_find(range, '-', 0);
    if (slash < item.len) {
        struct str text = str_sub(item, slash + 1, item.len);
        if (text.len == 0 || text.ptr[0] < '0' || !str_to_i64(text, &step) || step < 1 || step > 59)
            return false;
    }
    if (!str_eq_c(range, "*")) {
        if (!read_number(field, str_sub(range, 0, dash), &from))
            return false;
        if (dash < range.len) {
            if (!read_number(field, str_sub(range, dash + 1, range.len), &to) || to < from)
                return false;
        } else if (slash >= item.len) {
            to = from;
        }
    }
    for (int n = from; n <= to; n += (int)step)
        *bits |= (uint64_t)1 << n;
    return true;
}

static enum status refuse(const struct field *field, struct str text, struct err *err)
{
    (void)err_set(err, STATUS_OUT_OF_RANGE, "'%.*s' is no %s of a schedule.", STR_ARG(text),
                  field->title);
    err_allow(err, "*, a number, a-b, lists with commas, steps with /n; %s", field->allowed);
    return STATUS_OUT_OF_RANGE;
}

static enum status read_field(const struct field *field, struct str text, uint64_t *ret,
                              struct err *err)
{
    struct str rest = text, item;
    *ret = 0;
    if (text.len == 0 || text.ptr[text.len - 1] == ',')
        return refuse(field, text, err);
    while (rest.len > 0 && str_next_field(&rest, ',', &item))
        if (!read_item(field, item, ret))
            return refuse(field, text, err);
    return STATUS_OK;
}

static struct str expand(struct str text)
{
    static const struct {
        const char *name, *fields;
    } names[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@weekly", "0 0 * * 0"},
                 {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_c(text, names[i].name))
            return str_of(names[i].fields);
    return text;
}

static size_t split(struct str text, struct str ret[ARRAY_LEN(fields)])
{
    size_t n = 0, at = 0;
    while (at < text.len) {
        size_t end = at;
        while (end < text.len && text.ptr[end] != ' ' && text.ptr[end] != '\t')
            end++;
        if (end > at && n < ARRAY_LEN(fields))
            ret[n] = str_sub(text, at, end);
        n += end > at;
        at = end + 1;
    }
    return n;
}

static bool is_due_day(const struct cron *cron, int32_t date)
{
    struct civil c = date_to_civil(date);
    int weekday = (date_weekday(date) + 1) % 7; /* 0 is Sunday here */
    bool is_day = (cron->days >> c.day & 1) != 0, is_weekday = (cron->weekdays >> weekday & 1) != 0;
    if ((cron->months >> c.month & 1) == 0)
        return false;
    return cron->is_any_day || cron->is_any_weekday ? is_day && is_weekday : is_day || is_weekday;
}

/* The first due second of the day from second on; -1: none. */
static int64_t due_in_day(const struct cron *cron, int64_t second)
{
    for (int64_t at = second; at < DAY_S; at += MINUTE_S) {
        if ((cron->hours >> (at / HOUR_S) & 1) == 0)
            at = at / HOUR_S * HOUR_S + HOUR_S - MINUTE_S;
        else if ((cron->minutes >> (at % HOUR_S / MINUTE_S) & 1) != 0)
            return at;
    }
    return -1;
}

static bool find_next(const struct cron *cron, int64_t after_s, int64_t *ret)
{
    int64_t at = after_s - (after_s % MINUTE_S + MINUTE_S) % MINUTE_S + MINUTE_S;
    int32_t day = (int32_t)((at - (at % DAY_S + DAY_S) % DAY_S) / DAY_S);
    int64_t second = at - (int64_t)day * DAY_S;
    for (int i = 0; i < DAYS_MAX; i++, day++, second = 0) {
        int64_t due = is_due_day(cron, day) ? due_in_day(cron, second) : -1;
        if (due >= 0) {
            *ret = (int64_t)day * DAY_S + due;
            return true;
        }
    }
    return false;
}

enum status cron_parse(struct str text, struct cron *ret, struct err *err)
{
    struct str part[ARRAY_LEN(fields)];
    uint64_t bits[ARRAY_LEN(fields)];
    int64_t first = 0;
    size_t n = split(expand(text), part);
    if (n != ARRAY_LEN(fields)) {
        (void)err_set(err, STATUS_OUT_OF_RANGE, "A schedule has five fields, not %zu.", n);
        err_allow(err, "minute, hour, day of the month, month, day of the week: 0 5 * * 1-5");
        return STATUS_OUT_OF_RANGE;
    }
    for (size_t i = 0; i < n; i++) {
        enum status s = read_field(&fields[i], part[i], &bits[i], err);
        if (s != STATUS_OK)
            return s;
    }
    *ret = (struct cron){.minutes = bits[0],
                         .hours = (uint32_t)bits[1],
                         .days = (uint32_t)bits[2],
                         .months = (uint32_t)bits[3],
                         .weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7f),
                         .is_any_day = part[2].ptr[0] == '*',
                         .is_any_weekday = part[4].ptr[0] == '*'};
    if (find_next(ret, 0, &first))
        return STATUS_OK;
    (void)err_set(err, STATUS_OUT_OF_RANGE, "This schedule is never due.");
    err_allow(err, "a day that its months have");
    return STATUS_OUT_OF_RANGE;
}

int64_t cron_next(const struct cron *cron, int64_t after_s)
{
    int64_t ret = INT64_MAX;
    return find_next(cron, after_s, &ret) ? ret
                                          : INT64_MAX; /* cron_parse has seen that it is found */
}
