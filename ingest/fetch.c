/* fetch.c - one request after the other, until there is a verdict or the run's time is over. */
#define _GNU_SOURCE /* nanosleep under -std=c17 */
#include "ingest/fetch_impl.h"

#include "base/clock.h"
#include "ingest/fetch_base.h"
#include "ingest/fetch_pace.h"
#include "ingest/redact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TRIES_MAX = 5, NAP_MS = 50 };

enum status source_fetcher_new(const struct source_fetcher_options *options,
                               struct source_fetcher **ret, struct err *err)
{
    enum status s = fetch_bases_check(str_of(options->bases), err);
    if (s != STATUS_OK)
        return s;
    struct source_fetcher *f = calloc(1, sizeof *f);
    if (f == NULL)
        return err_out_of_memory(err);
    f->options = *options;
    f->random = (uint64_t)clock_wall_ms() * 2654435761U + (uint64_t)clock_mono_ns();
    s = transport_new(options->ca_file, &f->transport, err);
    if (s != STATUS_OK) {
        source_fetcher_freep(&f);
        return s;
    }
    f->deadline_ns = clock_mono_ns() + (int64_t)options->run_s * 1000000000;
    *ret = f;
    return STATUS_OK;
}

void source_fetcher_freep(struct source_fetcher **fetcher)
{
    if (*fetcher != NULL)
        transport_freep(&(*fetcher)->transport);
    free(*fetcher);
    *fetcher = NULL;
}

static struct str key_of(const struct source_fetcher *f, const struct source *source)
{
    struct str best = STR_NONE;
    size_t best_len = 0;
    for (size_t i = 0; i < f->options.n_keys; i++) {
        struct str name = str_of(f->options.keys[i].sources),
                   value = str_of(f->options.keys[i].value);
        if (str_starts(str_of(source->name), name) && name.len >= best_len && value.len > 0) {
            best = value;
            best_len = name.len;
        }
    }
    return best;
}

static bool *has_answered(struct source_fetcher *f, const struct source *source)
{
    size_t i = 0;
    while (i < n_sources && sources[i] != source)
        i++;
    return &f->has_answered[i % ARRAY_LEN(f->has_answered)];
}

static double next_random(struct source_fetcher *f)
{
    f->random = f->random * 6364136223846793005U + 1442695040888963407U;
    return (double)(f->random >> 11) * 0x1p-53;
}

static bool is_in_time(const struct source_fetcher *f, int64_t more_ms)
{
    return more_ms <= (f->deadline_ns - clock_mono_ns()) / 1000000;
}

static enum status nap(int64_t ms, const struct stop *stop, struct err *err)
{
    int64_t until_ns = clock_mono_ns() + ms * 1000000, left;
    while ((left = until_ns - clock_mono_ns()) > 0) {
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        if (left > NAP_MS * 1000000L)
            left = NAP_MS * 1000000L;
        const struct timespec pause = {0, (long)left};
        (void)nanosleep(&pause, NULL);
    }
    return STATUS_OK;
}

void fetch_decide(struct fetch_job *j, enum feed_outcome outcome, const char *detail)
{
    j->ret->verdict = feed_verdict_of(outcome, str_of(detail));
    j->is_final = true;
}

/* Seconds until the quota's next day. */
static int64_t until_tomorrow(int64_t now_ms)
{
    return (86400000 - now_ms % 86400000) / 1000 + 1;
}

static void use_up_quota(struct fetch_job *j, struct pace *pace)
{
    if (pace->count < j->source->manners.per_day)
        pace->count = j->source->manners.per_day;
    j->ret->retry_after_s = until_tomorrow(clock_wall_ms());
}

/* One request with the host's record held. *ret_wait_ms above 0: nothing was sent, it is too early. */
static enum status ask_once(struct fetch_job *j, int64_t *ret_wait_ms, struct err *err)
{
    const struct source_manners *manners = &j->source->manners;
    CLEANUP(pace_drop) struct pace pace = {.fd = -1};
    enum status s = pace_hold(j->f->options.folder, fetch_host(str_of(j->source->base)),
                              clock_wall_ms(), j->stop, &pace, err);
    if (s != STATUS_OK)
        return s;
    int64_t now_ms = clock_wall_ms();
    j->ret->quota_left = pace_left(&pace, manners);
    *ret_wait_ms = pace.next_ms > now_ms ? pace.next_ms - now_ms : 0;
    if (j->ret->quota_left == 0) {
        *ret_wait_ms = 0;
        j->ret->retry_after_s = until_tomorrow(now_ms);
        fetch_decide(j, FEED_QUOTA, "the requests of today are used up");
        return STATUS_OK;
    }
    if (*ret_wait_ms > 0)
        return STATUS_OK;
    pace.count++;
    pace.next_ms = now_ms + (j->is_elsewhere ? 0 : (int64_t)manners->interval_ms);
    s = pace_save(&pace, err);
    if (s == STATUS_OK)
        s = fetch_send(j, err);
    if (s == STATUS_OK && j->ret->verdict.outcome == FEED_QUOTA)
        use_up_quota(j, &pace);
    if (s == STATUS_OK && j->ret->retry_after_s > 0 &&
        j->ret->verdict.outcome == FEED_THROTTLED) /* the whole host rests, for all who ask it */
        pace.next_ms = clock_wall_ms() + j->ret->retry_after_s * 1000;
    j->ret->quota_left = pace_left(&pace, manners);
    return s == STATUS_OK ? pace_save(&pace, err) : s;
}

