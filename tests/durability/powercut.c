/* A power cut, and a failing disk, for one folder: preloaded into a process whose promises are to be tested.

   cc -shared -fPIC -O2 -o powercut.so powercut.c -ldl -lpthread;  LD_PRELOAD=./powercut.so python ...

After powercut_watch(folder, shadow, control), `shadow` holds what a disk would still hold if the power failed now:

   f<inode>   a file's bytes, as of its last fsync or fdatasync that succeeded
   d<inode>   a directory's entries, as of its last fsync: hard links to f<inode>, symbolic links to d<inode>

Modelled, and on the strict side of what file systems do:
 * bytes and length of a file last only from fsync or fdatasync of that file; also truncation;
 * a name that was created, renamed or removed lasts only from fsync of its directory (ext4 would often keep it with the
   file's own fsync; POSIX does not promise it); names of one directory change one by one, each at once;
 * a sync that is reported as failed keeps nothing, and what was to be synced is forgotten: a later sync succeeds
   without it, as on Linux, unless it was written again.
Not modelled, always towards loss: sync(), syncfs(), msync(), O_SYNC, sync_file_range() and writes through mmap
make nothing durable. SQLite's -shm files are left out: it makes them anew. Unsynced writes that reached the disk all
the same are put in by the harness. What another process writes into the same file counts from its own sync only.

`control` is a file of the parent's (struct control): it sets the fault, may have the process killed at its n-th
operation on the folder, and reads how many writes and syncs were seen. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 4096 /* slots; inodes known at one time */
#define END INT64_MAX

struct control {
    int64_t fault;  /* 0 none; 'E' syncs fail with EIO; 'S' syncs fail with ENOSPC; 'F' writes fail with ENOSPC */
    int64_t fuse;   /* > 0: SIGKILL instead of the fuse-th write, truncation or sync from now */
    int64_t writes; /* seen on watched files */
    int64_t syncs;  /* seen on watched files and directories */
};

struct file {
    ino_t ino; /* 0: empty slot */
    int64_t low, high; /* one range that holds everything written since the last sync */
};

static struct control none, *volatile control = &none;
static struct file files[FILES];
static char folder[PATH_MAX], shadow[PATH_MAX];
static dev_t device;
static volatile int watching;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void fatal(const char *what) {
    dprintf(2, "powercut: %s: %s\n", what, strerror(errno));
    _exit(99);
}

static int sys_open(const char *path, int flags) { return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600); }

/* The slot of an inode, or NULL where it is not known and not to be added. Call with the lock held. */
static struct file *slot(ino_t ino, int add) {
    for (unsigned step = 0; step < FILES; step++) {
        struct file *file = &files[(ino + step) % FILES];
        if (file->ino == ino) return file;
        if (file->ino) continue;
        if (!add) return NULL;
        *file = (struct file){.ino = ino, .low = END, .high = 0};
        return file;
    }
    fatal("too many files");
    return NULL;
}

static void soil(struct file *file, int64_t low, int64_t high) {
    if (low < file->low) file->low = low;
    if (high > file->high) file->high = high;
}

/* Whether the descriptor is a file or directory of the folder; fills in its present path. */
static int inside(int fd, char path[PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    size_t prefix = strlen(folder);
    if (strncmp(path, folder, prefix) || (path[prefix] && path[prefix] != '/')) return 0;
    return length < 4 || strcmp(path + length - 4, "-shm");
}

/* Start to watch. Everything in `folder` must already be in `shadow`. 0, or -1 with errno. */
int powercut_watch(const char *watched, const char *mirror, const char *switches) {
    struct stat found;
    if (!realpath(watched, folder) || !realpath(mirror, shadow) || stat(folder, &found)) return -1;
    device = found.st_dev;
    int fd = sys_open(switches, O_RDWR);
    if (fd < 0) return -1;
    void *page = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page == MAP_FAILED) return -1;
    control = page;
    watching = 1;
    return 0;
}

/* Count an operation, and end the process where the parent wants it to end here. */
static void burn(int64_t *counter) {
    __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
    if (control->fuse > 0 && __atomic_sub_fetch(&control->fuse, 1, __ATOMIC_SEQ_CST) == 0) {
        syscall(SYS_kill, getpid(), SIGKILL);
        for (;;) pause();
    }
}

/* ---- files ---- */

static void object(char path[PATH_MAX], char kind, ino_t ino) {
    if (snprintf(path, PATH_MAX, "%s/%c%llu", shadow, kind, (unsigned long long)ino) >= PATH_MAX) fatal("path");
}

