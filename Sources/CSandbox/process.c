#include "csandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { LANDLOCK_VERSION_QUERY = 1, CAPABILITY_MAX = 63 };

extern char **environ;

uint32_t sbx_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_QUERY);
    return abi > 0 ? (uint32_t)abi : 0;
}

/* What boxes are limited to must not be more than we may have ourselves: hosts that allow no core file, or small stacks. */
static void raise_hard_limits(void)
{
    static const struct { int resource; rlim_t least; } needed[] = {
        { RLIMIT_CORE, 1 }, { RLIMIT_STACK, 16 << 20 }, { RLIMIT_NPROC, 512 }, { RLIMIT_SIGPENDING, 128 },
        { RLIMIT_FSIZE, RLIM_INFINITY },
    };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        struct rlimit limit;
        if (getrlimit(needed[i].resource, &limit) != 0 || limit.rlim_max >= needed[i].least) continue;
        limit.rlim_max = needed[i].least;
        setrlimit(needed[i].resource, &limit); /* refused: the box's own limit then names itself */
    }
}

/* In the vforked child: only async-signal-safe calls, and _exit. The three sources may be any numbers, so they are
 * first moved out of the way of their targets. */
static _Noreturn void become_spawner(char *const args[], const int sources[3], volatile int *failure)
{
    raise_hard_limits();
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int moved[3];
    for (int i = 0; i < 3; i++) {
        moved[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, 16);
        if (moved[i] < 0) goto fail;
    }
    for (int i = 0; i < 3; i++) {
        if (dup2(moved[i], SP_FD_POLICY + i) < 0) goto fail;
    }
    if (close_range(SP_FD_LOCK + 1, ~0u, CLOSE_RANGE_CLOEXEC) != 0) goto fail;
    execve(args[0], args, (char *const[]){ NULL });
fail:
    *failure = errno;
    _exit(127);
}

int sbx_start_spawner(char *const args[], int policy, int socket, int lock, int *pid, int *pidfd)
{
    const int sources[3] = { policy, socket, lock };
    volatile int failure = 0; /* the child shares our memory until it executes */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = vfork();
    if (child == 0) become_spawner(args, sources, &failure);
    int code = child < 0 ? errno : failure;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (child < 0) return code;
    if (code != 0) {
        waitpid(child, NULL, 0);
        return code;
    }
    *pid = child;
    *pidfd = pidfd_open(child, 0); /* our own unreaped child: the number cannot have been reused */
    if (*pidfd < 0) return errno;
    fcntl(*pidfd, F_SETFD, FD_CLOEXEC);
    return 0;
}

int sbx_socketpair(int pair[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return errno;
    struct timeval patience = { .tv_sec = 60 };
    return setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 ? 0 : errno;
}

bool sbx_is_delegated(const char *path)
{
    char mark = 0;
    return getxattr(path, "trusted.delegate", &mark, 1) == 1 && mark == '1';
}

bool sbx_is_ours(const char *path)
{
    static const char *const needed[] = { ".", "cgroup.procs", "tasks" };
    int group = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (group < 0) return false;
    bool ours = true;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) /* version 2 has no tasks */
        if (faccessat(group, needed[i], W_OK, 0) != 0 && !(i == 2 && errno == ENOENT)) ours = false;
    close(group);
    return ours;
}

uint64_t sbx_raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

int sbx_send(int socket, const struct sp_request *request)
{
    ssize_t length;
    do length = send(socket, request, sizeof *request, MSG_NOSIGNAL);
    while (length < 0 && errno == EINTR);
    return length == (ssize_t)sizeof *request ? 0 : (length < 0 ? errno : EIO);
}

int sbx_receive(int socket, struct sp_reply *reply, int descriptors[SP_D_COUNT])
{
    for (int i = 0; i < SP_D_COUNT; i++) descriptors[i] = -1;
    union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int) * SP_D_COUNT)]; } control;
    struct iovec part = { reply, sizeof *reply };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control };
    ssize_t length;
    do length = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    while (length < 0 && errno == EINTR);
    if (length == 0) return EPIPE;
    if (length < 0) return errno;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    const unsigned char *received = rights ? CMSG_DATA(rights) : NULL;
    size_t count = rights && rights->cmsg_type == SCM_RIGHTS ? (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
    size_t next = 0;
    for (int i = 0; i < SP_D_COUNT && length == (ssize_t)sizeof *reply; i++) {
        if (!(reply->descriptors & (1u << i)) || next >= count) continue;
        memcpy(&descriptors[i], received + sizeof(int) * next++, sizeof(int));
    }
    if (length != (ssize_t)sizeof *reply || reply->magic != SP_MAGIC) return EBADMSG;
    /* The kernel drops what does not fit into this process's table of descriptors; the box is there all the same. */
    if (header.msg_flags & MSG_CTRUNC) return EMFILE;
    return next == count ? 0 : EBADMSG;
}

