/* workers.c - the bounded queues between the polling threads and the work that may block or take long. */
#include "server/workers.h"

#include "base/clock.h"
#include "base/lock.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>

struct workers {
    struct workers_options options; /* fixed */
    struct lock lock;               /* leaf lock; guards every GUARDED field */
    struct cond has_job;
    struct job *first GUARDED; /* oldest */
    struct job *last GUARDED;
    unsigned n_waiting GUARDED; /* admitted and not yet taken */
    unsigned n_running GUARDED;
    double mean_s GUARDED; /* moving average of the time a job runs */
    bool is_closing GUARDED;
    unsigned n_threads; /* started; fixed after workers_new */
    pthread_t threads[];
};

static struct job *take_first(struct workers *w) REQUIRES(w->lock)
{
    struct job *job = w->first;
    if (job == NULL)
        return NULL;
    w->first = job->next;
    if (w->first == NULL)
        w->last = NULL;
    else
        w->first->prev = NULL;
    w->n_waiting--;
    return job;
}

static void unlink_job(struct workers *w, struct job *job) REQUIRES(w->lock)
{
    if (job->prev == NULL)
        w->first = job->next;
    else
        job->prev->next = job->next;
    if (job->next == NULL)
        w->last = job->prev;
    else
        job->next->prev = job->prev;
    w->n_waiting--;
}

/* Waits for a job; NULL when the queue is closing and empty. */
static struct job *next_job(struct workers *w)
{
    lock_take(&w->lock);
    while (w->first == NULL && !w->is_closing)
        cond_wait(&w->has_job, &w->lock);
    struct job *job = take_first(w);
    if (job != NULL)
        w->n_running++;
    lock_give(&w->lock);
    return job;
}

static void note_done(struct workers *w, double seconds, bool was_run)
{
    lock_take(&w->lock);
    w->n_running--;
    if (was_run)
        w->mean_s += 0.2 * (seconds - w->mean_s);
    lock_give(&w->lock);
}

static void *work(void *cls)
{
    struct workers *w = cls;
    /* Linux keeps the value for each thread; refused, all of them are equal as before. */
    (void)setpriority(PRIO_PROCESS, 0, w->options.nice);
    for (struct job *job = next_job(w); job != NULL; job = next_job(w)) {
        int64_t started_ns = clock_mono_ns();
        bool runs = !stop_is_raised(job->stop);
        job->started_ns = started_ns;
        if (runs)
            w->options.run(job);
        else
            w->options.skip(job);
        note_done(w, (double)(clock_mono_ns() - started_ns) / 1e9, runs);
    }
    return NULL;
}

enum status workers_new(const struct workers_options *options, struct workers **ret,
                        struct err *err)
{
    struct workers *w = calloc(1, sizeof *w + options->n_threads * sizeof w->threads[0]);
    if (w == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for the %s workers.", options->name);
    w->options = *options;
    w->mean_s = 0.01;
    lock_init(&w->lock);
    cond_init(&w->has_job);
    for (; w->n_threads < options->n_threads; w->n_threads++)
        if (pthread_create(&w->threads[w->n_threads], NULL, work, w) != 0) {
            workers_free(w);
            return err_set(err, STATUS_OUT_OF_MEMORY, "The %s workers could not be started.",
                           options->name);
        }
    *ret = w;
    return STATUS_OK;
}

void workers_free(struct workers *w)
{
    if (w == NULL)
        return;
    lock_take(&w->lock);
    w->is_closing = true;
    cond_broadcast(&w->has_job);
    lock_give(&w->lock);
    for (unsigned i = 0; i < w->n_threads; i++)
        (void)pthread_join(w->threads[i], NULL);
    cond_clear(&w->has_job);
    lock_clear(&w->lock);
    free(w);
}

bool workers_admit(struct workers *w)
{
    lock_take(&w->lock);
    bool has_place = !w->is_closing && w->n_waiting < w->options.queue_max;
    if (has_place)
        w->n_waiting++;
    lock_give(&w->lock);
    return has_place;
}

static void append(struct workers *w, struct job *job) REQUIRES(w->lock)
{
    job->next = NULL;
    job->prev = w->last;
    if (w->last == NULL)
        w->first = job;
    else
        w->last->next = job;
    w->last = job;
}

static void push(struct workers *w, struct job *job, unsigned n_more)
{
    job->queued_ns = clock_mono_ns();
    job->started_ns = job->queued_ns;
    lock_take(&w->lock);
    w->n_waiting += n_more;
    append(w, job);
    /* Under the lock: once the job has run w may be freed, and whoever pushed it is not waited for. */
    cond_signal(&w->has_job);
    lock_give(&w->lock);
}

void workers_push(struct workers *w, struct job *job)
{
    push(w, job, 0);
}

void workers_push_again(struct workers *w, struct job *job)
{
    push(w, job, 1);
}

void workers_sweep(struct workers *w)
{
    struct job *stopped = NULL;
    lock_take(&w->lock);
    for (struct job *job = w->first, *next; job != NULL; job = next) {
        next = job->next;
        if (!stop_is_raised(job->stop))
            continue;
        unlink_job(w, job);
        job->next = stopped;
        stopped = job;
    }
    lock_give(&w->lock);
    while (stopped != NULL) {
        struct job *job = stopped;
        stopped = job->next; /* skip gives the job away */
        job->started_ns = clock_mono_ns();
        w->options.skip(job);
    }
}

unsigned workers_retry_after_s(struct workers *w)
{
    lock_take(&w->lock);
    double seconds = (w->n_waiting + 1) * w->mean_s / w->options.n_threads;
    lock_give(&w->lock);
    return seconds <= 1 ? 1 : seconds >= 60 ? 60 : (unsigned)ceil(seconds);
}

struct workers_load workers_load(struct workers *w)
{
    lock_take(&w->lock);
    struct workers_load load = {w->n_waiting, w->n_running};
    lock_give(&w->lock);
    return load;
}

const char *workers_name(const struct workers *w)
{
    return w->options.name;
}
