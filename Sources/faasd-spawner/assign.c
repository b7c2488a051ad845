/* Showing a version to a box that was made without one, and so before anybody had called. */
#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/* A detached overlay over the version's directory, so that the box has inodes, and thus locks, of its own. */
static int make_overlay(const struct spawner *spawner, const uint8_t digest[SP_DIGEST_BYTES])
{
    int overlay = -1, tree = open_version(spawner, digest);
    if (tree < 0) return -1;
    bool attached = move_mount(tree, "", AT_FDCWD, "v", MOVE_MOUNT_F_EMPTY_PATH) == 0;
    int context = attached ? fsopen("overlay", FSOPEN_CLOEXEC) : -1;
    if (context >= 0 && fsconfig(context, FSCONFIG_SET_STRING, "lowerdir", "v:e", 0) == 0 &&
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        overlay = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    int code = errno;
    if (context >= 0) close(context);
    if (attached) umount2("v", MNT_DETACH);
    close(tree);
    errno = code;
    return overlay;
}

/* Attaches the tree in the box's mount namespace. The spawner is back in its own on return. */
static int attach_within(const struct spawner *spawner, int pidfd, int tree)
{
    if (setns(pidfd, CLONE_NEWNS) != 0) return errno;
    int code = move_mount(tree, "", AT_FDCWD, SP_VERSION_PLACE, MOVE_MOUNT_F_EMPTY_PATH) == 0 ? 0 : errno;
    if (setns(spawner->mounts, CLONE_NEWNS) != 0 || chdir(spawner->policy->scratch) != 0) {
        fprintf(stderr, "faasd-spawner: cannot leave a box's mount namespace: %s\n", strerror(errno));
        exit(1); /* the next root would be built in a tenant's */
    }
    return code;
}

void box_assign(struct spawner *spawner, const struct sp_request *request, struct sp_reply *reply)
{
    struct box *box = find_box(spawner, request);
    if (!box || box->pidfd < 0 || box->is_assigned) return;
    box->is_assigned = true; /* one attempt: what came of a failed one is for the bin */
    reply->step = SP_STEP_ASSIGN;
    int tree = make_overlay(spawner, request->version);
    reply->error = tree < 0 ? errno : attach_within(spawner, box->pidfd, tree);
    if (tree >= 0) close(tree);
    if (reply->error == 0) reply->step = SP_STEP_NONE;
}
