#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

// Kernel interfaces newer than the C library's headers on supported systems.
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
enum {
  TREE_CLONE = 1,
  TREE_RECURSIVE = 0x8000,
  TREE_CLOEXEC = O_CLOEXEC,
  MOVE_FROM_EMPTY = 0x04,
  MOVE_TO_EMPTY = 0x40,
  ATTR_READ_ONLY = 1,
  ATTR_NO_SETUID = 2,
  ATTR_NO_DEVICES = 4,
  INSIDE_ROOT = 0x10 | 0x02,  // RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS
};
struct attributes { uint64_t set, clear, propagation, namespace_fd; };
struct open_how { uint64_t flags, mode, resolve; };

enum { PATH_SIZE = 4096, OPTIONS_SIZE = 4096 };

// The new root, and the step being taken, for the report of a failure.
static int root_fd;
static int current;

static _Noreturn void fail(void) { csb_fail_step(current); }

static int open_inside(const char *path, int flags) {
  struct open_how how = {(uint64_t)flags | O_CLOEXEC, 0, INSIDE_ROOT};
  if (!(flags & O_PATH) && (flags & O_CREAT)) how.mode = 0600;
  while (*path == '/') path++;
  return (int)syscall(SYS_openat2, root_fd, *path ? path : ".", &how, sizeof how);
}

// The folder that holds a path, created with its parents. The last one is kept: most steps are about a few folders.
static struct {
  char path[PATH_SIZE];
  int fd;
} parent = {"", -1};

static void forget_parent(void) {
  if (parent.fd >= 0) close(parent.fd);
  parent.fd = -1;
}

// From the top down, each part below what is there already.
static int make_parents(char *path) {
  for (char *at = path + 1;; at++) {
    if (*at && *at != '/') continue;
    char kept = *at;
    *at = 0;
    int next = open_inside(path, O_PATH | O_DIRECTORY);
    if (next < 0 && errno == ENOENT) {
      char *last = strrchr(path, '/');
      *last = 0;
      int above = open_inside(path, O_PATH | O_DIRECTORY);
      *last = '/';
      if (above < 0 || (mkdirat(above, last + 1, 0755) != 0 && errno != EEXIST)) fail();
      close(above);
      next = open_inside(path, O_PATH | O_DIRECTORY);
    }
    if (next < 0) fail();
    *at = kept;
    if (!kept) return next;
    close(next);
  }
}

// `*name` is the last part. The descriptor is not the caller's to close.
static int open_parent(const char *path, const char **name) {
  const char *slash = strrchr(path, '/');
  if (!slash) fail();
  size_t length = (size_t)(slash - path);
  if (length >= PATH_SIZE) {
    errno = ENAMETOOLONG;
    fail();
  }
  *name = slash + 1;
  if (parent.fd >= 0 && strncmp(parent.path, path, length) == 0 && !parent.path[length])
    return parent.fd;
  forget_parent();
  memcpy(parent.path, path, length);
  parent.path[length] = 0;
  parent.fd = open_inside(parent.path, O_PATH | O_DIRECTORY);
  if (parent.fd < 0 && errno == ENOENT) parent.fd = make_parents(parent.path);
  if (parent.fd < 0) fail();
  return parent.fd;
}

