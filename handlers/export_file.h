/*
 * export_file.h - the immutable files of exports in var_dir/export: made once, whole or not at all, by one maker at a
 * time, and swept. The file's name is <mart>-g<generation>.<extension>; beside it lies its digest.
 */
#ifndef HANDLERS_EXPORT_FILE_H
#define HANDLERS_EXPORT_FILE_H

#include "base/encode.h"
#include "handlers/table_write.h"

struct export_file {
    int fd;
    int64_t size;
    char tag[TAG_BYTES]; /* of the ETag, without quotes */
    char digest[64];     /* Content-Digest: "sha-256=:...:" */
};

/* *ret_found false when it has not been made. The caller closes fd. */
enum status export_open(struct request *request, struct str name, struct export_file *ret,
                        bool *ret_found, struct err *err) NODISCARD;

/* Makes it from table, which is set up but not opened. BUSY while another maker is at it. */
enum status export_make(struct table *table, struct str name, enum encoding encoding,
                        struct err *err) NODISCARD;

/* Removes it, when its generation is gone. */
void export_remove(struct request *request, struct str name);

/* Removes the oldest files until those that stay are within max_bytes, keep among them. */
void export_sweep(struct request *request, struct str keep, int64_t max_bytes);

#endif
