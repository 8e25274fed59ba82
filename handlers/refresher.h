/*
 * refresher.h - a background thread that brings the database up to date, loads the catalogue, and then keeps it
 * current: it looks for new generations every refresh_ms, and as soon as a publish says so (NOTIFY mart_published) or
 * anybody asks (NOTIFY cmmc_reload), which a second thread listens for. A database that is down delays it, nothing else;
 * what was loaded stays served. Its findings answer the readiness checks without I/O.
 */
#ifndef HANDLERS_REFRESHER_H
#define HANDLERS_REFRESHER_H

#include "server/app.h"

struct refresher;

/* app->db and app->catalog must be set. Adds the readiness checks "database" and "catalogue" to app. */
enum status refresher_new(struct app *app, struct refresher **ret, struct err *err) NODISCARD;

/* Runs one round on the calling thread, so that a server with its database at hand starts ready. */
void refresher_run_once(struct refresher *refresher);

/*
 * Asks for a round soon: at once, or REFRESH_PAUSE_MS after the last one, so that a burst costs two rounds. From any
 * thread; does not block. What else than the clock knows of a publish calls it.
 */
enum { REFRESH_PAUSE_MS = 100 };
void refresher_wake(struct refresher *refresher);
enum status refresher_start(struct refresher *refresher, struct err *err) NODISCARD;

/* Stops the thread, if any; then frees. Accepts NULL. */
void refresher_free(struct refresher *refresher);

#endif
