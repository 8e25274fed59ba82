/* config_value.c - the rows of config.def, and whether a text is a value of one. */
#include "server/config_value.h"

#include "base/suggest.h"

#include <stddef.h>
#include <string.h>

#define DEFAULT_UINT(value) #value
#define DEFAULT_U64(value) #value
#define DEFAULT_TEXT(value) value
#define DEFAULT_CHOICE(value) value

const struct config_row config_rows[SETTING_COUNT] = {
#define SETTING(key, type, def, min, max, unit, help) \
    {#key, TYPE_##type, DEFAULT_##type(def), min, max, unit, help, offsetof(struct config, key)},
#define SECRET(key, def, prefixes, help) \
    {#key, TYPE_SECRET, def, 0, 4096, prefixes, help, offsetof(struct config, key)},
#include "server/config.def"
#undef SETTING
#undef SECRET
};

static enum status refuse(const struct config_row *row, struct str value,
                          struct config_origin origin, const char *why, struct err *err)
{
    char where[512] = "";
    if (origin.source == CONFIG_FILE)
        (void)snprintf(where, sizeof where, ", line %u of \"%.256s\"", origin.line, origin.path);
    bool is_secret = row->type == TYPE_SECRET;
    struct str shown = is_secret ? STR("***") : str_utf8_cut(value, 96);
    enum status s = err_set(err, STATUS_CONFIG, "Setting \"%s\" (%s%s): \"%.*s\" %s.", row->key,
                            config_source_name(origin.source), where, STR_ARG(shown), why);
    err_at(err, ERR_SETTING, str_of(row->key), shown);
    return s;
}

static enum status read_number(const struct config_row *row, struct str value,
                               struct config_origin origin, uint64_t *ret, struct err *err)
{
    int64_t number = 0;
    if (!str_to_i64(value, &number) || number < 0 || (uint64_t)number < row->min ||
        (uint64_t)number > row->max) {
        enum status s =
            refuse(row, value, origin, "is not a whole number in the allowed range", err);
        err_allow(err, "%llu to %llu %s", (unsigned long long)row->min,
                  (unsigned long long)row->max, row->unit);
        return s;
    }
    *ret = (uint64_t)number;
    return STATUS_OK;
}

static enum status read_choice(const struct config_row *row, struct str value,
                               struct config_origin origin, unsigned *ret, struct err *err)
{
    struct str rest = str_of(row->unit), choice;
    struct suggest search = suggest_start(value);
    for (unsigned i = 0; str_next_field(&rest, '|', &choice); i++) {
        if (str_eq(choice, value)) {
            *ret = i;
            return STATUS_OK;
        }
        suggest_offer(&search, choice);
    }
    enum status s = refuse(row, value, origin, "is not one of the choices", err);
    err_allow(err, "%s", row->unit);
    err_suggest(err, suggest_take(&search));
    return s;
}

static bool text_is_clean(struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < 0x20 || value.ptr[i] == 0x7f)
            return false;
    return str_is_utf8(value);
}

static bool has_prefix(struct str value, const char *prefixes)
{
    struct str rest = str_of(prefixes), prefix;
    while (str_next_field(&rest, '|', &prefix))
        if (str_starts(value, prefix))
            return true;
    return false;
}

static enum status read_text(struct config *config, const struct config_row *row, struct str value,
                             struct config_origin origin, const char **ret, struct err *err)
{
    if (value.len < row->min || value.len > row->max || !text_is_clean(value)) {
        enum status s = refuse(row, value, origin, "is not text of the allowed length", err);
        err_allow(err, "%llu to %llu bytes of UTF-8 without control characters",
                  (unsigned long long)row->min, (unsigned long long)row->max);
        return s;
    }
    if (row->type == TYPE_SECRET && value.len > 0 && !has_prefix(value, row->unit) &&
        !str_starts(value, STR(CONFIG_REFERENCE))) {
        enum status s = refuse(row, STR("***"), origin, "does not start as it must", err);
        err_allow(err, "empty, or a value that starts with one of %s|" CONFIG_REFERENCE, row->unit);
        return s;
    }
    *ret = arena_dup(&config->arena, value);
    if (*ret == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for setting \"%s\".", row->key);
    return STATUS_OK;
}

static enum status set_number(struct config *config, const struct config_row *row, struct str value,
                              struct config_origin origin, struct err *err)
{
    char *field = (char *)config + row->offset;
    uint64_t number = 0;
    enum status s = read_number(row, value, origin, &number, err);
    if (s != STATUS_OK)
        return s;
    unsigned narrow = (unsigned)number; /* the row's range fits when the field is this wide */
    if (row->type == TYPE_U64)
        memcpy(field, &number, sizeof number);
    else
        memcpy(field, &narrow, sizeof narrow);
    return STATUS_OK;
}

static enum status set_choice(struct config *config, const struct config_row *row, struct str value,
                              struct config_origin origin, struct err *err)
{
    unsigned choice = 0;
    enum status s = read_choice(row, value, origin, &choice, err);
    if (s == STATUS_OK)
        memcpy((char *)config + row->offset, &choice, sizeof choice);
    return s;
}

static enum status set_text(struct config *config, const struct config_row *row, struct str value,
                            struct config_origin origin, struct err *err)
{
    const char *text = NULL;
    enum status s = read_text(config, row, value, origin, &text, err);
    if (s == STATUS_OK)
        memcpy((char *)config + row->offset, &text, sizeof text);
    return s;
}

enum status config_set(struct config *config, enum setting setting, struct str value,
                       struct config_origin origin, struct err *err)
{
    const struct config_row *row = &config_rows[setting];
    enum status s = STATUS_OK;
    switch (row->type) {
    case TYPE_UINT:
    case TYPE_U64:
        s = set_number(config, row, value, origin, err);
        break;
    case TYPE_CHOICE:
        s = set_choice(config, row, value, origin, err);
        break;
    case TYPE_TEXT:
    case TYPE_SECRET:
        s = set_text(config, row, value, origin, err);
        break;
    }
    if (s == STATUS_OK)
        config->sources[setting] = origin.source;
    return s;
}
