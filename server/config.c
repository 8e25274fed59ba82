/*
 * config.c - reads the settings of config.def from the default, the file and the environment, once, at
 * start. Everything else takes a const struct config.
 */
#define _GNU_SOURCE
#include "server/config.h"

#include "base/suggest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CONFIG_FILE_BYTES_MAX = 1 << 16, CONFIG_ARENA_BYTES = 1 << 20 };

enum type { TYPE_UINT, TYPE_U64, TYPE_TEXT, TYPE_CHOICE, TYPE_SECRET };

struct row {
    const char *key;
    enum type type;
    const char *default_text;
    uint64_t min, max;
    const char *unit; /* choices of a CHOICE, prefixes of a SECRET */
    const char *help;
    size_t offset; /* of the field in struct config */
};

#define DEFAULT_UINT(value) #value
#define DEFAULT_U64(value) #value
#define DEFAULT_TEXT(value) value
#define DEFAULT_CHOICE(value) value

static const struct row rows[SETTING_COUNT] = {
#define SETTING(key, type, def, min, max, unit, help) \
    {#key, TYPE_##type, DEFAULT_##type(def), min, max, unit, help, offsetof(struct config, key)},
#define SECRET(key, def, prefixes, help) \
    {#key, TYPE_SECRET, def, 0, 4096, prefixes, help, offsetof(struct config, key)},
#include "server/config.def"
#undef SETTING
#undef SECRET
};

/* Where a value stands, for messages. */
struct origin {
    enum config_source source;
    const char *path; /* of the file */
    unsigned line;
};

static const char *const type_names[] = {"integer", "integer", "text", "choice", "secret"};

const char *config_source_name(enum config_source source)
{
    static const char *const names[] = {"default", "file", "environment"};
    return names[source];
}

static void environment_name(const char *key, char *ret, size_t size)
{
    int n = snprintf(ret, size, "CMMC_%s", key);
    for (int i = 5; i < n && (size_t)i < size; i++)
        if (ret[i] >= 'a' && ret[i] <= 'z')
            ret[i] = (char)(ret[i] - 'a' + 'A');
}

static enum status refuse(const struct row *row, struct str value, struct origin origin,
                          const char *why, struct err *err)
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

static enum status read_number(const struct row *row, struct str value, struct origin origin,
                               uint64_t *ret, struct err *err)
{
    int64_t number = 0;
    if (!str_to_i64(value, &number) || number < 0 || (uint64_t)number < row->min ||
        (uint64_t)number > row->max) {
        enum status s = refuse(row, value, origin, "is not a whole number in the allowed range", err);
        err_allow(err, "%llu to %llu %s", (unsigned long long)row->min,
                  (unsigned long long)row->max, row->unit);
        return s;
    }
    *ret = (uint64_t)number;
    return STATUS_OK;
}

static enum status read_choice(const struct row *row, struct str value, struct origin origin,
                               unsigned *ret, struct err *err)
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

static enum status read_text(struct config *config, const struct row *row, struct str value,
                             struct origin origin, const char **ret, struct err *err)
{
    if (value.len < row->min || value.len > row->max || !text_is_clean(value)) {
        enum status s = refuse(row, value, origin, "is not text of the allowed length", err);
        err_allow(err, "%llu to %llu bytes of UTF-8 without control characters",
                  (unsigned long long)row->min, (unsigned long long)row->max);
        return s;
    }
    if (row->type == TYPE_SECRET && value.len > 0 && !has_prefix(value, row->unit)) {
        enum status s = refuse(row, STR("***"), origin, "does not start as it must", err);
        err_allow(err, "empty, or a value that starts with one of %s", row->unit);
        return s;
    }
    *ret = arena_dup(&config->arena, value);
    if (*ret == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for setting \"%s\".", row->key);
    return STATUS_OK;
}

static enum status set(struct config *config, enum setting setting, struct str value,
                       struct origin origin, struct err *err)
{
    const struct row *row = &rows[setting];
    char *field = (char *)config + row->offset;
    enum status s = STATUS_OK;
    uint64_t number = 0;
    unsigned choice = 0;
    const char *text = NULL;

    switch (row->type) {
    case TYPE_UINT:
    case TYPE_U64:
        s = read_number(row, value, origin, &number, err);
        break;
    case TYPE_CHOICE:
        s = read_choice(row, value, origin, &choice, err);
        break;
    case TYPE_TEXT:
    case TYPE_SECRET:
        s = read_text(config, row, value, origin, &text, err);
        break;
    }
    if (s != STATUS_OK)
        return s;
    if (row->type == TYPE_U64) {
        memcpy(field, &number, sizeof number);
    } else if (row->type == TYPE_UINT) {
        unsigned narrow = (unsigned)number;
        memcpy(field, &narrow, sizeof narrow);
    } else if (row->type == TYPE_CHOICE) {
        memcpy(field, &choice, sizeof choice);
    } else {
        memcpy(field, &text, sizeof text);
    }
    config->sources[setting] = origin.source;
    return STATUS_OK;
}

static bool find_setting(struct str key, enum setting *ret)
{
    for (int i = 0; i < SETTING_COUNT; i++)
        if (str_eq_c(key, rows[i].key)) {
            *ret = (enum setting)i;
            return true;
        }
    return false;
}

static struct str nearest_key(struct str key)
{
    struct suggest search = suggest_start(key);
    for (int i = 0; i < SETTING_COUNT; i++)
        suggest_offer(&search, str_of(rows[i].key));
    return suggest_take(&search);
}

static enum status read_line(struct config *config, struct str line, struct origin origin,
                             struct err *err)
{
    line = str_trim(line);
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line = str_trim(str_sub(line, 0, line.len - 1));
    if (line.len == 0 || line.ptr[0] == '#')
        return STATUS_OK;
    size_t at = str_find(line, '=', 0);
    if (at == line.len)
        return err_set(err, STATUS_CONFIG, "Line %u of \"%.256s\" is not \"key = value\".", origin.line,
                       origin.path);
    struct str key = str_trim(str_sub(line, 0, at));
    struct str value = str_trim(str_sub(line, at + 1, line.len));
    enum setting setting;
    if (!find_setting(key, &setting)) {
        enum status s = err_set(err, STATUS_CONFIG, "Line %u of \"%.256s\": there is no setting \"%.*s\".",
                                origin.line, origin.path, STR_ARG(str_utf8_cut(key, 96)));
        err_at(err, ERR_SETTING, key, STR_NONE);
        err_suggest(err, nearest_key(key));
        return s;
    }
    return set(config, setting, value, origin, err);
}

static enum status read_whole(const char *path, char *room, size_t size, size_t *ret_len, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, STATUS_IO, "The settings file \"%.256s\" cannot be opened: %s.", path,
                       strerrordesc_np(errno));
    size_t len = 0;
    ssize_t n = 0;
    while (len < size && (n = read(fd, room + len, size - len)) > 0)
        len += (size_t)n;
    int error = n < 0 ? errno : 0;
    (void)close(fd);
    if (error != 0)
        return err_set(err, STATUS_IO, "The settings file \"%.256s\" cannot be read: %s.", path,
                       strerrordesc_np(error));
    if (len == size)
        return err_set(err, STATUS_CONFIG, "The settings file \"%.256s\" is longer than %d bytes.", path,
                       CONFIG_FILE_BYTES_MAX);
    *ret_len = len;
    return STATUS_OK;
}

static enum status read_file(struct config *config, const char *path, struct err *err)
{
    char *room = arena_alloc(&config->arena, CONFIG_FILE_BYTES_MAX + 1);
    if (room == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for the settings file.");
    size_t len = 0;
    enum status s = read_whole(path, room, CONFIG_FILE_BYTES_MAX + 1, &len, err);
    struct str rest = {room, len}, line;
    struct origin origin = {CONFIG_FILE, path, 0};
    while (s == STATUS_OK && str_next_field(&rest, '\n', &line)) {
        origin.line++;
        s = read_line(config, line, origin, err);
    }
    return s;
}

static enum status read_environment(struct config *config, char *const *environment, struct err *err)
{
    for (; *environment != NULL; environment++) {
        struct str entry = str_of(*environment);
        size_t at = str_find(entry, '=', 0);
        struct str name = str_sub(entry, 0, at);
        if (!str_starts(name, STR("CMMC_")) || str_starts(name, STR("CMMC_TEST_")) ||
            str_eq_c(name, "CMMC_CONFIG") || str_eq_c(name, "CMMC_BIN"))
            continue;
        int found = -1;
        struct suggest search = suggest_start(name);
        char names[SETTING_COUNT][64];
        for (int i = 0; i < SETTING_COUNT && found < 0; i++) {
            environment_name(rows[i].key, names[i], sizeof names[i]);
            suggest_offer(&search, str_of(names[i]));
            found = str_eq_c(name, names[i]) ? i : -1;
        }
        if (found < 0) {
            enum status s = err_set(err, STATUS_CONFIG, "There is no setting for the environment's \"%.*s\".",
                                    STR_ARG(str_utf8_cut(name, 96)));
            err_at(err, ERR_SETTING, name, STR_NONE);
            err_suggest(err, suggest_take(&search));
            return s;
        }
        struct origin origin = {CONFIG_ENVIRONMENT, NULL, 0};
        enum status s = set(config, (enum setting)found,
                            str_sub(entry, at + 1, entry.len), origin, err);
        if (s != STATUS_OK)
            return s;
    }
    return STATUS_OK;
}

static const char *environment_get(char *const *environment, struct str name)
{
    for (; *environment != NULL; environment++) {
        struct str entry = str_of(*environment);
        if (str_starts(entry, name) && entry.len > name.len && entry.ptr[name.len] == '=')
            return *environment + name.len + 1;
    }
    return NULL;
}

enum status config_load(struct config *config, char *const *environment, struct err *err)
{
    *config = (struct config){0};
    arena_init(&config->arena, CONFIG_ARENA_BYTES);
    struct origin origin = {CONFIG_DEFAULT, NULL, 0};
    enum status s = STATUS_OK;
    for (int i = 0; i < SETTING_COUNT && s == STATUS_OK; i++)
        s = set(config, (enum setting)i, str_of(rows[i].default_text), origin, err);

    const char *path = environment_get(environment, STR("CMMC_CONFIG"));
    if (s == STATUS_OK && path != NULL && path[0] != '\0')
        s = read_file(config, path, err);
    if (s == STATUS_OK)
        s = read_environment(config, environment, err);
    if (s != STATUS_OK)
        config_clear(config);
    return s;
}

void config_clear(struct config *config)
{
    if (config == NULL)
        return;
    arena_clear(&config->arena);
    *config = (struct config){0};
}

static unsigned cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 256 ? 256 : (unsigned)n;
}

unsigned config_http_threads(const struct config *config)
{
    unsigned n = config->http_threads == 0 ? cores() : config->http_threads;
    return n < 2 ? 2 : n; /* the library ignores a pool of one */
}

unsigned config_cpu_workers(const struct config *config)
{
    return config->cpu_workers == 0 ? cores() : config->cpu_workers;
}

static void describe_value(const struct config *config, const struct row *row, char *ret, size_t size)
{
    const char *field = (const char *)config + row->offset;
    uint64_t wide = 0;
    unsigned narrow = 0;
    const char *text = NULL;
    struct str rest = str_of(row->unit), choice = STR_NONE;

    switch (row->type) {
    case TYPE_U64:
        memcpy(&wide, field, sizeof wide);
        (void)snprintf(ret, size, "%llu", (unsigned long long)wide);
        break;
    case TYPE_UINT:
        memcpy(&narrow, field, sizeof narrow);
        (void)snprintf(ret, size, "%u", narrow);
        break;
    case TYPE_CHOICE:
        memcpy(&narrow, field, sizeof narrow);
        for (unsigned i = 0; i <= narrow; i++)
            (void)str_next_field(&rest, '|', &choice);
        (void)snprintf(ret, size, "%.*s", STR_ARG(choice));
        break;
    case TYPE_TEXT:
        memcpy(&text, field, sizeof text);
        (void)snprintf(ret, size, "%s", text);
        break;
    case TYPE_SECRET:
        memcpy(&text, field, sizeof text);
        (void)snprintf(ret, size, "%s", text[0] == '\0' ? "" : "***");
        break;
    }
}

void config_describe(const struct config *config, enum setting setting, struct setting_info *ret)
{
    const struct row *row = &rows[setting];
    *ret = (struct setting_info){
        .key = row->key,
        .type = type_names[row->type],
        .unit = row->unit,
        .help = row->help,
        .min = row->min,
        .max = row->max,
        .has_range = row->type == TYPE_UINT || row->type == TYPE_U64,
        .is_secret = row->type == TYPE_SECRET,
        .source = config->sources[setting],
    };
    environment_name(row->key, ret->environment, sizeof ret->environment);
    (void)snprintf(ret->default_text, sizeof ret->default_text, "%s", row->default_text);
    describe_value(config, row, ret->value, sizeof ret->value);
}
