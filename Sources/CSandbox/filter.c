#include "csandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 6, BINARY_TREE = 2 };

struct sbx_filter { scmp_filter_ctx context; };

static uint32_t action_of(int action)
{
    if (action == SBX_ALLOW) return SCMP_ACT_ALLOW;
    if (action == SBX_KILL) return SCMP_ACT_KILL_PROCESS;
    if (action == SBX_PRETEND) return SCMP_ACT_ERRNO(0);
    return SCMP_ACT_ERRNO((uint32_t)action);
}

sbx_filter *sbx_filter_new(int otherwise)
{
    sbx_filter *filter = calloc(1, sizeof *filter);
    if (!filter) return NULL;
    filter->context = seccomp_init(action_of(otherwise));
    if (filter->context && seccomp_attr_set(filter->context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
        seccomp_attr_set(filter->context, SCMP_FLTATR_CTL_OPTIMIZE, BINARY_TREE) == 0)
        return filter;
    sbx_filter_free(filter);
    return NULL;
}

int sbx_filter_add(sbx_filter *filter, int action, const char *syscall, const struct sbx_condition *conditions, uint32_t count)
{
    if (count > ARGUMENTS_MAX) return E2BIG;
    int number = seccomp_syscall_resolve_name(syscall);
    if (number == __NR_SCMP_ERROR || number < 0) return ENOSYS;
    struct scmp_arg_cmp comparisons[ARGUMENTS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        comparisons[i] = (struct scmp_arg_cmp){
            .arg = conditions[i].argument,
            .op = (enum scmp_compare)conditions[i].comparison,
            .datum_a = conditions[i].a,
            .datum_b = conditions[i].b,
        };
    }
    return -seccomp_rule_add_array(filter->context, action_of(action), number, count, comparisons);
}

struct sock_filter *sbx_profile_filter(struct sp_profile *profile) { return profile->filter; }
struct sock_filter *sbx_policy_filter(struct sp_policy *policy) { return policy->filter; }

int sbx_filter_load(sbx_filter *filter) { return -seccomp_load(filter->context); }

int sbx_filter_compile(sbx_filter *filter, struct sock_filter *program, uint32_t *count)
{
    int file = memfd_create("faasd-filter", MFD_CLOEXEC);
    if (file < 0) return errno;
    int code = -seccomp_export_bpf(filter->context, file);
    off_t size = code == 0 ? lseek(file, 0, SEEK_END) : 0;
    if (code == 0 && (size <= 0 || (size_t)size > SP_FILTER_MAX * sizeof *program)) code = E2BIG;
    if (code == 0 && pread(file, program, (size_t)size, 0) != size) code = EIO;
    if (code == 0) *count = (uint32_t)((size_t)size / sizeof *program);
    close(file);
    return code;
}

void sbx_filter_free(sbx_filter *filter)
{
    if (filter && filter->context) seccomp_release(filter->context);
    free(filter);
}

_Static_assert((int)SCMP_CMP_NE == (int)SBX_NOT_EQUAL && (int)SCMP_CMP_EQ == (int)SBX_EQUAL &&
               (int)SCMP_CMP_MASKED_EQ == (int)SBX_MASKED_EQUAL, "comparisons are libseccomp's own numbers");
