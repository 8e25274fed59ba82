/*
 * config_value.h - one setting's row and the typed reading of its value. Private to config*.c.
 */
#ifndef SERVER_CONFIG_VALUE_H
#define SERVER_CONFIG_VALUE_H

#include "server/config.h"

enum config_type { TYPE_UINT, TYPE_U64, TYPE_TEXT, TYPE_CHOICE, TYPE_SECRET };

struct config_row {
    const char *key;
    enum config_type type;
    const char *default_text;
    uint64_t min, max;
    const char *unit; /* choices of a CHOICE, prefixes of a SECRET */
    const char *help;
    size_t offset; /* of the field in struct config */
};

#define CONFIG_REFERENCE "secretsmanager:" /* a secret that is kept elsewhere starts with it */

extern const struct config_row config_rows[SETTING_COUNT];

/* Where a value stands, for messages. */
struct config_origin {
    enum config_source source;
    const char *path; /* of the file */
    unsigned line;
};

/* Checks value against the row and stores it. Errors: STATUS_CONFIG, STATUS_OUT_OF_MEMORY. */
enum status config_set(struct config *config, enum setting setting, struct str value,
                       struct config_origin origin, struct err *err) NODISCARD;

#endif
