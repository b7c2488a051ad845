#include "spawner_protocol.h"

static const char *const names[] = {
    "none", "policy", "request", "cgroup create", "cgroup limit", "cgroup enter",
    "pipes", "tmpfs", "version", "clone", "id map", "sync", "credentials",
    "mount", "pivot_root", "hostname", "session", "rlimit", "descriptors",
    "capabilities", "death signal", "no_new_privs", "landlock", "seccomp", "exec",
    "wait", "root", "socket",
};

_Static_assert(sizeof names / sizeof names[0] == SP_STEP_SOCKET + 1, "one name for each step");

const char *sp_step_name(uint32_t step)
{
    return step < sizeof names / sizeof names[0] ? names[step] : "unknown";
}
