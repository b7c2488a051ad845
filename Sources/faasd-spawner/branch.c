/* Branches: boxes that are forks of a template, which is a tenant's box that has loaded its code. They stay in the
 * template's namespaces and under its filter, have control groups and pipes of their own, and are its children, not ours.
 *
 * The template is as hostile as any box. It is never waited for, and nothing is received from it. It gets the files by which
 * a process moves itself into the groups of the fork: with them its forks can move among each other's groups, where they
 * are metered, frozen and killed as those are. None of the template's own groups is among them. */
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

/* Nothing can be sent back: what a tenant had queued, files for example, would be ours to clear up. */
int template_prepare(struct launch *launch, struct box *box)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return errno;
    box->orders = pair[0];
    launch->control = pair[1];
    if (fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0) return errno;
    return shutdown(pair[0], SHUT_RD) == 0 ? 0 : errno;
}

/* The box is not running yet, and the order may never be followed: the daemon hears of that from the fork's own pipe. */
static int order(struct spawner *spawner, const struct box *template, const struct box *box, const struct pipes *pipes)
{
    int sent[4 + SP_CG_COUNT] = { pipes->request[0], pipes->reply[1], pipes->out[1], pipes->err[1] };
    size_t doors = cgroup_open_doors(spawner, box->name, sent + 4);
    int code = sys_send(template->orders, "b", 1, sent, 4 + doors);
    close_all(sent + 4, doors);
    return code;
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

/* One thread: with more, some of them could be in other version 1 groups, under other limits. */
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

/* Who has entered the group, by the kernel's list. Nothing is done to a number: a process is held by its descriptor, and
 * only as long as that says it lives is the number its own. */
static int adopt(struct spawner *spawner, struct box *box)
{
    char members[64], expected[24];
    if (cgroup_members(spawner, SP_CG_UNIFIED, box->name, members, sizeof members) <= 0) return ESRCH;
    int pid = atoi(members), pidfd = pid > 1 ? pidfd_open(pid, 0) : -1;
    snprintf(expected, sizeof expected, "%d\n", pid);
    if (pidfd < 0) return ESRCH;
    if (strcmp(members, expected) == 0 && cgroup_holds(spawner, box->name, pid) && is_single(pid) && is_alive(pidfd)) {
        box->pid = pid;
        box->pidfd = pidfd;
        return 0;
    }
    close(pidfd);
    return EPERM;
}

void box_adopt(struct spawner *spawner, const struct sp_request *request, struct sp_reply *reply, int descriptors[SP_D_COUNT])
{
    struct box *box = find_box(spawner, request);
    if (!box || !box->is_branch || box->pidfd >= 0) return;
    reply->step = SP_STEP_ADOPT;
    if ((reply->error = adopt(spawner, box)) != 0) return; /* what there is of it is ended when the daemon says so */
    if ((descriptors[SP_D_PIDFD] = fcntl(box->pidfd, F_DUPFD_CLOEXEC, 6)) < 0) reply->error = errno;
    if (reply->error != 0) return;
    reply->step = SP_STEP_NONE;
    reply->pid = box->pid;
}

/* The process of a thread: proc_pid_status(5). */
static int process_of(int tid)
{
    char path[40], text[512];
    snprintf(path, sizeof path, "/proc/%d/status", tid);
    const char *line = read_at(AT_FDCWD, path, text, sizeof text) > 0 ? strstr(text, "\nTgid:") : NULL;
    return line ? atoi(line + 6) : -1;
}

/* Threads in a version 1 group of a branch whose process is not in its unified one have used what a template was given,
 * and keep the group from being removed. */
void end_strays(struct spawner *spawner, const struct box *box)
{
    char threads[4096];
    for (int i = 0; i < SP_CG_COUNT; i++) {
        if (i == SP_CG_UNIFIED || cgroup_members(spawner, i, box->name, threads, sizeof threads) <= 0) continue;
        for (char *line = threads, *end; (end = strchr(line, '\n')); line = end + 1) {
            int tid = atoi(line), pid = tid > 1 ? process_of(tid) : -1, pidfd = pid > 1 ? pidfd_open(pid, 0) : -1;
            if (pidfd < 0) continue;
            if (cgroup_names(tid, box->name) > 0 && process_of(tid) == pid && is_alive(pidfd)) pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
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
