/* web_embedded.h - the files of web/, built into the binary by scripts/embed.sh. */
#ifndef HANDLERS_WEB_EMBEDDED_H
#define HANDLERS_WEB_EMBEDDED_H

#include <stddef.h>

struct web_file {
    const char *path; /* below web/, e.g. "index.html" */
    size_t bytes;
    const char *content;
};

extern const struct web_file web_embedded[];
extern const size_t web_embedded_count;

#endif
