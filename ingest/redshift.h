/*
 * redshift.h - how rows come into Amazon Redshift: gzipped CSV objects in the lake's bucket, a manifest of them, and
 * COPY ... FROM 's3://...manifest' IAM_ROLE ... MANIFEST (Amazon Redshift Database Developer Guide, "COPY", "Using a manifest to
 * specify data files", "Verifying that the data loaded correctly").
 *
 * The objects lie below silver/load/{table}/ymd={today}/ under names that nobody else gets; they are removed when their
 * rows are in, and those of a process that died by the next that opens the warehouse.
 */
#ifndef INGEST_REDSHIFT_H
#define INGEST_REDSHIFT_H

#include "ingest/lake.h"
#include "store/db.h"

struct redshift {
    struct lake *lake; /* on S3, where the cluster reads */
    const char *role;  /* an ARN, or "default": the cluster's own */
};

/*
 * redshift and what it points to outlive ret. Memory of a load: one piece of 16 MiB and its packed form. A row that the cluster
 * refuses is BAD_DATA with the line, column and reason that it recorded; the transaction is rolled back then.
 */
void redshift_bulk(struct redshift *redshift, struct db_bulk *ret);

/* Objects of loads that ended before the day before yesterday. Errors: those of the lake. */
enum status redshift_tidy(struct lake *lake, const struct stop *stop, struct err *err) NODISCARD;

#endif
