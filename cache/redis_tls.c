/* redis_tls.c - OpenSSL for hiredis, with the verification that hiredis by itself leaves out. */
#include "cache/redis_tls.h"

#ifdef CMMC_REDIS_TLS

#include "base/clock.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { NS_PER_MS = 1000000 };

struct redis_tls {
    SSL_CTX *trust;
    char *host;
    bool is_address;
};

static enum status refuse(const char *setting, const char *path, const char *why, struct err *err)
{
    enum status s = err_set(err, STATUS_CONFIG, "The file \"%s\" of %s %s.", path, setting, why);
    err_at(err, ERR_SETTING, str_of(setting), str_of(path));
    ERR_clear_error();
    return s;
}

/* A key behind a password is one that cannot be read: nobody is there to type it. */
static int no_password(char *buf, int size, int is_write, void *cls)
{
    (void)buf, (void)size, (void)is_write, (void)cls;
    return 0;
}

static enum status trust_issuers(SSL_CTX *trust, const char *ca_file, struct err *err)
{
    if (ca_file[0] != '\0' && SSL_CTX_load_verify_locations(trust, ca_file, NULL) != 1)
        return refuse("redis_tls_ca_file", ca_file, "holds no certificates that can be read", err);
    if (ca_file[0] == '\0' && SSL_CTX_set_default_verify_paths(trust) != 1)
        return err_set(err, STATUS_CONFIG, "The system's certificates cannot be read.");
    return STATUS_OK;
}

static enum status show_ourselves(SSL_CTX *trust, const char *cert_file, const char *key_file,
                                  struct err *err)
{
    if (cert_file[0] == '\0' && key_file[0] == '\0')
        return STATUS_OK;
    if (cert_file[0] == '\0' || key_file[0] == '\0') {
        const char *setting = cert_file[0] == '\0' ? "redis_tls_cert_file" : "redis_tls_key_file";
        enum status s = err_set(err, STATUS_CONFIG,
                                "A client certificate needs both redis_tls_cert_file and "
                                "redis_tls_key_file; %s is empty.",
                                setting);
        err_at(err, ERR_SETTING, str_of(setting), STR_NONE);
        return s;
    }
    if (SSL_CTX_use_certificate_chain_file(trust, cert_file) != 1)
        return refuse("redis_tls_cert_file", cert_file, "holds no certificate that can be read",
                      err);
    if (SSL_CTX_use_PrivateKey_file(trust, key_file, SSL_FILETYPE_PEM) != 1)
        return refuse("redis_tls_key_file", key_file,
                      "holds no key that can be read and belongs to redis_tls_cert_file", err);
    return STATUS_OK;
}

/*
 * A peer that hangs up without a farewell is the end of a connection like any other: replies tell their own lengths, so
 * a reply cut short is never taken for a whole one. Writes in pieces let the caller look at the clock between two.
 */
static void set_manners(SSL_CTX *trust)
{
    (void)SSL_CTX_set_min_proto_version(trust, TLS1_2_VERSION);
    (void)SSL_CTX_set_options(trust, SSL_OP_NO_RENEGOTIATION);
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
    (void)SSL_CTX_set_options(trust, SSL_OP_IGNORE_UNEXPECTED_EOF);
#endif
    (void)SSL_CTX_set_mode(trust, SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_verify(trust, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_default_passwd_cb(trust, no_password);
}

enum status redis_tls_new(const struct redis_options *options, const char *host,
                          struct redis_tls **ret, struct err *err)
{
    struct redis_tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return err_out_of_memory(err);
    tls->trust = SSL_CTX_new(TLS_client_method());
    tls->host = strdup(host);
    X509_VERIFY_PARAM *param = X509_VERIFY_PARAM_new();
    tls->is_address = param != NULL && X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    bool has_room = tls->trust != NULL && tls->host != NULL && param != NULL;
    X509_VERIFY_PARAM_free(param);
    ERR_clear_error();
    enum status s = has_room ? STATUS_OK : err_out_of_memory(err);
    if (s == STATUS_OK) {
        set_manners(tls->trust);
        s = trust_issuers(tls->trust, options->tls_ca_file, err);
    }
    if (s == STATUS_OK)
        s = show_ourselves(tls->trust, options->tls_cert_file, options->tls_key_file, err);
    if (s != STATUS_OK) {
        redis_tls_free(tls);
        return s;
    }
    *ret = tls;
    return STATUS_OK;
}

void redis_tls_free(struct redis_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->trust);
    free(tls->host);
    free(tls);
}

/* NULL unless all that has to be verified is set. */
static SSL *new_session(const struct redis_tls *tls)
{
    SSL *ssl = SSL_new(tls->trust);
    if (ssl == NULL)
        return NULL;
    bool is_set =
        tls->is_address
            ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), tls->host) == 1
            : SSL_set1_host(ssl, tls->host) == 1 && SSL_set_tlsext_host_name(ssl, tls->host) == 1;
    if (is_set)
        return ssl;
    SSL_free(ssl);
    return NULL;
}

