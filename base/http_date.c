/* http_date.c - the one form that is written and the three that are read. */
#include "base/http_date.h"

#include "base/date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 86400, TEXT_BYTES = 64 };

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void http_date_format(int64_t seconds, char ret[HTTP_DATE_BYTES])
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    struct tm at = {0};
    time_t time = (time_t)seconds;
    (void)gmtime_r(&time, &at);
    char text[TEXT_BYTES];
    (void)snprintf(text, sizeof text, "%s, %02d %.3s %04d %02d:%02d:%02d GMT", days[at.tm_wday],
                   at.tm_mday, months + (ptrdiff_t)at.tm_mon * 3, at.tm_year + 1900, at.tm_hour,
                   at.tm_min, at.tm_sec);
    memcpy(ret, text, HTTP_DATE_BYTES - 1);
    ret[HTTP_DATE_BYTES - 1] = '\0';
}

struct parts {
    int year, day, hour, minute, second;
    char month[4];
};

/* Years of two digits are the nearest past of this century's: RFC 850 dates have not been sent for long. */
static int full_year(int year)
{
    return year >= 70 ? year + 1900 : year + 2000;
}

static bool read_parts(const char *text, struct parts *ret)
{
    int n = -1;
    char gmt[4];
    if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3s%n", &ret->day, ret->month,
               &ret->year, &ret->hour, &ret->minute, &ret->second, gmt, &n) == 7 &&
        n > 0 && text[n] == '\0' && strcmp(gmt, "GMT") == 0)
        return true;
    n = -1;
    if (sscanf(text, "%*[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d %3s%n", &ret->day, ret->month,
               &ret->year, &ret->hour, &ret->minute, &ret->second, gmt, &n) == 7 &&
        n > 0 && text[n] == '\0' && strcmp(gmt, "GMT") == 0) {
        ret->year = full_year(ret->year);
        return true;
    }
    n = -1;
    return sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", ret->month, &ret->day,
                  &ret->hour, &ret->minute, &ret->second, &ret->year, &n) == 6 &&
           n > 0 && text[n] == '\0';
}

bool http_date_parse(struct str text, int64_t *ret)
{
    char copy[TEXT_BYTES];
    struct parts parts = {0};
    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (!read_parts(copy, &parts))
        return false;
    const char *month = strstr(months, parts.month);
    bool is_month = strlen(parts.month) == 3 && month != NULL && (month - months) % 3 == 0;
    if (!is_month || parts.year < 1970 || parts.day < 1 || parts.day > 31 || parts.hour > 23 ||
        parts.minute > 59 || parts.second > 60 || parts.hour < 0 || parts.minute < 0 ||
        parts.second < 0)
        return false;
    char iso[TEXT_BYTES];
    int32_t days;
    (void)snprintf(iso, sizeof iso, "%04d-%02d-%02d", parts.year, (int)((month - months) / 3) + 1,
                   parts.day);
    if (!date_parse(str_of(iso), &days))
        return false;
    *ret = (int64_t)days * DAY_S + parts.hour * 3600 + parts.minute * 60 + parts.second;
    return true;
}
