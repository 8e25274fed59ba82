/* batch_study.c - trials are added, written down chunk by chunk, and read back. */
#include "handlers/batch_study.h"

#include <assert.h>
#include <string.h>

/* A trial: item, ratio, skewness, kurtosis, centre, scale, then two sums for each block. */
enum { TRIAL_HEAD = 6, TRIAL_NUMBERS = TRIAL_HEAD + 2 * OVERFIT_BLOCKS };

/* The state: these, then the running line, one number for each row. */
enum state {
    STATE_TRIALS,
    STATE_ROWS, /* 0: not begun */
    STATE_FIRST,
    STATE_LAST,
    STATE_OTHERS,
    STATE_STANDARD,
    STATE_HEAD
};

static enum status begin(struct batch_study *study, size_t n_rows, struct arena *arena,
                         struct err *err)
{
    study->item = arena_array(arena, study->n_max, sizeof *study->item);
    if (study->item == NULL)
        return err_out_of_memory(err);
    enum status s =
        overfit_study_init(&study->study, n_rows, OVERFIT_BLOCKS, study->n_max, arena, err);
    study->is_begun = s == STATUS_OK;
    study->study.kernels = study->kernels;
    return s;
}

enum status batch_study_add(struct batch_study *study, const struct batch_outcome *outcome,
                            struct arena *arena, struct err *err)
{
    if (outcome->row.error.ptr != NULL || outcome->n_returns == 0)
        return STATUS_OK;
    enum status s = study->is_begun ? STATUS_OK : begin(study, outcome->n_returns, arena, err);
    if (s != STATUS_OK)
        return s;
    if (study->study.n == 0) {
        study->first = outcome->first;
        study->last = outcome->last;
    }
    if (outcome->n_returns != study->study.n_rows || outcome->first != study->first ||
        outcome->last != study->last) {
        study->n_others++;
        return STATUS_OK;
    }
    assert(study->item != NULL); /* since it was begun */
    study->item[study->study.n] = outcome->item->item;
    overfit_study_take(&study->study, &outcome->column, outcome->standard);
    return STATUS_OK;
}

static void write_trial(const struct batch_study *study, size_t c, double *ret)
{
    const struct overfit_study *s = &study->study;
    ret[0] = (double)study->item[c];
    ret[1] = s->trial[c].sharpe;
    ret[2] = s->trial[c].skew;
    ret[3] = s->trial[c].excess;
    ret[4] = s->centre[c];
    ret[5] = s->scale[c];
    for (size_t b = 0; b < OVERFIT_BLOCKS; b++) {
        ret[TRIAL_HEAD + b] = s->sum[b * s->max_columns + c];
        ret[TRIAL_HEAD + OVERFIT_BLOCKS + b] = s->square[b * s->max_columns + c];
    }
}

static void read_trial(struct batch_study *study, size_t c, const double *numbers)
{
    struct overfit_study *s = &study->study;
    study->item[c] = (int64_t)numbers[0];
    s->trial[c] = (struct overfit_trial){numbers[1], numbers[2], numbers[3]};
    s->centre[c] = numbers[4];
    s->scale[c] = numbers[5];
    for (size_t b = 0; b < OVERFIT_BLOCKS; b++) {
        s->sum[b * s->max_columns + c] = numbers[TRIAL_HEAD + b];
        s->square[b * s->max_columns + c] = numbers[TRIAL_HEAD + OVERFIT_BLOCKS + b];
    }
}

