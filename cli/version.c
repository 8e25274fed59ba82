/* version.c - cmmc version: the program and the engine. */
#include "cli/command.h"

#include "backtest/backtest.h"

#include <stdio.h>

int version_command(int argc, char **argv)
{
    if (argc > 1)
        return command_misused("version", argv[1]);
    (void)printf("cmmc %s (engine %s)\n", CMMC_VERSION, BACKTEST_ENGINE_VERSION);
    return EXIT_DONE;
}
