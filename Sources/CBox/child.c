/* The new process, from clone3 to execve, or to the end of a fork's setup. Each step is one function; the order is the
 * safety, and the comments say why. Only async-signal-safe calls (signal-safety(7)): no allocation, no stdio. */
#include "box_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

/* The margin lets the writer of one huge file see "no space left" from /tmp itself, which is the clearer word. */
enum { BOX_UID = 1000, BOX_GID = 1000, CAPABILITY_MAX = 63, FILE_SIZE_MARGIN = 1 << 20 };
enum { LISTENER_BACKLOG = 16, LISTENER_BUFFER = 64 << 10 };

/* The kernel's own structures, declared here because the system's headers may be older than the running kernel. */
struct ruleset_attributes { uint64_t fs, net, scoped; };
struct path_beneath { uint64_t access; int32_t parent; } __attribute__((packed));
struct net_port { uint64_t access, port; };
enum { RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2, CONNECT_TCP = 2 };

static int wait_for_maps(const struct launch *launch)
{
    char byte;
    if (launch->pipes->go[1] >= 0) close(launch->pipes->go[1]); /* so that the spawner's death is an end of file */
    return read(launch->pipes->go[0], &byte, 1) == 1 ? 0 : ECANCELED; /* it is gone or gave up */
}

/* A fork is born in its zygote's version 1 groups: "0" moves the writer itself, by the rights of who opened the file. */
static int enter_groups(const struct launch *launch)
{
    for (size_t i = 0; i < launch->task_count; i++)
        if (pwrite(launch->tasks[i], "0", 1, 0) != 1) return errno;
    return 0;
}

static int make_mounts_private(const struct launch *launch UNUSED)
{
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 ? 0 : errno;
}

/* Anonymous memory files are exempt from noexec mounts and from Landlock; this setting of the box's own pid namespace
 * (Linux 6.3) makes executing one fail. Only the host's root may write it, so this comes before the credentials, and
 * only through a full /proc, which is mounted for this moment. Kernels without it, and spawners that are not the
 * host's root, keep one layer less: the filters of all profiles refuse memfd_create. Forks inherit it from the house. */
static int forbid_memfd_exec(const struct launch *launch)
{
    if (launch->policy->flags & SP_ORDINARY_USER) return 0;
    if (mount("proc", "v", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0) return errno;
    int code = write_at(AT_FDCWD, "v/sys/vm/memfd_noexec", "2");
    return umount2("v", MNT_DETACH) != 0 ? errno : code == ENOENT ? 0 : code;
}

/* Files cannot be made, nor mounts, before this process is somebody in its user namespace. */
static int become_namespace_root(const struct launch *launch UNUSED)
{
    if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0 || setgroups(0, NULL) != 0) return errno;
    /* Only now: a cgroup namespace made by clone3 would be rooted in the spawner's group and show its path. */
    return unshare(CLONE_NEWCGROUP) == 0 ? 0 : errno;
}

/* The daemon's sockets in the box's own network namespace, which has nothing but `lo`. They are sent away and then closed
 * with everything else; an accepted connection inherits the bound of its buffer. */
static int make_listeners(const struct launch *launch)
{
    const int length = LISTENER_BUFFER;
    uint32_t count = launch->profile->listener_count;
    int sockets[SP_LISTENERS_MAX];
    struct ifreq interface = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
    struct sp_report report = { SP_STEP_NONE, 0 };
    for (uint32_t i = 0; i < count; i++) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(SP_LISTENER_PORT + i)) };
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if ((sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0) return errno;
        if (i == 0 && ioctl(sockets[i], SIOCSIFFLAGS, &interface) != 0) return errno;
        if (setsockopt(sockets[i], SOL_SOCKET, SO_RCVBUF, &length, sizeof length) != 0) return errno;
        if (bind(sockets[i], (struct sockaddr *)&address, sizeof address) != 0 || listen(sockets[i], LISTENER_BACKLOG) != 0) return errno;
    }
    return count == 0 ? 0 : sys_send(launch->pipes->report[1], &report, sizeof report, sockets, count);
}

