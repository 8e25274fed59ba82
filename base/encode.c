/* encode.c - one loop over the codings' steps; leaf of the caches and of streams. */
#include "base/encode_impl.h"

#include <stdlib.h>

enum { PIECE_BYTES = 32 * 1024 };

static const struct {
    const char *name, *suffix;
    const struct codec *codec; /* NULL: the bytes pass as they are */
} encodings[ENCODING_COUNT] = {
    [ENCODING_ZSTD] = {"zstd", "-zstd", &codec_zstd},
    [ENCODING_BR] = {"br", "-br", &codec_br},
    [ENCODING_GZIP] = {"gzip", "-gzip", &codec_gzip},
    [ENCODING_IDENTITY] = {"identity", "", NULL},
};

const char *encoding_name(enum encoding encoding)
{
    return encodings[encoding].name;
}

const char *encoding_suffix(enum encoding encoding)
{
    return encodings[encoding].suffix;
}

struct encoder {
    const struct codec *codec;
    void *state; /* the codec's */
    encode_sink_fn *sink;
    void *cls;
    char piece[PIECE_BYTES];
};

static enum status no_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while compressing.");
}

enum status encoder_new(enum encoding encoding, size_t size_hint, encode_sink_fn *sink, void *cls,
                        struct encoder **ret, struct err *err)
{
    struct encoder *encoder = malloc(sizeof *encoder);
    if (encoder == NULL)
        return no_memory(err);
    encoder->codec = encodings[encoding].codec;
    encoder->state = encoder->codec == NULL ? NULL : encoder->codec->begin(size_hint);
    encoder->sink = sink;
    encoder->cls = cls;
    if (encoder->codec != NULL && encoder->state == NULL) {
        free(encoder);
        return no_memory(err);
    }
    *ret = encoder;
    return STATUS_OK;
}

static enum status run(struct encoder *encoder, enum encode_step step, struct str in,
                       struct err *err)
{
    if (encoder->codec == NULL)
        return in.len == 0 ? STATUS_OK : encoder->sink(encoder->cls, in, err);
    bool is_done = step == ENCODE_ADD && in.len == 0;
    while (!is_done) {
        size_t n = 0;
        if (!encoder->codec->step(encoder->state, step, &in, encoder->piece, PIECE_BYTES, &n,
                                  &is_done))
            return no_memory(err);
        enum status s =
            n == 0 ? STATUS_OK : encoder->sink(encoder->cls, (struct str){encoder->piece, n}, err);
        if (s != STATUS_OK)
            return s;
    }
    return STATUS_OK;
}

enum status encoder_add(struct encoder *encoder, struct str plain, struct err *err)
{
    return run(encoder, ENCODE_ADD, plain, err);
}

enum status encoder_finish(struct encoder *encoder, struct err *err)
{
    return run(encoder, ENCODE_FINISH, STR(""), err);
}

void encoder_free(struct encoder *encoder)
{
    if (encoder == NULL)
        return;
    if (encoder->codec != NULL)
        encoder->codec->end(encoder->state);
    free(encoder);
}

static enum status gather(void *cls, struct str bytes, struct err *err)
{
    struct buf *out = cls;
    buf_add(out, bytes);
    return out->failed ? no_memory(err) : STATUS_OK;
}

enum status encode_pack(enum encoding encoding, struct str plain, struct arena *arena,
                        struct str *ret, struct err *err)
{
    if (encodings[encoding].codec == NULL) {
        *ret = plain;
        return STATUS_OK;
    }
    struct encoder *encoder = NULL;
    struct buf out;
    buf_init(&out, arena, SIZE_MAX);
    enum status s = encoder_new(encoding, plain.len, gather, &out, &encoder, err);
    if (encoder == NULL)
        return s;
    s = encoder_add(encoder, plain, err);
    if (s == STATUS_OK)
        s = encoder_finish(encoder, err);
    if (s == STATUS_OK)
        *ret = buf_str(&out);
    encoder_free(encoder);
    return s;
}
