/* encode_impl.h - what a coding provides; for the encode*.c files only. */
#ifndef BASE_ENCODE_IMPL_H
#define BASE_ENCODE_IMPL_H

#include "base/encode.h"

enum encode_step { ENCODE_ADD, ENCODE_FINISH };

struct codec {
    void *(*begin)(size_t size_hint); /* NULL when out of memory */
    /*
     * Takes bytes off the front of *in and writes at most size bytes to out. *ret_is_done tells whether the
     * step is complete: for ADD all of *in is taken, for FINISH also all of it is written. False: out of memory.
     */
    bool (*step)(void *state, enum encode_step step, struct str *in, char *out, size_t size,
                 size_t *ret_n, bool *ret_is_done);
    void (*end)(void *state);
};

extern const struct codec codec_gzip, codec_br, codec_zstd;

#endif
