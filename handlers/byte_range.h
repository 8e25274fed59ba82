/*
 * byte_range.h - Range and If-Range of one representation. Source: RFC 9110, section 14. One range is served; several,
 * other units and malformed ones are as if the header were absent, which the RFC leaves to the server.
 */
#ifndef HANDLERS_BYTE_RANGE_H
#define HANDLERS_BYTE_RANGE_H

#include "base/str.h"

enum range_kind { RANGE_WHOLE, RANGE_PART, RANGE_UNSATISFIABLE };

/*
 * Bytes [*ret_from, *ret_to) of size that the header asks for. if_range is compared with tag, quotes included:
 * anything but the same strong tag gives the whole. Pure.
 */
enum range_kind byte_range_read(struct str range, struct str if_range, struct str tag, int64_t size,
                                int64_t *ret_from, int64_t *ret_to);

#endif
