/*
 * driver.c - the pipeline behind the lake, for bench.py: makes a lake of made-up Korean stocks, and runs its stages.
 *
 *   driver make LAKE FIRST_DAY N_DAYS N_STOCKS            rows objects of stocks and of exchange rates, one a session
 *   driver run LAKE WAREHOUSE_URL SERVING_URL FROM TO     silver, gold and publish of the days; a line of JSON
 *
 * Days are numbers since 1970-01-01.
 */
#include "backtest/rng.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/digest.h"
#include "base/gzip.h"
#include "ingest/feed.h"
#include "ingest/warehouse.h"
#include "store/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { TEXT_BYTES_MAX = 16 << 20, FETCHED_AFTER_S = 86400 + 5 * 3600 };

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int fail(const struct err *err)
{
    (void)fprintf(stderr, "driver: %s\n", err->detail);
    return 1;
}

static enum status give(void *from, char *room, size_t size, size_t *ret_n, struct err *err)
{
    struct str *rest = from;
    size_t n = rest->len < size ? rest->len : size;
    (void)err;
    if (n > 0)
        memcpy(room, rest->ptr, n);
    *rest = str_sub(*rest, n, rest->len);
    *ret_n = n;
    return STATUS_OK;
}

static void header_of(enum feed_shape shape, struct buf *out)
{
    const struct feed_layout *layout = &feed_layouts[shape];
    for (size_t i = 0; i < layout->n; i++)
        buf_printf(out, "%s,", feed_columns[layout->first + i].name);
    buf_add_c(out, "source,fetched_at,raw_key\n");
}

static enum status put(struct lake *lake, const char *folder, int32_t day, struct str text,
                       struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    char key[300], hash[DIGEST_HEX_BYTES], ymd[DATE_TEXT_BYTES], at[INSTANT_TEXT_BYTES];
    struct str packed;
    bool is_new = false;
    arena_init(&arena, (size_t)2 * TEXT_BYTES_MAX);
    date_format(day, ymd);
    instant_format((int64_t)day * 86400 + FETCHED_AFTER_S, at);
    enum status s = gzip_pack(text, 1, &arena, &packed, err);
    if (s == STATUS_OK)
        s = digest_hex(text, hash, err);
    if (s != STATUS_OK)
        return s;
    (void)snprintf(key, sizeof key, "bronze/%s/ymd=%s/rows-%.4s%.2s%.2sT%.2s%.2s%.2sZ-%.16s.csv.gz", folder,
                   ymd, at, at + 5, at + 8, at + 11, at + 14, at + 17, hash);
    struct lake_meta meta = {.http_status = 200};
    return lake_put(lake, key, (struct lake_source){give, &packed}, &meta, NULL, &is_new, err);
}

/* A walk of its own for every stock; about one share in three thousand halves once a year. */
static void add_stock(struct buf *out, unsigned stock, const char *ymd, const char *at, double *price,
                      struct rng *rng)
{
    double step = (rng_next_unit(rng) - 0.5) * 0.06;
    double open = *price * (1 + step / 3);
    *price *= 1 + step;
    if (*price < 500)
        *price = 500;
    double high = (open > *price ? open : *price) * 1.01, low = (open < *price ? open : *price) * 0.99;
    long volume = 1000 + (long)rng_next_below(rng, 1000000);
    long shares = 10000000 + (long)stock * 1000;
    buf_printf(out,
               "%06u,%s,%.0f,%.0f,%.0f,%.0f,,%ld,%.0f,,,%.0f,%ld,%s,Stock %u,KR7%06u003,KRW,datagokr_stock,"
               "%s,raw/key/of/the/answer.json\n",
               stock * 10, ymd, open, high, low, *price, volume, (double)volume * *price,
               *price * (double)shares, shares, stock % 2 == 0 ? "KOSPI" : "KOSDAQ", stock, stock * 10, at);
}

static enum status make_day(struct lake *lake, int32_t day, unsigned n_stocks, double *prices,
                            struct rng *rng, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    char ymd[DATE_TEXT_BYTES], at[INSTANT_TEXT_BYTES];
    struct buf text;
    arena_init(&arena, (size_t)3 * TEXT_BYTES_MAX);
    date_format(day, ymd);
    instant_format((int64_t)day * 86400 + FETCHED_AFTER_S, at);
    buf_init(&text, &arena, TEXT_BYTES_MAX);
    header_of(SHAPE_RATE, &text);
    buf_printf(&text, "EUR,KRW,%s,%u.25,frankfurter,%s,raw\n", ymd, 1300 + rng_next_below(rng, 200), at);
    buf_printf(&text, "EUR,USD,%s,1.%u,frankfurter,%s,raw\n", ymd, 100 + rng_next_below(rng, 99), at);
    enum status s = put(lake, "exchange_rate", day, buf_str(&text), err);
    buf_init(&text, &arena, TEXT_BYTES_MAX);
    header_of(SHAPE_BAR, &text);
    for (unsigned i = 0; i < n_stocks; i++)
        add_stock(&text, i, ymd, at, &prices[i], rng);
    if (text.failed)
        return err_set(err, STATUS_TOO_LARGE, "A day is too large.");
    return s == STATUS_OK ? put(lake, "kr_stock", day, buf_str(&text), err) : s;
}

