/* What boxes' roots are made of: for each profile a small tmpfs with its files, links and empty directories, and
 * read-only copies of the host's directories beside it. They are mounted once, in the spawner's own mount namespace; a
 * box gets the copy of that namespace that clone3 makes, and lays overlays over them. */
#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

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

static int add_overlay(struct root *root, const char *target, const char *lower)
{
    struct overlay *overlay = &root->overlays[root->count++];
    snprintf(overlay->target, sizeof overlay->target, target[0] ? "r/%s" : "r%s", target);
    snprintf(overlay->options, sizeof overlay->options, "lowerdir=%s:e", lower); /* "e" is empty: two layers at least */
    return 0;
}

/* Mounts a directory of the host, read-only, beside the profile's files, and has it laid over `target`. */
static int place_directory(struct spawner *spawner, uint32_t profile, const struct sp_mount *mount)
{
    struct root *root = &spawner->roots[profile];
    char name[16];
    snprintf(name, sizeof name, "d%u.%u", profile, root->count);
    int tree = sys_clone_tree(open(mount->source, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (tree < 0) return errno == ENOENT && (mount->flags & SP_OPTIONAL) ? 0 : errno;
    int code = mkdirat(spawner->scratch, name, 0755) == 0 ? 0 : errno;
    if (code == 0 && move_mount(tree, "", spawner->scratch, name, MOVE_MOUNT_F_EMPTY_PATH) != 0) code = errno;
    close(tree);
    return code != 0 ? code : add_overlay(root, mount->target, name);
}

/* A file with the policy's text, or a copy of the host's regular file. */
static int place_file(int root, const struct sp_mount *mount)
{
    int file = openat(root, mount->target, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0444);
    if (file < 0) return errno;
    int code = 0;
    if (mount->kind == SP_MOUNT_TEXT) {
        size_t length = strnlen(mount->content, sizeof mount->content);
        code = write(file, mount->content, length) == (ssize_t)length ? 0 : EIO;
    } else {
        int source = open(mount->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct stat status;
        if (source < 0) code = mount->flags & SP_OPTIONAL ? 0 : errno;
        else if (fstat(source, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > 4 << 20) code = EINVAL;
        else if (sendfile(file, source, NULL, (size_t)status.st_size) != status.st_size) code = EIO;
        if (source >= 0) close(source);
    }
    close(file);
    return code;
}

static int place(struct spawner *spawner, uint32_t profile, int root, const struct sp_mount *mount)
{
    int code = make_parents(root, mount->target);
    if (code != 0) return code;
    switch (mount->kind) {
    case SP_MOUNT_TEXT:
    case SP_MOUNT_FILE:
        return place_file(root, mount);
    case SP_MOUNT_SYMLINK:
        return symlinkat(mount->source, root, mount->target) == 0 ? 0 : errno;
    case SP_MOUNT_DIRECTORY:
    case SP_MOUNT_POINT:
        if (mkdirat(root, mount->target, 0755) != 0 && errno != EEXIST) return errno;
        return mount->kind == SP_MOUNT_POINT ? 0 : place_directory(spawner, profile, mount);
    default:
        return EINVAL;
    }
}

static int build_root(struct spawner *spawner, uint32_t index)
{
    const struct sp_profile *profile = &spawner->policy->profiles[index];
    char name[8], path[SP_PATH_MAX + 16];
    snprintf(name, sizeof name, "p%u", index % SP_PROFILES_MAX);
    snprintf(path, sizeof path, "%s/%s", spawner->policy->scratch, name);
    if (mkdirat(spawner->scratch, name, 0755) != 0) return errno;
    if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=8m,nr_inodes=512,mode=755") != 0) return errno;
    int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return errno;
    int code = add_overlay(&spawner->roots[index], "", name);
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
    spawner->scratch = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spawner->scratch < 0) return errno;
    for (size_t i = 0; i < COUNT(places); i++)
        if (mkdirat(spawner->scratch, places[i], 0755) != 0) return errno;
    int code = 0;
    for (uint32_t i = 0; i < spawner->policy->profile_count && code == 0; i++) code = build_root(spawner, i);
    return code;
}
