/* encoding.c - Accept-Encoding; the first step of every answer that may be compressed. */
#include "handlers/encoding.h"

enum { NOT_NAMED = -1, QUALITY_ONE = 1000 };

/* Thousandths; 1000 when absent; NOT_NAMED when malformed, and the element does not count. */
static int quality_of(struct str parameters)
{
    struct str parameter;
    while (str_next_field(&parameters, ';', &parameter)) {
        parameter = str_trim(parameter);
        if (!str_starts(parameter, STR("q=")) && !str_starts(parameter, STR("Q=")))
            continue;
        double q;
        if (!str_to_f64(str_sub(parameter, 2, parameter.len), &q) || q < 0.0 || q > 1.0)
            return NOT_NAMED;
        return (int)(q * QUALITY_ONE + 0.5);
    }
    return QUALITY_ONE;
}

static bool names(struct str coding, enum encoding encoding)
{
    return str_eq_nocase(coding, str_of(encoding_name(encoding))) ||
           (encoding == ENCODING_GZIP && str_eq_nocase(coding, STR("x-gzip")));
}

static void read_qualities(struct str accepted, int ret[ENCODING_COUNT])
{
    int star = NOT_NAMED;
    struct str element;
    for (int e = 0; e < ENCODING_COUNT; e++)
        ret[e] = NOT_NAMED;
    while (str_next_field(&accepted, ',', &element)) {
        size_t semicolon = str_find(element, ';', 0);
        struct str coding = str_trim(str_sub(element, 0, semicolon));
        int quality = quality_of(
            semicolon == element.len ? STR_NONE : str_sub(element, semicolon + 1, element.len));
        if (str_eq_c(coding, "*"))
            star = quality;
        for (int e = 0; e < ENCODING_COUNT; e++)
            if (quality != NOT_NAMED && names(coding, (enum encoding)e))
                ret[e] = quality;
    }
    for (int e = 0; star != NOT_NAMED && e < ENCODING_COUNT; e++)
        if (ret[e] == NOT_NAMED)
            ret[e] = star;
}

enum status encoding_choose(struct request *request, enum encoding *ret, struct err *err)
{
    reply_header(request, "Vary", "Accept-Encoding");
    struct str accepted = request_header(request, "Accept-Encoding");
    *ret = ENCODING_IDENTITY;
    if (accepted.ptr == NULL)
        return STATUS_OK;
    int qualities[ENCODING_COUNT];
    read_qualities(accepted, qualities);
    int best = 0;
    for (int e = 0; e < ENCODING_COUNT; e++)
        if (qualities[e] > best) {
            best = qualities[e];
            *ret = (enum encoding)e;
        }
    if (best > 0 || qualities[ENCODING_IDENTITY] == NOT_NAMED)
        return STATUS_OK;
    (void)err_set(err, STATUS_NOT_ACCEPTABLE,
                  "None of the content codings you accept is available here.");
    err_at(err, ERR_HEADER, STR("Accept-Encoding"), accepted);
    err_allow(err, "zstd, br, gzip, identity");
    return STATUS_NOT_ACCEPTABLE;
}
