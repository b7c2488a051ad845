/* What faasd and faasd-spawner say to each other: one policy at start, then fixed-size messages.
 *
 * The policy is built by faasd while it still has the privileges it was started with, and handed over once, in a
 * sealed memory file. After that the wire carries only digests, small enumerations and integers: never a path, a
 * name or a byte a tenant wrote. Every array is bounded here, every text is NUL-terminated within its bound. */
#ifndef FAASD_SPAWNER_PROTOCOL_H
#define FAASD_SPAWNER_PROTOCOL_H

#include <linux/filter.h>
#include <stdint.h>

#define SP_MAGIC 0x46535031u /* "FSP1" */
#define SP_VERSION 1u

/* Descriptors the spawner is started with. */
enum { SP_FD_POLICY = 3, SP_FD_SOCKET = 4, SP_FD_LOCK = 5 };

enum {
    SP_PATH_MAX = 256,
    SP_MOUNTS_MAX = 48,
    SP_RULES_MAX = 24,
    SP_ARGS_MAX = 10,
    SP_ARG_MAX = 128,
    SP_ENV_MAX = 40,
    SP_ENV_LENGTH_MAX = 512,
    SP_FILTER_MAX = 2048,
    SP_PROFILES_MAX = 4,
    SP_RLIMITS_MAX = 16,
    SP_SETTINGS_MAX = 12,
    SP_NAME_MAX = 40,
    SP_BOXES_MAX = 1024,
    SP_DIGEST_BYTES = 32,
    SP_LISTENERS_MAX = 4,
    SP_LISTENER_PORT = 9001, /* of the first one, on 127.0.0.1 */
};

/* What stands at a place in a box's read-only root. */
enum sp_mount_kind {
    SP_MOUNT_DIRECTORY = 1, /* the host's directory `source`, read-only */
    SP_MOUNT_FILE = 2,      /* a file with `length` bytes of the policy, from `offset` on */
    SP_MOUNT_SYMLINK = 3,   /* a symbolic link to `source` */
    SP_MOUNT_POINT = 4,     /* an empty directory: for others, or for what the box mounts of its own */
    SP_MOUNT_DEVICE = 5,    /* the host's character device `source`, where the spawner may not make one */
};

enum sp_mount_flag { SP_OPTIONAL = 1 /* left out when the host has no such source */ };

struct sp_mount {
    uint32_t kind;
    uint32_t flags;
    uint64_t offset;
    uint64_t length;
    char source[SP_PATH_MAX];
    char target[SP_PATH_MAX];
};

/* A Landlock rule: what may be done beneath `path`, as seen inside the box. */
struct sp_rule {
    uint64_t access;
    char path[SP_PATH_MAX];
};

struct sp_rlimit {
    uint32_t resource;
    uint32_t reserved;
    uint64_t value;
};

enum sp_profile_flag {
    SP_PROFILE_HOST_NETWORK = 1, /* no network namespace: package installation only, runs nothing a tenant wrote */
    SP_PROFILE_VERSION = 2,      /* the version's directory is mounted on SP_VERSION_PLACE, before the start or after it */
    SP_PROFILE_ZYGOTE = 4,       /* no box, but what boxes are forked from; an environment's directory is mounted on /env */
};

/* Where a version stands, with /fn leading to it. A rule of Landlock on a directory does not count for what is mounted
 * there later, one on the directory above does. */
#define SP_VERSION_PLACE "/opt/fn"

struct sp_profile {
    uint32_t flags;
    uint32_t filter_count;
    uint32_t mount_count;
    uint32_t rule_count;
    uint32_t arg_count;
    uint32_t env_count;
    uint32_t rlimit_count;
    uint32_t listener_count; /* listening sockets of the daemon in the box's network, to which alone it may connect */
    struct sock_filter filter[SP_FILTER_MAX];
    struct sp_mount mounts[SP_MOUNTS_MAX];
    struct sp_rule rules[SP_RULES_MAX];
    struct sp_rlimit rlimits[SP_RLIMITS_MAX];
    char args[SP_ARGS_MAX][SP_ARG_MAX];
    char env[SP_ENV_MAX][SP_ENV_LENGTH_MAX];
};

