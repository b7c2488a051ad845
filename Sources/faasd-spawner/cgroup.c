/* Control groups of boxes: cgroups(7), and the kernel's Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst. Which
 * files there are on this host, and what is written to them, is in the policy. */
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

enum { PATH_LENGTH = 40 + SP_NAME_MAX };

/* The path of a box's group, or of a file in it, from the group that holds them all. */
static const char *path_of(uint64_t name, const char *file, char out[PATH_LENGTH])
{
    snprintf(out, PATH_LENGTH, file[0] ? "box-%llu/%s" : "box-%llu", (unsigned long long)name, file);
    return out;
}

static int set(const struct spawner *spawner, uint32_t hierarchy, uint64_t name, const char *file, const char *text)
{
    char path[PATH_LENGTH];
    return write_at(spawner->bases[hierarchy], path_of(name, file, path), text);
}

static ssize_t get(const struct spawner *spawner, uint32_t hierarchy, uint64_t name, const char *file, char *text, size_t size)
{
    char path[PATH_LENGTH];
    return read_at(spawner->bases[hierarchy], path_of(name, file, path), text, size);
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
    return 0;
}

int cgroup_limit(const struct spawner *spawner, const struct sp_request *request, uint64_t name, bool processes)
{
    const uint64_t numbers[SP_VALUE_COUNT] = {
        [SP_VALUE_MEMORY] = request->memory_bytes,
        [SP_VALUE_CPU_QUOTA] = (uint64_t)request->cpu_millis * SP_CPU_PERIOD_MICROS / 1000,
        [SP_VALUE_PIDS] = request->pids,
    };
    for (uint32_t i = 0; i < spawner->policy->setting_count; i++) {
        const struct sp_file *setting = &spawner->policy->settings[i];
        if ((setting->value == SP_VALUE_PIDS) != processes) continue;
        char number[24] = "", text[sizeof number + SP_NAME_MAX];
        if (setting->value != SP_VALUE_NONE)
            snprintf(number, sizeof number, "%llu", (unsigned long long)numbers[setting->value]);
        snprintf(text, sizeof text, "%s%s", number, setting->text);
        int code = set(spawner, setting->hierarchy, name, setting->name, text);
        if (code != 0 && !(setting->flags & SP_OPTIONAL)) return code;
    }
    return 0;
}

int cgroup_create(struct spawner *spawner, const struct sp_request *request, uint64_t name, uint32_t *step)
{
    char path[PATH_LENGTH];
    *step = SP_STEP_CGROUP_CREATE;
    for (int i = 0; i < SP_CG_COUNT; i++) {
        if (spawner->bases[i] >= 0 && mkdirat(spawner->bases[i], path_of(name, "", path), 0755) != 0) return errno;
    }
    *step = SP_STEP_CGROUP_LIMIT;
    return cgroup_limit(spawner, request, name, false);
}

/* Writing "0" moves the writing thread itself, which takes no lock that waits for a grace period: 20 to 115 µs, where
 * moving another process takes 7 ms. */
int cgroup_enter(struct spawner *spawner, uint64_t name)
{
    int code = 0;
    for (uint32_t i = 0; i < SP_CG_COUNT && code == 0; i++) {
        if (spawner->homes[i] >= 0) code = set(spawner, i, name, "tasks", "0");
    }
    return code;
}

int cgroup_leave(struct spawner *spawner)
{
    int code = 0;
    for (int i = 0; i < SP_CG_COUNT; i++) {
        if (spawner->homes[i] >= 0 && pwrite(spawner->homes[i], "0", 1, 0) != 1) code = errno;
    }
    return code;
}

