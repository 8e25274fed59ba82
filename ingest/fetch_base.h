/* fetch_base.h - where a source is asked when it is not where it lives: for tests and mirrors. Pure; any thread. */
#ifndef INGEST_FETCH_BASE_H
#define INGEST_FETCH_BASE_H

#include "ingest/source.h"

/* Checks a list as in source_fetcher_options. Errors: CONFIG naming the entry and what is allowed. */
enum status fetch_bases_check(struct str bases, struct err *err) NODISCARD;

/* Writes the source's address of a checked list into out; false: it has none there. */
bool fetch_base(struct str bases, const struct source *source, struct buf *out);

/* The host, with its port when there is one, of an address. */
struct str fetch_host(struct str address);

#endif
