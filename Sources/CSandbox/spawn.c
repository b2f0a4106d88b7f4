#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static int fail_to;

static _Noreturn void report(int stage, int step) {
  struct csb_failure failure = {stage, errno, step};
  ssize_t ignored = write(fail_to, &failure, sizeof failure);
  (void)ignored;
  _exit(125);
}

void csb_fail(int stage) { report(stage, 0); }
void csb_fail_step(int step) { report(CSB_STEP, step); }

char *csb_append(char *at, char *end, const char *text) {
  while (*text && at < end) *at++ = *text++;
  return at;
}

char *csb_append_number(char *at, char *end, uint64_t number) {
  char digits[20];
  int count = 0;
  do digits[count++] = (char)('0' + number % 10);
  while (number /= 10);
  while (count && at < end) *at++ = digits[--count];
  return at;
}

static void write_file(const char *path, const char *text, int stage) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) csb_fail(stage);
  if (write(fd, text, strlen(text)) < 0) csb_fail(stage);
  close(fd);
}

static void map_ids(uid_t uid, gid_t gid) {
  write_file("/proc/self/setgroups", "deny", CSB_USER_NAMESPACE);
  char map[64];
  char *end = map + sizeof map - 1;
  for (int group = 0; group < 2; group++) {
    unsigned id = group ? gid : uid;
    char *at = csb_append_number(map, end, id);
    at = csb_append(at, end, " ");
    at = csb_append_number(at, end, id);
    at = csb_append(at, end, " 1");
    *at = 0;
    write_file(group ? "/proc/self/gid_map" : "/proc/self/uid_map", map, CSB_USER_NAMESPACE);
  }
}

// Tools take a process id for unique on a machine, such as in the names of files beside those they replace, and
// folders that several sandboxes share are kept between runs: each sandbox counts from elsewhere. Best effort: a
// kernel without the setting counts from 2.
static void spread_process_ids(void) {
  uint32_t number;
  int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (getrandom(&number, sizeof number, GRND_NONBLOCK) == (ssize_t)sizeof number) {
    char text[16];
    // Below the smallest default of pid_max.
    char *at = csb_append_number(text, text + sizeof text, 1000 + number % 30000);
    ssize_t ignored = write(fd, text, (size_t)(at - text));
    (void)ignored;
  }
  close(fd);
}

static void raise_loopback(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request;
  memset(&request, 0, sizeof request);
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) != 0) csb_fail(CSB_LOOPBACK);
  close(fd);
}

// The network namespace of a sandbox, made by a process beside the one that builds the root: the kernel takes as
// long for it as for all else together. They share memory and descriptors; of the C library's state only errno
// is used, which is written to when a call fails, and then nothing starts.
static int network_fd;
static pid_t network_maker;

static int make_network(void *argument) {
  const struct csb_spec *spec = argument;
  if (unshare(CLONE_NEWNET) != 0) csb_fail(CSB_NAMESPACES);
  if (spec->loopback) raise_loopback();
  network_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (network_fd < 0) csb_fail(CSB_NAMESPACES);
  _exit(0);
}

static void begin_network(const struct csb_spec *spec) {
  static char stack[1 << 14] __attribute__((aligned(16)));
  network_maker = clone(
      make_network, stack + sizeof stack, CLONE_VM | CLONE_FILES | SIGCHLD, (void *)spec);
  if (network_maker < 0) csb_fail(CSB_FORK);
}

static void enter_network(void) {
  int status;
  while (waitpid(network_maker, &status, 0) < 0)
    if (errno != EINTR) csb_fail(CSB_NAMESPACES);
  // It has said itself what went wrong.
  if (status != 0) _exit(125);
  if (setns(network_fd, CLONE_NEWNET) != 0) csb_fail(CSB_NAMESPACES);
  close(network_fd);
}

// Everything is marked close-on-exec rather than closed: the failure pipe must live until then.
static void seal_descriptors(const struct csb_spec *spec) {
  if (syscall(SYS_close_range, 3u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */) != 0) {
    for (int fd = 3; fd < 65536; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  for (int i = 0; i < spec->keep_count; i++)
    if (fcntl(spec->keep[i], F_SETFD, 0) != 0) csb_fail(CSB_DESCRIPTORS);
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

static void die_with_parent(void) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) _exit(125);
  // The parent may be gone already. Its process id means nothing here, but its end of the failure pipe
  // closed with it.
  struct pollfd end = {fail_to, 0, 0};
  if (poll(&end, 1, 0) != 0) _exit(125);
}

static void redirect(const struct csb_spec *spec) {
  int input = spec->stdin_fd >= 0 ? spec->stdin_fd : open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (input < 0 || dup2(input, 0) < 0 || dup2(spec->stdout_fd, 1) < 0 || dup2(spec->stderr_fd, 2) < 0)
    csb_fail(CSB_DESCRIPTORS);
}

// The last stretch, in the process that becomes the command.
static _Noreturn void become(const struct csb_spec *spec) {
  for (int i = 0; i < spec->limit_count; i++) {
    rlim_t value = spec->limits[i].value;
    // At its soft limit of processor time a process gets the signal that says so, at the hard one it is killed.
    struct rlimit limit = {value, value + (spec->limits[i].resource == (int)RLIMIT_CPU)};
    if (setrlimit((__rlimit_resource_t)spec->limits[i].resource, &limit) != 0) csb_fail(CSB_LIMIT);
  }
  if (spec->directory && chdir(spec->directory) != 0) csb_fail(CSB_DIRECTORY);
  seal_descriptors(spec);
  if (spec->landlock_files) csb_restrict_files(spec);
  csb_filter_calls(spec);
  int error = ENOENT;
  for (const char *const *path = spec->paths; *path; path++) {
    execve(*path, spec->argv, spec->envp);
    // As in a shell: what is found but cannot be run says more than what is not there.
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
    if (error != ENOENT && error != EACCES) break;
  }
  errno = error;
  csb_fail(CSB_EXEC);
}

// Process 1 of the sandbox: reaps orphans, and ends, and all others with it, when the command ends. Without a
// namespace of its own, what is left then is the supervisor's to find.
static _Noreturn void be_init(const struct csb_spec *spec, pid_t command) {
  // The command's signals to its group are not for the init.
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, 0);
  if (spec->ending_fd != 3) dup2(spec->ending_fd, 3);
  if (syscall(SYS_close_range, 4u, ~0u, 0u) != 0)
    for (int fd = 4; fd < 65536; fd++) close(fd);
  for (int fd = 0; fd < 3; fd++) close(fd);
  struct csb_ending ending = {0, ~0ull, ~0ull};
  for (;;) {
    pid_t pid = waitpid(-1, &ending.status, 0);
    if (pid == command && !WIFSTOPPED(ending.status)) break;
    if (pid < 0 && errno != EINTR) _exit(125);
  }
  struct statfs space;
  if (spec->scratch && statfs(spec->scratch, &space) == 0) {
    ending.scratch_free_bytes = (uint64_t)space.f_bavail * (uint64_t)space.f_bsize;
    ending.scratch_free_files = space.f_ffree;
  }
  ssize_t ignored = write(3, &ending, sizeof ending);
  (void)ignored;
  _exit(0);
}

