/*
 * A disk that keeps only what it was told to sync: to be preloaded (LD_PRELOAD) into a server that is then killed.
 *
 * It answers fsync and fdatasync for everything below the folder LOST_WRITES_DISK, and writes down what a loss of power
 * would leave of it, in the folder LOST_WRITES_KEPT (there, and empty):
 *
 *     content/INODE   the bytes that a file had when it was last synced; none, if it never was
 *     names/...       the entries that each folder had when it was last synced: links to files in content
 *
 * What stands on the disk at the start is kept. Writes, renames and removals need no watching: nothing of them counts
 * before a sync, which looks at what is there. Nothing really is synced: what is killed is the process, not the machine.
 *
 * LOST_WRITES_DEAF is a pattern of paths below the disk ("data/objects"): their syncs are said to be done, and are not.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILES_MAX 4096

/* A file of the disk, held open for ever: so that its number is never another's, and no lock on it is lost by a close. */
struct file {
    ino_t inode;
    int fd;
    char name[24]; /* in content */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all below */
static struct file files[FILES_MAX];
static size_t file_count;
static char disk[PATH_MAX], deaf[PATH_MAX];
static int disk_folder = -1, content = -1, names = -1; /* -1: there is no disk to watch */

/* The server must not go on: what is written down is not what was promised to it. */
_Noreturn static void give_up(const char *what)
{
    fprintf(stderr, "lost_writes: %s: ", what);
    perror(NULL);
    abort();
}

static void must(int is_well, const char *what)
{
    if (!is_well) {
        give_up(what);
    }
}

/* ---- contents ---- */

/* The file `name` of a folder, which is known from here on: with no content yet. */
static const struct file *find_file(int folder, const char *name, ino_t inode)
{
    for (size_t i = 0; i < file_count; i++) {
        if (files[i].inode == inode) {
            return &files[i];
        }
    }
    must(file_count < FILES_MAX, "too many files");
    struct file *file = &files[file_count];
    *file = (struct file){.inode = inode, .fd = openat(folder, name, O_RDONLY | O_CLOEXEC)};
    snprintf(file->name, sizeof(file->name), "%ju", (uintmax_t)inode);
    struct stat found;
    if (file->fd < 0 || fstat(file->fd, &found) != 0 || found.st_ino != inode) {
        return NULL; /* it is gone already */
    }
    int made = openat(content, file->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    must(made >= 0 && close(made) == 0, file->name);
    file_count++;
    return file;
}

/* The bytes that it has now are kept. A death in the middle leaves some old and some new ones, as it would on a disk. */
static void keep_content(const struct file *file)
{
    static char bytes[1 << 16];
    int to = openat(content, file->name, O_WRONLY | O_CLOEXEC);
    off_t size = 0;
    ssize_t count = 0;
    must(to >= 0, file->name);
    while ((count = pread(file->fd, bytes, sizeof(bytes), size)) > 0) {
        must(pwrite(to, bytes, (size_t)count, size) == count, file->name);
        size += count;
    }
    must(count == 0 && ftruncate(to, size) == 0 && close(to) == 0, file->name);
}

/* ---- names ---- */

typedef void visit_entry(int folder, const char *path, const char *name);

/* Visits each entry of a folder, whose path below the disk is `path`. */
static void each_entry(int folder, const char *path, visit_entry *visit)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    must(stream != NULL, path);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) { /* NOLINT(concurrency-mt-unsafe): a stream of our own */
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            visit(folder, path, entry->d_name);
        }
    }
    closedir(stream);
}

static void join(char joined[PATH_MAX], const char *path, const char *name)
{
    must(snprintf(joined, PATH_MAX, "%s/%s", path, name) < PATH_MAX, name);
}

/* The entry is kept. In one step: a name that was kept before, for another file, is never missing. */
static void keep_name(int folder, const char *path, const char *name)
{
    char kept[PATH_MAX];
    struct stat now, before, bytes;
    join(kept, path, name);
    if (fstatat(folder, name, &now, AT_SYMLINK_NOFOLLOW) != 0) {
        return; /* it is gone already */
    }
    if (S_ISDIR(now.st_mode)) {
        must(mkdirat(names, kept, 0700) == 0 || errno == EEXIST, kept);
        return;
    }
    const struct file *file = find_file(folder, name, now.st_ino);
    if (file == NULL) {
        return;
    }
    must(fstatat(content, file->name, &bytes, 0) == 0, file->name);
    if (fstatat(names, kept, &before, 0) != 0 || before.st_ino != bytes.st_ino) {
        must(linkat(content, file->name, content, "new", 0) == 0 && renameat(content, "new", names, kept) == 0, kept);
    }
}

