/* digest.c - SHA-256 and HMAC through OpenSSL's EVP interface. */
#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

struct digest {
    EVP_MD_CTX *ctx;
};

static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void fetch_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

/* Looked up once: EVP_sha256() makes OpenSSL 3 search its providers at every use. */
static const EVP_MD *algorithm(void)
{
    (void)pthread_once(&sha256_once, fetch_sha256);
    return sha256 == NULL ? EVP_sha256() : sha256;
}

static enum status failed(struct err *err)
{
    (void)err_set(err, STATUS_INTERNAL, "The SHA-256 implementation failed.");
    return STATUS_INTERNAL;
}

enum status digest_new(struct digest **ret, struct err *err)
{
    struct digest *digest = calloc(1, sizeof *digest);
    if (digest == NULL) {
        (void)err_out_of_memory(err);
        return STATUS_OUT_OF_MEMORY;
    }
    digest->ctx = EVP_MD_CTX_new();
    if (digest->ctx == NULL || EVP_DigestInit_ex(digest->ctx, algorithm(), NULL) != 1) {
        digest_freep(&digest);
        return failed(err);
    }
    *ret = digest;
    return STATUS_OK;
}

void digest_freep(struct digest **digest)
{
    if (*digest == NULL)
        return;
    EVP_MD_CTX_free((*digest)->ctx);
    free(*digest);
    *digest = NULL;
}

enum status digest_add(struct digest *digest, struct str bytes, struct err *err)
{
    return EVP_DigestUpdate(digest->ctx, bytes.ptr, bytes.len) == 1 ? STATUS_OK : failed(err);
}

enum status digest_finish(struct digest *digest, unsigned char ret[DIGEST_BYTES], struct err *err)
{
    unsigned n = 0;
    return EVP_DigestFinal_ex(digest->ctx, ret, &n) == 1 && n == DIGEST_BYTES ? STATUS_OK
                                                                              : failed(err);
}

enum status digest_raw(struct str bytes, unsigned char ret[DIGEST_BYTES], struct err *err)
{
    unsigned n = 0;
    return EVP_Digest(bytes.ptr, bytes.len, ret, &n, algorithm(), NULL) == 1 && n == DIGEST_BYTES
               ? STATUS_OK
               : failed(err);
}

enum status digest_hmac(struct str key, struct str bytes, unsigned char ret[DIGEST_BYTES],
                        struct err *err)
{
    unsigned n = 0;
    bool is_made =
        key.len <= INT_MAX && HMAC(algorithm(), key.ptr, (int)key.len,
                                   (const unsigned char *)bytes.ptr, bytes.len, ret, &n) != NULL;
    return is_made && n == DIGEST_BYTES ? STATUS_OK : failed(err);
}

bool digest_is_equal(const unsigned char a[DIGEST_BYTES], const unsigned char b[DIGEST_BYTES])
{
    return CRYPTO_memcmp(a, b, DIGEST_BYTES) == 0;
}

enum status digest_hex(struct str bytes, char ret[DIGEST_HEX_BYTES], struct err *err)
{
    unsigned char raw[DIGEST_BYTES];
    enum status s = digest_raw(bytes, raw, err);
    if (s == STATUS_OK)
        digest_to_hex(raw, ret);
    return s;
}

void digest_to_hex(const unsigned char raw[DIGEST_BYTES], char ret[DIGEST_HEX_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        ret[2 * i] = hex[raw[i] >> 4];
        ret[2 * i + 1] = hex[raw[i] & 15];
    }
    ret[DIGEST_HEX_BYTES - 1] = '\0';
}
