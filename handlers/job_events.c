/* job_events.c - what a stream of a job's events says next. */
#include "handlers/job_events.h"

#include "base/clock.h"
#include "base/date.h"
#include "base/json_out.h"

enum { LINES_MAX = 100 };

static void begin_event(struct buf *out, const struct job_events *events, const char *name,
                        struct json_out *json)
{
    if (!events->has_sent && out->len == 0)
        buf_add_c(out, "retry: 2000\n\n");
    buf_printf(out, "id: %lld.%lld\nevent: %s\ndata: ", (long long)events->sent.log,
               (long long)(events->sent.done < 0 ? 0 : events->sent.done), name);
    jw_init(json, out);
    jw_object(json);
}

static void end_event(struct buf *out, struct json_out *json)
{
    jw_end_object(json);
    buf_add_c(out, "\n\n");
}

static void put_progress(struct json_out *json, const struct job_glimpse *now)
{
    jw_key_c(json, "state", job_state_names[now->state]);
    jw_key_bool(json, "cancel_requested", now->cancel_requested);
    jw_key_i64(json, "items", now->n_items);
    jw_key_i64(json, "done", now->n_done);
    jw_key_i64(json, "failed", now->n_failed);
    jw_key_f64(json, "fraction", now->n_items > 0 ? (double)now->n_done / (double)now->n_items : 0);
    jw_key(json, "eta_s");
    if (now->state == JOB_RUNNING && now->n_done > 0)
        jw_f64(json, (double)(now->now_ms - now->started_ms) / 1000 *
                         (double)(now->n_items - now->n_done) / (double)now->n_done);
    else
        jw_null(json);
}

static enum status add_log(struct job_events *events, struct db *db, struct str id,
                           const struct job_glimpse *now, struct arena *arena, struct buf *out)
{
    struct job_line *lines = NULL;
    size_t n = 0;
    struct json_out json;
    char at[INSTANT_TEXT_BYTES];
    if (now->n_log <= events->sent.log)
        return STATUS_OK;
    enum status s = job_log_read(db, id, events->sent.log, arena, &lines, &n, NULL);
    for (size_t i = 0; i < n && i < LINES_MAX && s == STATUS_OK; i++) {
        events->sent.log = lines[i].seq;
        instant_format(lines[i].at_ms / 1000, at);
        begin_event(out, events, "log", &json);
        jw_key_i64(&json, "seq", lines[i].seq);
        jw_key_c(&json, "at", at);
        jw_key_text(&json, "line", lines[i].line);
        end_event(out, &json);
    }
    return s;
}

void job_events_write(struct job_events *events, struct db *db, struct str id,
                      const struct job_glimpse *now, int64_t heartbeat_ns, struct arena *arena,
                      struct buf *out)
{
    struct json_out json;
    int64_t now_ns = clock_mono_ns();
    if (add_log(events, db, id, now, arena, out) != STATUS_OK) {
        out->len = 0; /* the next round will do */
        return;
    }
    bool is_over = job_is_over(now->state) && events->sent.log >= now->n_log;
    if (now->n_done != events->sent.done || !events->has_sent) {
        events->sent.done = now->n_done;
        begin_event(out, events, "progress", &json);
        put_progress(&json, now);
        end_event(out, &json);
    }
    if (is_over) {
        begin_event(out, events, "end", &json);
        put_progress(&json, now);
        if (now->problem.ptr != NULL) {
            jw_key(&json, "problem");
            jw_raw(&json, now->problem);
        }
        end_event(out, &json);
    }
    if (out->len == 0 && now_ns - events->spoken_ns > heartbeat_ns)
        buf_add_c(out, ": still here\n\n");
    if (out->len == 0)
        return;
    events->has_sent = true;
    events->spoken_ns = now_ns;
}