static enum status wait_for_turn(struct fetch_job *j, int64_t ms, struct err *err)
{
    if (is_in_time(j->f, ms))
        return nap(ms, j->stop, err);
    j->ret->retry_after_s = ms / 1000 + 1;
    if (j->ret->verdict.outcome != FEED_DOWN)
        j->ret->verdict =
            feed_verdict_of(FEED_THROTTLED, STR("its next turn is after the end of the run"));
    j->is_final = true;
    return STATUS_OK;
}

static enum status ask_until_final(struct fetch_job *j, struct err *err)
{
    enum status s = STATUS_OK;
    for (unsigned tries = 0; s == STATUS_OK && !j->is_final;) {
        int64_t wait_ms = 0;
        s = ask_once(j, &wait_ms, err);
        if (s != STATUS_OK || j->is_final)
            break;
        if (wait_ms == 0) { /* sent */
            tries++;
            j->is_final = !feed_is_retried(j->ret->verdict.outcome) || tries == TRIES_MAX;
            wait_ms = pace_delay_ms(j->ret->retry_after_s, tries - 1, next_random(j->f));
        }
        if (!j->is_final)
            s = wait_for_turn(j, wait_ms, err);
    }
    return s;
}

static enum status address_of(struct fetch_job *j, struct err *err)
{
    struct buf url;
    buf_init(&url, j->arena, 1 << 16);
    j->is_elsewhere = fetch_base(str_of(j->f->options.bases), j->source, &url);
    if (!j->is_elsewhere)
        buf_add_c(&url, j->source->base);
    buf_add(&url, j->path);
    if (url.failed)
        return err_out_of_memory(err);
    j->url = url.ptr;
    j->url_len = url.len;
    char *shown = arena_dup(j->arena, buf_str(&url));
    if (shown == NULL)
        return err_out_of_memory(err);
    redact(shown, url.len, j->key);
    lake_url_redact((struct str){shown, url.len}, j->ret->url);
    return STATUS_OK;
}

/* The first word of the run was a refusal without an end: not "slow down", but "not you". */
static void judge_throttling(struct fetch_job *j)
{
    bool *is_known = has_answered(j->f, j->source);
    enum feed_outcome outcome = j->ret->verdict.outcome;
    if (outcome == FEED_THROTTLED && !*is_known && j->ret->retry_after_s == 0)
        j->ret->verdict.outcome = FEED_BLOCKED;
    *is_known |= outcome != FEED_THROTTLED && outcome != FEED_DOWN;
    redact(j->ret->verdict.detail, strlen(j->ret->verdict.detail), j->key);
}

enum status fetch_get(struct source_fetcher *f, const struct source *source,
                      const struct source_ask *ask, struct arena *arena, const struct stop *stop,
                      struct fetch_answer *ret, struct err *err)
{
    struct source_ask asked = *ask;
    struct source_target target = {.path = STR_NONE};
    struct err why = {0};
    *ret = (struct fetch_answer){.fetched_at = clock_wall_s(), .quota_left = -1};
    asked.key = key_of(f, source);
    struct fetch_job j = {
        .f = f, .source = source, .key = asked.key, .arena = arena, .stop = stop, .ret = ret};
    if (source->needs_key && asked.key.len == 0) {
        fetch_decide(&j, FEED_AUTH, "no key is set for it");
        return STATUS_OK;
    }
    enum status s = source->target(&asked, arena, &target, &why);
    if (s == STATUS_BAD_VALUE) {
        fetch_decide(&j, FEED_REFUSED, why.detail);
        return STATUS_OK;
    }
    if (s != STATUS_OK) {
        if (err != NULL)
            *err = why;
        return s;
    }
    j.path = target.path;
    j.header = target.header;
    j.header_value = target.header_value;
    j.form = target.form;
    s = address_of(&j, err);
    if (s == STATUS_OK)
        s = ask_until_final(&j, err);
    if (s == STATUS_OK)
        judge_throttling(&j);
    return s;
}
