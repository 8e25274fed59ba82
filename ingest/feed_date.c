/* feed_date.c - each spelling is read by one small function; what is left over makes a date invalid. */
#include "ingest/feed_date.h"

enum { DAY_S = 86400, SLACK_S = 2 * 3600 };

/* n digits at the front of *rest, cut off. */
static bool take_digits(struct str *rest, size_t n, int *ret)
{
    int64_t value = 0;
    if (rest->len < n || !str_to_i64(str_sub(*rest, 0, n), &value) || rest->ptr[0] == '-' ||
        rest->ptr[0] == '+')
        return false;
    *ret = (int)value;
    *rest = str_sub(*rest, n, rest->len);
    return true;
}

static bool take_char(struct str *rest, char c)
{
    if (rest->len == 0 || rest->ptr[0] != c)
        return false;
    *rest = str_sub(*rest, 1, rest->len);
    return true;
}

static bool take_civil(struct civil c, int32_t *ret)
{
    if (c.year < 1900 || c.year > 2199 || c.month < 1 || c.month > 12 || c.day < 1 ||
        c.day > date_days_in_month(c.year, c.month))
        return false;
    *ret = date_from_civil(c);
    return true;
}

static bool is_end_of_date(struct str rest)
{
    return rest.len == 0 || rest.ptr[0] == ' ' || rest.ptr[0] == 'T' || rest.ptr[0] == '(';
}

static bool read_year_first(struct str *rest, char separator, int32_t *ret)
{
    struct civil c = {0};
    return take_digits(rest, 4, &c.year) && take_char(rest, separator) &&
           take_digits(rest, 2, &c.month) && take_char(rest, separator) &&
           take_digits(rest, 2, &c.day) && take_civil(c, ret);
}

static bool read_us(struct str text, size_t year_digits, int32_t *ret)
{
    struct civil c = {0};
    if (!take_digits(&text, 2, &c.month) || !take_char(&text, '/') ||
        !take_digits(&text, 2, &c.day) || !take_char(&text, '/') ||
        !take_digits(&text, year_digits, &c.year) || text.len > 0)
        return false;
    if (year_digits == 2)
        c.year += c.year < 69 ? 2000 : 1900;
    return take_civil(c, ret);
}

static bool read_month_name(struct str text, int32_t *ret)
{
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c = {0};
    for (int i = 0; i < 12; i++)
        if (str_starts(text, str_of(names[i])))
            c.month = i + 1;
    text = str_sub(text, text.len < 3 ? text.len : 3, text.len);
    (void)take_char(&text, '.');
    return take_char(&text, ' ') && take_digits(&text, 2, &c.day) && take_char(&text, ',') &&
           take_char(&text, ' ') && take_digits(&text, 4, &c.year) && text.len == 0 &&
           take_civil(c, ret);
}

static bool read_compact(struct str text, int32_t *ret)
{
    struct civil c = {0};
    return take_digits(&text, 4, &c.year) && take_digits(&text, 2, &c.month) &&
           take_digits(&text, 2, &c.day) && text.len == 0 && take_civil(c, ret);
}

bool feed_date(struct str text, enum feed_spelling spelling, int32_t *ret)
{
    text = str_trim(text);
    switch (spelling) {
    case FEED_ISO:
        return read_year_first(&text, '-', ret) && is_end_of_date(text);
    case FEED_DOTTED:
        return read_year_first(&text, '.', ret) && is_end_of_date(text);
    case FEED_COMPACT:
        return read_compact(text, ret);
    case FEED_US_SHORT:
        return read_us(text, 2, ret);
    case FEED_US_LONG:
        return read_us(text, 4, ret);
    case FEED_MONTH:
        return read_month_name(text, ret);
    }
    return false;
}

static bool take_offset(struct str *rest, int64_t *ret_s)
{
    *ret_s = 0;
    if (take_char(rest, 'Z'))
        return true;
    bool is_west = rest->len > 0 && rest->ptr[0] == '-';
    int hours = 0, minutes = 0;
    if (!take_char(rest, is_west ? '-' : '+') || !take_digits(rest, 2, &hours))
        return false;
    (void)take_char(rest, ':');
    if (!take_digits(rest, 2, &minutes) || hours > 14 || minutes > 59)
        return false;
    *ret_s = (is_west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

bool feed_instant(struct str text, int64_t *ret)
{
    int32_t date = 0;
    int hour = 0, minute = 0, second = 0, digit = 0;
    int64_t offset = 0;
    text = str_trim(text);
    if (!read_year_first(&text, '-', &date) || !(take_char(&text, 'T') || take_char(&text, ' ')) ||
        !take_digits(&text, 2, &hour) || !take_char(&text, ':') ||
        !take_digits(&text, 2, &minute) || !take_char(&text, ':') ||
        !take_digits(&text, 2, &second))
        return false;
    if (take_char(&text, '.'))
        while (take_digits(&text, 1, &digit))
            continue;
    if (hour > 23 || minute > 59 || second > 60 || !take_offset(&text, &offset) || text.len > 0)
        return false;
    *ret = (int64_t)date * DAY_S + hour * 3600 + minute * 60 + second - offset;
    return true;
}

int64_t feed_epoch(int64_t count)
{
    int64_t size = count < 0 ? -count : count;
    /* 10^11 s is the year 5138, 10^11 ms is 1973; 10^14 ms is the year 5138, 10^14 us is 1973. */
    return size >= 100000000000000 ? count / 1000000 : size >= 100000000000 ? count / 1000 : count;
}

int32_t feed_local_date(int64_t instant_s, int64_t utc_offset_s, bool offset_is_current)
{
    int64_t local = instant_s + utc_offset_s + (offset_is_current ? SLACK_S : 0);
    int64_t day = local / DAY_S - (local % DAY_S < 0 ? 1 : 0);
    return day < INT32_MIN + 1 ? INT32_MIN + 1 : day > INT32_MAX ? INT32_MAX : (int32_t)day;
}

static struct feed_period months_of(char frequency, int year, int first_month, int n_months)
{
    int32_t start = date_from_civil((struct civil){year, first_month, 1});
    return (struct feed_period){frequency, start, date_add_months(start, n_months) - 1};
}

bool feed_period(struct str text, struct feed_period *ret)
{
    int year = 0, part = 0;
    int32_t day = 0;
    text = str_trim(text);
    if (text.len == 8 && read_compact(text, &day)) {
        *ret = (struct feed_period){'D', day, day};
        return true;
    }
    if (!take_digits(&text, 4, &year) || year < 1900 || year > 2199)
        return false;
    if (text.len == 0) {
        *ret = months_of('A', year, 1, 12);
        return true;
    }
    bool is_half = take_char(&text, 'S'), is_quarter = !is_half && take_char(&text, 'Q');
    int parts = is_half ? 2 : is_quarter ? 4 : 12;
    if (!take_digits(&text, is_half || is_quarter ? 1 : 2, &part) || text.len > 0 || part < 1 ||
        part > parts)
        return false;
    *ret = months_of(is_half      ? 'S'
                     : is_quarter ? 'Q'
                                  : 'M',
                     year, (part - 1) * (12 / parts) + 1, 12 / parts);
    return true;
}