static int make(struct lake *lake, int32_t first, int32_t n_days, unsigned n_stocks)
{
    struct err err = {0};
    struct rng rng;
    double *prices = malloc(n_stocks * sizeof *prices);
    enum status s = prices == NULL ? err_out_of_memory(&err) : STATUS_OK;
    rng_init(&rng, 7, 0);
    for (unsigned i = 0; prices != NULL && i < n_stocks; i++)
        prices[i] = 5000 + rng_next_below(&rng, 90000);
    int32_t n = 0;
    for (int32_t day = first; n < n_days && s == STATUS_OK; day++)
        if (date_weekday(day) < 5) {
            s = make_day(lake, day, n_stocks, prices, &rng, &err);
            n++;
        }
    free(prices);
    return s == STATUS_OK ? 0 : fail(&err);
}

static enum status open_pool(const char *url, bool is_warehouse, struct db_pool **ret, struct err *err)
{
    struct db_options options = {.url = url, .pool_max = 2, .acquire_ms = 10000, .statement_ms = 0};
    int n_applied = 0;
    if (is_warehouse)
        return warehouse_open(&options, ret, err);
    enum status s = db_pool_open(&options, ret, err);
    return s == STATUS_OK ? migrate_up(*ret, &n_applied, err) : s;
}

static long resident_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static enum status load(struct lake *lake, struct db_pool *warehouse, const char *dataset,
                        const char *folder, const int32_t window[2], int64_t *rows, struct err *err)
{
    struct warehouse_report report = {0};
    struct warehouse_task task = {.dataset = str_of(dataset),
                                  .folder = str_of(folder),
                                  .from = window[0],
                                  .to = window[1]};
    enum status s = warehouse_silver(lake, warehouse, &task, NULL, &report, err);
    *rows += report.n_rows;
    return s;
}

static int run(struct lake *lake, const char *warehouse_url, const char *serving_url, const int32_t window[2])
{
    struct err err = {0};
    struct db_pool *warehouse = NULL, *serving = NULL;
    struct warehouse_report modelled = {0}, sent = {0};
    struct warehouse_task how = {.generations = 1};
    int64_t rows = 0;
    enum status s = open_pool(warehouse_url, true, &warehouse, &err);
    if (s == STATUS_OK)
        s = open_pool(serving_url, false, &serving, &err);
    double start = seconds();
    if (s == STATUS_OK)
        s = load(lake, warehouse, "fx", "exchange_rate", window, &rows, &err);
    if (s == STATUS_OK)
        s = load(lake, warehouse, "kr_stock", "kr_stock", window, &rows, &err);
    double silver = seconds();
    if (s == STATUS_OK)
        s = warehouse_gold(warehouse, NULL, &modelled, &err);
    double gold = seconds();
    if (s == STATUS_OK)
        s = warehouse_publish(warehouse, serving, &how, NULL, &sent, &err);
    double end = seconds();
    if (s != STATUS_OK)
        return fail(&err);
    printf("{\"rows\": %lld, \"silver_s\": %.3f, \"gold_rows\": %lld, \"gold_s\": %.3f, \"sent_rows\": %lld, "
           "\"publish_s\": %.3f, \"total_s\": %.3f, \"resident_kib\": %ld}\n",
           (long long)rows, silver - start, (long long)modelled.n_rows, gold - silver,
           (long long)sent.n_rows, end - gold, end - start, resident_kib());
    db_pool_close(warehouse);
    db_pool_close(serving);
    return 0;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    CLEANUP(lake_freep) struct lake *lake = NULL;
    bool is_make = argc == 6 && strcmp(argv[1], "make") == 0;
    if (!is_make && (argc != 7 || strcmp(argv[1], "run") != 0)) {
        (void)fprintf(stderr, "usage: driver make LAKE FIRST N_DAYS N_STOCKS | "
                              "run LAKE WAREHOUSE SERVING FROM TO\n");
        return 2;
    }
    if (lake_open(argv[2], &lake, &err) != STATUS_OK)
        return fail(&err);
    if (is_make)
        return make(lake, (int32_t)strtol(argv[3], NULL, 10), (int32_t)strtol(argv[4], NULL, 10),
                    (unsigned)strtoul(argv[5], NULL, 10));
    const int32_t window[2] = {(int32_t)strtol(argv[5], NULL, 10), (int32_t)strtol(argv[6], NULL, 10)};
    return run(lake, argv[3], argv[4], window);
}
