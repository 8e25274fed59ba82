/* test_queue.c - queue.h: after any steps the entries stand in the order of a plain array that takes the same steps. */
#include "base/queue.h"

#include "backtest/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

enum { N = 7, STEPS = 20000 };

/* The entries that are in the queue, the oldest first. */
struct model {
    struct queue_link *at[N];
    size_t n;
};

static size_t place_of(const struct model *model, const struct queue_link *link)
{
    size_t i = 0;
    while (i < model->n && model->at[i] != link)
        i++;
    return i;
}

static void take(struct model *model, size_t place)
{
    model->n--;
    memmove(&model->at[place], &model->at[place + 1], (model->n - place) * sizeof model->at[0]);
}

static void check(const struct queue *queue, const struct model *model)
{
    const struct queue_link *up = queue->oldest, *down = queue->newest;
    for (size_t i = 0; i < model->n; i++) {
        assert_ptr_equal(up, model->at[i]);
        assert_ptr_equal(down, model->at[model->n - 1 - i]);
        up = up->newer;
        down = down->older;
    }
    assert_null(up);
    assert_null(down);
}

static void any_steps_keep_the_order(void **state)
{
    (void)state;
    struct queue_link links[N];
    struct queue queue = {0};
    struct model model = {.n = 0};
    struct rng rng;
    rng_init(&rng, 11, 0);
    memset(links, 0xAB, sizeof links); /* what a link held before it was put in means nothing */
    for (int step = 0; step < STEPS; step++) {
        struct queue_link *link = &links[rng_next_below(&rng, N)];
        size_t place = place_of(&model, link);
        bool is_renewed = rng_next_below(&rng, 2) == 0;
        if (place == model.n) {
            queue_add(&queue, link);
            model.at[model.n++] = link;
        } else if (is_renewed) {
            queue_renew(&queue, link);
            take(&model, place);
            model.at[model.n++] = link;
        } else {
            queue_take(&queue, link);
            take(&model, place);
        }
        check(&queue, &model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_steps_keep_the_order),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
