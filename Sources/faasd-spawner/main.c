/* faasd-spawner: the only privileged process. It is started by faasd with a policy, a socket and a lock; it makes and
 * ends boxes when asked, and when the socket closes, because the daemon is gone, it ends them all and itself. */
#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct spawner spawner;

/* Whether each of `count` texts of at most `size` bytes, `stride` bytes apart, ends within its field. */
static bool texts(const void *first, size_t count, size_t stride, size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (!memchr((const char *)first + i * stride, 0, size)) return false;
    return true;
}

static bool valid_files(const struct sp_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (files[i].hierarchy >= SP_CG_COUNT || files[i].value >= SP_VALUE_COUNT) return false;
    return texts(files->name, count, sizeof *files, SP_NAME_MAX) && texts(files->text, count, sizeof *files, SP_NAME_MAX);
}

static bool valid_profile(const struct sp_profile *profile, uint64_t policy_size)
{
    if (profile->filter_count == 0 || profile->filter_count > SP_FILTER_MAX || profile->mount_count > SP_MOUNTS_MAX ||
        profile->rule_count > SP_RULES_MAX || profile->arg_count == 0 || profile->arg_count > SP_ARGS_MAX ||
        profile->env_count > SP_ENV_MAX || profile->rlimit_count > SP_RLIMITS_MAX ||
        profile->listener_count > SP_LISTENERS_MAX)
        return false;
    for (uint32_t i = 0; i < profile->mount_count; i++) {
        const struct sp_mount *mount = &profile->mounts[i];
        if (mount->target[0] == '/' || mount->offset > policy_size || mount->length > policy_size - mount->offset) return false;
    }
    return texts(profile->mounts->source, profile->mount_count, sizeof *profile->mounts, SP_PATH_MAX) &&
           texts(profile->mounts->target, profile->mount_count, sizeof *profile->mounts, SP_PATH_MAX) &&
           texts(profile->rules->path, profile->rule_count, sizeof *profile->rules, SP_PATH_MAX) &&
           texts(profile->args, profile->arg_count, SP_ARG_MAX, SP_ARG_MAX) &&
           texts(profile->env, profile->env_count, SP_ENV_LENGTH_MAX, SP_ENV_LENGTH_MAX);
}

/* The policy comes from our own parent, but a bound that is not checked is not a bound. */
static bool valid_policy(const struct sp_policy *policy)
{
    if (policy->magic != SP_MAGIC || policy->version != SP_VERSION || policy->profile_count == 0 ||
        policy->profile_count > SP_PROFILES_MAX || policy->filter_count > SP_FILTER_MAX || policy->setting_count > SP_SETTINGS_MAX)
        return false;
    for (uint32_t i = 0; i < policy->profile_count; i++)
        if (!valid_profile(&policy->profiles[i], policy->size)) return false;
    return texts(policy->store, 1, SP_PATH_MAX, SP_PATH_MAX) && texts(policy->scratch, 1, SP_PATH_MAX, SP_PATH_MAX) &&
           texts(policy->cgroups->base, SP_CG_COUNT, sizeof *policy->cgroups, SP_PATH_MAX) &&
           texts(policy->cgroups->home, SP_CG_COUNT, sizeof *policy->cgroups, SP_PATH_MAX) &&
           valid_files(policy->settings, policy->setting_count) && valid_files(policy->files, SP_D_COUNT) &&
           valid_files(policy->counters, SP_C_COUNT);
}

static int load_policy(void)
{
    struct stat status;
    if (fstat(SP_FD_POLICY, &status) != 0 || status.st_size < (off_t)sizeof(struct sp_policy)) return EINVAL;
    const struct sp_policy *policy = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, SP_FD_POLICY, 0);
    if (policy == MAP_FAILED) return errno;
    if (policy->size != (uint64_t)status.st_size || !valid_policy(policy)) return EINVAL;
    spawner.policy = policy;
    return 0;
}

