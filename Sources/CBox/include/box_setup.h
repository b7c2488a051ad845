/* The way of a new process into its box. Shared by faasd-spawner, whose boxes execute a program, and by faasd-zygote,
 * whose boxes are forks of an interpreter that is loaded already. Functions return 0, or an errno. */
#ifndef FAASD_BOX_SETUP_H
#define FAASD_BOX_SETUP_H

#include "spawner_protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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

/* Both ends of the pipes of one box. The child reads one byte of `go` when its id maps are written. On `report`, which is
 * a pair of sockets, it sends its listeners with a struct sp_report of no step, and one of the step that fails; a
 * successful exec closes it, and so does a fork when it has become a box. */
struct pipes {
    int request[2], reply[2], out[2], err[2], go[2], report[2];
};

/* What is mounted in one box only, as detached trees: /tmp, /dev where we may make devices, and the directory of a version
 * or, for a zygote and its forks, of their environment. `scratch` is the directory the roots are built on, for a zygote. */
struct trees {
    int tmp, dev, version, scratch;
};

/* Who is on the way: a program to be executed in a box, a fork of a zygote, a zygote, and the house, which is pid 1 of
 * the namespaces that all zygotes live in. */
enum who { EXECUTED = 1, FORKED = 2, ZYGOTE = 4, HOUSE = 8, BOXED = EXECUTED | FORKED, ROOTED = BOXED | ZYGOTE, ALL = ROOTED | HOUSE };

/* What a child needs between clone and exec, all of it made before the clone. */
struct launch {
    enum who who;
    const struct sp_policy *policy;
    const struct sp_profile *profile;
    const struct root *root;
    const struct pipes *pipes;
    const struct trees *trees;
    uint64_t tmp_bytes;
    const int *tasks; /* a fork's: `tasks` files of its version 1 groups, opened by root */
    size_t task_count;
    int control; /* a zygote's or a template's: its end of the socket on which it is asked for forks; otherwise -1 */
};

/* Where a zygote and a template are asked for forks. What a zygote is told first: the root of the boxes it makes. Its policy
 * is descriptor ZYGOTE_POLICY. */
enum { FORK_CONTROL = 6, ZYGOTE_POLICY = 7 };

/* Descriptors of an order to fork, in this order; of the last as many as there are, then the `tasks` files. */
enum order_descriptor { OD_REQUEST, OD_REPLY, OD_OUT, OD_ERR, OD_GO, OD_REPORT, OD_TMP, OD_DEV, OD_VERSION, OD_GROUP, OD_COUNT };

struct fork_order {
    uint32_t profile;
    uint32_t first_id;    /* the box's id 0 is this one of the zygote's namespace, its id 1000 the one behind it */
    uint64_t tmp_bytes;
    uint32_t descriptors; /* bit n: the n-th of the above is there */
    uint32_t task_count;
};

/* The answer; the fork's pidfd comes with it. */
struct fork_answer {
    int32_t step, error;
};

/* child.c: runs in the new process; async-signal-safe. Ends the process when a step fails; returns in a fork, when it has
 * become a box, and never in the others. */
void child_run(const struct launch *launch);

/* sys.c: system calls without a wrapper in the C library, and small file helpers. */
/* clone3(2) of a copy of this process with these flags; with CLONE_PARENT its end sends no signal. */
long sys_clone3(uint64_t flags, int *pidfd, int cgroup);
/* The namespaces of a box: clone(2). */
uint64_t sys_box_namespaces(const struct sp_profile *profile);
/* A detached, read-only copy of the mount at an O_PATH descriptor, which is closed; -1 with errno. `attributes` are
 * MOUNT_ATTR_NODEV, or what else it shall have. */
int sys_clone_tree(int place, uint64_t attributes);
/* Keeps the capabilities of this mask and gives up all others for good: capabilities(7). */
int sys_keep_capabilities(uint64_t keep);
int sys_install_filter(const struct sock_filter *filter, uint32_t count);
/* Writes both id maps of a new user namespace. */
int sys_write_maps(pid_t pid, const char *map);
/* That of a box: its ids 0 and 1000 are the first of these and the one behind it. */
#define BOX_MAP "0 %u 1\n1000 %u 1\n"
/* One message with descriptors; 0 or an errno. */
int sys_send(int socket, const void *message, size_t size, const int *descriptors, size_t count);
/* One message with at most that many descriptors, the rest of them -1; its length, or -1. */
ssize_t sys_receive(int socket, void *message, size_t size, int *descriptors, size_t count);
int write_at(int directory, const char *path, const char *text);
ssize_t read_at(int directory, const char *path, char *buffer, size_t size);
void close_all(int *descriptors, size_t count);

#endif
