/* news_store.c - what is counted over the news mart. */
#include "store/news_store.h"

#include "base/date.h"
#include "store/generation.h"
#include "store/statements.h"

#define WHICH                                                                                          \
    " FROM gen_news_article WHERE gen_from <= $1 AND gen_to > $1 AND pub_day >= $2 AND pub_day <= $3 " \
    "AND (CAST($4 AS TEXT) IS NULL OR section = $4)"

static const char stmt_news_daily[] =
    "SELECT pub_day, section, count(*), CAST(sum(word_count) AS BIGINT), "
    "count(*) FILTER (WHERE source = 'simulated')" WHICH
    " GROUP BY pub_day, section ORDER BY pub_day DESC, COALESCE(section, ''), section IS NULL LIMIT 1000000";
static const char stmt_news_keywords[] =
    "SELECT keywords, source" WHICH " AND keywords IS NOT NULL LIMIT 1000000";

static enum status open_one(struct db *db, const char *sql, const struct news_filter *filter,
                            int64_t generation, struct rows *ret_rows, struct err *err)
{
    char first[DATE_TEXT_BYTES], last[DATE_TEXT_BYTES];
    enum status s = generation_pin(db, generation, err);
    if (s != STATUS_OK)
        return s;
    return db_query(db, sql,
                    PARAMS(db_i64(generation), db_date(filter->from, first),
                           db_date(filter->to, last), db_text(filter->section)),
                    ret_rows, err);
}

enum status news_daily_open(struct db *db, const struct news_filter *filter, int64_t generation,
                            struct rows *ret_rows, struct err *err)
{
    return open_one(db, stmt_news_daily, filter, generation, ret_rows, err);
}

enum status news_keywords_open(struct db *db, const struct news_filter *filter, int64_t generation,
                               struct rows *ret_rows, struct err *err)
{
    return open_one(db, stmt_news_keywords, filter, generation, ret_rows, err);
}

const struct statement news_statements[] = {STATEMENT(stmt_news_daily),
                                            STATEMENT(stmt_news_keywords), STATEMENTS_END};
