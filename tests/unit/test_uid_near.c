/* test_uid_near.c - uid_near.h: what "did you mean" says of instruments, and when it says nothing. */
#include "base/uid_near.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const uids[] = {
    "stock:US.AAPL", "stock:US.AMD",    "stock:US.A",   "stock:US.BRK.B", "stock:US.GOOGL",
    "stock:US.JPM",  "stock:KR.005930", "etf:US.SPY",   "index:SPX",      "index:VIX",
    "coin:BTC",      "coin:ETH",        "stock:DE.SAP", "stock:US.SAP",   "bond:SIM.CORP5Y",
};

static const struct {
    const char *wanted, *nearest; /* NULL: none */
} cases[] = {
    {"stock:US.APPL", "stock:US.AAPL"}, /* letters changed places */
    {"stock:us.jpm", "stock:US.JPM"},   /* case */
    {"stokc:US.JPM", "stock:US.JPM"},   /* the class */
    {"AAPL", "stock:US.AAPL"},          /* the symbol alone */
    {"stock:AAPL", "stock:US.AAPL"},    /* no exchange */
    {"stock:UK.SAP", "stock:US.SAP"},   /* another exchange, the nearest of two */
    {"etf:US.AAPL", "stock:US.AAPL"},   /* another class */
    {"index:SPY", "etf:US.SPY"},        /* the same symbol comes before a near one */
    {"index:SPZ", "index:SPX"},         /* one letter of three */
    {"coin:BTX", "coin:BTC"},           /* of its class, though index:SPX is not far */
    {"stock:US.BRK", "stock:US.BRK.B"}, /* begun */
    {"bond:SIM.CORP5", "bond:SIM.CORP5Y"},
    {"stock:US.A+B", NULL},    /* two letters of three are other ones */
    {"stock:US.Q", NULL},      /* one letter is near to every other one */
    {"stock:US.NOSUCH", NULL}, /* nothing like it */
    {"stock:US.", NULL},
    {"stock:", NULL},
    {"coin:SPX2", NULL}, /* a near symbol of another class */
    {"zzzzzzzzzzzz", NULL},
    {"", NULL},
};

static void a_suggestion_is_near_or_there_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct uid_near search = uid_near_start(str_of(cases[i].wanted));
        for (size_t k = 0; k < ARRAY_LEN(uids); k++)
            (void)uid_near_offer(&search, str_of(uids[k]));
        bool is_right = cases[i].nearest == NULL ? search.best.ptr == NULL
                                                 : str_eq_c(search.best, cases[i].nearest);
        if (!is_right)
            fail_msg("%s: \"%.*s\"", cases[i].wanted, STR_ARG(search.best));
    }
}

static void what_is_offered_first_does_not_matter(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct uid_near search = uid_near_start(str_of(cases[i].wanted));
        for (size_t k = ARRAY_LEN(uids); k-- > 0;)
            (void)uid_near_offer(&search, str_of(uids[k]));
        assert_int_equal(search.best.ptr == NULL, cases[i].nearest == NULL);
        if (cases[i].nearest != NULL)
            assert_true(str_eq_c(search.best, cases[i].nearest));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_suggestion_is_near_or_there_is_none),
        cmocka_unit_test(what_is_offered_first_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
