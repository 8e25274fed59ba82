/*
 * test_market_sample.h - the real raw prices and factor files of ../shared/market, read where they lie.
 * Their README says what the columns mean. Tests that need them are skipped when the folder is absent.
 */
#ifndef TEST_MARKET_SAMPLE_H
#define TEST_MARKET_SAMPLE_H

#include "tests/unit/test_backtest_world.h"

#include <glob.h>
#include <stdlib.h>

#define SAMPLE_FOLDER "../shared/market/"
#define SAMPLE_ENDING "_daily_raw.csv"
enum {
    SAMPLE_BARS_MAX = 8000,
    SAMPLE_FACTORS_MAX = 400,
    SAMPLE_SYMBOLS_MAX = 64,
    SAMPLE_SYMBOL_BYTES = 16
};

/* What lies in the folder, in the order of names: none when it is absent. */
struct sample_symbols {
    size_t n;
    char name[SAMPLE_SYMBOLS_MAX][SAMPLE_SYMBOL_BYTES];
};

struct sample_factor {
    int32_t date;
    double price, split, reference;
};

struct sample {
    size_t n;
    int32_t date[SAMPLE_BARS_MAX];
    double open[SAMPLE_BARS_MAX], close[SAMPLE_BARS_MAX], volume[SAMPLE_BARS_MAX];
    double dividend[SAMPLE_BARS_MAX], split[SAMPLE_BARS_MAX];
    double adjusted[SAMPLE_BARS_MAX];
    bool has_event[SAMPLE_BARS_MAX];
    size_t n_events;
    size_t n_factors;
    struct sample_factor factor[SAMPLE_FACTORS_MAX];
};

static UNUSED struct sample_symbols sample_symbols(void)
{
    struct sample_symbols all = {0};
    glob_t found;
    if (glob(SAMPLE_FOLDER "*" SAMPLE_ENDING, 0, NULL, &found) != 0)
        return all;
    assert_true(found.gl_pathc <= SAMPLE_SYMBOLS_MAX);
    for (; all.n < found.gl_pathc; all.n++) {
        const char *name = found.gl_pathv[all.n] + strlen(SAMPLE_FOLDER);
        size_t len = strlen(name) - strlen(SAMPLE_ENDING);
        assert_true(len < SAMPLE_SYMBOL_BYTES);
        memcpy(all.name[all.n], name, len);
    }
    globfree(&found);
    return all;
}

static FILE *sample_file(const char *symbol, const char *kind)
{
    char path[128];
    (void)snprintf(path, sizeof path, SAMPLE_FOLDER "%s_%s.csv", symbol, kind);
    return fopen(path, "r");
}

static int32_t sample_day(long yyyymmdd)
{
    return day((int)(yyyymmdd / 10000), (int)(yyyymmdd / 100 % 100), (int)(yyyymmdd % 100));
}

static void sample_read_bars(struct sample *s, FILE *file)
{
    char line[256];
    assert_non_null(fgets(line, sizeof line, file)); /* the header */
    while (fgets(line, sizeof line, file) != NULL) {
        char *at = line;
        assert_true(s->n < SAMPLE_BARS_MAX);
        s->date[s->n] = sample_day(strtol(at, &at, 10));
        at = strchr(at, ',') + 1;
        s->open[s->n] = strtod(at, &at) / 1e4;
        (void)strtod(at + 1, &at);
        (void)strtod(at + 1, &at);
        s->close[s->n] = strtod(at + 1, &at) / 1e4;
        s->volume[s->n] = strtod(at + 1, &at);
        s->split[s->n] = 1;
        s->n++;
    }
}

static void sample_read_factors(struct sample *s, FILE *file)
{
    char line[256];
    while (fgets(line, sizeof line, file) != NULL) {
        char *at = line;
        assert_true(s->n_factors < SAMPLE_FACTORS_MAX);
        struct sample_factor *f = &s->factor[s->n_factors++];
        f->date = sample_day(strtol(at, &at, 10));
        f->price = strtod(at + 1, &at);
        f->split = strtod(at + 1, &at);
        f->reference = strtod(at + 1, &at);
    }
}

/* Actions between two rows of factors take effect on the session after the earlier one's date. */
static void sample_apply(struct sample *s)
{
    size_t k = 0;
    for (size_t i = 0; i < s->n; i++) {
        while (k + 1 < s->n_factors && s->factor[k].date < s->date[i]) {
            const struct sample_factor *before = &s->factor[k], *after = &s->factor[k + 1];
            double split = after->split / before->split;
            double paid = before->reference * (1 - before->price / after->price);
            k++;
            if (i == 0 || !(fabs(split - 1) > 0 || paid > 0))
                continue;
            s->split[i] *= split;
            s->dividend[i] = s->dividend[i] / split + paid / split; /* for each new share */
            s->n_events += s->has_event[i] ? 0 : 1;
            s->has_event[i] = true;
        }
        s->adjusted[i] = s->close[i] * s->factor[k].price * s->factor[k].split;
    }
}

/* A symbol of sample_symbols(). */
static UNUSED struct sample *sample_load(struct world *w, const char *symbol)
{
    FILE *bars = sample_file(symbol, "daily_raw"), *factors = sample_file(symbol, "factors");
    struct sample *s = ARENA_NEW(&w->arena, struct sample);
    assert_non_null(s);
    assert_non_null(bars);
    assert_non_null(factors);
    sample_read_bars(s, bars);
    sample_read_factors(s, factors);
    sample_apply(s);
    (void)fclose(bars);
    (void)fclose(factors);
    return s;
}

static UNUSED struct price_series *sample_add(struct world *w, const struct sample *s,
                                              const char *uid)
{
    struct price_series *series = world_add(w, uid, "USD", s->date, s->adjusted, s->n);
    series->open = s->open;
    series->close = s->close;
    series->volume = s->volume;
    series->dividend = s->dividend;
    series->split = s->split;
    return series;
}

#endif
