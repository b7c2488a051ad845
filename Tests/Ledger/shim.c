/* Preloaded into a process that has a ledger open (LD_PRELOAD): records, in one order, what it writes to the ledger's
 * file and log and to the journal beside it, and fails what it is told to fail.
 *
 *   SHIM_TRACE=FILE          record here; the form is struct record, then the bytes written
 *   SHIM_SWALLOW_SYNC=1      syncs are neither done nor recorded: the disk lies
 *   SHIM_FAIL_SYNC=N         the N-th sync of ledger.db or its log fails with EIO, and all after it
 *   SHIM_FAIL_WRITE=N        the N-th write to them fails, and all after it
 *   SHIM_WRITE_ERROR=28      with this error (EIO unless given)
 *   SHIM_SHORT_WRITE=1       the N-th write writes half of its bytes; only the next fails
 *   SHIM_ONCE=1              only the N-th fails
 *   SHIM_SLEEP_SYNC_US=N     every sync takes so much longer
 *
 * At the end of the process SHIM_COUNTS=FILE gets "SYNCS WRITES" of ledger.db and its log.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* JOURNAL is the driver's, ROLLBACK that of SQLite, which it has until a new file is in WAL mode. */
enum kind { NONE, DATABASE, LOG, JOURNAL, ROLLBACK };
enum { DESCRIPTORS = 4096 };

struct record {
    char what; /* W write, T truncate, A allocate, S synced, C created or opened, U unlinked */
    uint8_t kind;
    uint16_t zero;
    uint32_t generation; /* of the name: how often it was unlinked before */
    uint64_t offset;
    uint64_t length;
};

static uint8_t kinds[DESCRIPTORS];
static uint32_t generations[DESCRIPTORS];
static uint32_t generation[5];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;
static atomic_long syncs, writes, growth;
static long fail_sync, fail_write, write_error = EIO, sleep_sync_us;
static int swallow_sync, short_write, once;

static long number(const char *name, long standard) {
    const char *text = getenv(name);
    return text != NULL ? atol(text) : standard;
}

