/* Making and ending boxes. The daemon asks by number; everything else comes from the policy. */
#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BRANCH_TRIES = 20, END_WAIT_MILLIS = 2000, EXEC_WAIT_MILLIS = 10000 };

int open_pipes(struct pipes *pipes)
{
    int (*all[])[2] = { &pipes->request, &pipes->reply, &pipes->out, &pipes->err, &pipes->go };
    for (size_t i = 0; i < COUNT(all); i++) {
        if (pipe2(*all[i], O_CLOEXEC) != 0) return errno;
    }
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pipes->report) == 0 ? 0 : errno;
}

/* A detached tmpfs, made here so that its size is the spawner's word; its pages count as the box's memory. */
static int make_tmpfs(uint64_t bytes, const char *mode, unsigned attributes)
{
    char size[24], inodes[24];
    snprintf(size, sizeof size, "%llu", (unsigned long long)bytes);
    snprintf(inodes, sizeof inodes, "%llu", (unsigned long long)(bytes / 8192 + 64));
    int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0) return -1;
    int tree = -1;
    if (fsconfig(context, FSCONFIG_SET_STRING, "size", size, 0) == 0 &&
        fsconfig(context, FSCONFIG_SET_STRING, "nr_inodes", inodes, 0) == 0 &&
        fsconfig(context, FSCONFIG_SET_STRING, "mode", mode, 0) == 0 &&
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        tree = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | attributes);
    int code = errno;
    close(context);
    errno = code;
    return tree;
}

/* A detached /dev with device nodes of its own: on the host's, a lock would be seen by every box, and times changed. */
static int make_dev(void)
{
    static const struct { const char *name; unsigned minor; } nodes[] = {
        { "null", 3 }, { "zero", 5 }, { "full", 7 }, { "random", 8 }, { "urandom", 9 },
    };
    int tree = make_tmpfs(4096, "755", 0);
    int code = tree < 0 ? errno : 0;
    for (size_t i = 0; i < COUNT(nodes) && code == 0; i++)
        if (mknodat(tree, nodes[i].name, S_IFCHR | 0666, makedev(1, nodes[i].minor)) != 0) code = errno;
    if (code == 0 && (mkdirat(tree, "shm", 0755) != 0 || symlinkat("/proc/self/fd", tree, "fd") != 0)) code = errno;
    struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
    if (code == 0 && mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0) return tree;
    if (code == 0) code = errno;
    if (tree >= 0) close(tree);
    errno = code;
    return -1;
}

/* The version's directory as a detached read-only tree: also reaches below directories the box may not enter. */
int open_version(const struct spawner *spawner, const uint8_t digest[SP_DIGEST_BYTES])
{
    char name[2 * SP_DIGEST_BYTES + 1];
    for (int i = 0; i < SP_DIGEST_BYTES; i++) snprintf(name + 2 * i, 3, "%02x", digest[i]);
    struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC };
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    return sys_clone_tree((int)syscall(SYS_openat2, spawner->store, name, &how, sizeof how), MOUNT_ATTR_NODEV);
}

/* Writes what only a parent may: the id maps, and that a box goes before the daemon when the host is out of memory. */
static int write_process_files(const struct launch *launch, pid_t pid, uint32_t base)
{
    char path[64], map[96];
    snprintf(map, sizeof map, BOX_MAP, base, base + 1);
    int code = launch->who == EXECUTED ? sys_write_maps(pid, map) : 0;
    snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int)pid);
    return code != 0 ? code : write_at(AT_FDCWD, path, "500");
}

