/* backtest_keeper.c - the list of answers that wait, oldest first, and what is asked of it. */
#include "handlers/backtest_keeper_list.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { NS_PER_MS = 1000000 };

void pending_free(struct pending *pending)
{
    blob_unref(pending->kept.blob);
    if (pending->kept.later != NULL)
        pending->kept.later->free(pending->kept.later);
    free(pending);
}

static struct str copy_text(char **to, struct str text)
{
    struct str copy = {text.ptr == NULL ? NULL : *to, text.len};
    if (text.ptr != NULL)
        memcpy(*to, text.ptr, text.len);
    *to += text.len;
    return copy;
}

static struct blob *blob_of(struct str body)
{
    struct blob *blob = blob_new(body.len);
    if (blob != NULL)
        memcpy(blob->bytes, body.ptr, body.len);
    return blob;
}

/* NULL: no memory, and kept is as it was. */
static struct pending *pending_new(const struct backtest_kept *kept)
{
    const struct backtest_summary *summary = &kept->summary;
    size_t n_texts = kept->spec.len + summary->strategy.len + summary->currency.len;
    struct pending *pending = calloc(1, sizeof *pending + n_texts);
    struct blob *blob = kept->later != NULL  ? NULL
                        : kept->blob != NULL ? blob_ref(kept->blob)
                                             : blob_of(kept->body);
    if (pending == NULL || (blob == NULL && kept->later == NULL) ||
        kept->id.len >= sizeof pending->id) {
        blob_unref(blob);
        free(pending);
        return NULL;
    }
    char *to = pending->texts;
    memcpy(pending->id, kept->id.ptr, kept->id.len);
    pending->kept = *kept;
    pending->kept.id = str_of(pending->id);
    pending->kept.spec = copy_text(&to, kept->spec);
    pending->kept.summary.strategy = copy_text(&to, summary->strategy);
    pending->kept.summary.currency = copy_text(&to, summary->currency);
    pending->bytes = n_texts + (blob == NULL ? kept->later->bytes : kept->body.len);
    pending->kept.blob = blob;
    if (blob != NULL && kept->blob == NULL)
        pending->kept.body.ptr = blob->bytes;
    return pending;
}

/* The link to the one with this id; to NULL when there is none. */
static struct pending **link_of(struct backtest_keeper *keeper, struct str id)
    REQUIRES(keeper->lock)
{
    struct pending **link = &keeper->first;
    while (*link != NULL && !str_eq((*link)->kept.id, id))
        link = &(*link)->next;
    return link;
}

struct pending *keeper_unlink(struct backtest_keeper *keeper, struct pending **link)
{
    struct pending *pending = *link;
    *link = pending->next;
    if (keeper->last == &pending->next)
        keeper->last = link;
    keeper->stats.items--;
    keeper->stats.bytes -= pending->bytes;
    return pending;
}

bool backtest_keeper_take(struct backtest_keeper *keeper, const struct backtest_kept *kept)
{
    struct pending *pending = keeper == NULL ? NULL : pending_new(kept);
    if (pending == NULL)
        return false;
    lock_take(&keeper->lock);
    struct backtest_keeper_stats *stats = &keeper->stats;
    bool is_there = *link_of(keeper, kept->id) != NULL;
    bool has_room = !keeper->must_stop && stats->items < BACKTEST_KEEPER_ITEMS_MAX &&
                    stats->bytes + pending->bytes <= keeper->max_bytes;
    bool is_taken = has_room && !is_there;
    if (is_taken) {
        pending->number = ++keeper->n_taken;
        *keeper->last = pending;
        keeper->last = &pending->next;
        stats->items++;
        stats->bytes += pending->bytes;
    }
    stats->direct += !is_taken && !is_there;
    if (!is_taken && !is_there)
        pending->kept.later = NULL; /* still the caller's */
    lock_give(&keeper->lock);
    if (is_taken)
        cond_signal(&keeper->woken);
    else
        pending_free(pending);
    return is_taken || is_there;
}

