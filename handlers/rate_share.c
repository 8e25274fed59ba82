/* rate_share.c - one EVAL for up to BATCH callers: adds what was used here, returns what was used in all. */
#include "handlers/rate_share.h"

#include "base/clock.h"
#include "base/lock.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    BATCH = 256,
    BATCHES_MAX = RATE_SLOTS / BATCH,
    ITEM_BYTES = 80, /* "cmmc:rate:1:0123456789abcdef:30000000=1000000 " */
    NS_PER_MS = 1000000
};

static const uint32_t total_max =
    100000000; /* a hundred times the largest quota: no count of ours */

/* Keys live two windows. A key of another type, or out of range, gives 0 and harms no other. */
static const char script[] =
    "local out = {} "
    "for key, used in string.gmatch(ARGV[1], '(%S+)=(%d+)') do "
    "local total "
    "if used == '0' then total = redis.pcall('GET', key) "
    "else total = redis.pcall('INCRBY', key, used) redis.pcall('PEXPIRE', key, ARGV[2]) end "
    "if type(total) == 'table' or not total then total = 0 end "
    "out[#out + 1] = tostring(total) end "
    "return table.concat(out, ' ')";

struct rate_share {
    struct rate *rate;
    struct redis *redis;
    pthread_t thread;
    struct lock lock; /* leaf lock; guards must_stop */
    struct cond woken;
    bool must_stop GUARDED;
};

static struct str put_batch(const struct rate_report *reports, size_t n, struct arena *arena)
{
    struct buf text;
    buf_init(&text, arena, (size_t)BATCH * ITEM_BYTES);
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, "cmmc:rate:%d:%" PRIx64 ":%" PRId64 "=%" PRIu32 " ",
                   (int)reports[i].id.kind, reports[i].id.value, reports[i].window,
                   reports[i].used);
    return text.failed ? STR_NONE : buf_str(&text);
}

/* As many totals as there are reports, or it is no answer of the script. */
static bool take_totals(struct str text, struct rate_report *reports, size_t n)
{
    struct str item;
    size_t i = 0;
    for (; i < n && str_next_field(&text, ' ', &item); i++) {
        int64_t total;
        bool is_count = str_to_i64(item, &total) && total >= 0 && total <= total_max;
        reports[i].total = is_count ? (uint32_t)total : 0;
    }
    return i == n && text.ptr == NULL;
}

static bool exchange(struct redis *redis, struct rate_report *reports, size_t n)
{
    CLEANUP(arena_clear) struct arena arena;
    struct redis_reply reply;
    arena_init(&arena, 1 << 20);
    struct str batch = put_batch(reports, n, &arena);
    const struct str args[] = {STR("EVAL"), str_of(script), STR("0"), batch, STR("120000")};
    if (batch.ptr == NULL || redis_run(redis, args, ARRAY_LEN(args), &arena, &reply) != REDIS_DONE)
        return false;
    return reply.type == REDIS_TEXT && take_totals(reply.text, reports, n);
}

/* One exchange; false when Redis did not answer. */
static bool share_once(struct rate *rate, struct redis *redis, int64_t now_ms)
{
    struct rate_report reports[BATCH];
    size_t n = BATCH;
    for (size_t i = 0; i < BATCHES_MAX && n == BATCH; i++) {
        n = rate_report(rate, now_ms, reports, BATCH);
        if (n == 0)
            return true;
        if (!exchange(redis, reports, n)) {
            rate_unreport(rate, reports, n);
            return false;
        }
        rate_fold(rate, reports, n);
    }
    return true;
}

static bool wait_round(struct rate_share *share)
{
    int64_t until_ns = clock_mono_ns() + (int64_t)RATE_SHARE_MS * NS_PER_MS;
    lock_take(&share->lock);
    while (!share->must_stop && cond_wait_until(&share->woken, &share->lock, until_ns))
        continue;
    bool must_stop = share->must_stop;
    lock_give(&share->lock);
    return !must_stop;
}

static void *thread_main(void *arg)
{
    struct rate_share *share = arg;
    while (wait_round(share))
        (void)share_once(share->rate, share->redis, clock_wall_ms());
    return NULL;
}

enum status rate_share_start(struct rate *rate, struct redis *redis, struct rate_share **ret,
                             struct err *err)
{
    struct rate_share *share = calloc(1, sizeof *share);
    if (share == NULL)
        return err_out_of_memory(err);
    share->rate = rate;
    share->redis = redis;
    lock_init(&share->lock);
    cond_init(&share->woken);
    if (pthread_create(&share->thread, NULL, thread_main, share) != 0) {
        cond_clear(&share->woken);
        lock_clear(&share->lock);
        free(share);
        return err_set(err, STATUS_OUT_OF_MEMORY, "A thread cannot be started.");
    }
    *ret = share;
    return STATUS_OK;
}

void rate_share_stop(struct rate_share *share)
{
    if (share == NULL)
        return;
    lock_take(&share->lock);
    share->must_stop = true;
    cond_signal(&share->woken);
    lock_give(&share->lock);
    (void)pthread_join(share->thread, NULL);
    cond_clear(&share->woken);
    lock_clear(&share->lock);
    free(share);
}