static int reset_signals(const struct launch *launch UNUSED)
{
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL); /* ignored signals survive exec */
    sigset_t none;
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) == 0 ? 0 : errno;
}

static bool attach(int tree, const char *place)
{
    return tree < 0 || move_mount(tree, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

/* The working directory is the scratch directory, in this process's own copy of the mount namespace: the root grows on
 * "r" there. Overlays, so that no inode is shared with another box, because a lock on it would be: flock(2). */
static int mount_root(const struct launch *launch)
{
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC, overlay = MS_RDONLY | MS_NOSUID | MS_NODEV;
    for (uint32_t i = 0; i < launch->root->count; i++) {
        const struct layer *layer = &launch->root->layers[i];
        char options[32] = "lowerdir=";
        strcat(strcat(options, layer->source), ":e"); /* "e" is empty: two layers at least */
        if (layer->device ? mount(layer->source, layer->target, NULL, MS_BIND, NULL) != 0
                          : mount("overlay", layer->target, "overlay", overlay, options) != 0)
            return errno;
    }
    const struct trees *trees = launch->trees;
    const char *version = launch->who == EXECUTED ? "r" SP_VERSION_PLACE : "r/env";
    if (!attach(trees->version, "v") || !attach(trees->tmp, "r/tmp") || !attach(trees->dev, "r/dev")) return errno;
    if (!attach(trees->scratch, "r/roots") || (trees->version >= 0 && mount("overlay", version, "overlay", overlay, "lowerdir=v:e") != 0)) return errno;
    /* A zygote's is whole: the kernel lets its forks mount theirs only where one that hides nothing is seen. */
    const char *options = launch->who == ZYGOTE ? NULL : "subset=pid,hidepid=invisible";
    if (mount("proc", "r/proc", "proc", flags, options) != 0) return errno;
    if (mount("tmpfs", "r/dev/shm", "tmpfs", flags, "size=64m,nr_inodes=1024,mode=1777") != 0) return errno;
    return chdir("r") == 0 ? 0 : errno;
}

static int pivot(const struct launch *launch)
{
    if (syscall(SYS_pivot_root, ".", ".") != 0) return errno;
    if (umount2(".", MNT_DETACH) != 0) return errno;
    return chdir(launch->who == ZYGOTE ? "/roots" : "/") == 0 ? 0 : errno; /* a zygote's forks build their roots there */
}

static int set_identity(const struct launch *launch UNUSED)
{
    umask(077);
    if (setsid() < 0) return errno; /* otherwise kill(0) from pid 1 reaches the spawner's process group */
    return sethostname("fn", 2) == 0 && setdomainname("", 0) == 0 ? 0 : errno;
}

static int set_rlimits(const struct launch *launch)
{
    for (uint32_t i = 0; i < launch->profile->rlimit_count; i++) {
        const struct sp_rlimit *limit = &launch->profile->rlimits[i];
        rlim_t value = limit->resource == RLIMIT_FSIZE ? launch->tmp_bytes + FILE_SIZE_MARGIN : limit->value;
        struct rlimit pair = { value, value };
        if (setrlimit((int)limit->resource, &pair) != 0) return errno;
    }
    return 0;
}

/* 0 nothing, 1 and 2 the logs, 3 requests, 4 replies, 5 the report, 6 orders to fork; everything else is closed. The sources are all
 * above 5, because spawner and zygotes keep their own 3, 4 and 5 open. */
static int set_descriptors(const struct launch *launch)
{
    const bool is_zygote = launch->who == ZYGOTE, forks = launch->control >= 0;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int policy = is_zygote ? fcntl(SP_FD_POLICY, F_DUPFD, 64) : 0, control = forks ? fcntl(launch->control, F_DUPFD, 64) : 0;
    if (null < 0 || policy < 0 || control < 0) return errno;
    const struct pipes *pipes = launch->pipes;
    if (dup2(null, 0) < 0 || dup2(pipes->out[1], 1) < 0 || dup2(pipes->err[1], 2) < 0) return errno;
    if (dup2(pipes->request[0], 3) < 0 || dup2(pipes->reply[1], 4) < 0) return errno;
    if (dup3(pipes->report[1], 5, O_CLOEXEC) < 0) return errno;
    if ((forks && dup2(control, FORK_CONTROL) < 0) || (is_zygote && dup2(policy, ZYGOTE_POLICY) < 0)) return errno;
    return close_range(is_zygote ? ZYGOTE_POLICY + 1 : forks ? FORK_CONTROL + 1 : 6, ~0u, 0) == 0 ? 0 : errno;
}

/* A zygote writes the id maps of its forks; what it imports is the operator's choice, and still gets nothing more. */
static int keep_few_capabilities(const struct launch *launch)
{
    return sys_keep_capabilities(launch->who == ZYGOTE ? 1u << CAP_SETUID | 1u << CAP_SETGID : 0);
}

/* The bounding set goes while CAP_SETPCAP is still there; afterwards dropping it fails without a word. Everything is
 * read back, because each of these calls has been seen to succeed and change nothing. */
static int drop_privileges(const struct launch *launch UNUSED)
{
    for (int capability = 0; capability <= CAPABILITY_MAX; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL) return errno;
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return errno;
    unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
                         SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0) return errno;
    if (setgroups(0, NULL) != 0 || setresgid(BOX_GID, BOX_GID, BOX_GID) != 0 || setresuid(BOX_UID, BOX_UID, BOX_UID) != 0)
        return errno;
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[2] = { 0 };
    if (syscall(SYS_capset, &header, sets) != 0) return errno;

    memset(sets, 0xff, sizeof sets);
    if (syscall(SYS_capget, &header, sets) != 0) return errno;
    for (int i = 0; i < 2; i++) {
        if (sets[i].effective || sets[i].permitted || sets[i].inheritable) return EPERM;
    }
    for (int capability = 0; capability <= CAPABILITY_MAX; capability++) {
        if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1) return EPERM;
    }
    return getuid() == BOX_UID && geteuid() == BOX_UID && getgid() == BOX_GID && getgroups(0, NULL) == 0 ? 0 : EPERM;
}