static int opened(int at, const char *path, int flags, mode_t mode) {
    int fresh = watching && (flags & O_CREAT) && syscall(SYS_faccessat, at, path, F_OK) != 0;
    int fd = (int)syscall(SYS_openat, at, path, flags, mode);
    if (fd < 0 || !watching || (flags & O_ACCMODE) == O_RDONLY) return fd;
    int saved = errno;
    struct stat found;
    char where[PATH_MAX];
    if (!fstat(fd, &found) && S_ISREG(found.st_mode) && found.st_dev == device && inside(fd, where)) {
        pthread_mutex_lock(&lock);
        struct file *file = slot(found.st_ino, 1);
        if (fresh) { /* the number may have been another file's, whose bytes live on under its durable name */
            object(where, 'f', found.st_ino);
            unlink(where);
            *file = (struct file){.ino = found.st_ino, .low = END, .high = 0};
        }
        if (flags & O_TRUNC) soil(file, 0, END);
        pthread_mutex_unlock(&lock);
    }
    errno = saved;
    return fd;
}

/* What is about to happen to a descriptor: 0 go on unwatched, 1 go on and tell `wrote`, -1 fail with ENOSPC. */
static int writing(int fd) {
    struct stat found;
    int saved = errno;
    if (!watching || fstat(fd, &found) || !S_ISREG(found.st_mode) || found.st_dev != device) return errno = saved, 0;
    pthread_mutex_lock(&lock);
    int known = slot(found.st_ino, 0) != NULL;
    pthread_mutex_unlock(&lock);
    errno = saved;
    if (!known) return 0;
    burn(&control->writes);
    if (control->fault != 'F') return 1;
    errno = ENOSPC;
    return -1;
}

static void wrote(int fd, int64_t low, int64_t high) {
    struct stat found;
    int saved = errno;
    if (!fstat(fd, &found)) {
        pthread_mutex_lock(&lock);
        struct file *file = slot(found.st_ino, 0);
        if (file) soil(file, low, high);
        pthread_mutex_unlock(&lock);
    }
    errno = saved;
}

#define WATCHED(call, low, high)                                \
    int state = writing(fd);                                    \
    if (state < 0) return -1;                                   \
    ssize_t done = call;                                        \
    if (state && done >= 0) wrote(fd, (low), (high));           \
    return done;

static int64_t position(int fd) { return lseek(fd, 0, SEEK_CUR); }

ssize_t write(int fd, const void *data, size_t size) {
    WATCHED(syscall(SYS_write, fd, data, size), position(fd) - done, position(fd))
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    WATCHED(syscall(SYS_writev, fd, parts, count), position(fd) - done, position(fd))
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    WATCHED(syscall(SYS_pwrite64, fd, data, size, at), at, at + done)
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return pwrite64(fd, data, size, at); }
ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t at, int flags) {
    if (at == -1) { /* at the present position */
        WATCHED(syscall(SYS_pwritev2, fd, parts, count, at, 0L, flags), position(fd) - done, position(fd))
    }
    WATCHED(syscall(SYS_pwritev2, fd, parts, count, at, 0L, flags), at, at + done)
}
ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t at, int flags) {
    return pwritev64v2(fd, parts, count, at, flags);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
    WATCHED(syscall(SYS_pwritev, fd, parts, count, at, 0L), at, at + done)
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return pwritev64(fd, parts, count, at); }

static ssize_t cut(int fd, off64_t length) { WATCHED(syscall(SYS_ftruncate, fd, length), length, END) }
int ftruncate64(int fd, off64_t length) { return (int)cut(fd, length); }
int ftruncate(int fd, off_t length) { return (int)cut(fd, length); }

static ssize_t allocated(int fd, int mode, off64_t at, off64_t size) {
    WATCHED(syscall(SYS_fallocate, fd, mode, at, size), at, at + size)
}
int fallocate64(int fd, int mode, off64_t at, off64_t size) { return (int)allocated(fd, mode, at, size); }
int fallocate(int fd, int mode, off_t at, off_t size) { return (int)allocated(fd, mode, at, size); }
int posix_fallocate64(int fd, off64_t at, off64_t size) {
    int saved = errno, result = allocated(fd, 0, at, size) ? errno : 0;
    errno = saved;
    return result;
}
int posix_fallocate(int fd, off_t at, off_t size) { return posix_fallocate64(fd, at, size); }

#define MODE                              \
    mode_t mode = 0;                      \
    if (__OPEN_NEEDS_MODE(flags)) {       \
        va_list rest;                     \
        va_start(rest, flags);            \
        mode = va_arg(rest, mode_t);      \
        va_end(rest);                     \
    }
