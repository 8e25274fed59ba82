/*
 * export_file.h - the immutable files of exports in var_dir/export: made once, whole or not at all, by one maker at a
 * time, and swept. The file's name is <mart>-g<generation>.<extension>; beside it lies <name>.digest: the digest, then a
 * line of warnings.
 */
#ifndef HANDLERS_EXPORT_FILE_H
#define HANDLERS_EXPORT_FILE_H

#include "base/encode.h"
#include "handlers/table_write.h"
#include "handlers/warnings.h"
#include "server/config.h"

struct export_file {
    int fd;
    int64_t size;
    char tag[TAG_BYTES];                /* of the ETag, without quotes */
    char digest[64];                    /* Content-Digest: "sha-256=:...:" */
    char warnings[WARNINGS_TEXT_BYTES]; /* see warnings_text; "" when there is nothing to say */
};

/* *ret_found false when it has not been made. The caller closes fd. */
enum status export_open(struct request *request, struct str name, struct export_file *ret,
                        bool *ret_found, struct err *err) NODISCARD;

/* Makes it from table, which is set up but not opened. BUSY while another maker is at it. */
enum status export_make(struct table *table, struct str name, enum encoding encoding,
                        struct err *err) NODISCARD;

/* Removes the oldest files until those that stay are within max_bytes, keep among them. */
void export_sweep(const struct config *config, struct str keep, int64_t max_bytes);

/* Removes the files of versions that catalog no longer has, and what makers that died left behind. */
void export_retire(const struct config *config, const struct catalog *catalog);

#endif
