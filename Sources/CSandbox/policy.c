#include "csandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int put(char *field, size_t size, const char *text)
{
    size_t length = strlen(text);
    if (length >= size) return ENAMETOOLONG;
    memcpy(field, text, length + 1);
    return 0;
}

struct sp_policy *sbx_policy_new(void)
{
    struct sp_policy *policy = calloc(1, sizeof *policy);
    if (!policy) return NULL;
    policy->magic = SP_MAGIC;
    policy->version = SP_VERSION;
    policy->size = sizeof *policy;
    return policy;
}

struct sp_profile *sbx_policy_profile(struct sp_policy *policy, uint32_t index)
{
    return index < SP_PROFILES_MAX ? &policy->profiles[index] : NULL;
}

int sbx_policy_set_paths(struct sp_policy *policy, const char *store, const char *scratch)
{
    int code = put(policy->store, sizeof policy->store, store);
    return code != 0 ? code : put(policy->scratch, sizeof policy->scratch, scratch);
}

int sbx_policy_set_cgroup(struct sp_policy *policy, uint32_t hierarchy, const char *base, const char *home)
{
    if (hierarchy >= SP_CG_COUNT) return EINVAL;
    struct sp_cgroup *group = &policy->cgroups[hierarchy];
    int code = put(group->base, sizeof group->base, base);
    return code != 0 ? code : put(group->home, sizeof group->home, home);
}

struct sp_file *sbx_policy_setting(struct sp_policy *policy)
{
    return policy->setting_count < SP_SETTINGS_MAX ? &policy->settings[policy->setting_count++] : NULL;
}

struct sp_file *sbx_policy_file(struct sp_policy *policy, enum sp_descriptor descriptor) { return &policy->files[descriptor]; }

struct sp_file *sbx_policy_counter(struct sp_policy *policy, enum sp_counter counter) { return &policy->counters[counter]; }

int sbx_file_set_texts(struct sp_file *file, const char *name, const char *text)
{
    int code = put(file->name, sizeof file->name, name);
    return code != 0 ? code : put(file->text, sizeof file->text, text);
}

int sbx_profile_add_mount(struct sp_profile *profile, uint32_t kind, uint32_t flags, const char *source, const char *target)
{
    if (profile->mount_count >= SP_MOUNTS_MAX) return E2BIG;
    struct sp_mount *mount = &profile->mounts[profile->mount_count];
    mount->kind = kind;
    mount->flags = flags;
    int code = put(mount->source, sizeof mount->source, source);
    if (code == 0) code = put(mount->target, sizeof mount->target, target);
    if (code == 0) profile->mount_count++;
    return code;
}

int sbx_profile_add_file(struct sp_profile *profile, const char *target, uint64_t offset, uint64_t length)
{
    int code = sbx_profile_add_mount(profile, SP_MOUNT_FILE, 0, "", target);
    if (code != 0) return code;
    profile->mounts[profile->mount_count - 1].offset = offset;
    profile->mounts[profile->mount_count - 1].length = length;
    return 0;
}

int sbx_profile_add_rule(struct sp_profile *profile, const char *path, uint64_t access)
{
    if (profile->rule_count >= SP_RULES_MAX) return E2BIG;
    struct sp_rule *rule = &profile->rules[profile->rule_count];
    rule->access = access;
    int code = put(rule->path, sizeof rule->path, path);
    if (code == 0) profile->rule_count++;
    return code;
}

int sbx_profile_add_rlimit(struct sp_profile *profile, uint32_t resource, uint64_t value)
{
    if (profile->rlimit_count >= SP_RLIMITS_MAX) return E2BIG;
    profile->rlimits[profile->rlimit_count++] = (struct sp_rlimit){ .resource = resource, .value = value };
    return 0;
}

int sbx_profile_add_argument(struct sp_profile *profile, const char *argument)
{
    if (profile->arg_count >= SP_ARGS_MAX) return E2BIG;
    int code = put(profile->args[profile->arg_count], SP_ARG_MAX, argument);
    if (code == 0) profile->arg_count++;
    return code;
}

int sbx_profile_add_environment(struct sp_profile *profile, const char *name, const char *value)
{
    if (profile->env_count >= SP_ENV_MAX) return E2BIG;
    char *entry = profile->env[profile->env_count];
    size_t length = strlen(name);
    if (length + 1 + strlen(value) >= SP_ENV_LENGTH_MAX) return ENAMETOOLONG;
    memcpy(entry, name, length);
    entry[length] = '=';
    int code = put(entry + length + 1, SP_ENV_LENGTH_MAX - length - 1, value);
    if (code == 0) profile->env_count++;
    return code;
}

static int write_all(int file, const void *bytes, size_t count)
{
    for (size_t done = 0; done < count;) {
        ssize_t written = write(file, (const char *)bytes + done, count - done);
        if (written <= 0) return written < 0 ? errno : EIO;
        done += (size_t)written;
    }
    return 0;
}

int sbx_policy_seal(const struct sp_policy *policy, const uint8_t *contents, size_t count, int *descriptor)
{
    int file = memfd_create("faasd-policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0) return errno;
    int code = write_all(file, policy, sizeof *policy);
    if (code == 0) code = write_all(file, contents, count);
    if (code == 0 && fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) code = errno;
    if (code == 0) *descriptor = file;
    else close(file);
    return code;
}
