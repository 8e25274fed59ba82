/*
 * arrow_value.h - the text of a value, as the database gives it, as the bits of its Arrow type. A pure function, callable from any thread.
 */
#ifndef HANDLERS_ARROW_VALUE_H
#define HANDLERS_ARROW_VALUE_H

#include "base/str.h"
#include "base/wide.h"
#include "handlers/arrow_meta.h"

/*
 * A value that is not NULL, of a type of fixed width: a two's complement integer (decimals by 10^ARROW_DECIMAL_SCALE, dates in days and
 * instants in microseconds since 1970) or the bits of a double. False when the type cannot hold it exactly.
 */
bool arrow_read_value(enum arrow_type type, struct str text, u128 *ret) NODISCARD;

#endif
