/* faasd-userns: makes an ordinary user root in a user namespace, and is then executed over by faasd-spawner.
 *
 * It has no privilege and needs none: newuidmap(1) and newgidmap(1) have, and write the maps if /etc/subuid and
 * /etc/subgid give the ids to the user. Inside, 0 is the user; the ids of boxes have the same numbers as outside.
 * It is started by faasd, with the descriptors of the spawner, which it passes on. */
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NUMBER_LENGTH = 16, FIRST_PASSED_ON = 3 };

static bool complain(const char *what, const char *remedy)
{
    fprintf(stderr, "faasd-userns: %s: %s; %s\n", what, strerror(errno), remedy);
    return false;
}

/* The map "0 OWN 1, START START COUNT": both programs take the same arguments. Ids inside have the numbers that
 * user ids have outside, for groups too, so that one base serves the spawner for both. */
static bool write_map(const char *program, pid_t target, unsigned own, char *inside, char *start, char *count)
{
    char pid[NUMBER_LENGTH], id[NUMBER_LENGTH];
    snprintf(pid, sizeof pid, "%d", (int)target);
    snprintf(id, sizeof id, "%u", own);
    pid_t child = fork();
    if (child == 0) {
        close_range(FIRST_PASSED_ON, ~0u, 0);
        execve(program, (char *[]){ (char *)program, pid, "0", id, "1", inside, start, count, NULL }, (char *[]){ NULL });
        complain(program, "install it (Debian: apt-get install uidmap)");
        _exit(127);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child) return complain("fork", "raise the limit of processes");
    if (status == 0) return true;
    if (status != 127 << 8)
        fprintf(stderr, "faasd-userns: %s refused ids %s to %s more; see /etc/subuid and /etc/subgid, and start faasd without "
                        "no_new_privs\n", program, start, count);
    return false;
}

/* Outside of the new namespace, as the user, because that is whom the two programs judge. Ends with 0 when both
 * maps are written. */
static _Noreturn void write_maps(int go, pid_t target, char **ids)
{
    char byte;
    if (read(go, &byte, 1) != 1) _exit(1);
    bool written = write_map("/usr/bin/newuidmap", target, getuid(), ids[0], ids[0], ids[2]) &&
                   write_map("/usr/bin/newgidmap", target, getgid(), ids[0], ids[1], ids[2]);
    _exit(written ? 0 : 1);
}

static bool enter_namespace(char **ids)
{
    int go[2], status;
    pid_t self = getpid();
    if (pipe(go) != 0) return complain("pipe", "raise the limit of open files");
    pid_t writer = fork();
    if (writer == 0) {
        close(go[1]);
        write_maps(go[0], self, ids);
    }
    close(go[0]);
    if (writer < 0) return complain("fork", "raise the limit of processes");
    bool entered = unshare(CLONE_NEWUSER) == 0;
    if (!entered)
        complain("user namespace", "this host does not let ordinary users make one: user.max_user_namespaces, "
                                   "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns");
    else if (write(go[1], "g", 1) != 1) entered = complain("pipe", "start again");
    close(go[1]); /* without the byte the writer gives up */
    return waitpid(writer, &status, 0) == writer && status == 0 && entered;
}

int main(int count, char **arguments)
{
    if (count != 5) {
        fprintf(stderr, "faasd-userns is started by faasd: FIRST_UID FIRST_GID COUNT PROGRAM\n");
        return 64;
    }
    if (!enter_namespace(arguments + 1)) return 1;
    /* The groups of the user are none of the spawner's business. */
    if (setgroups(0, NULL) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0) {
        complain("becoming root in the namespace", "see /etc/subgid");
        return 1;
    }
    execve(arguments[4], (char *[]){ arguments[4], NULL }, (char *[]){ NULL });
    complain(arguments[4], "install it beside faasd");
    return 1;
}
