#pragma once
// The part of starting a sandboxed command that must happen between fork and exec, where Swift
// code may not run, and the system calls that Swift's C importer does not show.
#include <stdint.h>
#include <sys/types.h>
#include <sys/resource.h>

// One overlay to mount in the child's own mount namespace.
struct csb_overlay {
  // Lower folders, topmost first.
  const char *const *lowers;
  int lower_count;
  // NULL: a read-only overlay of the lowers.
  const char *upper;
  const char *work;
  const char *target;
};

struct csb_limit {
  int resource;
  uint64_t value;
};

struct csb_spec {
  const char *path;
  char *const *argv;
  char *const *envp;
  // NULL: stay.
  const char *directory;
  int stdout_fd;
  int stderr_fd;
  // Descriptors above 2 that the command inherits under the same numbers.
  const int *keep;
  int keep_count;
  // cgroup.procs files to join.
  const char *const *cgroups;
  int cgroup_count;
  const struct csb_overlay *overlays;
  int overlay_count;
  // Where to mount a tmpfs before the overlays, NULL for none.
  const char *tmpfs;
  // Folders to make after that mount.
  const char *const *folders;
  int folder_count;
  // Enter a user namespace that maps only the own ids, for mounting without privileges.
  int user_namespace;
  const struct csb_limit *limits;
  int limit_count;
};

// Where a start failed.
enum csb_step {
  CSB_FORK = 1,
  CSB_CGROUP,
  CSB_LIMIT,
  CSB_USER_NAMESPACE,
  CSB_MOUNT_NAMESPACE,
  CSB_TMPFS,
  CSB_OVERLAY,
  CSB_DIRECTORY,
  CSB_DESCRIPTORS,
  CSB_EXEC,
};

struct csb_failure {
  int step;
  int error;
};

// Starts the command. The child is a session leader, dies with the calling thread, has stdin from
// /dev/null, default signal handling and no descriptors but those named.
// Returns its process id, or -1 with `failure` filled in.
pid_t csb_spawn(const struct csb_spec *spec, struct csb_failure *failure);

// pidfd_open(2).
int csb_pidfd(pid_t pid);
// A sealed-by-convention memory file holding `length` bytes, positioned at its start, or -1.
int csb_memory_file(const void *bytes, size_t length);
// eventfd(2), non-blocking, close-on-exec.
int csb_event(void);
// wait4(2) without WNOHANG, retried on EINTR.
int csb_wait(pid_t pid, int *status, struct rusage *usage);
// Makes orphaned descendants children of this process.
int csb_become_subreaper(void);
// F_SETPIPE_SZ, best effort.
void csb_widen_pipe(int fd);
