/* Zygotes: interpreters that have loaded what all boxes of an environment need, and no byte of a tenant. A box is a fork
 * of one, in namespaces of its own, and a child of the spawner. Zygotes live in the house: a user namespace that owns
 * nothing of the host, in which they are root and may write the id maps of their forks, and no more. */
#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORK_WAIT_MILLIS = 1000 };
static const int house_namespaces = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;

/* Root of the house; boxes have the ids before it. */
static uid_t house_root(const struct spawner *spawner) { return spawner->policy->uid_base + UIDS_PER_BOX * SP_BOXES_MAX; }

/* Its pid 1 may not fork zygotes itself: an init cannot use CLONE_PARENT, by which their forks become our children. */
static int open_house(struct spawner *spawner, uint32_t *step)
{
    struct pipes pipes;
    memset(&pipes, 0xff, sizeof pipes);
    if (pipe2(pipes.go, O_CLOEXEC) != 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pipes.report) != 0) return errno;
    struct launch launch = { .who = HOUSE, .policy = spawner->policy, .pipes = &pipes, .control = -1 };
    int pidfd = -1;
    long pid = sys_clone3((uint64_t)house_namespaces | CLONE_NEWNS, &pidfd, -1);
    if (pid == 0) child_run(&launch);
    int code = pid < 0 ? errno : 0;
    char map[96];
    snprintf(map, sizeof map, "0 %u 1\n1 %u %u\n", house_root(spawner), spawner->policy->uid_base, UIDS_PER_BOX * SP_BOXES_MAX);
    if (code == 0) code = sys_write_maps((pid_t)pid, map);
    if (code == 0) code = await_box(&pipes, pidfd, NULL, 0, step);
    close_all((int *)&pipes, sizeof pipes / sizeof(int));
    if (code == 0) spawner->house = pidfd;
    else if (pidfd >= 0) close(pidfd);
    return code;
}

static bool house_stands(struct spawner *spawner)
{
    struct pollfd house = { .fd = spawner->house, .events = POLLIN };
    if (spawner->house >= 0 && poll(&house, 1, 0) == 0) return true;
    if (spawner->house >= 0) waitid(P_PIDFD, (id_t)spawner->house, &(siginfo_t){ 0 }, WEXITED);
    close_all(&spawner->house, 1);
    return false;
}

/* The house stands, the socket is there, and what the zygote must know first is in it. */
int zygote_prepare(struct spawner *spawner, struct launch *launch, struct box *box, uint32_t *step)
{
    int pair[2], code = 0;
    *step = SP_STEP_ZYGOTE;
    if (!house_stands(spawner) && (code = open_house(spawner, step)) != 0) return code;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return errno;
    box->control = pair[0];
    launch->control = pair[1];
    uint32_t boxes = 0;
    while (boxes + 1 < spawner->policy->profile_count && !(spawner->policy->profiles[boxes].flags & SP_PROFILE_VERSION)) boxes++;
    return sys_send(pair[0], &spawner->roots[boxes], sizeof(struct root), NULL, 0);
}

struct born {
    long pid;
    int pidfd, error;
};

/* Joins the house and clones the zygote as the spawner's child, of which this process has the descriptors too. */
static long join_and_clone(const struct spawner *spawner, int group, int report, struct born *born)
{
    if (setns(spawner->house, house_namespaces) == 0) born->pid = sys_clone3(CLONE_PARENT | CLONE_NEWNS, &born->pidfd, group);
    if (born->pid == 0) return 0;
    born->error = errno;
    _exit(write(report, born, sizeof *born) != sizeof *born);
}

long zygote_clone(struct spawner *spawner, int *pidfd, int group)
{
    int report[2], helper = -1;
    struct born born = { -1, -1, ECHILD };
    if (pipe2(report, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
    long pid = sys_clone3(CLONE_FILES, &helper, -1);
    if (pid == 0) return join_and_clone(spawner, group, report[1], &born);
    siginfo_t info;
    if (pid > 0) waitid(P_PIDFD, (id_t)helper, &info, WEXITED);
    if (pid < 0 || read(report[0], &born, sizeof born) != sizeof born) born.pid = -1;
    close_all(report, 2);
    close_all(&helper, 1);
    *pidfd = born.pidfd;
    errno = born.error;
    return born.pid;
}

/* The process behind a pidfd, by its number in our pid namespace; proc_pid_fdinfo(5). */
static pid_t pid_of(int pidfd)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    const char *line = read_at(AT_FDCWD, path, text, sizeof text) > 0 ? strstr(text, "\nPid:") : NULL;
    return line ? atoi(line + 5) : -1;
}

static int order(struct spawner *spawner, int control, const struct launch *launch, uint64_t name, uint32_t offset)
{
    const struct pipes *pipes = launch->pipes;
    const struct trees *trees = launch->trees;
    int group = cgroup_directory(spawner, name), tasks[SP_CG_COUNT], sent[OD_COUNT + SP_CG_COUNT];
    const int all[OD_COUNT] = {
        pipes->request[0], pipes->reply[1], pipes->out[1], pipes->err[1], pipes->go[0], pipes->report[1],
        trees->tmp, trees->dev, trees->version, group,
    };
    struct fork_order order = { .profile = (uint32_t)(launch->profile - spawner->policy->profiles), .first_id = 1 + offset };
    order.tmp_bytes = launch->tmp_bytes;
    order.task_count = (uint32_t)cgroup_open_tasks(spawner, name, tasks);
    size_t count = 0;
    for (int i = 0; i < OD_COUNT; i++) {
        if (all[i] < 0) continue;
        order.descriptors |= 1u << i;
        sent[count++] = all[i];
    }
    for (uint32_t i = 0; i < order.task_count; i++) sent[count++] = tasks[i];
    int code = group < 0 ? ENOENT : sys_send(control, &order, sizeof order, sent, count);
    close_all(tasks, order.task_count);
    if (group >= 0) close(group);
    return code;
}

int zygote_fork(struct spawner *spawner, struct box *zygote, const struct launch *launch, struct box *box, uint32_t offset,
                uint32_t *step)
{
    *step = SP_STEP_CGROUP_ENTER;
    int code = cgroup_let_clone(spawner, box->name, house_root(spawner));
    if (code != 0) return code;
    *step = SP_STEP_ZYGOTE;
    if ((code = order(spawner, zygote->control, launch, box->name, offset)) != 0) return code;
    struct pollfd answered = { .fd = zygote->control, .events = POLLIN };
    struct fork_answer answer;
    if (poll(&answered, 1, FORK_WAIT_MILLIS) != 1 ||
        sys_receive(zygote->control, &answer, sizeof answer, &box->pidfd, 1) != (ssize_t)sizeof answer) {
        pidfd_send_signal(zygote->pidfd, SIGKILL, NULL, 0); /* one that hangs would answer the next order with this one's fork */
        close_all(&zygote->control, 1);
        return EPIPE;
    }
    if (answer.error != 0) *step = (uint32_t)answer.step;
    if (answer.error != 0 || box->pidfd < 0) return answer.error != 0 ? answer.error : EMFILE;
    box->pid = pid_of(box->pidfd);
    return box->pid > 0 ? 0 : ESRCH;
}
