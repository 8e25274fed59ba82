/* embedded.h - openapi.yaml and the same as JSON, built into the binary by scripts/embed.sh. */
#ifndef HANDLERS_EMBEDDED_H
#define HANDLERS_EMBEDDED_H

#include <stddef.h>

extern const char openapi_embedded[];
extern const size_t openapi_embedded_bytes;
extern const char openapi_json_embedded[];
extern const size_t openapi_json_embedded_bytes;

#endif
