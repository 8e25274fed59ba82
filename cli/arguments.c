/* arguments.c - one loop over the arguments, for every subcommand that takes some. */
#include "cli/arguments.h"

#include "base/date.h"
#include "base/suggest.h"
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

bool argument_on(const char *value, void *to)
{
    (void)value;
    *(bool *)to = true;
    return true;
}

bool argument_text(const char *value, void *to)
{
    *(const char **)to = value;
    return value[0] != '\0';
}

bool argument_once(const char *value, void *to)
{
    const char **operand = to;
    if (*operand != NULL)
        return false;
    *operand = value;
    return true;
}

bool argument_day(const char *value, void *to)
{
    return date_parse(str_of(value), to);
}

/* "--from" of "--from=2024-12-31"; "" of an operand. */
static struct str name_of(const char *given)
{
    if (given[0] != '-' || given[1] == '\0')
        return STR("");
    return (struct str){given, strcspn(given, "=")};
}

static struct str without_hyphens(struct str name)
{
    while (name.len > 0 && name.ptr[0] == '-')
        name = str_sub(name, 1, name.len);
    return name;
}

static int unexpected(const char *command, const struct argument *table, size_t n,
                      const char *given)
{
    struct str name = without_hyphens(name_of(given));
    struct suggest search = suggest_start(name);
    for (size_t i = 0; i < n; i++)
        suggest_offer(&search, without_hyphens(str_of(table[i].name)));
    struct str near = suggest_take(&search);
    if (near.len == 0 || str_eq(near, name))
        return command_misused(command, given);
    (void)fprintf(stderr, "cmmc %s: unexpected argument \"%s\"; did you mean \"--%.*s\"?\n",
                  command, given, STR_ARG(near));
    return EXIT_USAGE;
}

static int bad_value(const char *command, const struct argument *argument, const char *value)
{
    (void)fprintf(stderr, "cmmc %s: %s takes %s", command, argument->name, argument->takes);
    if (value != NULL)
        (void)fprintf(stderr, ", and not \"%s\"", value);
    (void)fprintf(stderr, "; see `cmmc %s --help`\n", command);
    return EXIT_USAGE;
}

int arguments_read(const char *command, const struct argument *table, size_t n, int argc,
                   char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *given = argv[i], *value = NULL;
        struct str name = name_of(given);
        size_t row = 0;
        while (row < n && !str_eq_c(name, table[row].name))
            row++;
        if (name.len == 0)
            value = given;
        else if (given[name.len] == '=')
            value = given + name.len + 1;
        if (row == n || (value != NULL && table[row].takes == NULL))
            return unexpected(command, table, n, given);
        if (value == NULL && table[row].takes != NULL && ++i < argc)
            value = argv[i];
        bool is_missing = value == NULL && table[row].takes != NULL;
        if (!is_missing && table[row].read(value, table[row].to))
            continue;
        return name.len == 0 ? command_misused(command, given)
                             : bad_value(command, &table[row], value);
    }
    return EXIT_DONE;
}
