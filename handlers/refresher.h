/*
 * refresher.h - a background thread that brings the database up to date, loads the catalogue, and then keeps it
 * current: it looks for new generations every refresh_ms. A database that is down delays it, nothing else;
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
enum status refresher_start(struct refresher *refresher, struct err *err) NODISCARD;

/* Stops the thread, if any; then frees. Accepts NULL. */
void refresher_free(struct refresher *refresher);

#endif
