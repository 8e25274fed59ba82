/* query_string.c - splits and decodes the raw query; runs on the polling thread before the handler. */
#include "server/query_string.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool percent_decode(struct str s, bool plus_is_space, char *room, struct str *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '%') {
            int high = i + 2 < s.len ? hex_value(s.ptr[i + 1]) : -1;
            int low = i + 2 < s.len ? hex_value(s.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (unsigned char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c < 0x20 || c == 0x7f)
            return false;
        room[n++] = (char)c;
    }
    *ret = (struct str){room, n};
    return str_is_utf8(*ret);
}

size_t query_count(struct str query)
{
    size_t n = query.len == 0 ? 0 : 1;
    for (size_t at = 0; (at = str_find(query, '&', at)) < query.len; at++)
        n++;
    return n;
}

static enum status refuse(struct str name, struct str value, const char *what, struct err *err)
{
    enum status s = err_set(err, STATUS_BAD_REQUEST, "Query parameter \"%.*s\" %s.",
                            STR_ARG(str_utf8_cut(name, 96)), what);
    err_at(err, ERR_PARAMETER, name, value);
    return s;
}

static enum status parse_piece(struct str piece, struct arena *arena, struct query_param *ret,
                               struct err *err)
{
    static const char broken[] =
        "has a broken percent escape, a control character or text that is not UTF-8";
    size_t at = str_find(piece, '=', 0);
    struct str raw_name = str_sub(piece, 0, at);
    struct str raw_value = str_sub(piece, at + 1, piece.len);
    char *room = arena_alloc(arena, piece.len + 1);
    if (room == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for the query parameters.");
    struct query_param param;
    if (!percent_decode(raw_name, true, room, &param.name))
        return refuse(raw_name, STR_NONE, broken, err);
    if (param.name.len == 0)
        return refuse(raw_name, raw_value, "has no name", err);
    if (!percent_decode(raw_value, true, room + param.name.len, &param.value))
        return refuse(param.name, raw_value, broken, err);
    *ret = param;
    return STATUS_OK;
}

enum status query_parse(struct str query, struct arena *arena, struct query_param **ret_params,
                        size_t *ret_n, struct err *err)
{
    size_t n_pieces = query_count(query), n = 0;
    if (n_pieces > QUERY_PARAMS_MAX) {
        enum status s = err_set(err, STATUS_BAD_REQUEST, "The query has %zu parameters.", n_pieces);
        err_allow(err, "at most %d parameters", QUERY_PARAMS_MAX);
        return s;
    }
    /* One more than needed: an empty query has parameters to point at, too. */
    struct query_param *params = arena_array(arena, n_pieces + 1, sizeof *params);
    if (params == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for the query parameters.");
    struct str rest = query, piece;
    while (str_next_field(&rest, '&', &piece)) {
        if (piece.len == 0)
            continue;
        enum status s = parse_piece(piece, arena, &params[n], err);
        if (s != STATUS_OK)
            return s;
        n++;
    }
    *ret_params = params;
    *ret_n = n;
    return STATUS_OK;
}
