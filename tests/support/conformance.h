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
 *
 * Drivers go by a case's group, metric and inputs, never by its id: the file may hold other cases of the same kinds. A
 * case of a kind that no driver knows is left alone, and test_conformance_cases.c names it.
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
    const char *locator; /* where the figure stands, in words; "" when the case does not say */
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
void conformance_close(struct conformance *c); /* fails the test after a disagreement */

/* The next case of a group ("" is any group) from *i on; *i moves past it. False at the end. */
bool conformance_next(struct conformance *c, const char *group, size_t *i,
                      struct conformance_case *ret);

/* An input by name. Numbers may be written out: "0.035/12", "1/sqrt(252)". NaN: no number. */
bool conformance_has(const struct conformance_case *one, const char *input);
double conformance_number(const struct conformance_case *one, const char *input);
double conformance_number_or(const struct conformance_case *one, const char *input,
                             double otherwise); /* where there is no such input */
double conformance_parameter(const struct conformance_case *one, const char *name,
                             double otherwise); /* a member of the input "params" */
const char *conformance_text(struct conformance *c, const struct conformance_case *one,
                             const char *input); /* NULL: no text */

/* Number i of a list, NaN for anything else. */
double conformance_item(struct json_val list, size_t i);

/*
 * A series: [..], {"dataset": "managers.HAM1"}, or text that begins with such a name; "managers.HAM1 - US3M" is their
 * difference. column names one of several series of a data set ("one" of empyrical.df_simple); NULL for the others.
 * n 0 for anything else.
 */
struct conformance_series conformance_series(struct conformance *c, struct json_val val,
                                             const char *column);

/* How many of n rows the input "rows" ("first 24", "all 11") takes; n without it. */
size_t conformance_rows(struct conformance *c, const struct conformance_case *one, size_t n);

/* Number at a path of members of expected ("" is expected itself); NaN for "NaN" and infinities, which are "undefined". */
double conformance_expected(const struct conformance_case *one, const char *member);

/* The first member of expected whose name begins so ("count_"); NULL: none. */
const char *conformance_member(struct conformance *c, const struct conformance_case *one,
                               const char *beginning);

/*
 * Notes that the running program has driven this case; the comparisons below do it themselves. test_conformance_cases.c asks
 * all drivers.
 */
void conformance_claim(const struct conformance_case *one);

/*
 * Says when actual is not what is expected within the case's tolerance, and goes on; conformance_close then fails the
 * test. NaN is "undefined". what names the figure; member is one of expected ("" is expected itself).
 */
void conformance_compare(const struct conformance_case *one, const char *what, double expected,
                         double actual);
void conformance_check(const struct conformance_case *one, const char *member, double actual);
bool conformance_agrees(const struct conformance_case *one, double expected, double actual);

/* The same for every item of a list that must be n long; member "" is expected itself. */
void conformance_check_list(const struct conformance_case *one, const char *member,
                            const double *actual, size_t n);

/* Figures by the members of expected that name them. Compares those that the case has; returns how many. */
struct conformance_figure {
    const char *member;
    double value;
};
size_t conformance_check_figures(const struct conformance_case *one,
                                 const struct conformance_figure *figures, size_t n);

#endif
