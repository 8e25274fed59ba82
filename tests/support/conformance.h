/*
 * conformance.h - the conformance cases of other libraries, read where they lie.
 * The file stands beside the repository (../shared/conformance/cases.json, or CMMC_CONFORMANCE), is not part of it, and
 * may be absent: then a test is skipped. One thread.
 *
 *   struct conformance c;
 *   if (!conformance_open(&c))
 *       skip();
 *   for (size_t i = 0; conformance_next(&c, "quantstats", &i, &one);)
 *       conformance_check(&one, "", my_value(&one));
 *   conformance_close(&c);
 */
#ifndef TESTS_SUPPORT_CONFORMANCE_H
#define TESTS_SUPPORT_CONFORMANCE_H

#include "base/arena.h"
#include "base/json_in.h"

#include <stdint.h>

struct conformance {
    struct arena arena; /* for the caller too; cleared by conformance_close */
    struct json_doc *doc;
    struct json_val cases, datasets;
};

struct conformance_case {
    const char *id, *group, *metric;
    struct json_val inputs, expected;
    double absolute, relative; /* tolerances; 0 when not given */
};

struct conformance_series {
    const double *value; /* NaN where the case has null */
    const int32_t *date; /* NULL: none, or not as long as value */
    size_t n;
    const char *frequency; /* "daily", "weekly", "monthly" of a data set; NULL for inline values */
};

/* False when the file is absent; a file that is there but unreadable fails the test. */
bool conformance_open(struct conformance *c);
void conformance_close(struct conformance *c);

/* The next case of a group ("" is any group) from *i on; *i moves past it. False at the end. */
bool conformance_next(struct conformance *c, const char *group, size_t *i,
                      struct conformance_case *ret);

/* The case of this id; the test fails without it. */
struct conformance_case conformance_find(struct conformance *c, const char *id);

/* An input by name. */
bool conformance_has(const struct conformance_case *one, const char *input);
double conformance_number(const struct conformance_case *one, const char *input);
const char *conformance_text(struct conformance *c, const struct conformance_case *one,
                             const char *input); /* NULL: no text */

/*
 * A series: [..], {"dataset": "managers.HAM1"}, or text that begins with such a name. column names one of several
 * series of a data set ("one" of empyrical.df_simple); NULL for the others. n 0 for anything else.
 */
struct conformance_series conformance_series(struct conformance *c, struct json_val val,
                                             const char *column);

/* Number at a path of members of expected ("" is expected itself); NaN for "NaN" and infinities, which are "undefined". */
double conformance_expected(const struct conformance_case *one, const char *member);

/*
 * Notes that the running program has driven this case; the comparisons below do it themselves. test_conformance_cases.c asks
 * all drivers.
 */
void conformance_claim(const struct conformance_case *one);

/* Fails the test when actual is not what expected says, within the case's tolerance. NaN is "undefined". */
void conformance_check(const struct conformance_case *one, const char *member, double actual);
bool conformance_agrees(const struct conformance_case *one, double expected, double actual);

#endif
