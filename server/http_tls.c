/* http_tls.c - reads what the library needs for TLS, and says clearly what is missing. */
#define _GNU_SOURCE
#include "server/http_tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEM_BYTES_MAX = 256 * 1024 };

static enum status refuse(const char *setting, const char *path, const char *why, struct err *err)
{
    enum status s = err_set(err, STATUS_CONFIG, "The file \"%s\" of %s %s.", path, setting, why);
    err_at(err, ERR_SETTING, str_of(setting), str_of(path));
    return s;
}

static enum status read_pem(const char *setting, const char *path, char **ret, struct err *err)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return refuse(setting, path, strerrordesc_np(errno), err);
    char *text = calloc(1, PEM_BYTES_MAX + 1);
    size_t n = text == NULL ? 0 : fread(text, 1, PEM_BYTES_MAX, file);
    bool has_failed = ferror(file) != 0;
    (void)fclose(file);
    if (text == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for a certificate.");
    if (has_failed || strstr(text, "-----BEGIN ") == NULL || n == PEM_BYTES_MAX) {
        explicit_bzero(text, PEM_BYTES_MAX);
        free(text);
        return refuse(setting, path, has_failed ? "cannot be read" : "is not PEM", err);
    }
    *ret = text;
    return STATUS_OK;
}

enum status http_tls_load(const struct config *config, struct http_tls *ret, struct err *err)
{
    bool has_cert = config->tls_cert_file[0] != '\0', has_key = config->tls_key_file[0] != '\0';
    *ret = (struct http_tls){NULL, NULL};
    if (!has_cert && !has_key)
        return STATUS_OK;
    if (!has_cert || !has_key) {
        const char *setting = has_cert ? "tls_key_file" : "tls_cert_file";
        enum status s =
            err_set(err, STATUS_CONFIG,
                    "TLS needs both tls_cert_file and tls_key_file; %s is empty.", setting);
        err_at(err, ERR_SETTING, str_of(setting), STR_NONE);
        return s;
    }
    enum status s = read_pem("tls_cert_file", config->tls_cert_file, &ret->cert, err);
    if (s == STATUS_OK)
        s = read_pem("tls_key_file", config->tls_key_file, &ret->key, err);
    if (s != STATUS_OK)
        http_tls_clear(ret);
    return s;
}

void http_tls_clear(struct http_tls *tls)
{
    if (tls->key != NULL)
        explicit_bzero(tls->key, strlen(tls->key));
    free(tls->key);
    free(tls->cert);
    *tls = (struct http_tls){NULL, NULL};
}
