/*
 * die_at.c - a shared object to be preloaded (LD_PRELOAD): the process is killed, as by kill -9, at the n-th call that could
 * leave something behind: writes, syncs, renames, links and sends. Half of what a write or a send was given still goes out.
 *
 * DIE_AT=n       the call at which it ends; 0 or absent: none
 * DIE_ARMED=path calls count only while this file is there; absent: from the start
 * DIE_COUNT=path how many calls there were is written here when the process ends by itself
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long n_calls;
static long last;
static const char *armed, *count_path;

__attribute__((constructor)) static void start(void)
{
    const char *text = getenv("DIE_AT");
    last = text == NULL ? 0 : strtol(text, NULL, 10);
    armed = getenv("DIE_ARMED");
    count_path = getenv("DIE_COUNT");
}

__attribute__((destructor)) static void end(void)
{
    FILE *file = count_path == NULL ? NULL : fopen(count_path, "w");
    if (file == NULL)
        return;
    (void)fprintf(file, "%ld\n", atomic_load(&n_calls));
    (void)fclose(file);
}

/* Whether this call is the last one. What is written for people to read does not count. */
static int is_last(int fd)
{
    if (fd == STDOUT_FILENO || fd == STDERR_FILENO || (armed != NULL && access(armed, F_OK) != 0))
        return 0;
    return atomic_fetch_add(&n_calls, 1) + 1 == last;
}

static _Noreturn void die(void)
{
    (void)kill(getpid(), SIGKILL);
    for (;;)
        (void)pause();
}

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

#define HALVED(name, parameters, fd, all, half) \
    ssize_t name parameters                     \
    {                                           \
        if (is_last(fd)) {                      \
            (void)!REAL(name) half;             \
            die();                              \
        }                                       \
        return REAL(name) all;                  \
    }
HALVED(write, (int fd, const void *p, size_t n), fd, (fd, p, n), (fd, p, n / 2))
HALVED(pwrite, (int fd, const void *p, size_t n, off_t at), fd, (fd, p, n, at), (fd, p, n / 2, at))
HALVED(pwrite64, (int fd, const void *p, size_t n, off64_t at), fd, (fd, p, n, at),
       (fd, p, n / 2, at))
HALVED(send, (int fd, const void *p, size_t n, int flags), fd, (fd, p, n, flags),
       (fd, p, n / 2, flags))
HALVED(sendto,
       (int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t len), fd,
       (fd, p, n, flags, to, len), (fd, p, n / 2, flags, to, len))
HALVED(writev, (int fd, const struct iovec *v, int n), fd, (fd, v, n), (fd, v, n / 2))

#define WHOLE(name, parameters, fd, arguments) \
    int name parameters                        \
    {                                          \
        if (is_last(fd))                       \
            die();                             \
        return REAL(name) arguments;           \
    }
WHOLE(fsync, (int fd), fd, (fd))
WHOLE(fdatasync, (int fd), fd, (fd))
WHOLE(renameat, (int a, const char *from, int b, const char *to), -1, (a, from, b, to))
WHOLE(rename, (const char *from, const char *to), -1, (from, to))
WHOLE(renameat2, (int a, const char *from, int b, const char *to, unsigned flags), -1,
      (a, from, b, to, flags))
WHOLE(link, (const char *from, const char *to), -1, (from, to))
WHOLE(linkat, (int a, const char *from, int b, const char *to, int flags), -1,
      (a, from, b, to, flags))
WHOLE(unlink, (const char *path), -1, (path))
WHOLE(unlinkat, (int a, const char *path, int flags), -1, (a, path, flags))
