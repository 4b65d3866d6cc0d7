/* Preloaded into the program: writes to RECORD_LOG, in order, whatever changes files below RECORD_ROOT and whatever is
 * forced to the disk. tests/it/powercut.rs makes from it what a power cut at any moment may leave.
 *
 * A record is: one letter, two 32-bit lengths, a 64-bit offset, a 64-bit number of bytes, two names, the bytes.
 * C created, T truncated to the offset, W written at the offset, S forced, U unlinked, R renamed, L linked. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define FILES 4096

static char *names[FILES];
static const char *root;
static int record_to = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int (*real_open)(const char *, int, ...);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static void prepare(void) {
    real_open = real("open");
    real_write = real("write");
    real_pwrite = real("pwrite64");
    root = getenv("RECORD_ROOT");
    const char *log = getenv("RECORD_LOG");
    if (root && log) record_to = real_open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static void record(char what, const char *name, const char *other, int64_t at, const void *bytes, size_t n) {
    uint32_t lengths[2] = {strlen(name), other ? strlen(other) : 0};
    int64_t numbers[2] = {at, bytes ? (int64_t)n : 0};
    size_t size = 1 + sizeof lengths + sizeof numbers + lengths[0] + lengths[1] + numbers[1];
    char *buffer = malloc(size), *to = buffer;
    *to++ = what;
    memcpy(to, lengths, sizeof lengths), to += sizeof lengths;
    memcpy(to, numbers, sizeof numbers), to += sizeof numbers;
    memcpy(to, name, lengths[0]), to += lengths[0];
    if (other) memcpy(to, other, lengths[1]), to += lengths[1];
    if (bytes) memcpy(to, bytes, n);
    pthread_mutex_lock(&lock);
    if (real_write(record_to, buffer, size) != (ssize_t)size) abort();
    pthread_mutex_unlock(&lock);
    free(buffer);
}

/* The absolute name, which the caller frees; NULL for what is not recorded. */
static char *recorded(const char *path) {
    pthread_once(&once, prepare);
    if (record_to < 0 || !path) return NULL;
    char full[PATH_MAX], folder[PATH_MAX];
    if (path[0] == '/') {
        snprintf(full, sizeof full, "%s", path);
    } else {
        if (!getcwd(folder, sizeof folder)) return NULL;
        while (path[0] == '.' && path[1] == '/') path += 2;
        if (!strcmp(path, ".")) path = "";
        if ((size_t)snprintf(full, sizeof full, "%s/%s", folder, path) >= sizeof full) return NULL;
    }
    size_t n = strlen(full);
    while (n > 1 && full[n - 1] == '/') full[--n] = 0;
    /* The index of a log is memory that programs share: a cut clears it. */
    int is_index = n > 4 && !strcmp(full + n - 4, "-shm");
    return strncmp(full, root, strlen(root)) || is_index ? NULL : strdup(full);
}

static int opened(int fd, const char *path, int flags, int existed) {
    if (fd < 0 || fd >= FILES) return fd;
    char *name = recorded(path);
    free(names[fd]);
    names[fd] = name;
    if (name && (flags & O_CREAT) && !existed) record('C', name, NULL, 0, NULL, 0);
    if (name && (flags & O_TRUNC) && existed) record('T', name, NULL, 0, NULL, 0);
    return fd;
}

static int exists(const char *path) {
    struct stat found;
    return !stat(path, &found);
}

#define OPEN(function)                                                    \
    int function(const char *path, int flags, ...) {                      \
        pthread_once(&once, prepare);                                     \
        mode_t mode = 0;                                                  \
        if (flags & (O_CREAT | O_TMPFILE)) {                              \
            va_list rest;                                                 \
            va_start(rest, flags);                                        \
            mode = va_arg(rest, mode_t);                                  \
            va_end(rest);                                                 \
        }                                                                 \
        int existed = exists(path);                                       \
        return opened(real_open(path, flags, mode), path, flags, existed); \
    }
OPEN(open)
OPEN(open64)

static const char *name_of(int fd) { return fd >= 0 && fd < FILES ? names[fd] : NULL; }

ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at) {
    pthread_once(&once, prepare);
    ssize_t done = real_pwrite(fd, bytes, n, at);
    if (done > 0 && name_of(fd)) record('W', name_of(fd), NULL, at, bytes, done);
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) { return pwrite64(fd, bytes, n, at); }

ssize_t write(int fd, const void *bytes, size_t n) {
    pthread_once(&once, prepare);
    off_t at = name_of(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t done = real_write(fd, bytes, n);
    if (done > 0 && name_of(fd)) record('W', name_of(fd), NULL, at, bytes, done);
    return done;
}

/* Copies inside the kernel would not be seen: the callers fall back to reading and writing. */
ssize_t copy_file_range(int from, off_t *at, int to, off_t *other, size_t n, unsigned flags) {
    (void)from, (void)at, (void)to, (void)other, (void)n, (void)flags;
    errno = ENOSYS;
    return -1;
}

ssize_t sendfile64(int to, int from, off_t *at, size_t n) {
    (void)to, (void)from, (void)at, (void)n;
    errno = EINVAL;
    return -1;
}

ssize_t sendfile(int to, int from, off_t *at, size_t n) { return sendfile64(to, from, at, n); }

int ftruncate64(int fd, off_t n) {
    static int (*truncate_file)(int, off_t);
    if (!truncate_file) truncate_file = real("ftruncate64");
    int failed = truncate_file(fd, n);
    if (!failed && name_of(fd)) record('T', name_of(fd), NULL, n, NULL, 0);
    return failed;
}

int ftruncate(int fd, off_t n) { return ftruncate64(fd, n); }

#define FORCE(function)                                                       \
    int function(int fd) {                                                    \
        static int (*force)(int);                                             \
        if (!force) force = real(#function);                                  \
        int failed = force(fd);                                               \
        if (!failed && name_of(fd)) record('S', name_of(fd), NULL, 0, NULL, 0); \
        return failed;                                                        \
    }
FORCE(fsync)
FORCE(fdatasync)

int close(int fd) {
    static int (*close_file)(int);
    if (!close_file) close_file = real("close");
    if (fd >= 0 && fd < FILES) {
        free(names[fd]);
        names[fd] = NULL;
    }
    return close_file(fd);
}

int unlink(const char *path) {
    static int (*unlink_file)(const char *);
    if (!unlink_file) unlink_file = real("unlink");
    char *name = recorded(path);
    int failed = unlink_file(path);
    if (!failed && name) record('U', name, NULL, 0, NULL, 0);
    free(name);
    return failed;
}

static void named_anew(char what, const char *from, const char *to, int failed) {
    char *old = recorded(from), *new = recorded(to);
    if (!failed && old && new) record(what, old, new, 0, NULL, 0);
    free(old), free(new);
}

int rename(const char *from, const char *to) {
    static int (*rename_file)(const char *, const char *);
    if (!rename_file) rename_file = real("rename");
    int failed = rename_file(from, to);
    named_anew('R', from, to, failed);
    return failed;
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    static int (*rename_file)(int, const char *, int, const char *, unsigned);
    if (!rename_file) rename_file = real("renameat2");
    int failed = rename_file(a, from, b, to, flags);
    named_anew('R', from, to, failed);
    return failed;
}

int link(const char *from, const char *to) {
    static int (*link_file)(const char *, const char *);
    if (!link_file) link_file = real("link");
    int failed = link_file(from, to);
    named_anew('L', from, to, failed);
    return failed;
}
