/* Branches: boxes that are forks of a template, which is a tenant's box that has loaded its code. They stay in the
 * template's namespaces and under its filter, have control groups and pipes of their own, and are its children, not ours.
 *
 * The template is as hostile as any box. It is never waited for. It gets the version 1 `tasks` files of the fork, by which
 * the fork moves itself: with them its siblings can share each other's limits, and no more. The unified group, which is the
 * one that is metered, frozen and killed, is entered by our hand alone, and only by a process of the template. */
#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REMAINS_MAX = 4 };

int template_prepare(struct launch *launch, struct box *box)
{
    int pair[2], yes = 1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return errno;
    box->orders = pair[0];
    launch->control = pair[1];
    if (fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0) return errno;
    return setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) == 0 ? 0 : errno;
}

/* The box is not running yet, and the order may never be followed: the daemon hears of that from the fork's own pipe. */
static int order(struct spawner *spawner, const struct box *template, struct box *box, const struct pipes *pipes)
{
    int sent[4 + SP_CG_COUNT] = { pipes->request[0], pipes->reply[1], pipes->out[1], pipes->err[1] };
    size_t tasks = cgroup_open_tasks(spawner, box->name, sent + 4);
    int code = sys_send(template->orders, "b", 1, sent, 4 + tasks);
    close_all(sent + 4, tasks);
    if (code != 0) return code;
    box->claims = fcntl(template->orders, F_DUPFD_CLOEXEC, 6);
    return box->claims < 0 ? errno : 0;
}

/* Forks that have ended and are not gone, because their template, which does not do as it should, keeps them. */
static int count_remains(const struct spawner *spawner, uint64_t template)
{
    int count = 0;
    for (size_t i = 0; i < COUNT(spawner->boxes); i++) {
        const struct box *box = &spawner->boxes[i];
        count += box->used && box->dying && box->is_branch && box->template == template;
    }
    return count;
}

void box_branch(struct spawner *spawner, const struct sp_request *request, struct sp_reply *reply, int descriptors[SP_D_COUNT])
{
    struct box *template = find_box(spawner, request);
    if (!template || template->orders < 0 || spawner->bases[SP_CG_UNIFIED] < 0 || !valid_limits(spawner, request)) return;
    struct box *box = take_box(spawner);
    reply->error = EMFILE;
    if (!box) return;
    if (count_remains(spawner, template->name) > REMAINS_MAX) {
        box->used = false;
        reply->step = SP_STEP_BRANCH;
        reply->error = EBUSY;
        return;
    }
    struct pipes pipes;
    memset(&pipes, 0xff, sizeof pipes);
    uint32_t step = SP_STEP_PIPES;
    box->is_branch = true;
    box->template = template->name;
    reply->error = open_pipes(&pipes);
    if (reply->error == 0) reply->error = cgroup_create(spawner, request, box->name, &step);
    if (reply->error == 0) reply->error = cgroup_limit(spawner, request, box->name, true);
    if (reply->error == 0) {
        step = SP_STEP_BRANCH;
        reply->error = order(spawner, template, box, &pipes);
    }
    reply->step = (uint16_t)step;
    give_box(spawner, box, &pipes, reply, descriptors);
}

/* The process that says it is the fork, by the kernel's word: SCM_CREDENTIALS in unix(7). Descriptors that come along are
 * dropped for want of room. */
static pid_t claimant(int claims)
{
    union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(struct ucred))]; } control = { 0 };
    char byte;
    struct iovec part = { &byte, 1 };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes };
    if (recvmsg(claims, &header, MSG_CMSG_CLOEXEC) != 1 || header.msg_controllen < CMSG_LEN(sizeof(struct ucred))) return -1;
    if (control.align.cmsg_level != SOL_SOCKET || control.align.cmsg_type != SCM_CREDENTIALS) return -1;
    struct ucred sender;
    memcpy(&sender, CMSG_DATA(&control.align), sizeof sender);
    return sender.pid;
}

/* One thread: with more, some of them could be in other version 1 groups, under other limits. What it uses is counted in the
 * unified group, which is a whole process's. */
static bool is_single(pid_t pid)
{
    char path[40], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    return read_at(AT_FDCWD, path, text, sizeof text) > 0 && strstr(text, "\nThreads:\t1\n");
}

static bool is_alive(int pidfd)
{
    struct pollfd ended = { .fd = pidfd, .events = POLLIN };
    return poll(&ended, 1, 0) == 0;
}

/* The order of the questions is the safety: a number is a process only as long as its descriptor says it lives. */
static int adopt(struct spawner *spawner, struct box *box, pid_t pid)
{
    if (pid <= 1 || (box->pidfd = pidfd_open(pid, 0)) < 0) return ESRCH;
    if (!cgroup_holds(spawner, box->template, pid, true) || !is_alive(box->pidfd)) return EPERM;
    int code = cgroup_take(spawner, box->name, pid);
    if (code != 0) return code;
    if (!cgroup_holds(spawner, box->name, pid, false) || !is_single(pid) || !is_alive(box->pidfd)) return EPERM;
    box->pid = pid;
    return 0;
}

void box_adopt(struct spawner *spawner, const struct sp_request *request, struct sp_reply *reply, int descriptors[SP_D_COUNT])
{
    struct box *box = find_box(spawner, request);
    if (!box || box->claims < 0) return;
    reply->step = SP_STEP_ADOPT;
    reply->error = adopt(spawner, box, claimant(box->claims));
    close_all(&box->claims, 1);
    if (reply->error == 0 && (descriptors[SP_D_PIDFD] = fcntl(box->pidfd, F_DUPFD_CLOEXEC, 6)) < 0) reply->error = errno;
    if (reply->error != 0) return; /* what there is of it is ended when the daemon says so */
    reply->step = SP_STEP_NONE;
    reply->pid = box->pid;
}

/* Who is in a version 1 group of a branch without being in its unified one has used what a template was given, and keeps
 * the group from being removed. */
void end_strays(struct spawner *spawner, const struct box *box)
{
    char pids[4096];
    for (int i = 0; i < SP_CG_COUNT; i++) {
        if (i == SP_CG_UNIFIED || cgroup_members(spawner, i, box->name, pids, sizeof pids) <= 0) continue;
        for (char *line = pids, *end; (end = strchr(line, '\n')); line = end + 1) {
            int pid = atoi(line), pidfd = pid > 1 ? pidfd_open(pid, 0) : -1;
            if (pidfd < 0) continue;
            if (cgroup_names(pid, box->name) > 0) pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
            close(pidfd);
        }
    }
}

/* The kernel's structure of PIDFD_GET_INFO, declared here because the system's headers may be older than the running kernel. */
struct process_info {
    uint64_t mask, group;
    uint32_t pid, tgid, ppid, ids[8];
    int32_t exit_code;
};
enum { INFO_EXIT = 1 << 3, END_LOOKS = 40 };
#define GET_INFO _IOWR(0xFF, 11, struct process_info)

/* A template ignores its children's ends, so the kernel takes them away, and tells what they came to from Linux 6.15 on. */
void read_end(const struct box *box, struct sp_reply *reply)
{
    struct process_info info = { 0 };
    for (int look = 0; look < END_LOOKS && !(info.mask & INFO_EXIT); look++) {
        if (look > 0) usleep(50);
        info.mask = INFO_EXIT;
        if (ioctl(box->pidfd, GET_INFO, &info) != 0) return;
    }
    if (!(info.mask & INFO_EXIT)) return;
    int status = info.exit_code;
    reply->exit_code = WIFSIGNALED(status) ? CLD_KILLED : CLD_EXITED;
    reply->exit_status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}