/* Without REDIS_BLOCK hiredis takes "not yet" for no error; the caller waits, with the clock in sight. */
static bool stop_blocking(redisContext *context)
{
    int flags = fcntl(context->fd, F_GETFL);
    context->flags &= ~REDIS_BLOCK;
    return flags >= 0 && fcntl(context->fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static bool shake_hands(SSL *ssl, int fd, int64_t until_ns, const char **ret_reason)
{
    int result = SSL_do_handshake(ssl);
    while (result != 1) {
        int wanted = SSL_get_error(ssl, result);
        if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE)
            return false;
        struct pollfd wait = {.fd = fd, .events = wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT};
        int64_t left_ns = until_ns - clock_mono_ns();
        if (left_ns <= 0 || poll(&wait, 1, (int)(left_ns / NS_PER_MS) + 1) <= 0) {
            *ret_reason = "no TLS in time";
            return false;
        }
        result = SSL_do_handshake(ssl);
    }
    return true;
}

bool redis_tls_start(const struct redis_tls *tls, struct redisContext *context, int64_t until_ns,
                     const char **ret_reason)
{
    *ret_reason = "no TLS";
    ERR_clear_error();
    SSL *ssl = new_session(tls);
    if (ssl == NULL || !stop_blocking(context)) {
        SSL_free(ssl);
        return false;
    }
    (void)SSL_up_ref(
        ssl); /* hiredis gives its own back with the context, or not when it fails at once */
    bool is_begun = redisInitiateSSL(context, ssl) == REDIS_OK;
    bool is_safe = is_begun && shake_hands(ssl, context->fd, until_ns, ret_reason) &&
                   SSL_get_verify_result(ssl) == X509_V_OK;
    long verdict = SSL_get_verify_result(ssl);
    if (verdict != X509_V_OK)
        *ret_reason = X509_verify_cert_error_string(verdict);
    if (is_safe)
        *ret_reason = NULL;
    ERR_clear_error();
    if (!is_begun)
        SSL_free(ssl);
    SSL_free(ssl);
    return is_safe;
}

void redis_tls_forget_errors(void)
{
    ERR_clear_error();
}

#else

enum status redis_tls_new(const struct redis_options *options, const char *host,
                          struct redis_tls **ret, struct err *err)
{
    (void)options, (void)host, (void)ret;
    enum status s = err_set(
        err, STATUS_CONFIG,
        "rediss:// needs hiredis 1.0 or later, and this program was built with an older one. "
        "Use redis:// through stunnel, as docs/operations.md describes.");
    err_at(err, ERR_SETTING, STR("redis_url"), STR_NONE);
    return s;
}

void redis_tls_free(struct redis_tls *tls)
{
    (void)tls;
}

bool redis_tls_start(const struct redis_tls *tls, struct redisContext *context, int64_t until_ns,
                     const char **ret_reason)
{
    (void)tls, (void)context, (void)until_ns;
    *ret_reason = "no TLS";
    return false;
}

void redis_tls_forget_errors(void)
{
}

#endif
