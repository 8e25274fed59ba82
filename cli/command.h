/*
 * command.h - the subcommands of cmmc. Each is one function: argc/argv start with the subcommand's name.
 * Exit codes: 0 done, 1 failed, 2 wrong usage, 75 to be tried again later and 78 wrong configuration (sysexits.h).
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/arena.h"
#include "base/err.h"
#include "server/config.h"
#include "store/db.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_LATER = 75, EXIT_CONFIG = 78 };

struct command {
    const char *name;
    const char *summary;
    const char *usage; /* the whole text of --help after the first line */
    int (*run)(int argc, char **argv);
};

int serve_command(int argc, char **argv);
int migrate_command(int argc, char **argv);
int load_command(int argc, char **argv);
int ingest_command(int argc, char **argv);
int backtest_command(int argc, char **argv);
int metrics_command(int argc, char **argv);
int config_command(int argc, char **argv);
int keys_command(int argc, char **argv);
int lake_command(int argc, char **argv);
int routes_command(int argc, char **argv);
int version_command(int argc, char **argv);

/* Writes "cmmc: detail" with place, suggestion and what is allowed to standard error; returns the exit code. */
int command_fail(const struct err *err);

/*
 * The whole of a file, or of standard input when path is NULL or "-", in the arena.
 * Errors: STATUS_IO; STATUS_BODY_TOO_LARGE above max bytes.
 */
enum status command_read_request(const char *path, size_t max, struct arena *arena, struct str *ret,
                                 struct err *err) NODISCARD;

/*
 * The folder of the sample data: CMMC_SAMPLE_DIR, else what comes with the program; in the setting or in room. NULL, and
 * said, when there is none.
 */
enum { COMMAND_PATH_BYTES = 4096 };
const char *command_sample_folder(const struct config *config, char room[COMMAND_PATH_BYTES]);

/* "cmmc NAME: unexpected argument ...", or with "" that one is missing, and a pointer to --help; returns EXIT_USAGE. */
int command_misused(const char *name, const char *argument);

/* True when the argument is the flag behind two hyphens. */
bool command_is_flag(const char *argument, const char *flag);

/* Settings from file and environment, log level set. Prints what is wrong; false then. */
bool command_configure(struct config *ret);

/*
 * The configured database, migrated. Creates var_dir for the embedded one. Prints what is wrong; returns the
 * exit code.
 */
int command_open_store(const struct config *config, bool migrate, struct db_pool **ret);

#endif