/* A name that was kept, of what is not there any more. */
static void drop_name(int folder, const char *path, const char *name)
{
    char kept[PATH_MAX];
    struct stat now;
    join(kept, path, name);
    if (fstatat(disk_folder, kept, &now, AT_SYMLINK_NOFOLLOW) != 0) {
        must(errno == ENOENT && unlinkat(folder, name, 0) == 0, kept);
    }
}

/* A folder's own name must be kept before what is in it can be: no matter what a better disk would do. */
static void keep_names(int folder, const char *path)
{
    int kept = openat(names, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (kept < 0) {
        must(errno == ENOENT, path);
        return;
    }
    each_entry(folder, path, keep_name);
    each_entry(kept, path, drop_name);
    close(kept);
}

/* ---- the start ---- */

static void keep_all(int folder, const char *path);

static void keep_below(int folder, const char *path, const char *name)
{
    char below[PATH_MAX];
    struct stat now;
    must(fstatat(folder, name, &now, AT_SYMLINK_NOFOLLOW) == 0, name);
    if (S_ISDIR(now.st_mode)) {
        int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        join(below, path, name);
        keep_all(fd, below);
        close(fd);
    } else {
        const struct file *file = find_file(folder, name, now.st_ino);
        must(file != NULL, name);
        keep_content(file);
    }
}

static void keep_all(int folder, const char *path)
{
    keep_names(folder, path);
    each_entry(folder, path, keep_below);
}

static int make_folder(int parent, const char *name)
{
    must(mkdirat(parent, name, 0700) == 0, name);
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

__attribute__((constructor)) static void start(void)
{
    const char *watched = getenv("LOST_WRITES_DISK"), *kept = getenv("LOST_WRITES_KEPT"),
               *pattern = getenv("LOST_WRITES_DEAF");
    if (watched == NULL || kept == NULL) {
        return;
    }
    snprintf(deaf, sizeof(deaf), "%s", pattern == NULL ? "" : pattern);
    must(realpath(watched, disk) != NULL, watched);
    int parent = open(kept, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    disk_folder = open(disk, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(parent >= 0 && disk_folder >= 0, kept);
    content = make_folder(parent, "content");
    names = make_folder(parent, "names");
    must(content >= 0 && names >= 0, kept);
    keep_all(disk_folder, ".");
    close(parent);
}

/* ---- what the server calls ---- */

/* The path of a descriptor below the disk, "." for the disk itself; NULL: it is elsewhere. */
static const char *path_below(int fd, char path[PATH_MAX])
{
    char link[32];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t size = content < 0 ? -1 : readlink(link, path, PATH_MAX - 1);
    size_t root = strlen(disk);
    if (size < 0 || (size_t)size < root || memcmp(path, disk, root) != 0) {
        return NULL;
    }
    path[size] = '\0';
    return path[root] == '\0' ? "." : path[root] == '/' ? path + root + 1 : NULL;
}

static void keep(int fd, const char *path)
{
    char link[32];
    struct stat now;
    must(fstat(fd, &now) == 0, path);
    if (S_ISDIR(now.st_mode)) {
        keep_names(fd, path);
    } else if (now.st_nlink > 0) {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd); /* the descriptor may be one that only writes */
        const struct file *file = find_file(AT_FDCWD, link, now.st_ino);
        must(file != NULL, path);
        keep_content(file);
    }
}

static int sync_descriptor(int fd, long call)
{
    char path[PATH_MAX];
    const char *below = path_below(fd, path);
    if (below == NULL) {
        return (int)syscall(call, fd);
    }
    pthread_mutex_lock(&lock);
    if (fnmatch(deaf, below, 0) != 0) {
        keep(fd, below);
    }
    pthread_mutex_unlock(&lock);
    return 0;
}

int fsync(int fd)
{
    return sync_descriptor(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_descriptor(fd, SYS_fdatasync);
}
