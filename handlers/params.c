/* params.c - reads and checks query parameters; first step of every data handler. */
#include "handlers/params.h"

#include "base/date.h"
#include "base/suggest.h"

#include <stdio.h>

enum { LAST_MAX = 36500 };

enum status params_refuse(struct err *err, const char *name, struct str value, const char *allowed)
{
    (void)err_set(err, STATUS_BAD_VALUE, "Parameter \"%s\" has a value it does not take.", name);
    err_at(err, ERR_PARAMETER, str_of(name), value);
    err_allow(err, "%s", allowed);
    return STATUS_BAD_VALUE;
}

static enum status unknown(const struct query_param *param, const char *const *names,
                           size_t n_names, struct err *err)
{
    struct suggest search = suggest_start(param->name);
    char list[sizeof err->allowed] = "no parameters";
    size_t used = 0;
    for (size_t i = 0; i < n_names && used < sizeof list; i++) {
        suggest_offer(&search, str_of(names[i]));
        int n = snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", names[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    (void)err_set(err, STATUS_UNKNOWN_PARAMETER, "There is no parameter \"%.*s\" here.",
                  STR_ARG(str_utf8_cut(param->name, 64)));
    err_at(err, ERR_PARAMETER, param->name, param->value);
    err_suggest(err, suggest_take(&search));
    err_allow(err, "%s", list);
    return STATUS_UNKNOWN_PARAMETER;
}

enum status params_check_once(const struct request *request, size_t i, struct err *err)
{
    const struct query_param *param = &request->params[i];
    for (size_t k = 0; k < i; k++) {
        if (!str_eq(param->name, request->params[k].name))
            continue;
        (void)err_set(err, STATUS_REPEATED_PARAMETER, "Parameter \"%.*s\" is given more than once.",
                      STR_ARG(param->name));
        err_at(err, ERR_PARAMETER, param->name, param->value);
        err_allow(err, "one value");
        return STATUS_REPEATED_PARAMETER;
    }
    return STATUS_OK;
}

enum status params_expect(const struct request *request, const char *const *names, size_t n_names,
                          struct err *err)
{
    for (size_t i = 0; i < request->n_params; i++) {
        const struct query_param *param = &request->params[i];
        bool is_known = false;
        for (size_t k = 0; k < n_names && !is_known; k++)
            is_known = str_eq_c(param->name, names[k]);
        if (!is_known)
            return unknown(param, names, n_names, err);
        enum status s = params_check_once(request, i, err);
        if (s != STATUS_OK)
            return s;
    }
    return STATUS_OK;
}

enum status params_i64(const struct request *request, const char *name, int64_t min, int64_t max,
                       int64_t *ret, struct err *err)
{
    struct str text = request_param(request, name);
    if (text.ptr == NULL)
        return STATUS_OK;
    int64_t value;
    if (str_to_i64(text, &value) && value >= min && value <= max) {
        *ret = value;
        return STATUS_OK;
    }
    char allowed[64];
    (void)snprintf(allowed, sizeof allowed, "an integer from %lld to %lld", (long long)min,
                   (long long)max);
    return params_refuse(err, name, text, allowed);
}

enum status params_date(const struct request *request, const char *name, int32_t *ret,
                        bool *ret_given, struct err *err)
{
    struct str text = request_param(request, name);
    *ret_given = text.ptr != NULL;
    if (text.ptr == NULL || date_parse(text, ret))
        return STATUS_OK;
    return params_refuse(err, name, text, "YYYY-MM-DD, a real day from 1900-01-01 to 2199-12-31");
}

/* The first day of the n units that end with as_of. */
static bool last_from(struct str text, int32_t as_of, int32_t *ret)
{
    int64_t n;
    if (text.len < 2 || !str_to_i64(str_sub(text, 0, text.len - 1), &n) || n < 1 || n > LAST_MAX)
        return false;
    int32_t from;
    switch (text.ptr[text.len - 1]) {
    case 'd':
        from = as_of - (int32_t)n + 1;
        break;
    case 'w':
        from = as_of - 7 * (int32_t)n + 1;
        break;
    case 'm':
        from = date_add_months(as_of, -(int)n) + 1;
        break;
    case 'y':
        from = date_add_months(as_of, -12 * (int)n) + 1;
        break;
    default:
        return false;
    }
    *ret = from < DATE_MIN ? DATE_MIN : from;
    return true;
}

static enum status refuse_mixture(struct str last, struct err *err)
{
    (void)err_set(err, STATUS_BAD_VALUE, "\"last\" cannot be combined with \"from\" or \"to\".");
    err_at(err, ERR_PARAMETER, STR("last"), last);
    err_allow(err, "either last, or from and to");
    return STATUS_BAD_VALUE;
}

enum status params_window(const struct request *request, int32_t as_of, struct window *ret,
                          struct err *err)
{
    struct window window = {.from = DATE_MIN, .to = DATE_MAX};
    bool has_from, has_to;
    enum status s = params_date(request, "from", &window.from, &has_from, err);
    if (s == STATUS_OK)
        s = params_date(request, "to", &window.to, &has_to, err);
    if (s != STATUS_OK)
        return s;
    struct str last = request_param(request, "last");
    if (last.ptr != NULL) {
        if (has_from || has_to)
            return refuse_mixture(last, err);
        if (!last_from(last, as_of, &window.from))
            return params_refuse(err, "last", last, "a count and a unit: 30d, 8w, 6m or 1y");
    }
    if (window.from > window.to)
        return params_refuse(err, "to", request_param(request, "to"), "a day on or after \"from\"");
    window.is_given = has_from || has_to || last.ptr != NULL;
    *ret = window;
    return STATUS_OK;
}

enum status params_json_body(struct request *request, struct err *err)
{
    struct str type = request_header(request, "Content-Type");
    struct str essence = str_trim(str_sub(type, 0, str_find(type, ';', 0)));
    if (type.ptr == NULL || str_eq_nocase(essence, STR("application/json")))
        return STATUS_OK;
    (void)err_set(err, STATUS_UNSUPPORTED_MEDIA_TYPE, "The body's media type is not JSON.");
    err_at(err, ERR_HEADER, STR("Content-Type"), type);
    err_allow(err, "application/json");
    return STATUS_UNSUPPORTED_MEDIA_TYPE;
}

enum status params_read_body(struct request *request, struct json_doc **ret_doc, struct err *err)
{
    enum status s = params_json_body(request, err);
    return s == STATUS_OK ? jr_parse(request->body, &request->arena, ret_doc, err) : s;
}
