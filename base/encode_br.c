/* encode_br.c - Brotli through libbrotlienc (its only user). */
#include "base/encode_impl.h"

#include <brotli/encode.h>

/* 5 takes about as long as gzip at 6 and makes less; 11 is for files that are made once. */
enum { QUALITY = 5, WINDOW_BITS = 20 };

static void *br_begin(size_t size_hint)
{
    BrotliEncoderState *state = BrotliEncoderCreateInstance(NULL, NULL, NULL);
    if (state == NULL)
        return NULL;
    (void)BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, QUALITY);
    (void)BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, WINDOW_BITS);
    (void)BrotliEncoderSetParameter(state, BROTLI_PARAM_SIZE_HINT,
                                    size_hint > UINT32_MAX ? UINT32_MAX : (uint32_t)size_hint);
    return state;
}

static bool br_step(void *state, enum encode_step step, struct str *in, char *out, size_t size,
                    size_t *ret_n, bool *ret_is_done)
{
    static const BrotliEncoderOperation operations[] = {
        [ENCODE_ADD] = BROTLI_OPERATION_PROCESS, [ENCODE_FINISH] = BROTLI_OPERATION_FINISH};
    size_t n_in = in->len, room = size;
    const uint8_t *from = (const uint8_t *)in->ptr;
    uint8_t *to = (uint8_t *)out;
    if (!BrotliEncoderCompressStream(state, operations[step], &n_in, &from, &room, &to, NULL))
        return false;
    *in = str_sub(*in, in->len - n_in, in->len);
    *ret_n = size - room;
    *ret_is_done = step == ENCODE_FINISH ? BrotliEncoderIsFinished(state)
                                         : n_in == 0 && !BrotliEncoderHasMoreOutput(state);
    return true;
}

static void br_end(void *state)
{
    BrotliEncoderDestroyInstance(state);
}

const struct codec codec_br = {br_begin, br_step, br_end};
