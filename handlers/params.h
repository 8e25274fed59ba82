/*
 * params.h - typed query parameters. Unknown and repeated ones are 400 with the nearest known name, so
 * that a typing error never silently widens an answer. Pure functions over the parsed request.
 */
#ifndef HANDLERS_PARAMS_H
#define HANDLERS_PARAMS_H

#include "base/json_in.h"
#include "server/request.h"

/* Every parameter must be one of names[] and given once. */
enum status params_expect(const struct request *request, const char *const *names, size_t n_names,
                          struct err *err) NODISCARD;

/* REPEATED_PARAMETER when an earlier parameter has the name of parameter i. */
enum status params_check_once(const struct request *request, size_t i, struct err *err) NODISCARD;

/* Absent leaves *ret as it is. Out of [min, max] is BAD_VALUE naming the range. */
enum status params_i64(const struct request *request, const char *name, int64_t min, int64_t max,
                       int64_t *ret, struct err *err) NODISCARD;
enum status params_date(const struct request *request, const char *name, int32_t *ret,
                        bool *ret_given, struct err *err) NODISCARD;

/*
 * A window of dates, both ends inclusive: from=, to= and last= (n followed by d, w, m or y, e.g. last=1y,
 * counted back from as_of). DATE_MIN and DATE_MAX where a bound is not given.
 */
struct window {
    int32_t from, to;
    bool is_given;
};

enum status params_window(const struct request *request, int32_t as_of, struct window *ret,
                          struct err *err) NODISCARD;

/* UNSUPPORTED_MEDIA_TYPE when the body says that it is something else than JSON. */
enum status params_json_body(struct request *request, struct err *err) NODISCARD;
/* The same, and the body parsed. Errors: those of jr_parse, too. */
enum status params_read_body(struct request *request, struct json_doc **ret_doc, struct err *err)
    NODISCARD;

/* A BAD_VALUE that names a parameter and what it takes. */
enum status params_refuse(struct err *err, const char *name, struct str value, const char *allowed);

#endif
