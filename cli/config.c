/* config.c - cmmc config: every setting, its value and its meaning. */
#include "cli/command.h"

#include <stdio.h>

int config_command(int argc, char **argv)
{
    bool as_json = argc == 2 && command_is_flag(argv[1], "json");
    bool as_markdown = argc == 2 && command_is_flag(argv[1], "markdown");
    if (argc > 1 && !as_json && !as_markdown)
        return command_misused("config", argv[1]);
    struct config config;
    if (!command_configure(&config))
        return EXIT_CONFIG;
    struct err err = {0};
    enum status s = as_json ? config_print_json(&config, stdout, &err)
                            : config_print(&config, stdout, as_markdown, &err);
    config_clear(&config);
    return s == STATUS_OK ? EXIT_DONE : command_fail(&err);
}