/* Control-group hierarchies the spawner may write in; an empty `base` means: not there. `home` is where the spawner
 * itself lives and returns to (version 1 only). */
enum sp_hierarchy { SP_CG_UNIFIED, SP_CG_MEMORY, SP_CG_PIDS, SP_CG_CPU, SP_CG_CPUACCT, SP_CG_FREEZER, SP_CG_COUNT };

struct sp_cgroup {
    char base[SP_PATH_MAX];
    char home[SP_PATH_MAX];
};

/* The number in a setting of a box's group. The processes come after the clone: on version 1 the spawner itself is
 * counted until then. */
enum sp_value { SP_VALUE_NONE, SP_VALUE_MEMORY, SP_VALUE_CPU_QUOTA, SP_VALUE_PIDS, SP_VALUE_COUNT };

/* A file of a box's group; no name: this host has none. */
struct sp_file {
    uint16_t hierarchy;
    uint16_t access; /* of a file handed over: O_RDONLY or O_WRONLY */
    uint16_t value;  /* of a setting */
    uint16_t flags;  /* of a setting: SP_OPTIONAL where kernels are built without it */
    char name[SP_NAME_MAX];
    char text[SP_NAME_MAX]; /* a setting: what is written, behind the number if any; a counter: the word before it */
};

/* What is read when a box has ended. */
enum sp_counter { SP_C_CPU, SP_C_MEMORY_PEAK, SP_C_OOM_KILLS, SP_C_PIDS_REFUSED, SP_C_COUNT };

/* Descriptors of a spawn's reply, in this order; `descriptors` has bit n when the n-th is there. Those from SP_D_CPU to
 * SP_D_OOM are files of the box's group, by the policy. */
enum sp_descriptor {
    SP_D_PIDFD,
    SP_D_REQUEST,      /* write end */
    SP_D_REPLY,        /* read end */
    SP_D_STDOUT,       /* read end */
    SP_D_STDERR,       /* read end */
    SP_D_CPU,
    SP_D_FREEZE,
    SP_D_EVENTS,
    SP_D_KILL,         /* absent on pure version 1 hosts */
    SP_D_MEMORY_EVENTS,
    SP_D_PIDS_EVENTS,
    SP_D_PIDS,         /* how many processes and threads there are */
    SP_D_MEMORY,       /* how much is used */
    SP_D_MEMORY_STAT,  /* and for what */
    SP_D_OOM,          /* where the policy names cgroup.event_control: an eventfd that fires when memory runs out */
    SP_D_TMP,          /* the /tmp of the box, for fstatfs only */
    SP_D_REPORT,       /* its end says that the process has become a box; before, which step failed: a struct sp_report */
    SP_D_LISTENERS,    /* as many as the profile says */
    SP_D_COUNT = SP_D_LISTENERS + SP_LISTENERS_MAX,
};

/* The spawner is root in a user namespace only: it makes no devices, and sets none of the host's root's settings. */
enum sp_policy_flag { SP_ORDINARY_USER = 1 };

struct sp_policy {
    uint32_t magic;
    uint32_t version;
    uint64_t size; /* of the whole memory file: this structure, and the contents of files behind it */
    uint32_t setting_count;
    uint32_t profile_count;
    uint32_t uid_base; /* box n maps its ids 0 and 1000 to uid_base + 8n and uid_base + 8n + 1 */
    uint32_t landlock_abi;
    uint64_t landlock_fs;
    uint64_t landlock_net;
    uint64_t landlock_scoped;
    char store[SP_PATH_MAX];   /* versions lie in store/<64 hex digits> */
    char scratch[SP_PATH_MAX]; /* an existing empty directory on which the roots are built, in the spawner's own mount namespace */
    uint32_t filter_count; /* the spawner's own filter, which its boxes inherit below theirs */
    uint32_t flags;
    struct sock_filter filter[SP_FILTER_MAX];
    struct sp_cgroup cgroups[SP_CG_COUNT];
    struct sp_file settings[SP_SETTINGS_MAX]; /* written in this order */
    struct sp_file files[SP_D_COUNT];
    struct sp_file counters[SP_C_COUNT];
    struct sp_profile profiles[SP_PROFILES_MAX];
};

