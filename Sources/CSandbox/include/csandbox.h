/* The C between Swift and the kernel. Functions return 0 or an errno unless they say otherwise; none of them is
 * called between fork and exec except what sbx_start_spawner does itself. */
#ifndef FAASD_CSANDBOX_H
#define FAASD_CSANDBOX_H

#include "spawner_protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Policy: all zero on allocation; free with free(3). NULL without memory. */
struct sp_policy *sbx_policy_new(void);
struct sp_profile *sbx_policy_profile(struct sp_policy *policy, uint32_t index);
/* ENAMETOOLONG when a text does not fit its field, E2BIG when the table is full. */
int sbx_policy_set_paths(struct sp_policy *policy, const char *store, const char *scratch);
int sbx_policy_set_cgroup(struct sp_policy *policy, uint32_t hierarchy, const char *base, const char *home);
/* Places for what is written to and opened in a box's control group; NULL when the table of settings is full. */
struct sp_file *sbx_policy_setting(struct sp_policy *policy);
struct sp_file *sbx_policy_file(struct sp_policy *policy, enum sp_descriptor descriptor);
struct sp_file *sbx_policy_counter(struct sp_policy *policy, enum sp_counter counter);
int sbx_file_set_texts(struct sp_file *file, const char *name, const char *text);
int sbx_profile_add_mount(struct sp_profile *profile, uint32_t kind, uint32_t flags, const char *source, const char *target);
/* A file whose contents are `length` bytes of the sealed file from `offset` on. */
int sbx_profile_add_file(struct sp_profile *profile, const char *target, uint64_t offset, uint64_t length);
int sbx_profile_add_rule(struct sp_profile *profile, const char *path, uint64_t access);
int sbx_profile_add_rlimit(struct sp_profile *profile, uint32_t resource, uint64_t value);
int sbx_profile_add_argument(struct sp_profile *profile, const char *argument);
int sbx_profile_add_environment(struct sp_profile *profile, const char *name, const char *value);
/* Copies the policy, and the contents of files behind it, into a sealed memory file; *descriptor is yours. */
int sbx_policy_seal(const struct sp_policy *policy, const uint8_t *contents, size_t count, int *descriptor);

/* Seccomp filters through libseccomp: seccomp_rule_add(3). */
struct sbx_condition { uint32_t argument; uint32_t comparison; uint64_t a; uint64_t b; };
enum sbx_comparison { SBX_NOT_EQUAL = 1, SBX_LESS, SBX_LESS_OR_EQUAL, SBX_EQUAL, SBX_GREATER_OR_EQUAL, SBX_GREATER, SBX_MASKED_EQUAL };
enum sbx_action { SBX_ALLOW = 0, SBX_KILL = -1, SBX_PRETEND = -2 /* answer 0, do nothing; otherwise: the errno to answer */ };
typedef struct sbx_filter sbx_filter;
/* `otherwise` is the action for what no rule names; a foreign architecture kills. NULL on failure. */
sbx_filter *sbx_filter_new(int otherwise);
/* ENOSYS when this libseccomp does not know the name. */
int sbx_filter_add(sbx_filter *filter, int action, const char *syscall, const struct sbx_condition *conditions, uint32_t count);
/* Compiles into program[SP_FILTER_MAX] and tells the number of instructions. */
int sbx_filter_compile(sbx_filter *filter, struct sock_filter *program, uint32_t *count);
/* Puts this process, which must have one thread, under the filter; needs no_new_privs: seccomp_load(3). */
int sbx_filter_load(sbx_filter *filter);
struct sock_filter *sbx_profile_filter(struct sp_profile *profile);
struct sock_filter *sbx_policy_filter(struct sp_policy *policy);
void sbx_filter_free(sbx_filter *filter);

/* The Landlock ABI of the running kernel, 0 when it has none: landlock_create_ruleset(2). */
uint32_t sbx_landlock_abi(void);

/* Starts args[0] by vfork and execve, with the three descriptors at the numbers the protocol names. *pidfd is
 * yours. The child's handlers and mask are reset. */
int sbx_start_spawner(char *const args[], int policy, int socket, int lock, int *pid, int *pidfd);
/* A pair of connected SEQPACKET sockets, close-on-exec; receiving from the first gives up after 60 seconds. */
int sbx_socketpair(int pair[2]);
/* Raises the soft limit of descriptors to the hard one; returns it. */
uint64_t sbx_raise_descriptor_limit(void);
int sbx_send(int socket, const struct sp_request *request);
/* Receives one reply; descriptors[] gets what came with it, -1 elsewhere. EPIPE when the other end is closed, EMFILE
 * when this process has no room for the descriptors: *reply is valid then, and the box must be ended. EAGAIN when
 * nothing came within the socket's patience. */
int sbx_receive(int socket, struct sp_reply *reply, int descriptors[SP_D_COUNT]);
/* Waits until the process of a new box has become one; else an errno, and the step that failed. */
int sbx_await_box(int report, int pidfd, int milliseconds, uint32_t *step);
/* Exit code (0 to 255) or 128 + signal of a child that ended, or -errno. */
int sbx_wait(int pidfd);

/* Whether a control group has the mark by which systemd says that its subtree belongs to the unit (Delegate=yes);
 * only root can see it. */
bool sbx_is_delegated(const char *path);
/* Whether this process may make groups in a control group, and move itself within what is below it. */
bool sbx_is_ours(const char *path);

/* Becomes `uid` and `gid` for good: no groups, no capabilities, an empty bounding set, no new privileges; read back.
 * Must be called while the process has one thread (EBUSY otherwise). */
int sbx_drop_privileges(uid_t uid, gid_t gid);

/* For who is an ordinary user already: no capabilities, no new privileges, and under Landlock: of the rights `handled` to
 * files only `allowed` and only beneath the places; no domain where `handled` is 0. A process under Landlock cannot
 * look into one that is not, such as the spawner. Must be called while the process has one thread (EBUSY otherwise). */
int sbx_confine(uint64_t handled, uint64_t allowed, const char *const *places, size_t count);

/* Bytes and inodes left and in all, of the filesystem behind a descriptor: fstatfs(2). */
int sbx_space(int descriptor, uint64_t *bytes_free, uint64_t *bytes, uint64_t *inodes_free);
/* An exclusive lock on a file, without waiting: EWOULDBLOCK when another holds it. */
int sbx_lock(int descriptor);

/* Has the calling thread stay on the last processor, where this process may use two; nonzero when it does. */
int sbx_stay_on_last_of_two(void);
/* Lets the calling thread use every processor that the process's first thread may use. */
void sbx_use_all_processors(void);
/* RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS openat2(2); a negative errno on failure. */
int sbx_open_beneath(int directory, const char *path, int flags, mode_t mode);

/* Writes the whole filesystem behind a descriptor to its disk: syncfs(2). */
int sbx_sync(int descriptor);
/* Removes a directory with everything in it, following no link: nftw(3). */
int sbx_remove_tree(const char *path);

#endif