// An existing or new place to mount on, of the same kind as what is mounted.
static int open_target(const char *path, int is_folder) {
  int fd = open_inside(path, O_PATH);
  if (fd < 0) {
    const char *name;
    int folder = open_parent(path, &name);
    if (is_folder) {
      if (mkdirat(folder, name, 0755) != 0 && errno != EEXIST) fail();
    } else {
      int file = openat(folder, name, O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
      if (file < 0) fail();
      close(file);
    }
    fd = open_inside(path, O_PATH);
    if (fd < 0) fail();
  }
  // What will be mounted may hide it.
  forget_parent();
  return fd;
}

static void descriptor_path(char *buffer, size_t size, int fd) {
  char *end = buffer + size - 1;
  char *at = csb_append(buffer, end, "/proc/self/fd/");
  at = csb_append_number(at, end, (unsigned)fd);
  *at = 0;
}

static void make_folder(const struct csb_step *step) {
  const char *name;
  int folder = open_parent(step->target, &name);
  if (mkdirat(folder, name, step->mode) != 0 && errno != EEXIST) fail();
  if (fchmodat(folder, name, step->mode, 0) != 0) fail();
}

static void make_link(const struct csb_step *step) {
  const char *name;
  int folder = open_parent(step->target, &name);
  if (symlinkat(step->source, folder, name) != 0 && errno != EEXIST) fail();
}

static void write_all(int fd, const struct csb_step *step) {
  size_t done = 0;
  while (done < step->length) {
    ssize_t count = write(fd, (const char *)step->bytes + done, step->length - done);
    if (count <= 0) fail();
    done += (size_t)count;
  }
}

static void make_file(const struct csb_step *step) {
  const char *name;
  int folder = open_parent(step->target, &name);
  int fd = openat(folder, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) fail();
  write_all(fd, step);
  if (fchmod(fd, step->mode) != 0) fail();
  close(fd);
}

static void write_existing(const struct csb_step *step) {
  int fd = open_inside(step->target, O_WRONLY);
  if (fd < 0) fail();
  write_all(fd, step);
  close(fd);
}

static void mount_at(
    const struct csb_step *step, const char *type, unsigned long flags, const char *options) {
  int target = open_target(step->target, 1);
  char place[32];
  descriptor_path(place, sizeof place, target);
  if (mount(type, place, type, flags, options) != 0) fail();
  close(target);
}

static void bind(const struct csb_step *step) {
  int flags = TREE_CLONE | TREE_RECURSIVE | TREE_CLOEXEC;
  int tree;
  if (step->kind == CSB_BIND_INSIDE) {
    int source = open_inside(step->source, O_PATH);
    if (source < 0) fail();
    tree = (int)syscall(SYS_open_tree, source, "", AT_EMPTY_PATH | flags);
    close(source);
  } else {
    tree = (int)syscall(SYS_open_tree, AT_FDCWD, step->source, flags);
    if (tree < 0 && errno == ENOENT && (step->flags & CSB_OPTIONAL)) return;
  }
  struct stat status;
  if (tree < 0 || fstat(tree, &status) != 0) fail();
  struct attributes attributes = {ATTR_NO_SETUID, 0, 0, 0};
  if (step->flags & CSB_READ_ONLY) attributes.set |= ATTR_READ_ONLY;
  if (!(step->flags & CSB_DEVICES)) attributes.set |= ATTR_NO_DEVICES;
  if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | TREE_RECURSIVE, &attributes,
              sizeof attributes) != 0)
    fail();
  int target = open_target(step->target, S_ISDIR(status.st_mode));
  if (syscall(SYS_move_mount, tree, "", target, "", MOVE_FROM_EMPTY | MOVE_TO_EMPTY) != 0) fail();
  close(tree);
  close(target);
}

// Options name folders by descriptor, so that no character of a path needs escaping.
static char *append_folder(char *at, char *end, const char *path) {
  int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail();
  at = csb_append(at, end, "/proc/self/fd/");
  return csb_append_number(at, end, (unsigned)fd);
}

static void overlay(const struct csb_step *step, int target, int in_user_namespace) {
  char options[OPTIONS_SIZE];
  char *end = options + sizeof options - 1;
  char *at = csb_append(options, end, "lowerdir=");
  for (int i = 0; i < step->lower_count; i++) {
    if (i) at = csb_append(at, end, ":");
    at = append_folder(at, end, step->lowers[i]);
  }
  if (step->upper) {
    at = csb_append(at, end, ",upperdir=");
    at = append_folder(at, end, step->upper);
    at = csb_append(at, end, ",workdir=");
    at = append_folder(at, end, step->work);
  }
  // Unprivileged overlays keep their marks in user.* attributes.
  if (in_user_namespace) at = csb_append(at, end, ",userxattr");
  if (step->flags & CSB_SHARED) at = csb_append(at, end, ",metacopy=on");
  *at = 0;
  char place[32];
  descriptor_path(place, sizeof place, target);
  unsigned long flags = MS_NODEV | MS_NOSUID | (step->upper ? 0 : MS_RDONLY);
  if (step->flags & CSB_VOLATILE) {
    // What is thrown away need not be written through to the disk; kernels before 5.10 do not know it.
    char *shorter = at;
    *csb_append(at, end, ",volatile") = 0;
    if (mount("overlay", place, "overlay", flags, options) == 0) return;
    if (errno != EINVAL) fail();
    *shorter = 0;
  }
  if (mount("overlay", place, "overlay", flags, options) != 0) fail();
}