enum status keeper_draft(struct backtest_keeper *keeper, struct pending *pending, struct err *err)
{
    struct backtest_later *later = pending->kept.later;
    struct blob *blob = NULL;
    struct str body = STR_NONE;
    pending->is_drafted = true;
    lock_give(&keeper->lock);
    enum status s = later->write(later, &blob, &body, err);
    size_t held = later->bytes;
    if (s == STATUS_OK)
        later->free(later);
    lock_take(&keeper->lock);
    pending->is_drafted = false;
    pending->has_failed = s != STATUS_OK;
    if (s == STATUS_OK) {
        pending->kept.later = NULL;
        pending->kept.blob = blob;
        pending->kept.body = body;
        pending->bytes = pending->bytes - held + body.len;
        keeper->stats.bytes = keeper->stats.bytes - held + body.len;
    }
    cond_broadcast(&keeper->written);
    return s;
}

/* Its body is there, or there is none under this id, or it cannot be written. */
static enum status find_written(struct backtest_keeper *keeper, struct str id, struct pending **ret,
                                struct err *err) REQUIRES(keeper->lock)
{
    enum status s = STATUS_OK;
    struct pending *pending = *link_of(keeper, id);
    while (s == STATUS_OK && pending != NULL && pending->kept.later != NULL) {
        if (pending->is_drafted)
            cond_wait(&keeper->written, &keeper->lock);
        else
            s = keeper_draft(keeper, pending, err);
        pending = *link_of(keeper, id);
    }
    *ret = pending;
    return s;
}

enum status backtest_keeper_find(struct backtest_keeper *keeper, struct str id, struct arena *arena,
                                 struct blob **ret_blob, struct str *ret_body, bool *ret_found,
                                 struct err *err)
{
    CLEANUP(blob_unrefp) struct blob *blob = NULL;
    struct pending *pending = NULL;
    struct str body = STR_NONE;
    bool is_packed = false;
    *ret_found = false;
    if (keeper == NULL)
        return STATUS_OK;
    lock_take(&keeper->lock);
    enum status s = find_written(keeper, id, &pending, err);
    if (s == STATUS_OK && pending != NULL) {
        blob = blob_ref(pending->kept.blob);
        body = pending->kept.body;
        is_packed = pending->is_packed;
    }
    lock_give(&keeper->lock);
    if (is_packed)
        s = backtest_unpack(body, arena, &body, err);
    if (s != STATUS_OK || blob == NULL)
        return s;
    *ret_body = body;
    *ret_found = true;
    *ret_blob = is_packed ? NULL : blob_ref(blob);
    return STATUS_OK;
}

bool backtest_keeper_has(struct backtest_keeper *keeper, struct str id)
{
    if (keeper == NULL)
        return false;
    lock_take(&keeper->lock);
    bool answer = *link_of(keeper, id) != NULL;
    lock_give(&keeper->lock);
    return answer;
}

bool backtest_keeper_forget(struct backtest_keeper *keeper, struct str id)
{
    if (keeper == NULL)
        return false;
    struct pending *dropped = NULL;
    lock_take(&keeper->lock);
    struct pending **link = link_of(keeper, id);
    bool was_there = *link != NULL;
    while (*link != NULL && ((*link)->is_writing || (*link)->is_drafted)) {
        cond_wait(&keeper->written, &keeper->lock);
        link = link_of(keeper, id);
    }
    if (*link != NULL)
        dropped = keeper_unlink(keeper, link);
    cond_broadcast(&keeper->written);
    lock_give(&keeper->lock);
    if (dropped != NULL)
        pending_free(dropped);
    return was_there;
}

void backtest_keeper_settle(struct backtest_keeper *keeper, unsigned ms)
{
    if (keeper == NULL)
        return;
    int64_t end_ns = clock_mono_ns() + (int64_t)ms * NS_PER_MS;
    lock_take(&keeper->lock);
    uint64_t last = keeper->n_taken;
    while (keeper->first != NULL && keeper->first->number <= last &&
           cond_wait_until(&keeper->written, &keeper->lock, end_ns))
        continue;
    lock_give(&keeper->lock);
}

void backtest_keeper_stats(struct backtest_keeper *keeper, struct backtest_keeper_stats *ret)
{
    lock_take(&keeper->lock);
    *ret = keeper->stats;
    lock_give(&keeper->lock);
}