enum status batch_study_keep(const struct batch_study *study, size_t from, struct arena *arena,
                             struct str *ret_trials, struct str *ret_state, struct err *err)
{
    const struct overfit_study *s = &study->study;
    size_t n = study->is_begun ? s->n - from : 0, n_rows = study->is_begun ? s->n_rows : 0;
    double *trials = arena_array(arena, n * TRIAL_NUMBERS + 1, sizeof *trials);
    double *state = arena_array(arena, STATE_HEAD + n_rows, sizeof *state);
    if (trials == NULL || state == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < n; i++)
        write_trial(study, from + i, trials + i * TRIAL_NUMBERS);
    state[STATE_TRIALS] = (double)s->n;
    state[STATE_ROWS] = (double)n_rows;
    state[STATE_FIRST] = study->first;
    state[STATE_LAST] = study->last;
    state[STATE_OTHERS] = (double)study->n_others;
    state[STATE_STANDARD] = (double)s->n_standard;
    if (n_rows > 0)
        memcpy(state + STATE_HEAD, s->standard, n_rows * sizeof *state);
    *ret_trials = (struct str){(const char *)trials, n * TRIAL_NUMBERS * sizeof *trials};
    *ret_state = (struct str){(const char *)state, (STATE_HEAD + n_rows) * sizeof *state};
    return STATUS_OK;
}

/* Whether what was kept fits together: every trial is there, and the line. */
static bool is_whole(const struct batch_study *study, const struct backtest_study_kept *kept,
                     const double *head, int64_t n_done)
{
    static const size_t trial_bytes = TRIAL_NUMBERS * sizeof(double);
    size_t n_lines = kept->state.len / sizeof(double) - STATE_HEAD;
    size_t n = kept->trials.len / trial_bytes;
    return kept->n_done == n_done && kept->trials.len % trial_bytes == 0 && n <= study->n_max &&
           head[STATE_TRIALS] <= (double)n && head[STATE_TRIALS] >= (double)n &&
           head[STATE_ROWS] <= (double)n_lines && head[STATE_ROWS] >= (double)n_lines;
}

enum status batch_study_recall(struct batch_study *study, const struct backtest_study_kept *kept,
                               int64_t n_done, struct arena *arena, bool *ret_is_whole,
                               struct err *err)
{
    double head[STATE_HEAD], numbers[TRIAL_NUMBERS];
    *ret_is_whole = false;
    if (kept->state.ptr == NULL || kept->state.len < sizeof head)
        return STATUS_OK;
    memcpy(head, kept->state.ptr, sizeof head);
    if (!is_whole(study, kept, head, n_done))
        return STATUS_OK;
    *ret_is_whole = true;
    if (!(head[STATE_ROWS] > 0))
        return STATUS_OK;
    size_t n_rows = (size_t)head[STATE_ROWS];
    enum status s = begin(study, n_rows, arena, err);
    if (s != STATUS_OK)
        return s;
    study->first = (int32_t)head[STATE_FIRST];
    study->last = (int32_t)head[STATE_LAST];
    study->n_others = (size_t)head[STATE_OTHERS];
    study->study.n = (size_t)head[STATE_TRIALS];
    study->study.n_standard = (size_t)head[STATE_STANDARD];
    memcpy(study->study.standard, kept->state.ptr + sizeof head, n_rows * sizeof(double));
    for (size_t c = 0; c < study->study.n; c++) {
        memcpy(numbers, kept->trials.ptr + c * sizeof numbers, sizeof numbers);
        read_trial(study, c, numbers);
    }
    return STATUS_OK;
}

struct shared_splits {
    struct overfit_parts *parts;
    const struct stop *stop;
};

static enum status play_part(void *cls, size_t part, struct err *err)
{
    const struct shared_splits *splits = cls;
    return overfit_parts_play(splits->parts, part, splits->stop, err);
}

enum status batch_study_splits(const struct batch_study *study, struct batch_team *team,
                               struct arena *arena, const struct stop *stop,
                               const struct overfit_splits **ret, struct err *err)
{
    struct shared_splits splits = {NULL, stop};
    *ret = NULL;
    if (!study->is_begun || study->study.n < 2)
        return STATUS_OK;
    struct overfit_splits *found = ARENA_NEW(arena, struct overfit_splits);
    if (found == NULL)
        return err_out_of_memory(err);
    enum status s =
        overfit_parts_new(&study->study, batch_team_size(team), arena, &splits.parts, err);
    if (s == STATUS_OK)
        s = batch_team_share(team, play_part, &splits, err);
    if (s == STATUS_OK)
        s = overfit_parts_end(splits.parts, arena, NULL, found, err);
    *ret = s == STATUS_OK ? found : NULL;
    return s;
}