/* Clones inside the version 1 groups and directly into the unified one; the spawner itself is back home on return. */
static int clone_child(struct spawner *spawner, struct launch *launch, uint64_t name, struct box *box, uint32_t *step)
{
    *step = SP_STEP_CGROUP_ENTER;
    int code = cgroup_enter(spawner, name);
    int directory = cgroup_directory(spawner, name);
    long pid = -1;
    if (code == 0) {
        *step = SP_STEP_CLONE;
        const bool is_zygote = launch->who == ZYGOTE;
        pid = is_zygote ? zygote_clone(spawner, &box->pidfd, directory)
                        : sys_clone3(sys_box_namespaces(launch->profile), &box->pidfd, directory);
        if (pid == 0) child_run(launch);
        if (pid < 0) code = errno;
    }
    int leave = cgroup_leave(spawner);
    if (directory >= 0) close(directory);
    if (leave != 0) {
        fprintf(stderr, "faasd-spawner: cannot leave a box's control groups: %s\n", strerror(leave));
        exit(1); /* staying would charge us to a tenant, and put later boxes under its limits */
    }
    box->pid = (pid_t)pid;
    return code;
}

/* Its maps are written: the child goes on. */
static int let_go(struct pipes *pipes, uint32_t *step)
{
    *step = SP_STEP_SYNC;
    if (write(pipes->go[1], "g", 1) != 1) return errno;
    close_all(&pipes->report[1], 1);
    pipes->report[1] = -1;
    return 0;
}

