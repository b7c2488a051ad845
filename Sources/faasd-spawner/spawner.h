/* Inside faasd-spawner: one thread, one policy, a table of boxes. Functions return 0, or an errno with *step set. */
#ifndef FAASD_SPAWNER_H
#define FAASD_SPAWNER_H

#include "spawner_protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct box {
    bool used;
    bool dying; /* its end was ordered and has not come: number and user ids rest until it has */
    uint32_t generation;
    uint64_t name; /* its control groups are called box-NAME */
    pid_t pid;
    int pidfd;
};

/* One mount of a box's root: an overlay, which has locks and inodes of its own over files that all boxes share, or a
 * device, which has not. */
struct layer {
    char target[SP_PATH_MAX + 2]; /* beneath the scratch directory: "r" or "r/…" */
    char source[16];              /* likewise */
    bool device;
};

struct root {
    uint32_t count;
    struct layer layers[SP_MOUNTS_MAX + 1];
};

struct spawner {
    const struct sp_policy *policy;
    int socket;
    int store;                    /* descriptor of the version store */
    struct root roots[SP_PROFILES_MAX];
    int bases[SP_CG_COUNT];       /* descriptors of our control groups, -1 where there is no such hierarchy */
    int homes[SP_CG_COUNT];       /* open `tasks` files of the spawner's own version 1 groups */
    uint64_t next_name;
    struct box boxes[SP_BOXES_MAX];
};

/* Both ends of the pipes of one box. The child reads one byte of `go` when its id maps are written. On `report`, which is
 * a pair of sockets, it sends its listeners with a struct report of no step, and one of the step that fails; a
 * successful exec closes it. */
struct pipes {
    int request[2], reply[2], out[2], err[2], go[2], report[2];
};

/* What is mounted in one box only, as detached trees: /tmp, /dev where we may make devices, the version's directory. */
struct trees {
    int tmp, dev, version;
};

/* What a child needs between clone and exec, all of it made before the clone. */
struct launch {
    const struct sp_policy *policy;
    const struct sp_profile *profile;
    const struct root *root;
    const struct pipes *pipes;
    const struct trees *trees;
    uint64_t tmp_bytes;
};

struct report {
    uint32_t step;
    int32_t error;
};

/* root.c: what the boxes' roots are made of, mounted once in the spawner's own mount namespace, on the scratch
 * directory, which becomes the working directory. */
int build_roots(struct spawner *spawner);

/* cgroup.c */
int cgroups_open(struct spawner *spawner);
/* Kills every process of every group beneath our bases and removes the groups; returns how many stay. */
int cgroups_sweep(struct spawner *spawner);
int cgroup_create(struct spawner *spawner, const struct sp_request *request, uint64_t name, uint32_t *step);
/* Moves the calling (single) thread into the version 1 groups of a box, and back home. */
int cgroup_enter(struct spawner *spawner, uint64_t name);
int cgroup_leave(struct spawner *spawner);
/* Writes the limits of a box: that of processes, or all the others. */
int cgroup_limit(const struct spawner *spawner, const struct sp_request *request, uint64_t name, bool processes);
/* The unified group's directory for CLONE_INTO_CGROUP, or -1. */
int cgroup_directory(struct spawner *spawner, uint64_t name);
/* Opens the files handed to the daemon into descriptors[]. */
void cgroup_open_files(struct spawner *spawner, uint64_t name, int descriptors[SP_D_COUNT]);
void cgroup_read_counters(struct spawner *spawner, uint64_t name, uint64_t counters[SP_C_COUNT]);
void cgroup_kill(struct spawner *spawner, uint64_t name, int pidfd);
/* Removes the groups of a box once they are empty, trying that many times; EBUSY when something still lives there. */
int cgroup_remove(struct spawner *spawner, uint64_t name, int tries);
enum { REMOVE_TRIES = 200 };

/* box.c */
void box_spawn(struct spawner *spawner, const struct sp_request *request, struct sp_reply *reply, int descriptors[SP_D_COUNT]);
void box_destroy(struct spawner *spawner, const struct sp_request *request, struct sp_reply *reply);
void box_destroy_all(struct spawner *spawner);

/* child.c: runs in the new process; async-signal-safe; never returns. */
_Noreturn void child_run(const struct launch *launch);

/* sys.c: system calls without a wrapper in the C library, and small file helpers. */
long sys_clone3(uint64_t flags, int *pidfd, int cgroup);
/* A detached, read-only copy of the mount at an O_PATH descriptor, which is closed; -1 with errno. `attributes` are
 * MOUNT_ATTR_NODEV, or what else it shall have. */
int sys_clone_tree(int place, uint64_t attributes);
/* Keeps the capabilities of this mask and gives up all others for good: capabilities(7). */
int sys_keep_capabilities(uint64_t keep);
int sys_install_filter(const struct sock_filter *filter, uint32_t count);
/* One message with descriptors; 0 or an errno. */
int sys_send(int socket, const void *message, size_t size, const int *descriptors, size_t count);
/* One message with as many descriptors as expected, or none; its length, or -1. */
ssize_t sys_receive(int socket, void *message, size_t size, int *descriptors, size_t count);
int write_at(int directory, const char *path, const char *text);
ssize_t read_at(int directory, const char *path, char *buffer, size_t size);
void close_all(int *descriptors, size_t count);

#endif
