/* listen.c - a bound, listening TCP socket. */
#define _GNU_SOURCE
#include "server/listen.h"

#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static bool open_socket(const struct addrinfo *info, bool shares_port, int *ret_fd)
{
    int on = 1, shares = shares_port ? 1 : 0;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &shares, sizeof shares) == 0 &&
        bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) {
        *ret_fd = fd;
        return true;
    }
    int error = errno;
    (void)close(fd);
    errno = error;
    return false;
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)(void *)&address, &size) != 0)
        return 0;
    memcpy(&v4, &address, sizeof v4);
    memcpy(&v6, &address, sizeof v6);
    return address.ss_family == AF_INET6 ? ntohs(v6.sin6_port) : ntohs(v4.sin_port);
}

enum status listen_open(const char *address, unsigned port, bool shares_port, int *ret_fd,
                        unsigned *ret_port, struct err *err)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *info = NULL;
    char service[16];
    (void)snprintf(service, sizeof service, "%u", port);
    int code = getaddrinfo(address, service, &hints, &info);
    if (code != 0)
        return err_set(err, STATUS_CONFIG, "\"%s\" is not a numeric IPv4 or IPv6 address.",
                       address);
    bool ok = open_socket(info, shares_port, ret_fd);
    int error = errno;
    freeaddrinfo(info);
    if (!ok)
        return err_set(err, STATUS_CONFIG, "Address %s port %u cannot be listened on: %s.", address,
                       port, strerrordesc_np(error));
    *ret_port = port_of(*ret_fd);
    return STATUS_OK;
}

void listen_drop_new(int fd)
{
    /* A filter on a listening socket sees the TCP header: refuse SYN without ACK, pass the rest. */
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13), /* the flags */
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    /* Without it, a connection made between the last accept and the end is reset: rare, and nothing else to do. */
    (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}