int await_box(struct pipes *pipes, int pidfd, int listeners[], uint32_t count, uint32_t *step)
{
    int code = let_go(pipes, step);
    if (code != 0) return code;
    struct pollfd wait[] = { { .fd = pipes->report[0], .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
    struct sp_report message = { SP_STEP_NONE, 0 };
    ssize_t length;
    do {
        if (poll(wait, 1, EXEC_WAIT_MILLIS) != 1) return ETIMEDOUT;
        length = sys_receive(pipes->report[0], &message, sizeof message, listeners, count);
    } while (length == (ssize_t)sizeof message && message.step == SP_STEP_NONE);
    /* End of file means executed, or dead on the way there, of a memory limit for example. */
    if (length == 0) return poll(&wait[1], 1, 0) == 0 ? 0 : ECHILD;
    if (length != (ssize_t)sizeof message) return EIO;
    *step = message.step;
    return message.error != 0 ? message.error : EIO;
}

bool valid_limits(const struct spawner *spawner, const struct sp_request *request)
{
    return request->profile < spawner->policy->profile_count && request->memory_bytes >= SP_MEMORY_MIN &&
           request->memory_bytes <= SP_MEMORY_MAX && request->tmp_bytes >= 4096 && request->tmp_bytes <= SP_MEMORY_MAX &&
           request->cpu_millis >= SP_CPU_MILLIS_MIN && request->cpu_millis <= SP_CPU_MILLIS_MAX &&
           request->pids >= SP_PIDS_MIN && request->pids <= SP_PIDS_MAX;
}

/* Waits until the process with this descriptor is gone, and fills in how it ended. */
static int reap(struct box *box, struct sp_reply *reply, int wait_millis)
{
    struct pollfd poll_for = { .fd = box->pidfd, .events = POLLIN };
    if (poll(&poll_for, 1, wait_millis) != 1) return ETIMEDOUT;
    siginfo_t info = { 0 };
    if (box->is_branch) read_end(box, reply);
    else if (waitid(P_PIDFD, (id_t)box->pidfd, &info, WEXITED | __WALL) != 0) return errno;
    else (reply->exit_code = info.si_code, reply->exit_status = info.si_status);
    close(box->pidfd);
    box->pidfd = -1;
    return 0;
}

static int end_box(struct spawner *spawner, struct box *box, struct sp_reply *reply, int wait_millis, int tries)
{
    int code = 0;
    close_all((int[]){ box->control, box->orders }, 2);
    box->control = box->orders = -1;
    cgroup_kill(spawner, box->name, box->pidfd);
    /* How long a tenant's process takes to end is waited for by who has asked; what is left comes later. */
    if (box->is_branch) (wait_millis = 0, tries = BRANCH_TRIES, end_strays(spawner, box));
    if (box->pidfd >= 0) code = reap(box, reply, wait_millis);
    cgroup_read_counters(spawner, box->name, reply->counters);
    int remove = cgroup_remove(spawner, box->name, tries);
    box->used = box->dying = code != 0 || remove != 0;
    return code != 0 || box->is_branch ? code : remove;
}

struct box *find_box(struct spawner *spawner, const struct sp_request *request)
{
    struct box *box = request->box < COUNT(spawner->boxes) ? &spawner->boxes[request->box] : NULL;
    return box && box->used && box->generation == request->generation ? box : NULL;
}

/* The first unused box. Those whose end did not come in time get another chance first. */
static struct box *free_box(struct spawner *spawner)
{
    struct box *found = NULL;
    for (size_t i = COUNT(spawner->boxes); i-- > 0;) {
        struct box *box = &spawner->boxes[i];
        struct sp_reply ignored = { 0 };
        if (box->dying) end_box(spawner, box, &ignored, 0, 1);
        if (!box->used) found = box;
    }
    return found;
}

static bool is_set(const uint8_t digest[SP_DIGEST_BYTES])
{
    static const uint8_t none[SP_DIGEST_BYTES];
    return memcmp(digest, none, sizeof none) != 0;
}

/* What is mounted in this box only. */
static int make_trees(const struct spawner *spawner, const struct sp_request *request, const struct launch *launch,
                      struct trees *trees, uint32_t *step)
{
    *step = SP_STEP_TMPFS;
    if ((trees->tmp = make_tmpfs(request->tmp_bytes, "1777", MOUNT_ATTR_NODEV)) < 0) return errno;
    if (!(spawner->policy->flags & SP_ORDINARY_USER) && (trees->dev = make_dev()) < 0) return errno;
    *step = SP_STEP_VERSION;
    if (is_set(request->version) && (trees->version = open_version(spawner, request->version)) < 0) return errno;
    *step = SP_STEP_ZYGOTE;
    if (launch->who == ZYGOTE && (trees->scratch = open_tree(AT_FDCWD, ".", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE)) < 0)
        return errno;
    return 0;
}

static int start(struct spawner *spawner, struct sp_request *request, struct box *box, struct pipes *pipes,
                 struct trees *trees, int listeners[], uint32_t *step)
{
    const struct sp_profile *profile = &spawner->policy->profiles[request->profile];
    struct box *zygote = request->generation != 0 ? find_box(spawner, request) : NULL;
    const uint32_t offset = UIDS_PER_BOX * (uint32_t)(box - spawner->boxes);
    struct launch launch = {
        .who = zygote ? FORKED : profile->flags & SP_PROFILE_ZYGOTE ? ZYGOTE : EXECUTED,
        .policy = spawner->policy, .profile = profile, .root = &spawner->roots[request->profile],
        .pipes = pipes, .trees = trees, .tmp_bytes = request->tmp_bytes, .control = -1,
    };
    *step = SP_STEP_REQUEST;
    if (request->generation != 0 && (!zygote || zygote->control < 0)) return ESRCH;
    if (zygote) memcpy(request->version, zygote->version, SP_DIGEST_BYTES);
    memcpy(box->version, request->version, SP_DIGEST_BYTES);
    *step = SP_STEP_PIPES;
    int code = open_pipes(pipes);
    if (code != 0 || (code = make_trees(spawner, request, &launch, trees, step)) != 0) return code;
    if ((code = cgroup_create(spawner, request, box->name, step)) != 0) return code;
    if (launch.who == ZYGOTE) code = zygote_prepare(spawner, &launch, box, step);
    if (code == 0 && request->flags & SP_TEMPLATE) code = template_prepare(&launch, box);
    if (code == 0)
        code = zygote ? zygote_fork(spawner, zygote, &launch, box, offset, step) : clone_child(spawner, &launch, box->name, box, step);
    close_all(&launch.control, 1);
    if (code != 0) return code;
    *step = SP_STEP_CGROUP_LIMIT;
    if ((code = cgroup_limit(spawner, request, box->name, true)) != 0) return code;
    *step = SP_STEP_ID_MAP;
    if ((code = write_process_files(&launch, box->pid, spawner->policy->uid_base + offset)) != 0) return code;
    /* Who has asked waits for the rest, a millisecond in which we serve others; but listeners come here first. */
    return profile->listener_count == 0 ? let_go(pipes, step) : await_box(pipes, box->pidfd, listeners, profile->listener_count, step);
}

struct box *take_box(struct spawner *spawner)
{
    struct box *box = free_box(spawner);
    if (!box) return NULL;
    *box = (struct box){ .used = true, .generation = box->generation + 1, .name = spawner->next_name++ };
    box->pidfd = box->control = box->orders = -1;
    return box;
}

void give_box(struct spawner *spawner, struct box *box, struct pipes *pipes, struct sp_reply *reply, int descriptors[SP_D_COUNT])
{
    if (reply->error == 0) {
        descriptors[SP_D_REQUEST] = pipes->request[1];
        descriptors[SP_D_REPLY] = pipes->reply[0];
        descriptors[SP_D_STDOUT] = pipes->out[0];
        descriptors[SP_D_STDERR] = pipes->err[0];
        pipes->request[1] = pipes->reply[0] = pipes->out[0] = pipes->err[0] = -1;
        cgroup_open_files(spawner, box->name, descriptors);
        reply->step = SP_STEP_NONE;
        reply->box = (uint32_t)(box - spawner->boxes);
        reply->generation = box->generation;
        reply->pid = box->pid;
    } else {
        struct sp_reply ignored = { 0 };
        end_box(spawner, box, &ignored, END_WAIT_MILLIS, REMOVE_TRIES);
        close_all(descriptors, SP_D_COUNT);
    }
    close_all((int *)pipes, sizeof *pipes / sizeof(int));
}

/* The reply says "invalid request" until something better is known. */
void box_spawn(struct spawner *spawner, struct sp_request *request, struct sp_reply *reply, int descriptors[SP_D_COUNT])
{
    if (!valid_limits(spawner, request)) return;
    struct box *box = take_box(spawner);
    reply->error = EMFILE;
    if (!box) return;
    struct pipes pipes;
    memset(&pipes, 0xff, sizeof pipes);
    struct trees trees = { -1, -1, -1, -1 };
    uint32_t step = SP_STEP_REQUEST;
    reply->error = start(spawner, request, box, &pipes, &trees, &descriptors[SP_D_LISTENERS], &step);
    reply->step = (uint16_t)step;
    if (reply->error == 0) {
        descriptors[SP_D_PIDFD] = fcntl(box->pidfd, F_DUPFD_CLOEXEC, 6);
        descriptors[SP_D_TMP] = trees.tmp;
        descriptors[SP_D_REPORT] = pipes.report[0];
        trees.tmp = pipes.report[0] = -1;
    }
    give_box(spawner, box, &pipes, reply, descriptors);
    close_all((int *)&trees, sizeof trees / sizeof(int));
}

void box_destroy(struct spawner *spawner, const struct sp_request *request, struct sp_reply *reply)
{
    struct box *box = find_box(spawner, request);
    if (!box) return;
    reply->error = end_box(spawner, box, reply, END_WAIT_MILLIS, REMOVE_TRIES);
    reply->step = reply->error != 0 ? SP_STEP_WAIT : SP_STEP_NONE;
}

void box_destroy_all(struct spawner *spawner)
{
    for (size_t i = 0; i < COUNT(spawner->boxes); i++) {
        if (spawner->boxes[i].used) cgroup_kill(spawner, spawner->boxes[i].name, spawner->boxes[i].pidfd);
    }
    for (size_t i = 0; i < COUNT(spawner->boxes); i++) {
        struct sp_reply ignored = { 0 };
        if (spawner->boxes[i].used) end_box(spawner, &spawner->boxes[i], &ignored, END_WAIT_MILLIS, REMOVE_TRIES);
    }
}
