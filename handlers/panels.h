/*
 * panels.h - aligned panels of one version of the data, built once and shared read-only by the backtests that ask for
 * the same assets, window and rules of prices (panel_shared.h).
 *
 * A version is a number that rises with each publish of what panels are made of; the first that is kept of a later one
 * moves the shelf, and panels of the version before go when the last run that holds them gives them back. When the
 * shelf is full, the panel that was asked for longest ago goes first. What does not fit serves its run and goes.
 * Threads: any. One leaf lock; nothing is built, allocated or freed under it.
 */
#ifndef HANDLERS_PANELS_H
#define HANDLERS_PANELS_H

#include "base/arena.h"
#include "base/digest.h"

#include <stdint.h>

struct panels;
struct panel_shared;
struct panel_lease; /* a panel while somebody holds it */

struct panels_stats {
    uint64_t hits, misses; /* found; not found and asked for */
    uint64_t evictions;
    uint64_t bytes;
    uint64_t panels;
};

/* Keeps at most max_bytes. Errors: STATUS_OUT_OF_MEMORY. */
enum status panels_new(size_t max_bytes, struct panels **ret, struct err *err) NODISCARD;
void panels_free(struct panels *panels); /* NULL is allowed; nobody holds a lease any more */
struct panels_stats panels_stats(struct panels *panels);

/* The panel kept under key at version, to be given back; NULL when there is none. */
struct panel_lease *panels_find(struct panels *panels, int64_t version,
                                const unsigned char key[DIGEST_BYTES]) NODISCARD;

/* A lease whose panel is still to be built in panel_lease_arena, of at most limit_bytes; NULL: out of memory. */
struct panel_lease *panel_lease_new(size_t limit_bytes) NODISCARD;
struct arena *panel_lease_arena(struct panel_lease *lease);
const struct panel_shared *panel_lease_panel(const struct panel_lease *lease);

/* Keeps what was built in lease's arena, if there is room for one that large; the caller still holds the lease. */
void panels_keep(struct panels *panels, int64_t version, const unsigned char key[DIGEST_BYTES],
                 struct panel_lease *lease, const struct panel_shared *panel);
void panels_release(struct panels *panels, struct panel_lease *lease); /* lease may be NULL */

/* The server's shelf, as large as its settings say, with its metrics; in app->panels. */
struct app;
enum status panels_open(struct app *app, struct err *err) NODISCARD;
void panels_close(struct app *app); /* after the server has stopped */

#endif
