/* target.c - what may stand between the method and the version of a request line. */
#include "server/target.h"

#include "server/query_string.h"

#include <string.h>

enum { SEGMENT_BYTES_MAX = 1024, LOGGED_BYTES_MAX = 512 };

static enum status refuse(const char *why, struct err *err)
{
    return err_set(err, STATUS_BAD_REQUEST, "The request target %s.", why);
}

static enum status check_segment(struct str segment, bool is_last, struct err *err)
{
    char room[SEGMENT_BYTES_MAX];
    struct str decoded;
    if (segment.len == 0)
        return is_last ? STATUS_OK : refuse("has an empty path segment", err);
    if (segment.len > SEGMENT_BYTES_MAX)
        return refuse("has a path segment of more than 1024 bytes", err);
    if (!percent_decode(segment, false, room, &decoded))
        return refuse(
            "has a path with a broken escape, a control character or text that is not UTF-8", err);
    if (str_find(decoded, '/', 0) < decoded.len || str_find(decoded, '\\', 0) < decoded.len)
        return refuse("has an encoded slash or a backslash in its path", err);
    if (str_eq_c(decoded, ".") || str_eq_c(decoded, ".."))
        return refuse("has a dot segment in its path", err);
    return STATUS_OK;
}

static enum status check_path(struct str path, struct err *err)
{
    struct str rest = str_sub(path, 1, path.len), segment;
    while (str_next_field(&rest, '/', &segment)) {
        enum status s = check_segment(segment, rest.ptr == NULL, err);
        if (s != STATUS_OK)
            return s;
    }
    return STATUS_OK;
}

bool target_is_authority(struct str s)
{
    static const char allowed[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:[]_";
    if (s.len == 0 || s.len > 255 || s.ptr[0] == ':')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (memchr(allowed, s.ptr[i], sizeof allowed - 1) == NULL)
            return false;
    return true;
}

/* Cuts "http://authority" off the front; what is left starts with '/' or '?' or is empty. */
static bool strip_authority(struct str *target)
{
    static const struct str schemes[] = {{"http://", 7}, {"https://", 8}};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        struct str scheme = schemes[i];
        if (target->len <= scheme.len || !str_eq_nocase(str_sub(*target, 0, scheme.len), scheme))
            continue;
        size_t end = scheme.len;
        while (end < target->len && target->ptr[end] != '/' && target->ptr[end] != '?')
            end++;
        if (!target_is_authority(str_sub(*target, scheme.len, end)))
            return false;
        *target = str_sub(*target, end, target->len);
        return true;
    }
    return false;
}

enum status target_parse(struct str target, bool is_options, struct target *ret, struct err *err)
{
    if (target.len > TARGET_BYTES_MAX)
        return err_set(err, STATUS_TARGET_TOO_LONG, "The request target is longer than %d bytes.",
                       TARGET_BYTES_MAX);
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.ptr[i];
        if (c <= 0x20 || c >= 0x7f || c == '#')
            return refuse("has a byte that must be percent-encoded", err);
    }
    if (str_eq_c(target, "*")) {
        if (!is_options)
            return refuse("\"*\" is for OPTIONS only", err);
        *ret = (struct target){target, STR_NONE};
        return STATUS_OK;
    }
    bool is_absolute = target.len > 0 && target.ptr[0] != '/';
    if (target.len == 0 || (is_absolute && !strip_authority(&target)))
        return refuse("is neither a path nor an http address", err);

    size_t mark = str_find(target, '?', 0);
    struct str path = str_sub(target, 0, mark);
    struct str query = mark == target.len ? STR_NONE : str_sub(target, mark + 1, target.len);
    if (path.len == 0)
        path = STR("/"); /* "http://host" */
    enum status s = check_path(path, err);
    if (s == STATUS_OK)
        *ret = (struct target){path, query};
    return s;
}

static bool is_secret_name(struct str name)
{
    static const char *const marks[] = {"api_key",   "apikey",    "api-key", "token",
                                        "secret",    "passw",     "auth",    "credential",
                                        "signature", "servicekey"};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        struct str mark = str_of(marks[i]);
        for (size_t at = 0; at + mark.len <= name.len; at++)
            if (str_eq_nocase(str_sub(name, at, at + mark.len), mark))
                return true;
    }
    return str_eq_nocase(name, STR("key"));
}

/* Where a key of ours, "cmmc_" and a number, begins in s; s.len when there is none. */
static size_t find_key(struct str s)
{
    for (size_t at = 0; at + 5 < s.len; at++)
        if (s.ptr[at] == 'c' && str_starts(str_sub(s, at, s.len), STR("cmmc_")) &&
            s.ptr[at + 5] >= '0' && s.ptr[at + 5] <= '9')
            return at;
    return s.len;
}

/* s decoded into room as far as that goes, so that an escape hides nothing. */
static struct str unescaped(struct str s, size_t size, char *room)
{
    struct str decoded;
    return s.len <= size && percent_decode(s, true, room, &decoded) ? decoded : s;
}

/* One parameter, or what may be shown of it. */
static void redact_piece(struct str piece, struct buf *out)
{
    char name_room[128], value_room[LOGGED_BYTES_MAX];
    size_t at = str_find(piece, '=', 0);
    struct str raw_name = str_sub(piece, 0, at);
    struct str raw_value = str_sub(piece, at + 1, at + 1 + sizeof value_room);
    struct str name = unescaped(raw_name, sizeof name_room, name_room);
    struct str value = unescaped(raw_value, sizeof value_room, value_room);
    if (find_key(name) < name.len) {
        buf_add_c(out, "***");
    } else if (at < piece.len && (is_secret_name(name) || find_key(value) < value.len)) {
        buf_add(out, str_utf8_cut(raw_name, 64));
        buf_add_c(out, "=***");
    } else {
        buf_add(out, str_utf8_cut(piece, LOGGED_BYTES_MAX - out->len));
    }
}

void target_redact(struct str target, struct buf *out)
{
    size_t mark = str_find(target, '?', 0);
    size_t key = find_key(str_sub(target, 0, mark));
    buf_add(out, str_utf8_cut(str_sub(target, 0, key), LOGGED_BYTES_MAX));
    if (key < mark) /* given in place of a name, say */
        buf_add_c(out, "***");
    struct str rest = str_sub(target, mark + 1, target.len), piece;
    char lead = '?';
    while (mark < target.len && out->len < LOGGED_BYTES_MAX && str_next_field(&rest, '&', &piece)) {
        buf_add_char(out, lead);
        lead = '&';
        redact_piece(piece, out);
    }
}
