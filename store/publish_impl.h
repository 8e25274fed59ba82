/* publish_impl.h - a publish in progress; for the publish*.c files only. */
#ifndef STORE_PUBLISH_IMPL_H
#define STORE_PUBLISH_IMPL_H

#include "base/arena.h"
#include "store/publish.h"

enum { PUBLISH_SQL_BYTES_MAX = 64 * 1024, PUBLISH_TEXT_BYTES_MAX = 64 * 1024 };

struct changes {
    int64_t inserted, updated, deleted;
};

/* One mart that this publish stages. */
struct stage {
    const struct mart *mart;
    enum publish_mode mode;
    size_t *columns; /* mart column of each staged field */
    size_t n_columns;
    const char *table;        /* stage_mart_<name>, quoted; source when it is direct */
    const char *source;       /* gen_<name>, quoted */
    const char *keys;         /* the key columns, quoted, separated by commas */
    int64_t n_rows;           /* that were staged */
    const struct str *scopes; /* of the first column of the key, that are staged as a whole */
    size_t n_scopes;
    struct changes changes;
    bool is_diffed;
    bool
        is_direct; /* the mart held nothing: its rows go where they stay, each with its generations */
};

struct publish {
    struct db *db;
    const struct catalog *catalog;
    struct arena arena;
    int64_t current;                   /* generation before this publish */
    int64_t next;                      /* the one it makes */
    char now[24];                      /* when it began */
    char next_text[24], open_text[24]; /* what a new row's generations say */
    struct stage *stages;              /* one for each mart of the catalogue at most */
    size_t n_stages;
    struct stage *open;    /* being staged; NULL between marts */
    int64_t n_staged;      /* rows of all marts */
    int64_t n_staged_open; /* rows of the open one */
    int64_t bad_row;
    const struct str *scopes; /* of the mart that begins next */
    size_t n_scopes;
    struct publish_dataset *datasets;
    size_t n_datasets, max_datasets;
    bool has_touched; /* the temporary list of instruments with changed prices exists */
};

enum status publish_no_memory(struct err *err);

/* Runs SQL that printf makes; params as usual. */
enum status publish_exec(struct publish *publish, const struct db_param *params, size_t n_params,
                         int64_t *ret_changed, struct err *err, const char *format, ...)
    NODISCARD PRINTF(6, 7);

/* Creates the temporary table of a mart that is not staged yet. */
enum status publish_stage_new(struct publish *publish, const struct mart *mart,
                              enum publish_mode mode, struct stage **ret, struct err *err)
    NODISCARD;
/* The same for rows to come, without a table where the mart has no rows yet. */
enum status publish_stage_open(struct publish *publish, const struct mart *mart,
                               enum publish_mode mode, struct stage **ret, struct err *err)
    NODISCARD;
struct stage *publish_stage_of(struct publish *publish, struct str mart); /* NULL when not staged */

/* "a, b, c" of all the mart's columns, each behind prefix ("s." or ""). NULL when out of memory. */
const char *publish_column_list(struct publish *publish, const struct mart *mart,
                                const char *prefix);

/* Compares a stage with what the generation holds and writes the differences. */
enum status publish_diff(struct publish *publish, struct stage *stage, struct err *err) NODISCARD;

/* Deletes what PUBLISH_REPLACE did not stage; part of publish_diff unless done before. */
enum status publish_diff_replace(struct publish *publish, struct stage *stage, struct err *err)
    NODISCARD;

/* How many rows the mart has in the current generation, as its books say; 0 when it has never been published. */
enum status publish_count_rows(struct publish *publish, const struct mart *mart, int64_t *ret,
                               struct err *err) NODISCARD;

/* Books and purges a publish that changed something; sets result->generation. */
enum status publish_write_books(struct publish *publish, int keep, struct publish_result *result,
                                struct err *err) NODISCARD;

/* publish_diff for prices that also notes whose prices changed. */
enum status coverage_diff_prices(struct publish *publish, struct stage *prices, struct err *err)
    NODISCARD;

/* Before the books: brings the coverage of new and noted instruments up and compares mart_instrument. */
enum status coverage_refresh(struct publish *publish, struct err *err) NODISCARD;

#endif
