/* zstd.c - whole frames through libzstd, with the checksum that shows damage. */
#include "base/zstd.h"

#include <zstd.h>

static enum status out_of_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while packing or unpacking.");
}

static enum status damaged(struct err *err)
{
    return err_set(err, STATUS_BAD_DATA, "The compressed bytes are damaged or cut short.");
}

enum status zstd_pack(struct str plain, int level, struct arena *arena, struct str *ret,
                      struct err *err)
{
    size_t bound = ZSTD_compressBound(plain.len);
    char *out = arena_alloc(arena, bound);
    ZSTD_CCtx *context = out == NULL ? NULL : ZSTD_createCCtx();
    if (context == NULL)
        return out_of_memory(err);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t len = ZSTD_compress2(context, out, bound, plain.ptr, plain.len);
    (void)ZSTD_freeCCtx(context);
    if (ZSTD_isError(len))
        return out_of_memory(err); /* the room is as large as it may need to be */
    *ret = (struct str){out, len};
    return STATUS_OK;
}

bool zstd_is_frame(struct str bytes)
{
    return str_starts(bytes, STR("\x28\xb5\x2f\xfd"));
}

enum status zstd_unpack(struct str packed, size_t max_bytes, struct arena *arena, struct str *ret,
                        struct err *err)
{
    unsigned long long size = ZSTD_getFrameContentSize(packed.ptr, packed.len);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR)
        return damaged(err);
    if (size > max_bytes)
        return err_set(err, STATUS_TOO_LARGE, "The compressed content is larger than allowed.");
    char *out = arena_alloc(arena, size + 1);
    if (out == NULL)
        return out_of_memory(err);
    size_t len = ZSTD_decompress(out, size, packed.ptr, packed.len);
    if (ZSTD_isError(len) || len != size)
        return damaged(err);
    out[len] = '\0';
    *ret = (struct str){out, len};
    return STATUS_OK;
}