int cgroup_directory(struct spawner *spawner, uint64_t name)
{
    char path[PATH_LENGTH];
    if (spawner->bases[SP_CG_UNIFIED] < 0) return -1;
    return openat(spawner->bases[SP_CG_UNIFIED], path_of(name, "", path), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

size_t cgroup_open_tasks(struct spawner *spawner, uint64_t name, int tasks[SP_CG_COUNT])
{
    char path[PATH_LENGTH];
    size_t count = 0;
    for (int i = 0; i < SP_CG_COUNT; i++) {
        if (spawner->homes[i] < 0) continue;
        tasks[count] = openat(spawner->bases[i], path_of(name, "tasks", path), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        if (tasks[count] >= 0) count++;
    }
    return count;
}

size_t cgroup_open_doors(struct spawner *spawner, uint64_t name, int doors[SP_CG_COUNT])
{
    char path[PATH_LENGTH];
    size_t count = cgroup_open_tasks(spawner, name, doors);
    doors[count] = openat(spawner->bases[SP_CG_UNIFIED], path_of(name, "cgroup.procs", path), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    return doors[count] < 0 ? count : count + 1;
}

int cgroup_let_clone(struct spawner *spawner, uint64_t name, uid_t user)
{
    char path[PATH_LENGTH];
    int base = spawner->bases[SP_CG_UNIFIED];
    if (fchownat(base, path_of(name, "cgroup.procs", path), user, (gid_t)-1, AT_SYMLINK_NOFOLLOW) != 0) return errno;
    return fchownat(base, "cgroup.procs", user, (gid_t)-1, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

ssize_t cgroup_members(const struct spawner *spawner, int hierarchy, uint64_t name, char *text, size_t size)
{
    const char *file = hierarchy == SP_CG_UNIFIED ? "cgroup.procs" : "tasks";
    return spawner->bases[hierarchy] < 0 ? -1 : get(spawner, (uint32_t)hierarchy, name, file, text, size);
}

/* The last component of each line of /proc/PID/cgroup is the group: cgroups(7). */
size_t cgroup_names(pid_t pid, uint64_t name)
{
    char path[40], text[4096], end[40];
    size_t found = 0, length = (size_t)snprintf(end, sizeof end, "/box-%llu", (unsigned long long)name);
    snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
    if (read_at(AT_FDCWD, path, text, sizeof text) <= 0) return 0;
    for (char *line = text, *stop; (stop = strchr(line, '\n')); line = stop + 1) {
        found += stop - line >= (ptrdiff_t)length && memcmp(stop - length, end, length) == 0;
    }
    return found;
}

bool cgroup_holds(const struct spawner *spawner, uint64_t name, pid_t pid)
{
    size_t all = 0;
    for (int i = 0; i < SP_CG_COUNT; i++) all += spawner->bases[i] >= 0;
    return cgroup_names(pid, name) == all;
}

/* An eventfd that becomes readable when the group runs out of memory (cgroup-v1/memory.rst, section 10), in place of
 * the file by which it is ordered. */
static int watch_oom(int control, int events)
{
    int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    char text[32];
    int length = snprintf(text, sizeof text, "%d %d", event, events);
    bool ordered = write(control, text, (size_t)length) == length;
    close(control);
    if (ordered || event < 0) return event;
    close(event);
    return -1;
}

void cgroup_open_files(struct spawner *spawner, uint64_t name, int descriptors[SP_D_COUNT])
{
    for (int i = SP_D_CPU; i <= SP_D_OOM; i++) {
        const struct sp_file *file = &spawner->policy->files[i];
        char path[PATH_LENGTH];
        if (!file->name[0]) continue;
        int flags = file->access | O_CLOEXEC | O_NOFOLLOW;
        descriptors[i] = openat(spawner->bases[file->hierarchy], path_of(name, file->name, path), flags);
    }
    if (descriptors[SP_D_OOM] >= 0) descriptors[SP_D_OOM] = watch_oom(descriptors[SP_D_OOM], descriptors[SP_D_MEMORY_EVENTS]);
}

void cgroup_read_counters(struct spawner *spawner, uint64_t name, uint64_t counters[SP_C_COUNT])
{
    for (int i = 0; i < SP_C_COUNT; i++) {
        const struct sp_file *file = &spawner->policy->counters[i];
        char text[2048];
        if (!file->name[0] || get(spawner, file->hierarchy, name, file->name, text, sizeof text) <= 0) continue;
        size_t length = strlen(file->text);
        const char *line = text; /* a word and a number on each, or one number and no word */
        while (line && length > 0 && !(strncmp(line, file->text, length) == 0 && line[length] == ' '))
            if ((line = strchr(line, '\n'))) line++;
        if (line) counters[i] = strtoull(line + length, NULL, 10);
    }
}

/* Without cgroup.kill: freeze so that nothing forks away, signal everyone, thaw, because a frozen process of version 1
 * does not die before it is thawed. */
static void kill_by_freezer(struct spawner *spawner, uint64_t name)
{
    char pids[16384];
    set(spawner, SP_CG_FREEZER, name, "freezer.state", "FROZEN");
    if (get(spawner, SP_CG_FREEZER, name, "cgroup.procs", pids, sizeof pids) > 0) {
        for (char *line = pids, *end; (end = strchr(line, '\n')); line = end + 1) {
            int pid = atoi(line);
            if (pid > 1) kill(pid, SIGKILL);
        }
    }
    set(spawner, SP_CG_FREEZER, name, "freezer.state", "THAWED");
}

void cgroup_kill(struct spawner *spawner, uint64_t name, int pidfd)
{
    if (pidfd >= 0) pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
    if (spawner->bases[SP_CG_UNIFIED] >= 0) set(spawner, SP_CG_UNIFIED, name, "cgroup.kill", "1");
    else kill_by_freezer(spawner, name);
}

int cgroup_remove(struct spawner *spawner, uint64_t name, int tries)
{
    char path[PATH_LENGTH];
    int worst = 0;
    for (int i = 0; i < SP_CG_COUNT; i++) {
        if (spawner->bases[i] < 0) continue;
        int code = EBUSY, most = worst == EBUSY ? 1 : tries; /* who lives in one lives in all */
        for (int try = 0; try < most && code == EBUSY; try++) {
            if (try > 0) usleep(try < 20 ? 50 : 500);
            code = unlinkat(spawner->bases[i], path_of(name, "", path), AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : errno;
        }
        if (code != 0) worst = code;
    }
    return worst;
}

/* The names of groups are those of boxes of a former run; what is left of one would make a new one fail. */
int cgroups_sweep(struct spawner *spawner)
{
    int left = 0;
    for (int i = 0; i < SP_CG_COUNT; i++) {
        int copy = spawner->bases[i] < 0 ? -1 : openat(spawner->bases[i], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory = copy < 0 ? NULL : fdopendir(copy);
        for (struct dirent *entry; directory && (entry = readdir(directory));) {
            unsigned long long name;
            if (sscanf(entry->d_name, "box-%llu", &name) != 1) continue;
            cgroup_kill(spawner, name, -1);
            if (cgroup_remove(spawner, name, REMOVE_TRIES) != 0) left++;
            if (name >= spawner->next_name) spawner->next_name = name + 1;
        }
        if (directory) closedir(directory);
    }
    return left;
}
