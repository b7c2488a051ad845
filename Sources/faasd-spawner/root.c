/* The read-only root of each profile: a small tmpfs with bind mounts of what the policy names. It is built once, in
 * the spawner's own mount namespace; a box gets it by the copy of that namespace that clone3 makes. */
#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/mount.h>

static int report_mount(const struct sp_mount *mount, int code)
{
    fprintf(stderr, "faasd-spawner: root: %s (from %s): %s\n", mount->target, mount->source, strerror(code));
    return code;
}

/* Makes every directory on the way to `path`, which is relative to `root`. */
static int make_parents(int root, const char *path)
{
    char part[SP_PATH_MAX];
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t length = (size_t)(slash - path);
        memcpy(part, path, length);
        part[length] = 0;
        if (mkdirat(root, part, 0755) != 0 && errno != EEXIST) return errno;
    }
    return 0;
}

/* Clones one mount of the host, read-only, and puts it on `target`, which exists. */
static int attach(int source, int root, const char *target, bool device)
{
    int tree = open_tree(source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0) return errno;
    /* A device can be written to all the same, but the times of its inode, which is the host's, cannot be changed. */
    struct mount_attr attributes = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_RDONLY | (device ? 0 : MOUNT_ATTR_NODEV) };
    int code = 0;
    if (mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) code = errno;
    else if (move_mount(tree, "", root, target, MOVE_MOUNT_F_EMPTY_PATH) != 0) code = errno;
    close(tree);
    return code;
}

/* Opens a source and checks that it is of the kind the policy says: a device by its number, never by its name. */
static int open_source(const struct sp_mount *mount, int *source)
{
    *source = open(mount->source, O_PATH | O_CLOEXEC);
    if (*source < 0) return errno;
    struct stat status;
    if (fstat(*source, &status) != 0) return errno;
    if (mount->kind == SP_MOUNT_DIRECTORY) return S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
    if (mount->kind == SP_MOUNT_FILE) return S_ISREG(status.st_mode) ? 0 : EINVAL;
    return S_ISCHR(status.st_mode) && status.st_rdev == mount->device ? 0 : ENODEV;
}

static int place_bind(int root, const struct sp_mount *mount)
{
    int source = -1;
    int code = open_source(mount, &source);
    if (code == ENOENT && (mount->flags & SP_OPTIONAL)) return 0;
    if (code == 0 && mount->kind == SP_MOUNT_DIRECTORY) {
        if (mkdirat(root, mount->target, 0755) != 0 && errno != EEXIST) code = errno;
    } else if (code == 0) {
        int file = openat(root, mount->target, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0444);
        if (file < 0) code = errno;
        else close(file);
    }
    if (code == 0) code = attach(source, root, mount->target, mount->kind == SP_MOUNT_DEVICE);
    if (source >= 0) close(source);
    return code;
}

static int place_text(int root, const struct sp_mount *mount)
{
    int file = openat(root, mount->target, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0444);
    if (file < 0) return errno;
    size_t length = strnlen(mount->content, sizeof mount->content);
    int code = write(file, mount->content, length) == (ssize_t)length ? 0 : EIO;
    close(file);
    return code;
}

static int place(int root, const struct sp_mount *mount)
{
    int code = make_parents(root, mount->target);
    if (code != 0) return code;
    switch (mount->kind) {
    case SP_MOUNT_DIRECTORY:
    case SP_MOUNT_FILE:
    case SP_MOUNT_DEVICE:
        return place_bind(root, mount);
    case SP_MOUNT_TEXT:
        return place_text(root, mount);
    case SP_MOUNT_SYMLINK:
        return symlinkat(mount->source, root, mount->target) == 0 ? 0 : errno;
    case SP_MOUNT_POINT:
        return mkdirat(root, mount->target, 0755) == 0 || errno == EEXIST ? 0 : errno;
    default:
        return EINVAL;
    }
}

void root_name(uint32_t profile, char out[8]) { snprintf(out, 8, "p%u", profile % 10); }

static int build_root(struct spawner *spawner, uint32_t index, int scratch)
{
    const struct sp_profile *profile = &spawner->policy->profiles[index];
    char name[8], path[SP_PATH_MAX + 16];
    root_name(index, name);
    snprintf(path, sizeof path, "%s/%s", spawner->policy->scratch, name);
    if (mkdirat(scratch, name, 0755) != 0) return errno;
    if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,nr_inodes=512,mode=755") != 0) return errno;
    int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return errno;
    for (uint32_t i = 0; i < profile->mount_count; i++) {
        int code = place(root, &profile->mounts[i]);
        if (code != 0) return report_mount(&profile->mounts[i], code);
    }
    if (mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) != 0) return errno;
    spawner->roots[index] = root;
    return 0;
}

int build_roots(struct spawner *spawner)
{
    if (unshare(CLONE_NEWNS) != 0) return errno;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return errno;
    const char *scratch_path = spawner->policy->scratch;
    if (mount("tmpfs", scratch_path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k,nr_inodes=64,mode=755") != 0)
        return errno;
    int scratch = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (scratch < 0) return errno;
    int code = 0;
    for (uint32_t i = 0; i < spawner->policy->profile_count && code == 0; i++) code = build_root(spawner, i, scratch);
    close(scratch);
    return code;
}