/* An exec would have done it: otherwise /proc/self/fd, and with it /dev/stdout, would be closed to the box itself. */
static int become_dumpable(const struct launch *launch UNUSED)
{
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 ? 0 : errno;
}

/* After the credentials: the kernel clears the death signal when the effective ids change (prctl(2)). */
static int arm_death_signal(const struct launch *launch UNUSED)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 ? 0 : errno;
}

static int forbid_new_privileges(const struct launch *launch UNUSED)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
}

/* Refused where the processor has no such control, or the host has decided for all: `faasd doctor` tells which. */
static int restrict_speculation(const struct launch *launch UNUSED)
{
    prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, PR_SPEC_FORCE_DISABLE, 0, 0);
    prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_INDIRECT_BRANCH, PR_SPEC_FORCE_DISABLE, 0, 0);
    return 0;
}

static int add_rule(int ruleset, const struct sp_rule *rule, uint64_t handled)
{
    int place = open(rule->path, O_PATH | O_CLOEXEC);
    if (place < 0) return errno == ENOENT ? 0 : errno; /* an optional mount that the host does not have */
    struct path_beneath beneath = { .access = rule->access & handled, .parent = place };
    long result = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &beneath, 0);
    int code = result == 0 ? 0 : errno;
    close(place);
    return code;
}

static int restrict_files(const struct launch *launch)
{
    const struct sp_policy *policy = launch->policy;
    if (policy->landlock_abi == 0) return 0; /* said loudly by `faasd doctor` and at start */
    struct ruleset_attributes attributes = { policy->landlock_fs, policy->landlock_net, policy->landlock_scoped };
    if (launch->profile->flags & SP_PROFILE_HOST_NETWORK) attributes.net = 0;
    size_t size = policy->landlock_abi >= 6 ? 24 : policy->landlock_abi >= 4 ? 16 : 8;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
    if (ruleset < 0) return errno;
    for (uint32_t i = 0; i < launch->profile->rule_count; i++) {
        int code = add_rule(ruleset, &launch->profile->rules[i], attributes.fs);
        if (code != 0) return code;
    }
    for (uint32_t i = 0; i < launch->profile->listener_count; i++) {
        struct net_port rule = { CONNECT_TCP, SP_LISTENER_PORT + i };
        if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) != 0) return errno;
    }
    int code = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ? 0 : errno;
    close(ruleset);
    return code;
}

