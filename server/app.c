/* app.c - the readiness list that joins the parts without the server knowing them. */
#include "server/app.h"

bool app_add_check(struct app *app, const char *name, app_check_fn *check, void *cls,
                   bool is_required)
{
    if (app->n_checks == APP_CHECKS_MAX)
        return false;
    app->checks[app->n_checks++] = (struct app_check){name, check, cls, is_required};
    return true;
}

enum status app_run_check(const struct app *app, size_t i, struct err *err)
{
    const struct app_check *check = &app->checks[i];
    enum status s = check->check(check->cls, err);
    metrics_set_labeled(app->metrics, METRIC_ready, LABELS(check->name), s == STATUS_OK ? 1 : 0);
    return s;
}

enum status app_ready(const struct app *app, unsigned excluded, struct err *err)
{
    if (atomic_load(&app->is_draining))
        return err_set(err, STATUS_DRAINING, "The server is shutting down.");
    if (!atomic_load(&app->is_started))
        return err_set(err, STATUS_BUSY, "The server is starting.");
    enum status first = STATUS_OK;
    for (size_t i = 0; i < app->n_checks; i++) {
        struct err found = {0};
        if ((excluded & 1u << i) != 0)
            continue;
        enum status s = app_run_check(app, i, &found);
        if (s == STATUS_OK || !app->checks[i].is_required || first != STATUS_OK)
            continue;
        first = s;
        if (err != NULL)
            *err = found;
    }
    return first;
}