static int prepare(uint16_t *step)
{
    *step = SP_STEP_POLICY;
    int code = load_policy();
    if (code != 0) return code;
    *step = SP_STEP_CGROUP_CREATE;
    if ((code = cgroups_open(&spawner)) != 0) return code;
    if (cgroups_sweep(&spawner) != 0) return EBUSY; /* something of a former run would not die */
    *step = SP_STEP_ROOT;
    if ((code = build_roots(&spawner)) != 0) return code;
    *step = SP_STEP_VERSION; /* after the roots: a mount can be cloned only out of the mount namespace one is in */
    spawner.store = open(spawner.policy->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (spawner.store < 0) return errno;
    if ((spawner.mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)) < 0) return errno;
    *step = SP_STEP_CAPABILITIES;
    uint64_t keep = 1u << CAP_SYS_ADMIN | 1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_MKNOD;
    keep |= 1u << CAP_SYS_RESOURCE | 1u << CAP_DAC_OVERRIDE; /* a floor for oom_score_adj; rmdir in a closed root at the end */
    keep |= 1u << CAP_CHOWN | 1u << CAP_SYS_CHROOT; /* zygotes clone into groups; a box's mount namespace is entered */
    if ((code = sys_keep_capabilities(keep)) != 0) return code;
    *step = SP_STEP_SECCOMP;
    if ((code = sys_install_filter(spawner.policy->filter, spawner.policy->filter_count)) != 0) return code;
    *step = SP_STEP_NONE;
    return 0;
}

static void send_reply(const struct sp_reply *reply, int descriptors[SP_D_COUNT])
{
    struct sp_reply message = *reply;
    int sent[SP_D_COUNT], count = 0;
    for (int i = 0; i < SP_D_COUNT; i++) {
        if (descriptors[i] < 0) continue;
        message.descriptors |= 1u << i;
        sent[count++] = descriptors[i];
    }
    sys_send(spawner.socket, &message, sizeof message, sent, count);
    close_all(descriptors, SP_D_COUNT); /* a daemon that is gone is noticed by the next receive */
}

static bool serve_one(void)
{
    struct sp_request request;
    ssize_t length = recv(spawner.socket, &request, sizeof request, 0);
    if (length < 0 && errno == EINTR) return true;
    if (length != (ssize_t)sizeof request || request.magic != SP_MAGIC) return false;
    struct sp_reply reply = { .magic = SP_MAGIC, .operation = request.operation, .step = SP_STEP_REQUEST, .error = EINVAL };
    int descriptors[SP_D_COUNT];
    memset(descriptors, 0xff, sizeof descriptors);
    if (request.operation == SP_SPAWN) box_spawn(&spawner, &request, &reply, descriptors);
    else if (request.operation == SP_DESTROY) box_destroy(&spawner, &request, &reply);
    else if (request.operation == SP_ASSIGN) box_assign(&spawner, &request, &reply);
    else if (request.operation == SP_BRANCH) box_branch(&spawner, &request, &reply, descriptors);
    else if (request.operation == SP_ADOPT) box_adopt(&spawner, &request, &reply, descriptors);
    send_reply(&reply, descriptors);
    return true;
}

/* The terminal's interrupt goes to the whole process group; the daemon decides when it is over, by closing the socket. */
static void ignore_signals(void)
{
    const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
    for (size_t i = 0; i < COUNT(ignored); i++) signal(ignored[i], SIG_IGN);
}

int main(void)
{
    ignore_signals();
    spawner.socket = SP_FD_SOCKET;
    spawner.house = -1;
    /* The lock on the state directory stays ours until the last box is gone, so that a successor waits for it. */
    for (int i = SP_FD_POLICY; i <= SP_FD_LOCK; i++) {
        if (fcntl(i, F_SETFD, FD_CLOEXEC) != 0) {
            fprintf(stderr, "faasd-spawner is started by faasd, not by hand (descriptor %d is missing)\n", i);
            return 64;
        }
    }
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    struct sp_reply hello = { .magic = SP_MAGIC, .operation = SP_HELLO };
    int none[SP_D_COUNT];
    memset(none, 0xff, sizeof none);
    hello.error = prepare(&hello.step);
    send_reply(&hello, none);
    while (hello.error == 0 && serve_one()) continue;
    box_destroy_all(&spawner);
    for (int i = 0; i < SP_CG_COUNT; i++)
        if (spawner.policy && spawner.bases[i] > 0) rmdir(spawner.policy->cgroups[i].base);
    return hello.error != 0;
}
