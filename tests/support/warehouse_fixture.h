/*
 * warehouse_fixture.h - a lake in a folder and an empty warehouse for each test, on the back end of store_fixture.h: a
 * SQLite file, or the schemas of the test's PostgreSQL database.
 */
#ifndef TESTS_SUPPORT_WAREHOUSE_FIXTURE_H
#define TESTS_SUPPORT_WAREHOUSE_FIXTURE_H

#include "ingest/warehouse.h"
#include "tests/support/store_fixture.h"

struct warehouse_fixture {
    struct fixture *store; /* with the serving database */
    struct lake *lake;
    struct db_pool *pool;
    int n_made;
};

/* For cmocka's set-up and tear-down, with state as fixture_set_up has it. */
int warehouse_set_up(struct warehouse_fixture *w, void **state);
int warehouse_tear_down(struct warehouse_fixture *w, void **state);
void warehouse_renew(struct warehouse_fixture *w); /* an empty warehouse; the lake stays */

/* An object of rows; text is CSV without a header, its columns those of the shape, then source, fetched_at and raw_key. */
void put_rows(struct warehouse_fixture *w, const char *folder, const char *ymd, const char *fetched,
              const char *shape, const char *text);

/* Loads a window; the report's numbers are for who wants them. */
struct warehouse_report load_window(struct warehouse_fixture *w, const char *dataset,
                                    const char *folder, const char *from, const char *to);
void load_all(struct warehouse_fixture *w, const char *dataset, const char *folder);

/* The models of what was loaded; and what they publish to the store, which has to end with the status wanted. */
struct warehouse_report model(struct warehouse_fixture *w);
struct warehouse_report publish(struct warehouse_fixture *w, enum status wanted, bool force);
const char *warehouse_text(struct warehouse_fixture *w, const char *sql);

#endif
