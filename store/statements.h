/*
 * statements.h - every static statement by module, so that one test can prepare all of them on a freshly
 * migrated database. The text stays beside the function that binds it.
 */
#ifndef STORE_STATEMENTS_H
#define STORE_STATEMENTS_H

#include "store/db.h"

struct statement {
    const char *name;
    const char *const *by_kind; /* a text for each enum db_kind, or NULL */
    const char *sql;            /* else the one text */
    int only;                   /* the enum db_kind that has it, or -1: both */
};

#define STATEMENT(text)         \
    {                           \
#text, NULL, (text), -1 \
    }
#define STATEMENT_FOR(kind, text)   \
    {                               \
#text, NULL, (text), (kind) \
    }
#define STATEMENT_PAIR(texts)     \
    {                             \
#texts, (texts), NULL, -1 \
    }
#define STATEMENTS_END       \
    {                        \
        NULL, NULL, NULL, -1 \
    }

extern const struct statement generation_statements[], migrate_statements[], catalog_statements[],
    catalog_mart_statements[], publish_statements[], instrument_statements[], backtest_statements[],
    key_statements[], reader_statements[], price_statements[], calendar_statements[],
    indicator_statements[], news_statements[], job_statements[], job_lease_statements[],
    job_log_statements[], job_once_statements[], bar_statements[], action_statements[],
    backtest_item_statements[], backtest_study_statements[], job_stage_statements[],
    schedule_statements[];

#endif
