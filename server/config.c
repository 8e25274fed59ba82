/*
 * config.c - reads the settings of config.def from the default, the file and the environment, once, at
 * start. Everything else takes a const struct config.
 */
#define _GNU_SOURCE
#include "server/config_value.h"

#include "base/suggest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONFIG_FILE_BYTES_MAX = 1 << 16, CONFIG_ARENA_BYTES = 1 << 20 };

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

static bool find_setting(struct str key, enum setting *ret)
{
    for (int i = 0; i < SETTING_COUNT; i++)
        if (str_eq_c(key, config_rows[i].key)) {
            *ret = (enum setting)i;
            return true;
        }
    return false;
}

static struct str nearest_key(struct str key)
{
    struct suggest search = suggest_start(key);
    for (int i = 0; i < SETTING_COUNT; i++)
        suggest_offer(&search, str_of(config_rows[i].key));
    return suggest_take(&search);
}

static enum status read_line(struct config *config, struct str line, struct config_origin origin,
                             struct err *err)
{
    line = str_trim(line);
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line = str_trim(str_sub(line, 0, line.len - 1));
    if (line.len == 0 || line.ptr[0] == '#')
        return STATUS_OK;
    size_t at = str_find(line, '=', 0);
    if (at == line.len)
        return err_set(err, STATUS_CONFIG, "Line %u of \"%.256s\" is not \"key = value\".",
                       origin.line, origin.path);
    struct str key = str_trim(str_sub(line, 0, at));
    struct str value = str_trim(str_sub(line, at + 1, line.len));
    enum setting setting;
    if (!find_setting(key, &setting)) {
        enum status s =
            err_set(err, STATUS_CONFIG, "Line %u of \"%.256s\": there is no setting \"%.*s\".",
                    origin.line, origin.path, STR_ARG(str_utf8_cut(key, 96)));
        err_at(err, ERR_SETTING, key, STR_NONE);
        err_suggest(err, nearest_key(key));
        return s;
    }
    return config_set(config, setting, value, origin, err);
}

static enum status read_whole(const char *path, char *room, size_t size, size_t *ret_len,
                              struct err *err)
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
        return err_set(err, STATUS_CONFIG, "The settings file \"%.256s\" is longer than %d bytes.",
                       path, CONFIG_FILE_BYTES_MAX);
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
    struct config_origin origin = {CONFIG_FILE, path, 0};
    while (s == STATUS_OK && str_next_field(&rest, '\n', &line)) {
        origin.line++;
        s = read_line(config, line, origin, err);
    }
    return s;
}

static enum status read_environment(struct config *config, char *const *environment,
                                    struct err *err)
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
            environment_name(config_rows[i].key, names[i], sizeof names[i]);
            suggest_offer(&search, str_of(names[i]));
            found = str_eq_c(name, names[i]) ? i : -1;
        }
        if (found < 0) {
            enum status s =
                err_set(err, STATUS_CONFIG, "There is no setting for the environment's \"%.*s\".",
                        STR_ARG(str_utf8_cut(name, 96)));
            err_at(err, ERR_SETTING, name, STR_NONE);
            err_suggest(err, suggest_take(&search));
            return s;
        }
        struct config_origin origin = {CONFIG_ENVIRONMENT, NULL, 0};
        enum status s =
            config_set(config, (enum setting)found, str_sub(entry, at + 1, entry.len), origin, err);
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
    struct config_origin origin = {CONFIG_DEFAULT, NULL, 0};
    enum status s = STATUS_OK;
    for (int i = 0; i < SETTING_COUNT && s == STATUS_OK; i++)
        s = config_set(config, (enum setting)i, str_of(config_rows[i].default_text), origin, err);

    const char *path = environment_get(environment, STR("CMMC_CONFIG"));
    if (s == STATUS_OK && path != NULL && path[0] != '\0')
        s = read_file(config, path, err);
    if (s == STATUS_OK)
        s = read_environment(config, environment, err);
    if (s != STATUS_OK)
        config_clear(config);
    return s;
}

/* The setting's value when it is a secret that is kept elsewhere, else NULL. */
static const char *reference_of(const struct config *config, const struct config_row *row)
{
    const char *text = NULL;
    if (row->type != TYPE_SECRET)
        return NULL;
    memcpy(&text, (const char *)config + row->offset, sizeof text);
    return str_starts(str_of(text), STR(CONFIG_REFERENCE)) ? text : NULL;
}

bool config_has_references(const struct config *config)
{
    for (int i = 0; i < SETTING_COUNT; i++)
        if (reference_of(config, &config_rows[i]) != NULL)
            return true;
    return false;
}

static enum status resolve_one(struct config *config, enum setting setting, struct str reference,
                               config_read_secret *read, void *from, struct err *err)
{
    struct config_origin origin = {config->sources[setting], "the settings file", 0};
    struct str name = str_sub(reference, sizeof CONFIG_REFERENCE - 1, reference.len);
    struct str value = STR_NONE, field = STR_NONE;
    for (size_t at = name.len; at > 0 && field.ptr == NULL; at--)
        if (name.ptr[at - 1] == '#') {
            field = str_sub(name, at, name.len);
            name = str_sub(name, 0, at - 1);
        }
    enum status s = name.len == 0 || (field.ptr != NULL && field.len == 0)
                        ? err_set(err, STATUS_CONFIG, "The secret has no name.")
                        : read(from, name, field, &config->arena, &value, err);
    if (s == STATUS_OK && str_starts(value, STR(CONFIG_REFERENCE)))
        s = err_set(err, STATUS_CONFIG, "The secret is itself kept elsewhere.");
    if (s != STATUS_OK) {
        err_at(err, ERR_SETTING, str_of(config_rows[setting].key), reference);
        err_allow(err, CONFIG_REFERENCE "NAME or " CONFIG_REFERENCE "NAME#field");
        return s;
    }
    return config_set(config, setting, value, origin, err);
}

enum status config_resolve(struct config *config, config_read_secret *read, void *from,
                           struct err *err)
{
    enum status s = STATUS_OK;
    for (int i = 0; i < SETTING_COUNT && s == STATUS_OK; i++) {
        const char *reference = reference_of(config, &config_rows[i]);
        if (reference != NULL)
            s = resolve_one(config, (enum setting)i, str_of(reference), read, from, err);
    }
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

enum status config_make_var_dir(const struct config *config, struct err *err)
{
    char partial[1100];
    const char *path = config->var_dir;
    size_t n = strlen(path);
    bool is_made = n < sizeof partial;
    for (size_t i = 1; i <= n && is_made; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(partial, path, i);
        partial[i] = '\0';
        is_made = mkdir(partial, 0700) == 0 || errno == EEXIST;
    }
    if (is_made)
        return STATUS_OK;
    (void)err_set(err, STATUS_CONFIG,
                  "The folder for what is kept on this machine cannot be made.");
    err_at(err, ERR_SETTING, STR("CMMC_VAR_DIR"), str_of(path));
    err_allow(err, "a folder that exists or can be made and written, with a name below 1100 bytes");
    return STATUS_CONFIG;
}

static void describe_value(const struct config *config, const struct config_row *row, char *ret,
                           size_t size)
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
    const struct config_row *row = &config_rows[setting];
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
