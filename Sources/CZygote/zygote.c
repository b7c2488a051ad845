/* faasd-zygote: loaded by the interpreter that is to be forked. Takes orders from the spawner on a socket, clones itself
 * into the namespaces and control groups of a box, and walks the fork through the same steps as any box. */
#include "zygote.h"

#include "box_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The interpreter's own; os.fork() calls the same around fork(2): Python/C API, "Operating System Utilities". */
extern void PyOS_BeforeFork(void), PyOS_AfterFork_Parent(void), PyOS_AfterFork_Child(void);

enum { RECEIVED_MAX = OD_COUNT + SP_CG_COUNT };
static const struct sp_policy *policy;
static struct root root;

int zygote_open(void)
{
    struct stat status;
    /* So that no descriptor of an order gets a number that a box's own will have. */
    if (fcntl(5, F_GETFD) < 0 && (open("/", O_PATH | O_CLOEXEC) < 0 || fcntl(5, F_GETFD) < 0)) return EBADF;
    if (fcntl(FORK_CONTROL, F_SETFD, FD_CLOEXEC) != 0 || fstat(ZYGOTE_POLICY, &status) != 0) return errno;
    const size_t size = (size_t)status.st_size;
    policy = mmap(NULL, size, PROT_READ, MAP_PRIVATE, ZYGOTE_POLICY, 0);
    if (policy == MAP_FAILED || size < sizeof *policy || policy->size != size) return EINVAL;
    close(ZYGOTE_POLICY);
    return sys_receive(FORK_CONTROL, &root, sizeof root, NULL, 0) == (ssize_t)sizeof root ? 0 : EPROTO;
}

/* clone3 in place of fork(2), with which no namespaces can be asked for. The C library keeps the number of its thread
 * in memory; the kernel writes the new one there, and knows where because the library told it: set_tid_address(2). */
static long clone_box(const struct sp_profile *profile, int group, int *pidfd)
{
    uint64_t tid = 0;
    if (prctl(PR_GET_TID_ADDRESS, &tid, 0, 0, 0) != 0) return -1;
    struct clone_args arguments = {
        .flags = sys_box_namespaces(profile) | CLONE_PARENT | CLONE_PIDFD | CLONE_INTO_CGROUP | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID,
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .child_tid = tid,
        .cgroup = (uint64_t)group,
    };
    return syscall(SYS_clone3, &arguments, sizeof arguments);
}

static void become_box(const struct fork_order *order, const int parts[OD_COUNT], const int *tasks)
{
    const struct pipes pipes = {
        { parts[OD_REQUEST], -1 }, { -1, parts[OD_REPLY] }, { -1, parts[OD_OUT] }, { -1, parts[OD_ERR] },
        { parts[OD_GO], -1 }, { -1, parts[OD_REPORT] },
    };
    const struct trees trees = { parts[OD_TMP], parts[OD_DEV], parts[OD_VERSION], -1 };
    const struct launch launch = {
        .who = FORKED, .policy = policy, .profile = &policy->profiles[order->profile], .root = &root, .pipes = &pipes,
        .trees = &trees, .tmp_bytes = order->tmp_bytes, .tasks = tasks, .task_count = order->task_count,
        .control = -1,
    };
    child_run(&launch);
    memset(&root, 0, sizeof root);
}

/* Whether this process is the fork. */
static bool serve_order(const struct fork_order *order, int received[RECEIVED_MAX])
{
    int parts[OD_COUNT], taken = 0, pidfd = -1;
    for (int i = 0; i < OD_COUNT; i++) parts[i] = order->descriptors >> i & 1 ? received[taken++] : -1;
    PyOS_BeforeFork();
    long pid = clone_box(&policy->profiles[order->profile], parts[OD_GROUP], &pidfd);
    if (pid == 0) {
        become_box(order, parts, received + taken);
        PyOS_AfterFork_Child();
        return true;
    }
    struct fork_answer answer = { SP_STEP_CLONE, pid < 0 ? errno : 0 };
    PyOS_AfterFork_Parent();
    char map[96];
    snprintf(map, sizeof map, BOX_MAP, order->first_id, order->first_id + 1);
    if (pid > 0 && (answer.error = sys_write_maps((pid_t)pid, map)) != 0) answer.step = SP_STEP_ID_MAP;
    close_all(received, RECEIVED_MAX); /* before the answer: whoever waits for the fork's report waits for our copy too */
    sys_send(FORK_CONTROL, &answer, sizeof answer, &pidfd, pidfd >= 0);
    if (pidfd >= 0) close(pidfd);
    return false;
}

int zygote_serve(void)
{
    while (true) {
        struct fork_order order;
        int received[RECEIVED_MAX];
        ssize_t length = sys_receive(FORK_CONTROL, &order, sizeof order, received, RECEIVED_MAX);
        if (length < 0 && errno == EINTR) continue;
        if (length == 0) return 0;
        if (length != (ssize_t)sizeof order || order.profile >= policy->profile_count || order.task_count > SP_CG_COUNT) return -EPROTO;
        if (serve_order(&order, received)) return 1;
    }
}
