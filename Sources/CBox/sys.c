#include "box_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

long sys_clone3(uint64_t flags, int *pidfd, int cgroup)
{
    struct clone_args arguments = {
        .flags = flags | CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
    };
    if (cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)cgroup;
    }
    return syscall(SYS_clone3, &arguments, sizeof arguments);
}

uint64_t sys_box_namespaces(const struct sp_profile *profile)
{
    /* A time namespace too: /proc/self/ns/time would otherwise be one file for all boxes, to be locked and seen. */
    uint64_t flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWTIME;
    return profile->flags & SP_PROFILE_HOST_NETWORK ? flags : flags | CLONE_NEWNET;
}

int sys_clone_tree(int place, uint64_t more)
{
    if (place < 0) return -1;
    int tree = open_tree(place, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | more };
    int code = tree >= 0 && mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0 ? 0 : errno;
    close(place);
    if (code == 0) return tree;
    if (tree >= 0) close(tree);
    errno = code;
    return -1;
}

int sys_keep_capabilities(uint64_t keep)
{
    for (int capability = 0; capability < 64; capability++)
        if (!(keep >> capability & 1) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL) return errno;
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[2] = { 0 };
    if (syscall(SYS_capget, &header, sets) != 0) return errno;
    for (int i = 0; i < 2; i++) /* the service manager may have given less */
        sets[i] = (struct __user_cap_data_struct){ .effective = sets[i].permitted & (uint32_t)(keep >> 32 * i),
                                                   .permitted = sets[i].permitted & (uint32_t)(keep >> 32 * i) };
    return syscall(SYS_capset, &header, sets) == 0 ? 0 : errno;
}

int sys_write_maps(pid_t pid, const char *map)
{
    const char *const files[] = { "uid_map", "gid_map" };
    char path[64];
    for (size_t i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, files[i]);
        int code = write_at(AT_FDCWD, path, map);
        if (code != 0) return code;
    }
    return 0;
}

int sys_install_filter(const struct sock_filter *filter, uint32_t count)
{
    struct sock_fprog program = { .len = (unsigned short)count, .filter = (struct sock_filter *)(uintptr_t)filter };
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0 ? 0 : errno;
}

enum { DESCRIPTORS_MAX = SP_D_COUNT };

int sys_send(int socket, const void *message, size_t size, const int *descriptors, size_t count)
{
    union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)]; } control = { 0 };
    struct iovec part = { (void *)(uintptr_t)message, size };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
    if (count > 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        control.align = (struct cmsghdr){ CMSG_LEN(sizeof(int) * count), SOL_SOCKET, SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.align), descriptors, sizeof(int) * count);
    }
    ssize_t length;
    do length = sendmsg(socket, &header, MSG_NOSIGNAL);
    while (length < 0 && errno == EINTR);
    return length == (ssize_t)size ? 0 : errno;
}

ssize_t sys_receive(int socket, void *message, size_t size, int *descriptors, size_t count)
{
    union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)]; } control = { 0 };
    struct iovec part = { message, size };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
    header.msg_control = control.bytes;
    header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    ssize_t length = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    if (length > 0 && count > 0) memset(descriptors, 0xff, sizeof(int) * count);
    if (length > 0 && header.msg_controllen > CMSG_LEN(0) && control.align.cmsg_len <= CMSG_LEN(sizeof(int) * count))
        memcpy(descriptors, CMSG_DATA(&control.align), control.align.cmsg_len - CMSG_LEN(0));
    return length;
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
