/* world.c - seeded random walks, made once per process. */
#include "tests/bench/engine/world.h"

#include "backtest/elementary.h"
#include "backtest/rng.h"
#include "base/date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *need(void *pointer)
{
    if (pointer == NULL) {
        (void)fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return pointer;
}

static void make_dates(struct world *world)
{
    size_t n = world->n_sessions;
    int32_t *date = need(arena_array(&world->arena, n, sizeof *date));
    int32_t day = date_from_civil((struct civil){1990, 1, 2});
    for (size_t t = 0; t < n; day++) {
        if (date_weekday(day) <= 4)
            date[t++] = day;
    }
    world->date = date;
}

static double *make_walk(struct world *world, size_t name)
{
    double *price = need(arena_array(&world->arena, world->n_sessions, sizeof *price));
    double value = 100;
    struct rng rng;
    rng_init(&rng, 7, name);
    for (size_t t = 0; t < world->n_sessions; t++) {
        value *= elementary_exp((rng_next_unit(&rng) - 0.493) * 0.04);
        price[t] = value;
    }
    return price;
}

void world_make(struct world *world, size_t n_assets, size_t years)
{
    memset(world, 0, sizeof *world);
    arena_init(&world->arena, (size_t)1 << 34);
    world->n_assets = n_assets;
    world->n_sessions = years * SESSIONS_PER_YEAR;
    make_dates(world);
    struct price_series *series = need(arena_array(&world->arena, n_assets + 1, sizeof *series));
    int64_t *known_at = need(arena_array(&world->arena, world->n_sessions, sizeof *known_at));
    char(*uid)[32] = need(arena_array(&world->arena, n_assets + 1, sizeof *uid));
    world->price = need(arena_array(&world->arena, n_assets + 1, sizeof *world->price));
    for (size_t t = 0; t < world->n_sessions; t++)
        known_at[t] = (int64_t)world->date[t] * 86400 + 75600;
    for (size_t a = 0; a <= n_assets; a++) {
        (void)snprintf(uid[a], sizeof uid[a], "x:%zu", a);
        world->price[a] = make_walk(world, a);
        series[a] = (struct price_series){.uid = str_of(uid[a]),
                                          .currency = "USD",
                                          .n = world->n_sessions,
                                          .date = world->date,
                                          .price = world->price[a],
                                          .known_at = known_at,
                                          .delisted_on = DATE_NONE};
    }
    world->market = (struct market_data){
        .series = series, .n_series = n_assets + 1, .kernels = kernels_choose(KERNELS_AUTO)};
}

/* rest: members after those that every request has. */
static struct str request_of(struct world *world, const char *rest)
{
    struct buf out;
    char end[DATE_TEXT_BYTES];
    buf_init(&out, &world->arena, (size_t)1 << 20);
    date_format(world->date[world->n_sessions - 1], end);
    buf_printf(&out, "{\"assets\":[");
    for (size_t a = 0; a < world->n_assets; a++)
        buf_printf(&out, "%s{\"uid\":\"x:%zu\",\"weight\":%zu}", a > 0 ? "," : "", a, a % 7 + 1);
    buf_printf(&out,
               "],\"on_weight_sum\":\"normalize\",\"start\":\"1990-01-02\",\"end\":\"%s\","
               "\"capital\":100000,\"costs\":{\"commission_bps\":5,\"slippage_bps\":5},%s}",
               end, rest);
    need(out.failed ? NULL : out.ptr);
    return buf_str(&out);
}

struct str world_request(struct world *world, const char *rebalance, unsigned n_monkeys)
{
    char rest[256];
    (void)snprintf(rest, sizeof rest,
                   "\"rebalance\":%s,\"benchmark\":\"x:%zu\",\"monkeys\":{\"count\":%u}", rebalance,
                   world->n_assets, n_monkeys);
    return request_of(world, rest);
}

struct str world_request_of_ffn(struct world *world)
{
    return request_of(world, "\"rebalance\":\"monthly\",\"metrics_profile\":\"ffn\","
                             "\"monkeys\":{\"count\":0}");
}
