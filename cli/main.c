/* main.c - cmmc: finds the subcommand and runs it. */
#include "cli/command.h"

#include "base/suggest.h"

#include <stdio.h>
#include <string.h>

static const char serve_usage[] =
    "usage: cmmc serve\n\n"
    "Brings the database up to date and serves it until SIGTERM or SIGINT, then finishes what is in flight.\n"
    "Settings come from CMMC_* variables or the file named by CMMC_CONFIG: see `cmmc config`.\n";
static const char migrate_usage[] =
    "usage: cmmc migrate [--status | --reader ROLE | --warehouse DIALECT]\n\n"
    "Brings the database up to date. Safe while servers run and when several start at once.\n"
    "  --status   lists every migration, its checksum and when it was applied; changes nothing\n"
    "  --reader   also lets ROLE, a role of PostgreSQL, read marts and nothing else: see docs/operations.md\n"
    "  --warehouse   shows the warehouse's SQL, tables and models, as sqlite, postgresql or redshift; changes nothing\n";
static const char load_usage[] =
    "usage: cmmc load [--if-empty] [FOLDER]\n\n"
    "Publishes the data set in FOLDER (a manifest.json and the CSV files it names) as one generation.\n"
    "Without FOLDER: CMMC_SAMPLE_DIR, else the sample data that comes with the program.\n"
    "Loading the same data again changes nothing.\n"
    "  --if-empty   does nothing when the store already holds data\n";
static const char ingest_usage[] =
    "usage: cmmc ingest DATASET [--from DATE | --backfill] [--to DATE] [--stages LIST] [--file FILE] [--force] [--json]\n"
    "       cmmc ingest --sample [--if-empty] [FOLDER]\n"
    "       cmmc ingest --list\n"
    "       cmmc ingest --costs\n\n"
    "Fetches a data set for some days and keeps every answer in the lake; running it again, over any days and in any\n"
    "order, changes nothing but what the source has changed. A run that was stopped or killed goes on behind its last\n"
    "answer. docs/sources.md tells of the sources, their keys and their terms.\n"
    "  --sample   the sample's tables, or those of FOLDER (manifest.json and CSV files), through all stages; nobody is\n"
    "             asked. Without FOLDER: CMMC_SAMPLE_DIR, else the sample data that comes with the program\n"
    "  --if-empty with --sample: does nothing when the store already holds data, or when CMMC_LAKE or\n"
    "             CMMC_WAREHOUSE_URL names one of your own\n"
    "  --list     shows the data sets and their providers\n"
    "  --costs    shows what runs of this machine have cost, by month and data set\n"
    "  --from     first day, YYYY-MM-DD; without it, as many days before --to as the data set revises\n"
    "  --backfill from the first day that the data set is meant to have, ten years and more\n"
    "  --to       last day; without it, yesterday\n"
    "  --stages   bronze (fetch), silver, gold, publish: some of them with commas between; without it, all\n"
    "  --file     CSV of your own (plain or gzip) in place of the providers, with the columns of the data set's shape\n"
    "  --force    publishes although a check of quality holds it back\n"
    "  --json     reports in JSON, a line for each stage\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 75 try again later, 78 wrong configuration.\n";
static const char backtest_usage[] =
    "usage: cmmc backtest [--prices PRICES.csv [--currency USD] [--series SERIES.csv]] [FILE]\n\n"
    "Runs the backtest described by the JSON in FILE, or on standard input, and writes the answer's JSON to\n"
    "standard output: the same engine, request and answer as POST /v1/backtests, without a server.\n"
    "  --prices    prices from this CSV file (plain or gzip) in place of the database, which is not touched then:\n"
    "              date,uid,close with a row for each bar, or date and a column for each name; beside close also\n"
    "              currency, adj_close, open, high, low, volume, dividend, split_ratio, pay_date: closes are then as quoted\n"
    "  --currency  of prices that have no column currency; USD without it\n"
    "  --series    economic series beside those prices, for a risk-free rate, inflation, flows, indicator_timing and\n"
    "              bonds of yields: id,date,value,known_at with a row for each publication, as\n"
    "              CPILFESL:USA:M,2019-12-31,264.9,2020-01-14; a day of publication counts as its end\n";
static const char metrics_usage[] =
    "usage: cmmc metrics [--csv] [FILE] [NAME=VALUE]...\n\n"
    "Measures a track record of your own: returns or prices in, every metric out, as POST /v1/metrics answers them;\n"
    "no server, and no database unless monkeys are asked for. FILE, or standard input, holds JSON; with --csv, or\n"
    "when its name ends with .csv, a table with the columns date, return or price, benchmark_return or\n"
    "benchmark_price, risk_free, mar, factor:NAME.\n"
    "NAME=VALUE are the options of a table: profile, period, periods_per_year, risk_free_rate, missing, select,\n"
    "rolling_window and others; docs/track-record.md lists them.\n";