/* ASSIGN shows a version to a box that was made without one. BRANCH orders a template to fork, and makes the control groups
 * and pipes of the fork; ADOPT makes the process that has come of it a box. */
enum sp_operation { SP_HELLO = 1, SP_SPAWN = 2, SP_DESTROY = 3, SP_ASSIGN = 4, SP_BRANCH = 5, SP_ADOPT = 6 };

enum sp_request_flag { SP_TEMPLATE = 1 /* SPAWN: a box whose process will be told to fork, when it has loaded its code */ };

/* Bounds the spawner enforces on what it is asked. */
#define SP_MEMORY_MIN (8ull << 20)
#define SP_MEMORY_MAX (1ull << 40)
#define SP_CPU_MILLIS_MIN 10u
#define SP_CPU_MILLIS_MAX 1024000u
#define SP_PIDS_MIN 1u
#define SP_PIDS_MAX 4096u
#define SP_CPU_PERIOD_MICROS 100000u

struct sp_request {
    uint32_t magic;
    uint16_t operation;
    uint16_t profile;
    uint32_t box;       /* number and generation from the spawn's reply; BRANCH: the template's */
    uint32_t generation; /* likewise; SPAWN: not 0 when the box is to be a fork of this zygote */
    uint64_t memory_bytes;
    uint64_t tmp_bytes;
    uint32_t cpu_millis; /* thousandths of a CPU */
    uint32_t pids;
    uint8_t version[SP_DIGEST_BYTES]; /* all 0: none yet */
    uint32_t flags;
    uint32_t reserved;
};

/* Steps of a setup, as they are named in errors: Sandbox/SandboxError.swift has the words. */
enum sp_step {
    SP_STEP_NONE, SP_STEP_POLICY, SP_STEP_REQUEST, SP_STEP_CGROUP_CREATE, SP_STEP_CGROUP_LIMIT, SP_STEP_CGROUP_ENTER,
    SP_STEP_PIPES, SP_STEP_TMPFS, SP_STEP_VERSION, SP_STEP_CLONE, SP_STEP_ID_MAP, SP_STEP_SYNC, SP_STEP_CREDENTIALS,
    SP_STEP_MOUNT, SP_STEP_PIVOT, SP_STEP_IDENTITY, SP_STEP_RLIMIT, SP_STEP_DESCRIPTORS,
    SP_STEP_CAPABILITIES, SP_STEP_DEATH_SIGNAL, SP_STEP_NO_NEW_PRIVS, SP_STEP_LANDLOCK, SP_STEP_SECCOMP, SP_STEP_EXEC,
    SP_STEP_WAIT, SP_STEP_ROOT, SP_STEP_LISTEN, SP_STEP_ZYGOTE, SP_STEP_ASSIGN, SP_STEP_BRANCH, SP_STEP_ADOPT, SP_STEP_COUNT,
};

/* What a process on its way into a box sends when a step fails. */
struct sp_report {
    uint32_t step;
    int32_t error;
};

struct sp_reply {
    uint32_t magic;
    uint16_t operation;
    uint16_t step;       /* enum sp_step, SP_STEP_NONE when all went well */
    int32_t error;       /* errno of that step */
    uint32_t box;
    uint32_t generation;
    uint32_t descriptors;
    int32_t pid;         /* in the daemon's pid namespace; for people and logs only */
    uint32_t reserved;
    /* DESTROY: how it ended and what it used. */
    int32_t exit_code;   /* CLD_EXITED, CLD_KILLED or CLD_DUMPED */
    int32_t exit_status; /* exit code or signal */
    uint64_t counters[SP_C_COUNT];
};

#endif
