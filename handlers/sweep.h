/*
 * sweep.h - from the body of :batch, :sweep or :montecarlo to the list of items, each a request or a change of a base request.
 * docs/batches.md describes the bodies. Pure; the caller's thread.
 */
#ifndef HANDLERS_SWEEP_H
#define HANDLERS_SWEEP_H

#include "handlers/json_splice.h"
#include "handlers/json_text.h"
#include "store/backtest_item_store.h"

enum { SWEEP_AXES_MAX = 16, SWEEP_POINTERS_MAX = 64, SWEEP_NAME_BYTES = 64 };

/* One value that differs from item to item: a column of the rows. */
struct sweep_parameter {
    char name[SWEEP_NAME_BYTES]; /* of the column: "assets_0_weight" */
    struct str pointer;
    bool is_number; /* every value is: column n<slot + 1>, else t<slot + 1> */
    int slot;       /* -1: there is no column left; the value is in parameters alone */
};

struct sweep {
    struct str base; /* compact JSON; ptr NULL: every item is a whole request */
    struct sweep_parameter *parameters;
    size_t n_parameters;
    struct backtest_item_new *items;
    size_t n_items;
    size_t n_grid; /* points of the whole grid, of which a random search takes some */
    enum backtest_row_metric metric; /* by which the best item is found */
    bool is_sweep;                   /* one study: overfitting is reported */
    int64_t deadline_s;
};

enum { SWEEP_DEADLINE_S = 3600, SWEEP_DEADLINE_MAX_S = 86400 };

/* Everything lives in the arena. Errors: as spec_parse, with pointers into the body; TOO_LARGE past items_max. */
enum status batch_parse(struct str body, size_t items_max, struct arena *arena, struct sweep *ret,
                        struct err *err) NODISCARD;
enum status montecarlo_parse(struct str body, size_t items_max, struct arena *arena,
                             struct sweep *ret, struct err *err) NODISCARD;
enum status sweep_parse(struct str body, size_t items_max, struct arena *arena, struct sweep *ret,
                        struct err *err) NODISCARD;

/* What a job keeps: base, parameters, metric, as one compact JSON object; and back. */
enum status sweep_keep(const struct sweep *sweep, const char *kind, struct arena *arena,
                       struct str *ret, struct err *err) NODISCARD;
struct sweep_kept {
    struct str base; /* ptr NULL: none */
    struct sweep_parameter *parameters;
    size_t n_parameters;
    enum backtest_row_metric metric;
    bool is_sweep;
    bool is_montecarlo; /* one item, whose futures are the result */
};
enum status sweep_recall(struct str kept, struct arena *arena, struct sweep_kept *ret,
                         struct err *err) NODISCARD;

/* The whole request of an item of a job that keeps base. */
enum status sweep_request(struct str base, const struct backtest_item *item, struct arena *arena,
                          struct str *ret, struct err *err) NODISCARD;

#endif
