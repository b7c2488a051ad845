/* Inside faasd-spawner: one thread, one policy, a table of boxes. Functions return 0, or an errno with *step set. */
#ifndef FAASD_SPAWNER_H
#define FAASD_SPAWNER_H

#include "box_setup.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct box {
    bool used;
    bool dying; /* its end was ordered and has not come: number and user ids rest until it has */
    uint32_t generation;
    uint64_t name; /* its control groups are called box-NAME */
    pid_t pid;
    int pidfd;
    int control;                     /* a zygote's: where it is asked for forks; otherwise -1 */
    int orders;                      /* the same of a template, which is a tenant's and is believed nothing */
    bool is_branch;                  /* a fork of one, whose name this is */
    uint64_t template;
    bool is_assigned;
    uint8_t version[SP_DIGEST_BYTES]; /* what it was made with: a zygote's environment is its forks' too */
};

struct spawner {
    const struct sp_policy *policy;
    int socket;
    int store;                    /* descriptor of the version store */
    struct root roots[SP_PROFILES_MAX];
    int bases[SP_CG_COUNT];       /* descriptors of our control groups, -1 where there is no such hierarchy */
    int homes[SP_CG_COUNT];       /* open `tasks` files of the spawner's own version 1 groups */
    uint64_t next_name;
    int mounts;                   /* the spawner's own mount namespace */
    int house;                    /* pidfd of pid 1 of the namespaces that zygotes live in; -1 before the first */
    struct box boxes[SP_BOXES_MAX];
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
/* The `tasks` files of its version 1 groups, opened for a process that moves itself; returns how many. */
size_t cgroup_open_tasks(struct spawner *spawner, uint64_t name, int tasks[SP_CG_COUNT]);
/* Lets this user clone into the unified group: cgroup.procs of the group and of ours, which is the next above both. */
int cgroup_let_clone(struct spawner *spawner, uint64_t name, uid_t user);
/* Who is in one of a box's groups, as the kernel lists them: processes of the unified one, threads of others. */
ssize_t cgroup_members(const struct spawner *spawner, int hierarchy, uint64_t name, char *text, size_t size);
/* In how many of a box's groups a process or thread is. */
size_t cgroup_names(pid_t pid, uint64_t name);
bool cgroup_holds(const struct spawner *spawner, uint64_t name, pid_t pid);
/* The same, and `cgroup.procs` of the unified group, where there is one: by all of them a process moves itself into a box. */
size_t cgroup_open_doors(struct spawner *spawner, uint64_t name, int doors[SP_CG_COUNT]);
void cgroup_read_counters(struct spawner *spawner, uint64_t name, uint64_t counters[SP_C_COUNT]);
void cgroup_kill(struct spawner *spawner, uint64_t name, int pidfd);
/* Removes the groups of a box once they are empty, trying that many times; EBUSY when something still lives there. */
int cgroup_remove(struct spawner *spawner, uint64_t name, int tries);
enum { REMOVE_TRIES = 200 };

/* zygote.c: what boxes are forked from, and the house it lives in. */
enum { UIDS_PER_BOX = 8 };
int zygote_prepare(struct spawner *spawner, struct launch *launch, struct box *box, uint32_t *step);
/* Clones one within the house; its pid, 0 in the child, or -1 with errno. */
long zygote_clone(struct spawner *spawner, int *pidfd, int group);
/* Has a zygote make the process of a box; `offset` is that of the box's user ids. */
int zygote_fork(struct spawner *spawner, struct box *zygote, const struct launch *launch, struct box *box, uint32_t offset,
                uint32_t *step);

/* branch.c: boxes that are forks of a box whose code is loaded. */
/* The box's process will be asked for forks. */
int template_prepare(struct launch *launch, struct box *box);
void box_branch(struct spawner *spawner, const struct sp_request *request, struct sp_reply *reply, int descriptors[SP_D_COUNT]);
void box_adopt(struct spawner *spawner, const struct sp_request *request, struct sp_reply *reply, int descriptors[SP_D_COUNT]);
void end_strays(struct spawner *spawner, const struct box *box);
/* How a process ended that is not our child, as far as it can be seen before its parent has noticed. */
void read_end(const struct box *box, struct sp_reply *reply);

/* assign.c */
void box_assign(struct spawner *spawner, const struct sp_request *request, struct sp_reply *reply);

/* box.c */
/* The box of this number and generation, or NULL. */
struct box *find_box(struct spawner *spawner, const struct sp_request *request);
/* Lets a child go and waits until it has executed or become a box, or learns which step failed; takes its listeners. */
int await_box(struct pipes *pipes, int pidfd, int listeners[], uint32_t count, uint32_t *step);
bool valid_limits(const struct spawner *spawner, const struct sp_request *request);
int open_pipes(struct pipes *pipes);
/* An unused box, with a name of its own; NULL when there is none. */
struct box *take_box(struct spawner *spawner);
/* Hands a box to the daemon, or ends it when `reply` has an error. */
void give_box(struct spawner *spawner, struct box *box, struct pipes *pipes, struct sp_reply *reply, int descriptors[SP_D_COUNT]);
int open_version(const struct spawner *spawner, const uint8_t digest[SP_DIGEST_BYTES]);
void box_spawn(struct spawner *spawner, struct sp_request *request, struct sp_reply *reply, int descriptors[SP_D_COUNT]);
void box_destroy(struct spawner *spawner, const struct sp_request *request, struct sp_reply *reply);
void box_destroy_all(struct spawner *spawner);

#endif
