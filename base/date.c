/* date.c - civil calendar arithmetic; days from dates after Howard Hinnant, "chrono-compatible date algorithms", 2013. */
#include "base/date.h"

#include <stdio.h>
#include <string.h>

int32_t date_from_civil(struct civil c)
{
    int y = c.month <= 2 ? c.year - 1 : c.year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int year_of_era = y - era * 400;
    int day_of_year = (153 * (c.month + (c.month > 2 ? -3 : 9)) + 2) / 5 + c.day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

/*
 * Without branches and divisions by variables, for the loops that need the month of every session.
 * Source: C. Neri, L. Schneider, "Euclidean affine functions and their application to calendar
 * algorithms", Software: Practice and Experience 53(4), 2023; names as in figure 12. The shift by 82
 * cycles of 400 years keeps everything positive for some 30,000 years on both sides.
 */
struct civil date_to_civil(int32_t date)
{
    const uint32_t cycles = 82;
    uint32_t n = (uint32_t)date + 719468 + 146097 * cycles;
    uint32_t n_1 = 4 * n + 3;
    uint32_t century = n_1 / 146097;
    uint32_t n_2 = (n_1 % 146097) | 3;
    uint64_t p_2 = (uint64_t)2939745 * n_2;
    uint32_t year_of_century = (uint32_t)(p_2 >> 32);
    uint32_t day_of_year = (uint32_t)p_2 / 2939745 / 4; /* 0 is the first of March */
    uint32_t n_3 = 2141 * day_of_year + 197913;
    bool is_next_year = day_of_year >= 306;
    int month = (int)(n_3 >> 16);
    int year = (int)(100 * century + year_of_century) - (int)(400 * cycles);
    return (struct civil){year + is_next_year, is_next_year ? month - 12 : month,
                          (int)((n_3 & 0xffff) / 2141) + 1};
}

int date_weekday(int32_t date)
{
    int w = (date + 3) % 7; /* 1970-01-01 was a Thursday */
    return w < 0 ? w + 7 : w;
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int date_days_in_month(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

int32_t date_add_months(int32_t date, int n)
{
    struct civil c = date_to_civil(date);
    int months = c.year * 12 + (c.month - 1) + n;
    int year = months >= 0 ? months / 12 : (months - 11) / 12;
    int month = months - year * 12 + 1;
    int last = date_days_in_month(year, month);
    return date_from_civil((struct civil){year, month, c.day < last ? c.day : last});
}

/* Reads n digits at s[at]; false when one is not a digit. */
static bool digits(struct str s, size_t at, size_t n, int *ret)
{
    int value = 0;
    for (size_t i = at; i < at + n; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        value = value * 10 + (s.ptr[i] - '0');
    }
    *ret = value;
    return true;
}

bool date_parse(struct str s, int32_t *ret)
{
    struct civil c;
    if (s.len != 10 || s.ptr[4] != '-' || s.ptr[7] != '-' || !digits(s, 0, 4, &c.year) ||
        !digits(s, 5, 2, &c.month) || !digits(s, 8, 2, &c.day))
        return false;
    if (c.month < 1 || c.month > 12 || c.day < 1 || c.day > date_days_in_month(c.year, c.month))
        return false;
    int32_t date = date_from_civil(c);
    if (date < DATE_MIN || date > DATE_MAX)
        return false;
    *ret = date;
    return true;
}

/* Writes value as exactly n digits. */
static void put_digits(char *to, int value, int n)
{
    for (unsigned left = (unsigned)value; n > 0; left /= 10)
        to[--n] = (char)('0' + left % 10);
}

void date_format(int32_t date, char ret[DATE_TEXT_BYTES])
{
    struct civil c = date_to_civil(date);
    put_digits(ret, c.year, 4);
    put_digits(ret + 5, c.month, 2);
    put_digits(ret + 8, c.day, 2);
    ret[4] = ret[7] = '-';
    ret[10] = '\0';
}

/* What may follow the seconds: "", "Z", "+00", "+00:00", each after an optional fraction. */
static bool is_utc_tail(struct str tail)
{
    if (tail.len > 1 && tail.ptr[0] == '.') {
        size_t i = 1;
        while (i < tail.len && tail.ptr[i] >= '0' && tail.ptr[i] <= '9')
            i++;
        tail = str_sub(tail, i, tail.len);
    }
    return tail.len == 0 || str_eq(tail, STR("Z")) || str_eq(tail, STR("+00")) ||
           str_eq(tail, STR("+00:00"));
}

bool instant_parse(struct str s, int64_t *ret)
{
    int32_t date;
    int hour, minute, second;
    if (s.len < 19 || !date_parse(str_sub(s, 0, 10), &date) ||
        (s.ptr[10] != 'T' && s.ptr[10] != ' ') || s.ptr[13] != ':' || s.ptr[16] != ':' ||
        !digits(s, 11, 2, &hour) || !digits(s, 14, 2, &minute) || !digits(s, 17, 2, &second) ||
        !is_utc_tail(str_sub(s, 19, s.len)))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *ret = (int64_t)date * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

/* Seconds that local time is ahead of UTC: "Z", "", "+09", "+09:00", "-0330". */
static bool parse_offset(struct str s, int *ret)
{
    int hour, minute = 0;
    if (s.len == 0 || str_eq(s, STR("Z")) || str_eq(s, STR("z"))) {
        *ret = 0;
        return true;
    }
    bool has_minutes = s.len > 3;
    size_t minutes_at = s.len > 3 && s.ptr[3] == ':' ? 4 : 3;
    bool is_long_enough = s.len == 3 || s.len == minutes_at + 2;
    if (!is_long_enough || (s.ptr[0] != '+' && s.ptr[0] != ' ' && s.ptr[0] != '-') ||
        !digits(s, 1, 2, &hour) || (has_minutes && !digits(s, minutes_at, 2, &minute)) ||
        hour > 23 || minute > 59)
        return false;
    int seconds = hour * 3600 + minute * 60;
    *ret = s.ptr[0] == '-' ? -seconds : seconds;
    return true;
}

bool instant_to_utc(struct str s, char ret[INSTANT_EXACT_BYTES])
{
    enum { SECONDS_END = 19, FRACTION_DIGITS = 6 };
    char local[INSTANT_TEXT_BYTES];
    int64_t seconds;
    int offset;
    if (s.len < SECONDS_END || s.len >= 64)
        return false;
    memcpy(local, s.ptr, SECONDS_END);
    local[10] = local[10] == 't' ? 'T' : local[10];
    size_t end = SECONDS_END;
    if (end + 1 < s.len && s.ptr[end] == '.')
        for (end++; end < s.len && s.ptr[end] >= '0' && s.ptr[end] <= '9';)
            end++;
    struct str fraction = str_sub(s, SECONDS_END, end);
    while (fraction.len > 0 && strchr("0.", fraction.ptr[fraction.len - 1]) != NULL)
        fraction.len--;
    if (!instant_parse((struct str){local, SECONDS_END}, &seconds) ||
        fraction.len > FRACTION_DIGITS + 1 || !parse_offset(str_sub(s, end, s.len), &offset))
        return false;
    seconds -= offset;
    if (seconds < (int64_t)DATE_MIN * 86400 || seconds >= ((int64_t)DATE_MAX + 1) * 86400)
        return false;
    instant_format(seconds, ret);
    memcpy(ret + SECONDS_END, fraction.ptr, fraction.len);
    memcpy(ret + SECONDS_END + fraction.len, "Z", 2);
    return true;
}

void instant_format(int64_t seconds, char ret[INSTANT_TEXT_BYTES])
{
    int64_t day = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400;
    int rest = (int)(seconds - day * 86400);
    date_format((int32_t)day, ret);
    ret[10] = 'T';
    put_digits(ret + 11, rest / 3600, 2);
    put_digits(ret + 14, rest / 60 % 60, 2);
    put_digits(ret + 17, rest % 60, 2);
    ret[13] = ret[16] = ':';
    ret[19] = 'Z';
    ret[20] = '\0';
}

double date_years_between(int32_t from, int32_t to)
{
    int years = date_to_civil(to).year - date_to_civil(from).year;
    if (date_add_months(from, 12 * years) > to)
        years--;
    int32_t anniversary = date_add_months(from, 12 * years);
    int32_t next = date_add_months(from, 12 * (years + 1));
    return years + (double)(to - anniversary) / (double)(next - anniversary);
}

enum { DATES_BLOCK = 8 };

/* Within a block they are counted without a branch: where the day stands there cannot be predicted. */
size_t dates_reach(const int32_t *dates, size_t n, size_t from, int32_t day)
{
    while (n - from > DATES_BLOCK && dates[from + DATES_BLOCK - 1] < day)
        from += DATES_BLOCK;
    if (n - from >= DATES_BLOCK) {
        size_t n_before = 0;
        for (size_t k = 0; k < DATES_BLOCK; k++)
            n_before += dates[from + k] < day ? 1 : 0;
        return from + n_before;
    }
    while (from < n && dates[from] < day)
        from++;
    return from;
}

size_t dates_until(const int32_t *date, size_t n, int32_t day)
{
    size_t from = 0, to = n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (date[middle] <= day)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}
