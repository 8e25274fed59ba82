/* fetch_base.c - "name=address,name=address". */
#include "ingest/fetch_base.h"

struct str fetch_host(struct str address)
{
    for (size_t i = 0; i + 3 <= address.len; i++)
        if (str_starts(str_sub(address, i, address.len), STR("://"))) {
            size_t from = i + 3;
            return str_sub(address, from, str_find(address, '/', from));
        }
    return STR_NONE;
}

static bool is_this_machine(struct str host)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct str name = str_of(names[i]);
        if (str_starts(host, name) && (host.len == name.len || host.ptr[name.len] == ':'))
            return true;
    }
    return false;
}

static bool is_allowed(struct str address)
{
    for (size_t i = 0; i < address.len; i++)
        if (address.ptr[i] <= ' ' || address.ptr[i] == '@' || address.ptr[i] == '?' ||
            address.ptr[i] == '#')
            return false;
    struct str host = fetch_host(address);
    return host.len > 0 && (str_starts(address, STR("https://")) ||
                            (str_starts(address, STR("http://")) && is_this_machine(host)));
}

static bool next(struct str *rest, struct str *ret_name, struct str *ret_address)
{
    struct str entry;
    if (!str_next_field(rest, ',', &entry))
        return false;
    entry = str_trim(entry);
    size_t at = str_find(entry, '=', 0);
    *ret_name = str_sub(entry, 0, at);
    *ret_address = at < entry.len ? str_sub(entry, at + 1, entry.len) : STR("");
    while (ret_address->len > 0 && ret_address->ptr[ret_address->len - 1] == '/')
        ret_address->len--;
    return true;
}

enum status fetch_bases_check(struct str bases, struct err *err)
{
    struct str name, address;
    if (bases.len == 0)
        return STATUS_OK;
    while (next(&bases, &name, &address)) {
        if ((str_eq_c(name, "*") || source_find(name) != NULL) && is_allowed(address))
            continue;
        (void)err_set(err, STATUS_CONFIG, "\"%.*s\" is not the address of a source.",
                      STR_ARG(str_utf8_cut(name, 64)));
        err_at(err, ERR_SETTING, STR("source_base"), name);
        err_allow(err,
                  "NAME=https://..., or http:// to this machine; names are those of sources, or *");
        return STATUS_CONFIG;
    }
    return STATUS_OK;
}

bool fetch_base(struct str bases, const struct source *source, struct buf *out)
{
    struct str name, address, every = STR_NONE;
    while (bases.len > 0 && next(&bases, &name, &address)) {
        if (str_eq_c(name, source->name)) {
            buf_add(out, address);
            return true;
        }
        every = str_eq_c(name, "*") ? address : every;
    }
    if (every.ptr == NULL)
        return false;
    buf_add(out, every);
    buf_add_char(out, '/');
    buf_add_c(out, source->name);
    return true;
}
