/*
 * value.h - one value by its column's kind: what is allowed, and the one spelling both back ends store.
 * Pure; callable from any thread.
 */
#ifndef STORE_VALUE_H
#define STORE_VALUE_H

#include "store/catalog.h"

enum { VALUE_QUERY_BYTES_MAX = 1024, VALUE_AFTER_BYTES_MAX = 64 * 1024, VALUE_ROOM_BYTES = 64 };

/* BAD_VALUE with the column as the place, the value, and what is allowed. max_bytes limits text. */
enum status value_check(const struct mart_column *column, struct str value, size_t max_bytes,
                        struct err *err) NODISCARD;

/* What value_check says of a value that is not allowed. */
enum status value_refuse(const struct mart_column *column, struct str value, size_t max_bytes,
                         struct err *err) NODISCARD;

/*
 * Whether a value that comes back in a cursor can be bound. It was read from the column, where the database may
 * hold more than a filter takes (infinite dates, longer decimals): the database itself compares it by type.
 */
bool value_can_follow(enum column_kind kind, struct str value);

/*
 * A checked value in its canonical spelling: 12.50 is 12.5, 007 is 7, 2020-01-01 00:00:00+00 is
 * 2020-01-01T00:00:00Z. A view into value or room.
 */
struct str value_canonical(enum column_kind kind, struct str value, char room[VALUE_ROOM_BYTES]);

/* A checked, canonical value as a parameter of the type that both back ends compare with the column. */
struct db_param value_param(enum column_kind kind, struct str value);

#endif
