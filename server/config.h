/*
 * config.h - the settings, read once at start and constant afterwards: any thread may read them.
 * A value comes from the default, else the file named by CMMC_CONFIG ("key = value" lines, # comments),
 * else the environment (CMMC_PORT for port). Everything is validated together before anything is used.
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include "base/arena.h"
#include "base/err.h"

#include <stdio.h>

enum setting {
#define SETTING(key, type, def, min, max, unit, help) SETTING_##key,
#define SECRET(key, def, prefixes, help) SETTING_##key,
#include "server/config.def"
#undef SETTING
#undef SECRET
    SETTING_COUNT
};

enum config_source { CONFIG_DEFAULT, CONFIG_FILE, CONFIG_ENVIRONMENT };

#define CONFIG_FIELD_UINT(key) unsigned key;
#define CONFIG_FIELD_U64(key) uint64_t key;
#define CONFIG_FIELD_TEXT(key) const char *key;
#define CONFIG_FIELD_CHOICE(key) unsigned key;

struct config {
#define SETTING(key, type, def, min, max, unit, help) CONFIG_FIELD_##type(key)
#define SECRET(key, def, prefixes, help) CONFIG_FIELD_TEXT(key)
#include "server/config.def"
#undef SETTING
#undef SECRET
    enum config_source sources[SETTING_COUNT];
    struct arena arena; /* owns the text values */
};

/*
 * environment is a NULL-terminated list of "NAME=value", e.g. environ. Names that do not start with CMMC_
 * are ignored, as are CMMC_CONFIG, CMMC_BIN and CMMC_TEST_*; any other unknown name is an error.
 * Errors: STATUS_CONFIG naming setting, value (never a secret's), source and what is allowed; config is
 * then cleared. STATUS_IO when the file cannot be read.
 */
enum status config_load(struct config *config, char *const *environment, struct err *err) NODISCARD;
void config_clear(struct config *config);

/*
 * A secret may be kept elsewhere: its setting then is "secretsmanager:NAME#field", or without "#field" for the whole text. Such values are
 * taken as they are by config_load, and their place is taken here by what read gives, checked as any other.
 * Errors: CONFIG naming the setting; those of read.
 */
typedef enum status config_read_secret(void *from, struct str name, struct str field,
                                       struct arena *arena, struct str *ret, struct err *err);
enum status config_resolve(struct config *config, config_read_secret *read, void *from,
                           struct err *err) NODISCARD;
bool config_has_references(const struct config *config);

/* The numbers behind "0: one per core". */
unsigned config_http_threads(const struct config *config);
unsigned config_cpu_workers(const struct config *config);

/* mkdir -p of var_dir, for whatever is kept there. Errors: CONFIG naming the setting. */
enum status config_make_var_dir(const struct config *config, struct err *err) NODISCARD;

/* One row of config.def with its current value; secrets are redacted. */
struct setting_info {
    const char *key, *type, *unit, *help;
    char environment[64];
    char default_text[64];
    char value[1088];
    uint64_t min, max;
    bool has_range; /* min and max mean something */
    bool is_secret;
    enum config_source source;
};

void config_describe(const struct config *config, enum setting setting, struct setting_info *ret);

/* Every setting for a person: aligned text or a Markdown table. */
enum status config_print(const struct config *config, FILE *out, bool as_markdown, struct err *err)
    NODISCARD;
enum status config_print_json(const struct config *config, FILE *out, struct err *err) NODISCARD;

const char *config_source_name(enum config_source source);

#endif