static void seal(const struct csb_step *step) {
  int target = open_inside(step->target, O_PATH);
  struct attributes attributes = {ATTR_READ_ONLY | ATTR_NO_SETUID | ATTR_NO_DEVICES, 0, 0, 0};
  if (target < 0
      || syscall(SYS_mount_setattr, target, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
    fail();
  close(target);
}

static void leave_room(const struct csb_step *step) {
  struct statfs space;
  int target = open_inside(step->target, O_PATH);
  if (target < 0 || fstatfs(target, &space) != 0) fail();
  char options[64];
  char *end = options + sizeof options - 1;
  char *at = csb_append(options, end, "mode=0755");
  if (step->length) {
    uint64_t used = (uint64_t)(space.f_blocks - space.f_bfree) * (uint64_t)space.f_bsize;
    at = csb_append(at, end, ",size=");
    at = csb_append_number(at, end, (used + step->length) >> 10);
    at = csb_append(at, end, "k");
  }
  if (step->mode) {
    at = csb_append(at, end, ",nr_inodes=");
    at = csb_append_number(at, end, (uint64_t)(space.f_files - space.f_ffree) + step->mode);
  }
  *at = 0;
  char place[32];
  descriptor_path(place, sizeof place, target);
  if (mount(0, place, 0, MS_REMOUNT | MS_NODEV | MS_NOSUID, options) != 0) fail();
  close(target);
}

static void take(const struct csb_spec *spec, const struct csb_step *step) {
  switch (step->kind) {
    case CSB_FOLDER: make_folder(step); break;
    case CSB_LINK: make_link(step); break;
    case CSB_FILE: make_file(step); break;
    case CSB_WRITE: write_existing(step); break;
    case CSB_TMPFS: mount_at(step, "tmpfs", MS_NODEV | MS_NOSUID, step->source); break;
    case CSB_PROC: mount_at(step, "proc", MS_NODEV | MS_NOSUID | MS_NOEXEC, 0); break;
    case CSB_PTS:
      mount_at(step, "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620");
      break;
    case CSB_BIND:
    case CSB_BIND_INSIDE: bind(step); break;
    case CSB_SEAL: seal(step); break;
    case CSB_ROOM: leave_room(step); break;
    case CSB_OVERLAY: {
      int target = open_target(step->target, 1);
      overlay(step, target, (spec->namespaces & CSB_NEW_USER) != 0);
      close(target);
      break;
    }
    default: errno = EINVAL; fail();
  }
}

void csb_build_root(const struct csb_spec *spec) {
  if (mount("tmpfs", spec->root, "tmpfs", MS_NODEV | MS_NOSUID, "mode=0755") != 0)
    csb_fail(CSB_ROOT);
  root_fd = open(spec->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root_fd < 0) csb_fail(CSB_ROOT);
  for (int i = 0; i < spec->step_count; i++) {
    current = i;
    take(spec, &spec->steps[i]);
  }
  // The old root is mounted over the new one and taken away: nothing of it stays reachable.
  forget_parent();
  if (fchdir(root_fd) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0
      || chdir("/") != 0)
    csb_fail(CSB_ROOT);
  close(root_fd);
}

void csb_build_overlays(const struct csb_spec *spec) {
  for (int i = 0; i < spec->step_count; i++) {
    const struct csb_step *step = &spec->steps[i];
    current = i;
    if (step->kind == CSB_OVERLAY) {
      int target = open(step->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
      if (target < 0) fail();
      overlay(step, target, (spec->namespaces & CSB_NEW_USER) != 0);
      close(target);
    } else if (step->kind == CSB_TMPFS) {
      if (mount("tmpfs", step->target, "tmpfs", MS_NODEV | MS_NOSUID, step->source) != 0) fail();
    } else if (step->kind == CSB_FOLDER) {
      if (mkdir(step->target, step->mode) != 0 && errno != EEXIST) fail();
    } else {
      errno = EINVAL;
      fail();
    }
  }
}
