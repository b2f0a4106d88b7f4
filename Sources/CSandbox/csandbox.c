#define _GNU_SOURCE
#include "csandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

// The child must not allocate: another thread may have held malloc's lock at the fork.
enum { OPTIONS_SIZE = 4096, MAX_LOWERS = 8 };

static int fail_to;

static void fail(int step) {
  struct csb_failure failure = {step, errno};
  ssize_t ignored = write(fail_to, &failure, sizeof failure);
  (void)ignored;
  _exit(125);
}

static char *append(char *at, char *end, const char *text) {
  while (*text && at < end) *at++ = *text++;
  return at;
}

static char *append_number(char *at, char *end, unsigned number) {
  char digits[12];
  int count = 0;
  do digits[count++] = (char)('0' + number % 10);
  while (number /= 10);
  while (count && at < end) *at++ = digits[--count];
  return at;
}

// Options name folders by descriptor, so that no character of a path needs escaping.
static char *append_folder(char *at, char *end, const char *path, int step) {
  int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail(step);
  at = append(at, end, "/proc/self/fd/");
  return append_number(at, end, (unsigned)fd);
}

static void write_file(const char *path, const char *text, int step) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) fail(step);
  if (write(fd, text, strlen(text)) < 0) fail(step);
  close(fd);
}

static void enter_user_namespace(void) {
  uid_t uid = geteuid();
  gid_t gid = getegid();
  if (unshare(CLONE_NEWUSER) != 0) fail(CSB_USER_NAMESPACE);
  write_file("/proc/self/setgroups", "deny", CSB_USER_NAMESPACE);
  char map[64];
  char *end = map + sizeof map - 1;
  for (int group = 0; group < 2; group++) {
    unsigned id = group ? gid : uid;
    char *at = append_number(map, end, id);
    at = append(at, end, " ");
    at = append_number(at, end, id);
    at = append(at, end, " 1");
    *at = 0;
    write_file(group ? "/proc/self/gid_map" : "/proc/self/uid_map", map, CSB_USER_NAMESPACE);
  }
}

static void mount_overlay(const struct csb_overlay *overlay, int user_namespace) {
  char options[OPTIONS_SIZE];
  char *end = options + sizeof options - 1;
  char *at = append(options, end, "lowerdir=");
  for (int i = 0; i < overlay->lower_count; i++) {
    if (i) at = append(at, end, ":");
    at = append_folder(at, end, overlay->lowers[i], CSB_OVERLAY);
  }
  if (overlay->upper) {
    at = append(at, end, ",upperdir=");
    at = append_folder(at, end, overlay->upper, CSB_OVERLAY);
    at = append(at, end, ",workdir=");
    at = append_folder(at, end, overlay->work, CSB_OVERLAY);
  }
  // Unprivileged overlays keep their marks in user.* attributes.
  if (user_namespace) at = append(at, end, ",userxattr");
  *at = 0;
  unsigned long flags = MS_NODEV | (overlay->upper ? 0 : MS_RDONLY);
  if (mount("overlay", overlay->target, "overlay", flags, options) != 0) fail(CSB_OVERLAY);
}

static void build_mounts(const struct csb_spec *spec) {
  if (spec->user_namespace) enter_user_namespace();
  if (unshare(CLONE_NEWNS) != 0) fail(CSB_MOUNT_NAMESPACE);
  if (mount(0, "/", 0, MS_REC | MS_PRIVATE, 0) != 0) fail(CSB_MOUNT_NAMESPACE);
  if (spec->tmpfs && mount("tmpfs", spec->tmpfs, "tmpfs", MS_NODEV | MS_NOSUID, "mode=0700") != 0)
    fail(CSB_TMPFS);
  for (int i = 0; i < spec->folder_count; i++)
    if (mkdir(spec->folders[i], 0700) != 0 && errno != EEXIST) fail(CSB_TMPFS);
  for (int i = 0; i < spec->overlay_count; i++)
    mount_overlay(&spec->overlays[i], spec->user_namespace);
}

// Everything is marked close-on-exec rather than closed: the failure pipe must live until then.
static void seal_descriptors(const struct csb_spec *spec) {
  if (syscall(SYS_close_range, 3u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */) != 0) {
    for (int fd = 3; fd < 65536; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  for (int i = 0; i < spec->keep_count; i++)
    if (fcntl(spec->keep[i], F_SETFD, 0) != 0) fail(CSB_DESCRIPTORS);
}

static void reset_signals(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; number++) sigaction(number, &action, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, 0);
}

static void child(const struct csb_spec *spec, pid_t parent) {
  reset_signals();
  setsid();
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(125);
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0 || dup2(null, 0) < 0 || dup2(spec->stdout_fd, 1) < 0 || dup2(spec->stderr_fd, 2) < 0)
    fail(CSB_DESCRIPTORS);
  for (int i = 0; i < spec->cgroup_count; i++) write_file(spec->cgroups[i], "0", CSB_CGROUP);
  if (spec->overlay_count || spec->tmpfs) build_mounts(spec);
  for (int i = 0; i < spec->limit_count; i++) {
    struct rlimit limit = {spec->limits[i].value, spec->limits[i].value};
    if (setrlimit((__rlimit_resource_t)spec->limits[i].resource, &limit) != 0) fail(CSB_LIMIT);
  }
  if (spec->directory && chdir(spec->directory) != 0) fail(CSB_DIRECTORY);
  seal_descriptors(spec);
  // Changing ids and namespaces clears the parent-death signal.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(125);
  execve(spec->path, spec->argv, spec->envp);
  fail(CSB_EXEC);
}

pid_t csb_spawn(const struct csb_spec *spec, struct csb_failure *failure) {
  int pipes[2];
  failure->step = 0;
  failure->error = 0;
  if (pipe2(pipes, O_CLOEXEC) != 0) {
    failure->step = CSB_FORK;
    failure->error = errno;
    return -1;
  }
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid == 0) {
    fail_to = pipes[1];
    child(spec, parent);
  }
  int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, 0);
  close(pipes[1]);
  if (pid < 0) {
    failure->step = CSB_FORK;
    failure->error = error;
  } else {
    ssize_t count;
    do count = read(pipes[0], failure, sizeof *failure);
    while (count < 0 && errno == EINTR);
    if (count == (ssize_t)sizeof *failure) {
      int status;
      while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
      }
      pid = -1;
    } else {
      failure->step = 0;
    }
  }
  close(pipes[0]);
  return pid;
}

int csb_pidfd(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int csb_memory_file(const void *bytes, size_t length) {
  int fd = memfd_create("proctor", MFD_CLOEXEC);
  if (fd < 0) return -1;
  size_t done = 0;
  while (done < length) {
    ssize_t count = write(fd, (const char *)bytes + done, length - done);
    if (count <= 0) {
      close(fd);
      return -1;
    }
    done += (size_t)count;
  }
  lseek(fd, 0, SEEK_SET);
  return fd;
}

int csb_event(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int csb_wait(pid_t pid, int *status, struct rusage *usage) {
  pid_t result;
  do result = wait4(pid, status, 0, usage);
  while (result < 0 && errno == EINTR);
  return result == pid ? 0 : -1;
}

int csb_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

void csb_widen_pipe(int fd) { fcntl(fd, F_SETPIPE_SZ, 1 << 20); }
