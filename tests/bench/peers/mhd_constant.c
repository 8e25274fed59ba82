/*
 * mhd_constant.c - the least that a libmicrohttpd program can do: the same answer to everything. The bar for answers
 * from our in-process cache, and for 304.
 *
 *   mhd_constant PORT STATUS HEADERS BODY
 *
 * HEADERS is a file with one "Name: value" a line, BODY a file; the bench writes both from our server's own answer, so
 * that both send the same bytes. Two epoll threads, as our server on two cores. Runs until standard input ends.
 */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned int status;

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *n_upload, void **con_cls)
{
    (void)url, (void)method, (void)version, (void)upload, (void)n_upload;
    static int seen;
    if (*con_cls == NULL) { /* first call: headers only, as the library asks for */
        *con_cls = &seen;
        return MHD_YES;
    }
    return MHD_queue_response(connection, status, cls);
}

static char *read_file(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return NULL;
    long len = ftell(file);
    char *bytes = malloc((size_t)len + 1);
    rewind(file);
    if (bytes == NULL || fread(bytes, 1, (size_t)len, file) != (size_t)len)
        return NULL;
    fclose(file);
    bytes[len] = '\0';
    *ret_len = (size_t)len;
    return bytes;
}

int main(int argc, char **argv)
{
    size_t n_body = 0, n_headers = 0;
    if (argc != 5)
        return 2;
    status = (unsigned int)strtoul(argv[2], NULL, 10);
    char *headers = read_file(argv[3], &n_headers);
    char *body = read_file(argv[4], &n_body);
    if (headers == NULL || body == NULL)
        return 2;
    struct MHD_Response *response = MHD_create_response_from_buffer(n_body, body, MHD_RESPMEM_PERSISTENT);
    for (char *line = headers, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        char *colon = strchr(line, ':');
        if (colon == NULL)
            continue;
        *colon = '\0';
        if (MHD_add_response_header(response, line, colon + 1 + strspn(colon + 1, " ")) != MHD_YES)
            return 3;
    }
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, (uint16_t)strtoul(argv[1], NULL, 10), NULL,
                         NULL, answer, response, MHD_OPTION_THREAD_POOL_SIZE, 2u, MHD_OPTION_CONNECTION_LIMIT, 1024u,
                         MHD_OPTION_END);
    if (daemon == NULL)
        return 3;
    char byte;
    while (read(0, &byte, 1) > 0)
        continue;
    MHD_stop_daemon(daemon);
    return 0;
}