int open(const char *path, int flags, ...) { MODE return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return opened(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE return opened(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE return opened(at, path, flags, mode); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }
int __open_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __openat_2(int at, const char *path, int flags) { return opened(at, path, flags, 0); }
int __openat64_2(int at, const char *path, int flags) { return opened(at, path, flags, 0); }

/* ---- syncs ---- */

/* Copy what changed into the file's object; growth that no hook saw (sendfile, copy_file_range) counts as changed. */
static void mirror(int fd, struct file *file, const struct stat *now) {
    int64_t size = now->st_size;
    static char block[1 << 16];
    char path[PATH_MAX];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int readable = (fcntl(fd, F_GETFL) & O_ACCMODE) != O_WRONLY; /* closing a second descriptor would drop fcntl locks */
    int from = readable ? fd : sys_open(path, O_RDONLY);
    object(path, 'f', file->ino);
    int to = sys_open(path, O_RDWR | O_CREAT);
    struct stat kept;
    if (from < 0 || to < 0 || fstat(to, &kept) || fchmod(to, now->st_mode & 07777)) fatal(path);
    if (size > kept.st_size) soil(file, kept.st_size, size);
    for (int64_t at = file->low; at < file->high && at < size;) {
        int64_t left = (file->high < size ? file->high : size) - at;
        ssize_t read = pread(from, block, left < (int64_t)sizeof block ? left : (int64_t)sizeof block, at);
        if (read <= 0 || syscall(SYS_pwrite64, to, block, read, at) != read) fatal(path);
        at += read;
    }
    if (size != kept.st_size && syscall(SYS_ftruncate, to, size)) fatal(path);
    if (!readable) syscall(SYS_close, from);
    syscall(SYS_close, to);
}

/* Make one name of directory object `into` stand for an inode, in one step. */
static void name(const char *into, const char *entry, const struct stat *found) {
    char target[PATH_MAX], link_[PATH_MAX], fresh[PATH_MAX];
    struct stat kept, held;
    int directory = S_ISDIR(found->st_mode);
    object(target, directory ? 'd' : 'f', found->st_ino);
    if (directory ? mkdir(target, 0700) && errno != EEXIST : 0) fatal(target);
    if (!directory) syscall(SYS_close, sys_open(target, O_RDWR | O_CREAT));
    if (snprintf(link_, sizeof link_, "%s/%s", into, entry) >= PATH_MAX) fatal("path");
    if (!stat(link_, &kept) && !stat(target, &held) && kept.st_ino == held.st_ino) return;
    if (snprintf(fresh, sizeof fresh, "%s/new", shadow) >= PATH_MAX) fatal("path");
    unlink(fresh);
    if (directory ? symlink(target, fresh) : link(target, fresh)) fatal(fresh);
    if (rename(fresh, link_)) fatal(link_);
}

/* Keep the directory's present names, and no other. */
static void list(const char *path, ino_t ino) {
    char into[PATH_MAX];
    object(into, 'd', ino);
    if (mkdir(into, 0700) && errno != EEXIST) fatal(into);
    DIR *real = opendir(path), *kept = opendir(into);
    if (!real || !kept) fatal(path);
    struct stat found;
    for (struct dirent *entry; (entry = readdir(real));) {
        size_t length = strlen(entry->d_name);
        if (length > 4 && !strcmp(entry->d_name + length - 4, "-shm")) continue;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (fstatat(dirfd(real), entry->d_name, &found, AT_SYMLINK_NOFOLLOW)) continue;
        if (S_ISREG(found.st_mode) || S_ISDIR(found.st_mode)) name(into, entry->d_name, &found);
    }
    for (struct dirent *entry; (entry = readdir(kept));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (fstatat(dirfd(real), entry->d_name, &found, AT_SYMLINK_NOFOLLOW)) unlinkat(dirfd(kept), entry->d_name, 0);
    }
    closedir(real);
    closedir(kept);
}

/* The sync itself, with the lock held, so that nothing is kept that was written after it. */
static int sync_inside(int fd, long number, const char *path, const struct stat *before) {
    struct stat found;
    struct file *file = S_ISREG(before->st_mode) ? slot(before->st_ino, 0) : NULL;
    if (!file && S_ISREG(before->st_mode)) { /* opened past our hooks: whatever it holds may be new */
        file = slot(before->st_ino, 1);
        soil(file, 0, END);
    }
    int result = -1, fault = (int)control->fault;
    if (fault == 'E' || fault == 'S') errno = fault == 'E' ? EIO : ENOSPC;
    else result = (int)syscall(number, fd);
    int saved = errno;
    if (!result && file && !fstat(fd, &found)) mirror(fd, file, &found);
    if (!result && !file) list(path, before->st_ino);
    if (file) *file = (struct file){.ino = file->ino, .low = END, .high = 0};
    errno = saved;
    return result;
}

static int synced(int fd, long number) {
    struct stat found;
    char path[PATH_MAX];
    int saved = errno;
    int ours = watching && !fstat(fd, &found) && found.st_dev == device && inside(fd, path);
    errno = saved;
    if (!ours || !(S_ISREG(found.st_mode) || S_ISDIR(found.st_mode))) return (int)syscall(number, fd);
    burn(&control->syncs);
    pthread_mutex_lock(&lock);
    int result = sync_inside(fd, number, path, &found);
    pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }
int __fdatasync(int fd) { return synced(fd, SYS_fdatasync); }
