/* What boxes' roots are made of: for each profile a small tmpfs with its files, links and empty directories, and
 * read-only copies of the host's directories beside it. They are mounted once, in the spawner's own mount namespace; a
 * box gets the copy of that namespace that clone3 makes, and lays overlays over them. */
#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void add_layer(struct root *root, const char *target, const char *source, bool device)
{
    struct layer *layer = &root->layers[root->count++];
    snprintf(layer->target, sizeof layer->target, target[0] ? "r/%s" : "r%s", target);
    snprintf(layer->source, sizeof layer->source, "%s", source);
    layer->device = device;
}

/* Mounts a directory or a device of the host, read-only, beside the profile's files, and has it laid over `target`. */
static int place_source(struct spawner *spawner, uint32_t profile, const struct sp_mount *mount)
{
    struct root *root = &spawner->roots[profile];
    bool device = mount->kind == SP_MOUNT_DEVICE;
    char name[16];
    snprintf(name, sizeof name, "d%u.%u", profile, root->count);
    int place = open(mount->source, O_PATH | O_CLOEXEC | (device ? O_NOFOLLOW : O_DIRECTORY));
    struct stat status;
    if (device && place >= 0 && (fstat(place, &status) != 0 || !S_ISCHR(status.st_mode))) return ENODEV;
    int tree = sys_clone_tree(place, device ? MOUNT_ATTR_NOEXEC : MOUNT_ATTR_NODEV);
    if (tree < 0) return errno == ENOENT && (mount->flags & SP_OPTIONAL) ? 0 : errno;
    int code = (device ? mknod(name, S_IFREG, 0) : mkdir(name, 0755)) == 0 ? 0 : errno;
    if (code == 0 && move_mount(tree, "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH) != 0) code = errno;
    close(tree);
    if (code == 0) add_layer(root, mount->target, name, device);
    return code;
}

static int place_file(const struct spawner *spawner, int root, const struct sp_mount *mount)
{
    int file = openat(root, mount->target, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0444);
    if (file < 0) return errno;
    ssize_t written = write(file, (const char *)spawner->policy + mount->offset, mount->length);
    close(file);
    return written == (ssize_t)mount->length ? 0 : EIO;
}

static int place(struct spawner *spawner, uint32_t profile, int root, const struct sp_mount *mount)
{
    switch (mount->kind) {
    case SP_MOUNT_FILE:
        return place_file(spawner, root, mount);
    case SP_MOUNT_SYMLINK:
        return symlinkat(mount->source, root, mount->target) == 0 ? 0 : errno;
    case SP_MOUNT_DEVICE:
        if (mknodat(root, mount->target, S_IFREG, 0) != 0) return errno;
        return place_source(spawner, profile, mount);
    case SP_MOUNT_DIRECTORY:
    case SP_MOUNT_POINT:
        if (mkdirat(root, mount->target, 0755) != 0 && errno != EEXIST) return errno;
        return mount->kind == SP_MOUNT_POINT ? 0 : place_source(spawner, profile, mount);
    default:
        return EINVAL;
    }
}

static int build_root(struct spawner *spawner, uint32_t index)
{
    const struct sp_profile *profile = &spawner->policy->profiles[index];
    char name[8];
    snprintf(name, sizeof name, "p%u", index % SP_PROFILES_MAX);
    if (mkdir(name, 0755) != 0) return errno;
    if (mount("tmpfs", name, "tmpfs", MS_NOSUID | MS_NODEV, "size=8m,nr_inodes=512,mode=755") != 0) return errno;
    int root = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return errno;
    add_layer(&spawner->roots[index], "", name, false);
    int code = 0;
    for (uint32_t i = 0; i < profile->mount_count && code == 0; i++) {
        const struct sp_mount *mount = &profile->mounts[i];
        code = place(spawner, index, root, mount);
        if (code != 0) fprintf(stderr, "faasd-spawner: root: %s (from %s): %s\n", mount->target, mount->source, strerror(code));
    }
    close(root);
    return code;
}

int build_roots(struct spawner *spawner)
{
    static const char *const places[] = { "e", "r", "v" }; /* empty, a box's root, its version */
    umask(0); /* the modes below are meant as they are */
    if (unshare(CLONE_NEWNS) != 0) return errno;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return errno;
    const char *path = spawner->policy->scratch;
    if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k,nr_inodes=64,mode=755") != 0) return errno;
    if (chdir(path) != 0) return errno; /* and stay: a box builds its root in its own copy of this directory */
    for (size_t i = 0; i < COUNT(places); i++)
        if (mkdir(places[i], 0755) != 0) return errno;
    int code = 0;
    for (uint32_t i = 0; i < spawner->policy->profile_count && code == 0; i++) code = build_root(spawner, i);
    return code;
}
