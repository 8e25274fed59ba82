/* test_order.c - sorted returns: whole orders, parts of them, and Gini's mean difference. */
#include "backtest/order.h"
#include "tests/unit/test_numbers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Spread, clustered, repeated and one-sided values; every length around the switch to buckets. */
static void the_distribution_sort_orders_any_values(void **state)
{
    enum { MOST = 4000 };
    static double x[MOST], y[MOST], sorted[MOST];
    static uint32_t count[2 * MOST + 1];
    uint64_t seed = 7;
    (void)state;
    for (size_t round = 0; round < 400; round++) {
        size_t n = round < 60 ? round : (round * 7919) % MOST;
        for (size_t i = 0; i < n; i++) {
            double z = noise(&seed);
            x[i] = round % 5 == 0   ? z
                   : round % 5 == 1 ? (z > 0 ? 0 : z)
                   : round % 5 == 2 ? exp(40 * z)
                   : round % 5 == 3 ? ceil(z) /* -0 among them */
                                    : (i % 50 == 0 ? 1e6 * z : 1e-9 * z);
        }
        memcpy(y, x, sizeof x);
        order_sort(&kernels_ref, x, n, sorted, count);
        assert_memory_equal(x, y, sizeof x);
        qsort(y, n, sizeof *y, ascending);
        for (size_t i = 0; i < n; i++)
            assert_true(sorted[i] == y[i] && (y[i] < 0 || !signbit(sorted[i])));
    }
}

/* Parts of the order are those of the whole, with ties and outliers. */
static void a_part_of_the_order_is_that_of_the_whole(void **state)
{
    enum { MOST = 4000 };
    static double x[MOST], y[MOST], part[MOST], scratch[MOST];
    static uint32_t count[2 * MOST + 1];
    uint64_t seed = 8;
    (void)state;
    for (size_t round = 0; round < 400; round++) {
        size_t n = 1 + (round < 60 ? round : (round * 7919) % (MOST - 1));
        for (size_t i = 0; i < n; i++) {
            double z = noise(&seed);
            x[i] = round % 4 == 0   ? z
                   : round % 4 == 1 ? floor(2 * z)
                   : round % 4 == 2 ? exp(40 * z)
                                    : (i % 50 == 0 ? 1e6 * z : 1e-9 * z);
        }
        order_sort(&kernels_ref, x, n, y, count);
        size_t wanted = n / 20 + 1,
               found = order_tail(&kernels_ref, x, n, wanted, part, scratch, count);
        assert_true(found >= wanted && found <= n);
        for (size_t i = 0; i < found; i++)
            assert_true(part[i] == y[i]);
        assert_true(found == n || y[found] > part[found - 1]);
        for (size_t k = 0; k < n; k += 1 + n / 7)
            assert_true(order_at(&kernels_ref, x, n, k, scratch) == y[k]);
    }
}

static void gini_mean_difference_equals_its_definition(void **state)
{
    double x[60], sorted[60], sum = 0;
    uint32_t count[121];
    uint64_t seed = 3;
    (void)state;
    for (size_t i = 0; i < 60; i++)
        x[i] = 0.01 * noise(&seed);
    for (size_t i = 0; i < 60; i++) {
        for (size_t j = i + 1; j < 60; j++)
            sum += fabs(x[i] - x[j]);
    }
    order_sort(&kernels_ref, x, 60, sorted, count);
    assert_near(order_gini(sorted, 60), 2 * sum / (60 * 59), 1e-13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_distribution_sort_orders_any_values),
        cmocka_unit_test(a_part_of_the_order_is_that_of_the_whole),
        cmocka_unit_test(gini_mean_difference_equals_its_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
