/* http_date.h - instants as HTTP writes them. Source: RFC 9110 section 5.6.7. Pure functions. */
#ifndef BASE_HTTP_DATE_H
#define BASE_HTTP_DATE_H

#include "base/str.h"

enum { HTTP_DATE_BYTES = 30 };

/* "Sun, 06 Nov 1994 08:49:37 GMT"; seconds since 1970, 0 to the end of year 9999. */
void http_date_format(int64_t seconds, char ret[HTTP_DATE_BYTES]);

/* Any of the three forms. False when text is none of them. */
bool http_date_parse(struct str text, int64_t *ret);

#endif
