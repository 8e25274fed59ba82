/*
 * arguments.h - what stands behind a subcommand's name, read by a table that says where each argument goes.
 * Options stand in any order, among the operands too, as "--from DAY" or "--from=DAY"; of one given twice the last counts.
 */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

struct argument {
    const char *name;  /* "--from"; "": an operand, which is what has no hyphen, and "-" */
    const char *takes; /* its value, in words for who gave another; NULL: an option without one */
    bool (*read)(const char *value, void *to); /* false: no such value, or an operand too many */
    void *to;
};

bool argument_on(const char *value, void *to);   /* bool: that the option was given */
bool argument_text(const char *value, void *to); /* const char *: not empty */
bool argument_once(const char *value, void *to); /* const char *, NULL before: one operand */
bool argument_day(const char *value, void *to);  /* int32_t, as in base/date.h */

/*
 * Reads argv[1] and all behind it; command, as "lake", stands in what is printed. What is not in the table, or
 * cannot be read, is printed with what would do, and returns EXIT_USAGE; else EXIT_DONE.
 */
int arguments_read(const char *command, const struct argument *table, size_t n, int argc,
                   char **argv);

#endif