__attribute__((constructor)) static void start(void) {
    fail_sync = number("SHIM_FAIL_SYNC", 0);
    fail_write = number("SHIM_FAIL_WRITE", 0);
    write_error = number("SHIM_WRITE_ERROR", EIO);
    sleep_sync_us = number("SHIM_SLEEP_SYNC_US", 0);
    swallow_sync = (int)number("SHIM_SWALLOW_SYNC", 0);
    short_write = (int)number("SHIM_SHORT_WRITE", 0);
    once = (int)number("SHIM_ONCE", 0);
    const char *path = getenv("SHIM_TRACE");
    if (path != NULL) trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

__attribute__((destructor)) static void finish(void) {
    const char *path = getenv("SHIM_COUNTS");
    if (path == NULL) return;
    char text[64];
    int length = snprintf(text, sizeof text, "%ld %ld\n", atomic_load(&syncs), atomic_load(&writes));
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return;
    syscall(SYS_write, file, text, (size_t)length);
    syscall(SYS_close, file);
}

static enum kind kind_of_path(const char *path) {
    size_t length = strlen(path);
    const struct { const char *end; enum kind kind; } names[] = {
        {"/ledger.db", DATABASE}, {"/ledger.db-wal", LOG}, {"/journal", JOURNAL}, {"/ledger.db-journal", ROLLBACK},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t end = strlen(names[i].end);
        if (length >= end && strcmp(path + length - end, names[i].end) == 0) return names[i].kind;
    }
    return NONE;
}

static enum kind kind_of(int fd) { return fd >= 0 && fd < DESCRIPTORS ? (enum kind)kinds[fd] : NONE; }

static int is_ledger(int fd) { return kind_of(fd) != NONE && kind_of(fd) != JOURNAL; }

/* One writev, under the lock: records of several threads never mix. */
static void note(char what, enum kind kind, uint32_t gen, uint64_t offset, const void *bytes, uint64_t length) {
    if (trace < 0) return;
    struct record record = {what, (uint8_t)kind, 0, gen, offset, length};
    struct iovec parts[2] = {{&record, sizeof record}, {(void *)bytes, bytes != NULL ? (size_t)length : 0}};
    pthread_mutex_lock(&lock);
    if (syscall(SYS_writev, trace, parts, 2) < (long)sizeof record) abort();
    pthread_mutex_unlock(&lock);
}

static int opened(int fd, const char *path) {
    if (fd < 0 || fd >= DESCRIPTORS) return fd;
    enum kind kind = kind_of_path(path);
    kinds[fd] = (uint8_t)kind;
    generations[fd] = generation[kind];
    if (is_ledger(fd)) note('C', kind, generations[fd], 0, NULL, 0);
    return fd;
}

#define OPENS(name)                                                        \
    int name(const char *path, int flags, ...) {                           \
        va_list rest;                                                      \
        va_start(rest, flags);                                             \
        mode_t mode = va_arg(rest, mode_t);                                \
        va_end(rest);                                                      \
        return opened((int)syscall(SYS_openat, AT_FDCWD, path, flags, mode), path); \
    }
OPENS(open)
OPENS(open64)

int close(int fd) {
    if (fd >= 0 && fd < DESCRIPTORS) kinds[fd] = NONE;
    return (int)syscall(SYS_close, fd);
}

int unlink(const char *path) {
    enum kind kind = kind_of_path(path);
    if (kind == NONE) return (int)syscall(SYS_unlink, path);
    note('U', kind, generation[kind], 0, NULL, 0);
    generation[kind]++;
    return (int)syscall(SYS_unlink, path);
}

/* Whether this call fails: sets errno, or shortens the write. */
static int write_fails(int fd, size_t *count) {
    /* SQLite makes a file longer by writing one byte into each new block: thousands of calls that count as a few. */
    if (!is_ledger(fd) || (*count == 1 && ++growth % 512 != 0)) return 0;
    long turn = atomic_fetch_add(&writes, 1) + 1;
    if (fail_write == 0 || turn < fail_write) return 0;
    if (short_write && turn == fail_write) {
        if (*count > 1) *count /= 2;
        return 0;
    }
    if (once && turn > fail_write + short_write) return 0;
    errno = (int)write_error;
    return 1;
}

static ssize_t write_at(int fd, const void *bytes, size_t count, off_t offset) {
    if (kind_of(fd) == NONE) return syscall(SYS_pwrite64, fd, bytes, count, offset);
    if (write_fails(fd, &count)) return -1;
    ssize_t written = syscall(SYS_pwrite64, fd, bytes, count, offset);
    if (written > 0) note('W', kind_of(fd), generations[fd], (uint64_t)offset, bytes, (uint64_t)written);
    return written;
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) { return write_at(fd, bytes, count, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t offset) { return write_at(fd, bytes, count, offset); }

/* SQLite writes with pwrite; what comes here is the journal, at its end. */
ssize_t write(int fd, const void *bytes, size_t count) {
    if (kind_of(fd) == JOURNAL) note('W', JOURNAL, 0, 0, bytes, count);
    if (is_ledger(fd)) abort();
    return syscall(SYS_write, fd, bytes, count);
}

static int truncate_at(int fd, off_t length) {
    int code = (int)syscall(SYS_ftruncate, fd, length);
    if (code == 0 && is_ledger(fd)) note('T', kind_of(fd), generations[fd], (uint64_t)length, NULL, 0);
    return code;
}
int ftruncate(int fd, off_t length) { return truncate_at(fd, length); }
int ftruncate64(int fd, off_t length) { return truncate_at(fd, length); }

/* Returns the error, as posix_fallocate(3) does. */
static int allocate(int fd, off_t offset, off_t length) {
    size_t count = 1;
    if (write_fails(fd, &count)) return errno;
    if (syscall(SYS_fallocate, fd, 0, offset, length) != 0) return errno;
    if (is_ledger(fd)) note('A', kind_of(fd), generations[fd], (uint64_t)offset, NULL, (uint64_t)length);
    return 0;
}
int posix_fallocate(int fd, off_t offset, off_t length) { return allocate(fd, offset, length); }
int posix_fallocate64(int fd, off_t offset, off_t length) { return allocate(fd, offset, length); }

static int sync_now(int fd, long call) {
    if (!is_ledger(fd)) return (int)syscall(call, fd);
    long turn = atomic_fetch_add(&syncs, 1) + 1;
    if (sleep_sync_us > 0) usleep((useconds_t)sleep_sync_us);
    if (swallow_sync) return 0;
    if (fail_sync > 0 && (once ? turn == fail_sync : turn >= fail_sync)) {
        errno = EIO;
        return -1;
    }
    int code = (int)syscall(call, fd);
    if (code == 0) note('S', kind_of(fd), generations[fd], 0, NULL, 0);
    return code;
}
int fsync(int fd) { return sync_now(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_now(fd, SYS_fdatasync); }
