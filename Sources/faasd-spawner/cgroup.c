/* Control groups of boxes, on version 1, version 2 and hybrid hosts: cgroups(7), and the kernel's
 * Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst. */
#include "spawner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CPU_PERIOD_MICROS = 100000, NAME_LENGTH = 40 };

static void group_name(uint64_t name, char out[NAME_LENGTH]) { snprintf(out, NAME_LENGTH, "box-%llu", (unsigned long long)name); }

static bool unified_limits(const struct spawner *spawner) { return (spawner->policy->cgroup_flags & SP_UNIFIED_LIMITS) != 0; }

static int open_group(const struct spawner *spawner, enum sp_hierarchy hierarchy, uint64_t name)
{
    if (spawner->bases[hierarchy] < 0) return -1;
    char group[NAME_LENGTH];
    group_name(name, group);
    return openat(spawner->bases[hierarchy], group, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

int cgroups_open(struct spawner *spawner)
{
    for (int i = 0; i < SP_CG_COUNT; i++) {
        const struct sp_cgroup *group = &spawner->policy->cgroups[i];
        spawner->bases[i] = spawner->homes[i] = -1;
        if (!group->base[0]) continue;
        if (mkdir(group->base, 0755) != 0 && errno != EEXIST) return errno;
        spawner->bases[i] = open(group->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (spawner->bases[i] < 0) return errno;
        if (i == SP_CG_UNIFIED) continue;
        char tasks[SP_PATH_MAX + 8];
        snprintf(tasks, sizeof tasks, "%s/tasks", group->home);
        spawner->homes[i] = open(tasks, O_WRONLY | O_CLOEXEC);
        if (spawner->homes[i] < 0) return errno;
    }
    if (unified_limits(spawner)) return write_at(spawner->bases[SP_CG_UNIFIED], "cgroup.subtree_control", "+memory +pids +cpu");
    return 0;
}

/* Writes one setting of a box's group; nothing where the daemon was told to do without that hierarchy. */
static int set(const struct spawner *spawner, enum sp_hierarchy hierarchy, uint64_t name, const char *file, const char *text)
{
    int group = open_group(spawner, hierarchy, name);
    int code = spawner->bases[hierarchy] < 0 ? 0 : group < 0 ? errno : write_at(group, file, text);
    if (group >= 0) close(group);
    return code;
}

static int set_limits(struct spawner *spawner, const struct sp_request *request, uint64_t name)
{
    char memory[24], quota[24], maximum[48];
    snprintf(memory, sizeof memory, "%llu", (unsigned long long)request->memory_bytes);
    snprintf(quota, sizeof quota, "%llu", (unsigned long long)request->cpu_millis * CPU_PERIOD_MICROS / 1000);
    snprintf(maximum, sizeof maximum, "%s %d", quota, CPU_PERIOD_MICROS);
    int code;
    if (unified_limits(spawner)) {
        code = set(spawner, SP_CG_UNIFIED, name, "memory.max", memory);
        if (code == 0) code = set(spawner, SP_CG_UNIFIED, name, "memory.oom.group", "1");
        set(spawner, SP_CG_UNIFIED, name, "memory.swap.max", "0"); /* absent where the kernel has no swap accounting */
        return code != 0 ? code : set(spawner, SP_CG_UNIFIED, name, "cpu.max", maximum);
    }
    code = set(spawner, SP_CG_MEMORY, name, "memory.limit_in_bytes", memory);
    set(spawner, SP_CG_MEMORY, name, "memory.memsw.limit_in_bytes", memory); /* absent likewise */
    set(spawner, SP_CG_MEMORY, name, "memory.swappiness", "0");
    if (code == 0) code = set(spawner, SP_CG_CPU, name, "cpu.cfs_period_us", "100000");
    return code != 0 ? code : set(spawner, SP_CG_CPU, name, "cpu.cfs_quota_us", quota);
}

int cgroup_limit_pids(struct spawner *spawner, uint64_t name, uint32_t pids)
{
    char text[16];
    snprintf(text, sizeof text, "%u", pids);
    return set(spawner, unified_limits(spawner) ? SP_CG_UNIFIED : SP_CG_PIDS, name, "pids.max", text);
}

int cgroup_create(struct spawner *spawner, const struct sp_request *request, uint64_t name, uint32_t *step)
{
    char group[NAME_LENGTH];
    group_name(name, group);
    *step = SP_STEP_CGROUP_CREATE;
    for (int i = 0; i < SP_CG_COUNT; i++) {
        if (spawner->bases[i] >= 0 && mkdirat(spawner->bases[i], group, 0755) != 0) return errno;
    }
    *step = SP_STEP_CGROUP_LIMIT;
    return set_limits(spawner, request, name);
}

/* Writing "0" moves the writing thread itself, which takes no lock that waits for a grace period: 20 to 115 µs, where
 * moving another process takes 7 ms. */
int cgroup_enter(struct spawner *spawner, uint64_t name)
{
    for (int i = 0; i < SP_CG_COUNT; i++) {
        if (i == SP_CG_UNIFIED || spawner->bases[i] < 0) continue;
        int code = set(spawner, (enum sp_hierarchy)i, name, "tasks", "0");
        if (code != 0) return code;
    }
    return 0;
}

int cgroup_leave(struct spawner *spawner)
{
    int code = 0;
    for (int i = 0; i < SP_CG_COUNT; i++) {
        if (spawner->homes[i] >= 0 && pwrite(spawner->homes[i], "0", 1, 0) != 1) code = errno;
    }
    return code;
}

int cgroup_directory(struct spawner *spawner, uint64_t name) { return open_group(spawner, SP_CG_UNIFIED, name); }

static int open_file(int group, const char *file, int flags) { return group < 0 ? -1 : openat(group, file, flags | O_CLOEXEC | O_NOFOLLOW); }

/* An eventfd that becomes readable when the group runs out of memory (cgroup-v1/memory.rst, section 10). */
static int watch_oom(int memory_group)
{
    int control = open_file(memory_group, "memory.oom_control", O_RDONLY);
    int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    char text[32];
    snprintf(text, sizeof text, "%d %d", event, control);
    int code = control < 0 || event < 0 ? EBADF : write_at(memory_group, "cgroup.event_control", text);
    if (control >= 0) close(control);
    if (code != 0 && event >= 0) {
        close(event);
        event = -1;
    }
    return event;
}

uint32_t cgroup_open_files(struct spawner *spawner, uint64_t name, int descriptors[SP_D_COUNT])
{
    uint32_t flags = 0;
    int unified = open_group(spawner, SP_CG_UNIFIED, name);
    int memory = open_group(spawner, SP_CG_MEMORY, name);
    int pids = open_group(spawner, SP_CG_PIDS, name);
    if (unified >= 0) {
        descriptors[SP_D_CPU] = open_file(unified, "cpu.stat", O_RDONLY);
        descriptors[SP_D_FREEZE] = open_file(unified, "cgroup.freeze", O_WRONLY);
        descriptors[SP_D_EVENTS] = open_file(unified, "cgroup.events", O_RDONLY);
        descriptors[SP_D_KILL] = open_file(unified, "cgroup.kill", O_WRONLY);
    } else {
        int cpuacct = open_group(spawner, SP_CG_CPUACCT, name), freezer = open_group(spawner, SP_CG_FREEZER, name);
        descriptors[SP_D_CPU] = open_file(cpuacct, "cpuacct.usage", O_RDONLY);
        descriptors[SP_D_FREEZE] = open_file(freezer, "freezer.state", O_WRONLY);
        descriptors[SP_D_EVENTS] = open_file(freezer, "freezer.state", O_RDONLY);
        flags = SP_REPLY_CPU_NANOS | SP_REPLY_FREEZER_V1;
        close_all((int[]){ cpuacct, freezer }, 2);
    }
    if (unified_limits(spawner)) {
        descriptors[SP_D_MEMORY_EVENTS] = open_file(unified, "memory.events", O_RDONLY);
        descriptors[SP_D_PIDS_EVENTS] = open_file(unified, "pids.events", O_RDONLY);
    } else {
        descriptors[SP_D_MEMORY_EVENTS] = open_file(memory, "memory.oom_control", O_RDONLY);
        descriptors[SP_D_PIDS_EVENTS] = open_file(pids, "pids.events", O_RDONLY);
        descriptors[SP_D_OOM] = watch_oom(memory);
    }
    close_all((int[]){ unified, memory, pids }, 3);
    return flags;
}

/* The number behind `key` in a file of "key value" lines, or of one number when key is "". */
static uint64_t read_value(int group, const char *file, const char *key)
{
    char text[2048];
    if (group < 0 || read_at(group, file, text, sizeof text) <= 0) return 0;
    if (!key[0]) return strtoull(text, NULL, 10);
    size_t length = strlen(key);
    for (char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        if (strncmp(line, key, length) == 0 && line[length] == ' ') return strtoull(line + length + 1, NULL, 10);
    }
    return 0;
}

void cgroup_read_usage(struct spawner *spawner, uint64_t name, struct sp_reply *reply)
{
    int groups[SP_CG_COUNT];
    for (int i = 0; i < SP_CG_COUNT; i++) groups[i] = open_group(spawner, (enum sp_hierarchy)i, name);
    reply->cpu_micros = groups[SP_CG_UNIFIED] >= 0 ? read_value(groups[SP_CG_UNIFIED], "cpu.stat", "usage_usec")
                                                   : read_value(groups[SP_CG_CPUACCT], "cpuacct.usage", "") / 1000;
    if (unified_limits(spawner)) {
        reply->memory_peak_bytes = read_value(groups[SP_CG_UNIFIED], "memory.peak", "");
        reply->oom_kills = read_value(groups[SP_CG_UNIFIED], "memory.events", "oom_kill");
        reply->pids_refused = read_value(groups[SP_CG_UNIFIED], "pids.events", "max");
    } else {
        reply->memory_peak_bytes = read_value(groups[SP_CG_MEMORY], "memory.max_usage_in_bytes", "");
        reply->oom_kills = read_value(groups[SP_CG_MEMORY], "memory.oom_control", "oom_kill");
        reply->pids_refused = read_value(groups[SP_CG_PIDS], "pids.events", "max");
    }
    close_all(groups, SP_CG_COUNT);
}

/* Without cgroup.kill: freeze so that nothing forks away, signal everyone, thaw, because a frozen process of version 1
 * does not die before it is thawed. */
static void kill_by_freezer(int freezer)
{
    char pids[16384];
    write_at(freezer, "freezer.state", "FROZEN");
    if (read_at(freezer, "cgroup.procs", pids, sizeof pids) > 0) {
        for (char *line = pids; *line; line = strchr(line, '\n') + 1) {
            int pid = atoi(line);
            if (pid > 1) kill(pid, SIGKILL);
            if (!strchr(line, '\n')) break;
        }
    }
    write_at(freezer, "freezer.state", "THAWED");
}

void cgroup_kill(struct spawner *spawner, uint64_t name, int pidfd)
{
    if (pidfd >= 0) pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
    if (spawner->bases[SP_CG_UNIFIED] >= 0) {
        set(spawner, SP_CG_UNIFIED, name, "cgroup.kill", "1");
        return;
    }
    int freezer = open_group(spawner, SP_CG_FREEZER, name);
    if (freezer < 0) return;
    kill_by_freezer(freezer);
    close(freezer);
}

int cgroup_remove(struct spawner *spawner, uint64_t name, int tries)
{
    char group[NAME_LENGTH];
    group_name(name, group);
    int worst = 0;
    for (int i = 0; i < SP_CG_COUNT; i++) {
        if (spawner->bases[i] < 0) continue;
        int code = EBUSY;
        for (int try = 0; try < tries && code == EBUSY; try++) {
            if (try > 0) usleep(try < 20 ? 50 : 500);
            code = unlinkat(spawner->bases[i], group, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : errno;
        }
        if (code != 0) worst = code;
    }
    return worst;
}

static int sweep_base(struct spawner *spawner, int base)
{
    int copy = openat(base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = copy < 0 ? NULL : fdopendir(copy);
    if (!directory) return 0;
    int left = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        unsigned long long name;
        if (sscanf(entry->d_name, "box-%llu", &name) != 1) continue;
        cgroup_kill(spawner, name, -1);
        if (cgroup_remove(spawner, name, REMOVE_TRIES) != 0) left++;
        if (name >= spawner->next_name) spawner->next_name = name + 1;
    }
    closedir(directory);
    return left;
}

int cgroups_sweep(struct spawner *spawner)
{
    int left = 0;
    for (int i = 0; i < SP_CG_COUNT; i++) {
        if (spawner->bases[i] >= 0) left += sweep_base(spawner, spawner->bases[i]);
    }
    return left;
}
