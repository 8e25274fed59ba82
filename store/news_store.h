/*
 * news_store.h - counts of news articles as of one generation (generation.h), streamed.
 */
#ifndef STORE_NEWS_STORE_H
#define STORE_NEWS_STORE_H

#include "store/db.h"

struct news_filter {
    int32_t from, to;   /* by pub_day, inclusive */
    struct str section; /* ptr NULL: all */
};

/* pub_day, section, articles, words, simulated articles: one row a day and section, newest day first. */
enum status news_daily_open(struct db *db, const struct news_filter *filter, int64_t generation,
                            struct rows *ret_rows, struct err *err) NODISCARD;

/* keywords, separated by semicolons, and source of each article that has some. */
enum status news_keywords_open(struct db *db, const struct news_filter *filter, int64_t generation,
                               struct rows *ret_rows, struct err *err) NODISCARD;

#endif
