/* config.c - cmmc config: every setting, its value and its meaning. */
#include "cli/arguments.h"
#include "cli/command.h"

#include <stdio.h>

int config_command(int argc, char **argv)
{
    bool as_json = false, as_markdown = false;
    const struct argument table[] = {
        {"--json", NULL, argument_on, &as_json},
        {"--markdown", NULL, argument_on, &as_markdown},
    };
    if (arguments_read("config", table, ARRAY_LEN(table), argc, argv) != EXIT_DONE)
        return EXIT_USAGE;
    if (as_json && as_markdown)
        return command_misused("config", argv[2]);
    struct config config;
    if (!command_configure(&config))
        return EXIT_CONFIG;
    struct err err = {0};
    enum status s = as_json ? config_print_json(&config, stdout, &err)
                            : config_print(&config, stdout, as_markdown, &err);
    config_clear(&config);
    return s == STATUS_OK ? EXIT_DONE : command_fail(&err);
}
