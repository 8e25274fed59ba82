/* json_number.h - is a text a number as JSON writes them? Pure; callable from any thread. */
#ifndef BASE_JSON_NUMBER_H
#define BASE_JSON_NUMBER_H

#include "base/str.h"

/* -?digits(.digits)?(e[+-]?digits)?, leading zeros included: every number of every page is asked. */
bool json_number_is_valid(struct str text);

#endif