int sbx_await_box(int report, int pidfd, int milliseconds, uint32_t *step)
{
    struct pollfd wait[] = { { .fd = report, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
    struct sp_report message = { SP_STEP_NONE, 0 };
    *step = SP_STEP_SYNC;
    int ready;
    do ready = poll(wait, 1, milliseconds);
    while (ready < 0 && errno == EINTR);
    if (ready != 1) return ETIMEDOUT;
    ssize_t length = recv(report, &message, sizeof message, 0);
    /* End of file means executed, or a box; or dead on the way there, of a memory limit for example. */
    if (length == 0) return poll(&wait[1], 1, 0) == 0 ? 0 : ECHILD;
    if (length != (ssize_t)sizeof message) return EIO;
    *step = message.step;
    return message.error != 0 ? message.error : EIO;
}

int sbx_wait(int pidfd)
{
    siginfo_t info = { 0 };
    int result;
    do result = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED);
    while (result != 0 && errno == EINTR);
    if (result != 0) return -errno;
    return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

static int thread_count(void)
{
    DIR *directory = opendir("/proc/self/task");
    if (!directory) return -1;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(directory));) count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static uint64_t effective_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[2] = { 0 };
    if (syscall(SYS_capget, &header, sets) != 0) return ~0ull;
    return (uint64_t)sets[1].effective << 32 | sets[0].effective;
}

/* None of any kind, no new ones by executing; read back. */
static int drop_capabilities(void)
{
    cap_t none = cap_init();
    int code = !none || cap_set_proc(none) != 0 ? errno : 0;
    if (none) cap_free(none);
    if (code != 0) return code;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    return effective_capabilities() == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : EPERM;
}

int sbx_drop_privileges(uid_t uid, gid_t gid)
{
    if (thread_count() != 1) return EBUSY; /* capabilities and no_new_privs belong to a thread, not to the process */
    for (int capability = 0; capability <= CAPABILITY_MAX; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL) return errno;
    }
    if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) return errno;
    int code = drop_capabilities();
    return code == 0 && (getuid() != uid || geteuid() != uid) ? EPERM : code;
}

/* What add_rule(2) takes for files beneath a directory; the system's header may be older than the kernel. */
struct path_beneath { uint64_t access; int32_t parent; } __attribute__((packed));

int sbx_confine(uint64_t handled, uint64_t allowed, const char *const *places, size_t count)
{
    enum { RULE_PATH_BENEATH = 1 };
    if (thread_count() != 1) return EBUSY;
    int code = drop_capabilities();
    if (code != 0 || handled == 0) return code;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (ruleset < 0) return errno;
    for (size_t i = 0; i < count && code == 0; i++) {
        int place = open(places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct path_beneath rule = { .access = allowed, .parent = place };
        if (place < 0 || syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) != 0) code = errno;
        if (place >= 0) close(place);
    }
    if (code == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) code = errno;
    close(ruleset);
    return code;
}

int sbx_space(int descriptor, uint64_t *bytes_free, uint64_t *bytes, uint64_t *inodes_free)
{
    struct statfs status;
    if (fstatfs(descriptor, &status) != 0) return errno;
    *bytes_free = (uint64_t)status.f_bfree * (uint64_t)status.f_bsize;
    *bytes = (uint64_t)status.f_blocks * (uint64_t)status.f_bsize;
    *inodes_free = status.f_ffree;
    return 0;
}

int sbx_stay_on_last_of_two(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) != 2) return 0;
    int first = 0;
    while (!CPU_ISSET(first, &set)) first++;
    CPU_CLR(first, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0;
}

void sbx_use_all_processors(void)
{
    static _Thread_local int done;
    cpu_set_t set;
    if (done++) return;
    if (sched_getaffinity(getpid(), sizeof set, &set) == 0) sched_setaffinity(0, sizeof set, &set);
}

int sbx_lock(int descriptor) { return flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? 0 : errno; }

int sbx_open_beneath(int directory, const char *path, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (uint64_t)flags | O_CLOEXEC | O_NOFOLLOW,
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long result = syscall(SYS_openat2, directory, path, &how, sizeof how);
    return result >= 0 ? (int)result : -errno;
}

int sbx_sync(int descriptor) { return syncfs(descriptor) == 0 ? 0 : errno; }

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

int sbx_remove_tree(const char *path)
{
    enum { OPEN_DIRECTORIES_MAX = 32 };
    return nftw(path, remove_entry, OPEN_DIRECTORIES_MAX, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT ? 0 : errno;
}