static const char keys_usage[] =
    "usage: cmmc keys create --name NAME --scopes SCOPE,... [--expires DATE] [--rate N]\n"
    "       cmmc keys list [--json]\n"
    "       cmmc keys revoke NAME|ID\n\n"
    "Makes, lists and revokes the keys that clients of the server authenticate with. Running servers notice within\n"
    "CMMC_REFRESH_MS. A key is shown once, on standard output; only its SHA-256 is kept.\n"
    "  --name      1 to 64 letters, digits, '.', '-' and '_', starting with a letter; never used before\n"
    "  --scopes    what it may do: read, backtest, admin, with commas between\n"
    "  --expires   YYYY-MM-DD (its beginning, in UTC) or YYYY-MM-DDTHH:MM:SSZ; without it, never\n"
    "  --rate      requests a minute; 0 is no limit; without it, CMMC_RATE_KEY\n";
static const char lake_usage[] =
    "usage: cmmc lake ls [--from DATE] [--to DATE] [PREFIX]\n"
    "       cmmc lake cat KEY\n"
    "       cmmc lake stat KEY\n"
    "       cmmc lake verify [--from DATE] [--to DATE] [PREFIX]\n"
    "       cmmc lake compact [--from DATE] [--to DATE] [PREFIX]\n"
    "       cmmc lake tidy [--hours N]\n\n"
    "Looks at the objects that ingestion keeps, in the folder or bucket of CMMC_LAKE: see docs/lake.md.\n"
    "  ls       bytes and key of every object whose key starts with PREFIX, in partitions of DATE to DATE\n"
    "  cat      an object's bytes, to standard output; an object that is not as it was stored is an error\n"
    "  stat     what is known of an object\n"
    "  verify   reads every object and compares it with the SHA-256 it was stored with; 1 when one differs\n"
    "  compact  the rows of each year's days in one object below silver/, for other programs to read; whole years that\n"
    "           overlap DATE to DATE, of data sets that PREFIX (bronze/NAME) names; does nothing when nothing is new\n"
    "  tidy     removes what writers that were killed more than N hours ago left behind (24 without --hours)\n";
static const char config_usage[] =
    "usage: cmmc config [--json | --markdown]\n\n"
    "Shows every setting: its variable, value, default, range and meaning. Secrets are never shown.\n";
static const char routes_usage[] =
    "usage: cmmc routes [--json]\n\nShows every route of the server.\n";
static const char version_usage[] =
    "usage: cmmc version\n\nShows the versions of the program and of its parts.\n";

static const struct command commands[] = {
    {"serve", "serve the marts and run backtests over HTTP", serve_usage, serve_command},
    {"migrate", "bring the database up to date", migrate_usage, migrate_command},
    {"load", "publish a data set from CSV files", load_usage, load_command},
    {"ingest", "fetch a data set from its sources into the lake", ingest_usage, ingest_command},
    {"backtest", "run one backtest, JSON in and JSON out", backtest_usage, backtest_command},
    {"metrics", "measure returns or prices of your own, JSON or CSV in", metrics_usage,
     metrics_command},
    {"keys", "make, list and revoke keys", keys_usage, keys_command},
    {"lake", "list, read and check what ingestion fetched", lake_usage, lake_command},
    {"config", "show every setting", config_usage, config_command},
    {"routes", "show every route", routes_usage, routes_command},
    {"version", "show versions", version_usage, version_command},
};

static void print_help(FILE *out)
{
    (void)fputs("Catch Me My Capital: do we really invest better than a monkey?\n\n"
                "usage: cmmc COMMAND [OPTION]...\n\n",
                out);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    (void)fputs("\n`cmmc COMMAND --help` says more.\n", out);
}

static int unknown_command(const char *name)
{
    struct suggest search = suggest_start(str_of(name));
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        suggest_offer(&search, str_of(commands[i].name));
    struct str near = suggest_take(&search);
    (void)fprintf(stderr, "cmmc: there is no command \"%s\"", name);
    if (near.ptr != NULL)
        (void)fprintf(stderr, "; did you mean \"%.*s\"?", STR_ARG(near));
    (void)fputs("\n\n", stderr);
    print_help(stderr);
    return EXIT_USAGE;
}

static bool is_help(const char *argument)
{
    return command_is_flag(argument, "help") || strcmp(argument, "-h") == 0;
}

static int run(const struct command *command, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (is_help(argv[i])) {
            (void)printf("cmmc %s: %s\n%s", command->name, command->summary, command->usage);
            return EXIT_DONE;
        }
    return command->run(argc, argv);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (is_help(name) || strcmp(name, "help") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (command_is_flag(name, "version"))
        name = "version";
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return run(&commands[i], argc - 1, argv + 1);
    return unknown_command(name);
}
