/*
 * manifest.h - which files a data set consists of. manifest.json:
 *   {"format": 1, "name": "sample", "files": [{"path", "mart", "rows", "sha256"}, ...]}
 * Pure but for reading files; one thread at a time.
 */
#ifndef INGEST_MANIFEST_H
#define INGEST_MANIFEST_H

#include "base/arena.h"
#include "base/err.h"

struct manifest_file {
    struct str path;      /* below the manifest's folder; never leaves it */
    const char *location; /* folder and path, to open */
    struct str mart;
    int64_t rows;      /* data rows, without the header */
    struct str sha256; /* of the bytes on disk, lower-case hexadecimal */
};

struct manifest {
    struct str name;
    struct manifest_file *files;
    size_t n_files;
};

/* Reads and checks dir/manifest.json; everything is kept in the arena. */
enum status manifest_read(const char *dir, struct arena *arena, struct manifest *ret,
                          struct err *err) NODISCARD;

/* BAD_DATA, naming the file, when its bytes are not those that the manifest speaks of. */
enum status manifest_verify(const struct manifest_file *file, struct err *err) NODISCARD;

#endif