static int begin_below(void *argument) {
  const struct csb_spec *spec = argument;
  if (spec->namespaces & CLONE_NEWPID) setsid();
  else die_with_parent();
  become(spec);
}

// As vfork does, the command runs in the memory of the init until its program starts; with the same
// descriptors too, so that the init has the listener that the command's filter made.
static pid_t start_below(const struct csb_spec *spec) {
  static char stack[1 << 16] __attribute__((aligned(16)));
  pid_t pid = clone(
      begin_below, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, (void *)spec);
  if (pid < 0) csb_fail(CSB_FORK);
  if (csb_listener >= 0) csb_send_listener(spec->notify_fd);
  return pid;
}

static _Noreturn void child(const struct csb_spec *spec, uid_t uid, gid_t gid) {
  reset_signals();
  if (spec->namespaces & CLONE_NEWNET) begin_network(spec);
  setsid();
  die_with_parent();
  redirect(spec);
  for (int i = 0; i < spec->cgroup_count; i++) write_file(spec->cgroups[i], "0", CSB_CGROUP);
  if (spec->namespaces) {
    // The group's own view of control groups begins where it was just put.
    uint64_t late = spec->namespaces & ~(uint64_t)(CLONE_NEWPID | CLONE_NEWNET);
    if (spec->namespaces & CLONE_NEWPID) late &= CLONE_NEWCGROUP;
    if (late && unshare((int)late) != 0) csb_fail(CSB_NAMESPACES);
    if (spec->namespaces & CLONE_NEWUSER) map_ids(uid, gid);
    if (spec->namespaces & CLONE_NEWPID) spread_process_ids();
    if (mount(0, "/", 0, MS_REC | MS_PRIVATE, 0) != 0) csb_fail(CSB_ROOT);
  }
  if (spec->namespaces & CLONE_NEWUTS) sethostname("sandbox", 7);
  if (spec->root) csb_build_root(spec);
  else csb_build_overlays(spec);
  if (spec->namespaces & CLONE_NEWNET) enter_network();
  if (spec->drop_privileges) csb_drop_privileges();
  // Changing ids and namespaces clears the parent-death signal.
  die_with_parent();
  if (!(spec->namespaces & CLONE_NEWPID)) {
    if (!spec->reaps) become(spec);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) csb_fail(CSB_PRIVILEGES);
  }
  // The memory of the init is a copy of proctor's: closed before anybody lives who could look into it.
  if (prctl(PR_SET_DUMPABLE, 0) != 0) csb_fail(CSB_PRIVILEGES);
  be_init(spec, start_below(spec));
}

pid_t csb_spawn(const struct csb_spec *spec, struct csb_failure *failure) {
  int pipes[2];
  *failure = (struct csb_failure){0, 0, 0};
  if (pipe2(pipes, O_CLOEXEC) != 0) {
    failure->stage = CSB_FORK;
    failure->error = errno;
    return -1;
  }
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  uid_t uid = geteuid();
  gid_t gid = getegid();
  uint64_t flags = SIGCHLD;
  // Those of an init are entered at birth: a process namespace cannot be entered later.
  if (spec->namespaces & CLONE_NEWPID)
    flags |= spec->namespaces & ~(uint64_t)(CLONE_NEWCGROUP | CLONE_NEWNET);
#if defined(__x86_64__) || defined(__aarch64__)
  pid_t pid = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
#else
#error "the order of clone's arguments is not known for this architecture"
#endif
  if (pid == 0) {
    close(pipes[0]);
    fail_to = pipes[1];
    child(spec, uid, gid);
  }
  int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, 0);
  close(pipes[1]);
  if (pid < 0) {
    failure->stage = (spec->namespaces & CLONE_NEWPID) ? CSB_NAMESPACES : CSB_FORK;
    failure->error = error;
  } else {
    ssize_t count;
    do count = read(pipes[0], failure, sizeof *failure);
    while (count < 0 && errno == EINTR);
    if (count == (ssize_t)sizeof *failure) {
      int status;
      kill(pid, SIGKILL);
      while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
      }
      pid = -1;
    } else {
      failure->stage = 0;
    }
  }
  close(pipes[0]);
  return pid;
}
