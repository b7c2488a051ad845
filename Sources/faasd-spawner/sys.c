#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int sys_openat2(int directory, const char *path, uint64_t flags, uint64_t resolve)
{
    struct open_how how = { .flags = flags, .resolve = resolve };
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

long sys_clone3(uint64_t flags, int *pidfd, int cgroup)
{
    struct clone_args arguments = {
        .flags = flags | CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
    };
    if (cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)cgroup;
    }
    return syscall(SYS_clone3, &arguments, sizeof arguments);
}

int write_at(int directory, const char *path, const char *text)
{
    int file = openat(directory, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return errno;
    size_t length = strlen(text);
    ssize_t written = write(file, text, length);
    int code = written == (ssize_t)length ? 0 : (written < 0 ? errno : EIO);
    close(file);
    return code;
}

int write_number_at(int directory, const char *path, unsigned long long number)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", number);
    return write_at(directory, path, text);
}

ssize_t read_at(int directory, const char *path, char *buffer, size_t size)
{
    int file = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return -1;
    ssize_t length = read(file, buffer, size - 1);
    close(file);
    if (length >= 0) buffer[length] = 0;
    return length;
}

void close_all(int *descriptors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (descriptors[i] >= 0) close(descriptors[i]);
        descriptors[i] = -1;
    }
}
