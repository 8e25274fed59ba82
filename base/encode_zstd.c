/* encode_zstd.c - zstd through libzstd (its only user). */
#include "base/encode_impl.h"

#include <zstd.h>

/* 3 is libzstd's own choice. A window of 1 MiB bounds the memory on both sides (RFC 8878 advises 8 at most). */
enum { LEVEL = 3, WINDOW_LOG_MIN = 10, WINDOW_LOG = 20 };

/* A window wider than the body only costs time to set up. */
static int window_log(size_t size_hint)
{
    int log = WINDOW_LOG_MIN;
    while (log < WINDOW_LOG && (size_hint == 0 || ((size_t)1 << log) < size_hint))
        log++;
    return log;
}

static void *zstd_begin(size_t size_hint)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (context == NULL)
        return NULL;
    /* None of these can fail for these values, and a frame without them would still be right. */
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log(size_hint));
    return context;
}

static bool zstd_step(void *state, enum encode_step step, struct str *in, char *out, size_t size,
                      size_t *ret_n, bool *ret_is_done)
{
    static const ZSTD_EndDirective directives[] = {
        [ENCODE_ADD] = ZSTD_e_continue, [ENCODE_FINISH] = ZSTD_e_end};
    ZSTD_inBuffer from = {in->ptr, in->len, 0};
    ZSTD_outBuffer to = {out, size, 0};
    size_t left = ZSTD_compressStream2(state, &to, &from, directives[step]);
    if (ZSTD_isError(left))
        return false;
    *in = str_sub(*in, from.pos, in->len);
    *ret_n = to.pos;
    *ret_is_done = step == ENCODE_ADD ? in->len == 0 : left == 0;
    return true;
}

static void zstd_end(void *state)
{
    (void)ZSTD_freeCCtx(state);
}

const struct codec codec_zstd = {zstd_begin, zstd_step, zstd_end};
