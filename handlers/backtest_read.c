/* backtest_read.c - finds the document of a backtest: waiting, stored, or run again from the row of a batch. */
#include "handlers/backtest_read.h"

#include "handlers/backtest_service.h"
#include "handlers/database.h"
#include "handlers/rows_answer.h"
#include "handlers/sweep.h"
#include "server/app.h"
#include "store/backtest_store.h"

const char backtest_forever[] = "public, max-age=31536000, immutable";

bool backtest_is_id(struct str id)
{
    bool is_hex = id.len == DIGEST_HEX_BYTES - 1;
    for (size_t i = 0; i < id.len && is_hex; i++)
        is_hex = (id.ptr[i] >= '0' && id.ptr[i] <= '9') || (id.ptr[i] >= 'a' && id.ptr[i] <= 'f');
    return is_hex;
}

enum status backtest_unknown(struct str id, struct err *err)
{
    (void)err_set(err, STATUS_UNKNOWN_BACKTEST, "There is no backtest with this id.");
    err_at(err, ERR_PARAMETER, STR("id"), id);
    err_allow(err, "the id of an answer from POST /v1/backtests: 64 hexadecimal digits");
    return STATUS_UNKNOWN_BACKTEST;
}

/* The request of an item is run and stored. GENERATION_RETIRED when its data is another by now. */
static enum status run_item(struct request *request, struct str id,
                            const struct backtest_item *item, struct str kept, struct err *err)
{
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    struct sweep_kept sweep;
    CLEANUP(backtest_answer_clear) struct backtest_answer answer = {.body = STR_NONE};
    struct str body = STR_NONE;
    enum status s = rows_catalog(request, &catalog, err);
    if (s == STATUS_OK)
        s = sweep_recall(kept, &request->arena, &sweep, err);
    if (s == STATUS_OK)
        s = sweep_request(sweep.base, item, &request->arena, &body, err);
    const struct backtest_service service = backtest_service_of(request->app, catalog);
    if (s == STATUS_OK)
        s = backtest_answer_for(&service, body, STR_NONE, &request->arena, &request->stop, &answer,
                                err);
    if (s == STATUS_GENERATION_RETIRED)
        return rows_moved_on(err);
    if (s != STATUS_OK)
        return s;
    backtest_count(request, &answer);
    if (str_eq_c(id, answer.id))
        return STATUS_OK;
    s = err_set(
        err, STATUS_GENERATION_RETIRED,
        "Its data has been replaced since the batch ran; of today's, the same request is %s.",
        answer.id);
    err_at(err, ERR_PARAMETER, STR("id"), id);
    err_allow(err, "the row of the batch, or the backtest of today's data");
    return s;
}

enum status backtest_make_ready(struct request *request, bool *ret_is_ready, struct err *err)
{
    struct str id = request->path_params[0], kept = STR_NONE;
    struct backtest_item item;
    struct db *db = NULL;
    bool is_stored = false, is_item = false;
    *ret_is_ready = true;
    if (!backtest_is_id(id))
        return STATUS_OK;
    if (backtest_keeper_has(request->app->keeper, id))
        return STATUS_OK;
    enum status s = database_acquire(request, DB_READ, &db, err);
    if (s == STATUS_OK)
        s = backtest_exists(db, id, &is_stored, err);
    if (s == STATUS_OK && !is_stored)
        s = backtest_item_find(db, id, &request->arena, &item, &kept, &is_item, err);
    db_release(db);
    if (s != STATUS_OK || !is_item)
        return s;
    *ret_is_ready = request->lane == LANE_CPU;
    return *ret_is_ready ? run_item(request, id, &item, kept, err)
                         : request_defer(request, LANE_CPU);
}

enum status backtest_body(struct request *request, struct blob **ret_blob, struct str *ret,
                          struct err *err)
{
    struct str id = request->path_params[0];
    bool is_found = false;
    *ret_blob = NULL;
    if (backtest_is_id(id)) {
        CLEANUP(db_releasep) struct db *db = NULL;
        enum status s = backtest_keeper_find(request->app->keeper, id, &request->arena, ret_blob,
                                             ret, &is_found, err);
        if (s == STATUS_OK && !is_found)
            s = database_acquire(request, DB_READ, &db, err);
        if (s == STATUS_OK && !is_found)
            s = backtest_load(db, id, &request->arena, ret, &is_found, err);
        if (s != STATUS_OK)
            return s;
    }
    return is_found ? STATUS_OK : backtest_unknown(id, err);
}

void backtest_reply(struct request *request, struct blob **blob, struct str body)
{
    bool is_shared =
        *blob != NULL && body.ptr >= (*blob)->bytes && body.ptr < (*blob)->bytes + (*blob)->size;
    if (!is_shared) {
        reply_body(request, body);
        return;
    }
    reply_share(request, *blob, body);
    *blob = NULL;
}