/* Last, so that the filter need not allow anything that the steps above did. */
static int install_filter(const struct launch *launch)
{
    return sys_install_filter(launch->profile->filter, launch->profile->filter_count);
}

static int run(const struct launch *launch)
{
    char *args[SP_ARGS_MAX + 1], *env[SP_ENV_MAX + 1];
    uint32_t i;
    for (i = 0; i < launch->profile->arg_count; i++) args[i] = (char *)(uintptr_t)launch->profile->args[i];
    args[i] = NULL;
    for (i = 0; i < launch->profile->env_count; i++) env[i] = (char *)(uintptr_t)launch->profile->env[i];
    env[i] = NULL;
    execve(args[0], args, env);
    return errno;
}

/* The house has nothing of the daemon's, does nothing, and is there until it is killed or the spawner ends. It may be
 * looked at, because who joins its namespaces must be allowed to: setns(2). */
static int rest(const struct launch *launch)
{
    munmap((void *)(uintptr_t)launch->policy, launch->policy->size);
    close_range(0, ~0u, 0);
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    while (pause() < 0) continue;
    return 0;
}

void child_run(const struct launch *launch)
{
    static const struct { uint32_t step; int (*run)(const struct launch *); int who; } steps[] = {
        { SP_STEP_SYNC, wait_for_maps, ALL },
        { SP_STEP_CGROUP_ENTER, enter_groups, FORKED },
        { SP_STEP_MOUNT, make_mounts_private, ALL },
        { SP_STEP_MOUNT, forbid_memfd_exec, EXECUTED | HOUSE },
        { SP_STEP_CREDENTIALS, become_namespace_root, ALL },
        { SP_STEP_LISTEN, make_listeners, BOXED },
        { SP_STEP_SYNC, reset_signals, ALL & ~FORKED },
        { SP_STEP_MOUNT, mount_root, ROOTED },
        { SP_STEP_PIVOT, pivot, ROOTED },
        { SP_STEP_IDENTITY, set_identity, ALL },
        { SP_STEP_RLIMIT, set_rlimits, ROOTED },
        { SP_STEP_DESCRIPTORS, set_descriptors, ROOTED },
        { SP_STEP_CAPABILITIES, drop_privileges, BOXED },
        { SP_STEP_CAPABILITIES, keep_few_capabilities, ZYGOTE | HOUSE },
        { SP_STEP_CAPABILITIES, become_dumpable, FORKED },
        { SP_STEP_DEATH_SIGNAL, arm_death_signal, ALL },
        { SP_STEP_NO_NEW_PRIVS, forbid_new_privileges, ALL },
        { SP_STEP_NO_NEW_PRIVS, restrict_speculation, ROOTED },
        { SP_STEP_LANDLOCK, restrict_files, BOXED },
        { SP_STEP_SECCOMP, install_filter, BOXED },
        { SP_STEP_EXEC, run, EXECUTED | ZYGOTE },
        { SP_STEP_EXEC, rest, HOUSE },
    };
    int report = launch->pipes->report[1];
    for (size_t i = 0; i < COUNT(steps); i++) {
        int code = steps[i].who & (int)launch->who ? steps[i].run(launch) : 0;
        if (steps[i].step == SP_STEP_DESCRIPTORS && launch->who & ROOTED && code == 0) report = 5;
        if (code == 0) continue;
        struct sp_report failure = { steps[i].step, code };
        ssize_t ignored = write(report, &failure, sizeof failure);
        (void)ignored;
        _exit(127);
    }
    munmap((void *)(uintptr_t)launch->policy, launch->policy->size); /* a fork's: the host's paths are nothing to read there */
    close(report);
}
