#pragma once
// The part of starting a sandboxed command that must happen between fork and exec, where Swift
// code may not run, and the system calls that Swift's C importer does not show.
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

// What a step of building the sandbox's file system does. Targets are absolute inside the new root, are
// created as needed, and never leave it, whatever links stand in them; without a new root they are
// existing host folders.
enum csb_step_kind {
  // A folder with permissions `mode`.
  CSB_FOLDER = 1,
  // A symbolic link that says `source`.
  CSB_LINK,
  // A file that holds `bytes`, with permissions `mode`.
  CSB_FILE,
  // A memory file system with the mount options `source`.
  CSB_TMPFS,
  // The host's `source` with all that is mounted below it.
  CSB_BIND,
  // The same, but `source` is a path inside the new root.
  CSB_BIND_INSIDE,
  // An overlay of `lowers` (topmost first), with `upper` and `work` unless read-only.
  CSB_OVERLAY,
  // The process file system of the new process namespace.
  CSB_PROC,
  // Pseudo-terminals of its own.
  CSB_PTS,
  // Makes the one mount at the target read-only.
  CSB_SEAL,
  // Writes `bytes` into an existing file.
  CSB_WRITE,
  // Leaves room for `length` bytes and `mode` files, 0 for any, in the memory file system at the target.
  CSB_ROOM,
};

// Flags of CSB_BIND and CSB_BIND_INSIDE, and of CSB_OVERLAY: its upper layer is thrown away; files of which
// only the owner changes share their contents with the lower layer.
enum { CSB_READ_ONLY = 1, CSB_DEVICES = 2, CSB_OPTIONAL = 4, CSB_VOLATILE = 8,
       CSB_SHARED = 16 };

struct csb_step {
  int kind;
  int flags;
  unsigned mode;
  const char *source;
  const char *target;
  const void *bytes;
  size_t length;
  const char *const *lowers;
  int lower_count;
  // NULL: a read-only overlay of the lowers.
  const char *upper;
  const char *work;
};

// CLONE_NEW* under names that Swift can import.
enum {
  CSB_NEW_MOUNT = 0x00020000,
  CSB_NEW_CGROUP = 0x02000000,
  CSB_NEW_UTS = 0x04000000,
  CSB_NEW_IPC = 0x08000000,
  CSB_NEW_USER = 0x10000000,
  CSB_NEW_PROCESS = 0x20000000,
  CSB_NEW_NETWORK = 0x40000000,
};

struct csb_limit {
  int resource;
  uint64_t value;
};

// One Landlock rule: what may be done at and below a path inside.
struct csb_rule {
  const char *path;
  uint64_t rights;
};

struct csb_spec {
  // Where the program may be, tried in turn inside; the last is NULL.
  const char *const *paths;
  char *const *argv;
  char *const *envp;
  // NULL: stay.
  const char *directory;
  // Negative for /dev/null.
  int stdin_fd;
  int stdout_fd;
  int stderr_fd;
  // Descriptors above 2 that the command inherits under the same numbers.
  const int *keep;
  int keep_count;
  // cgroup.procs files to join.
  const char *const *cgroups;
  int cgroup_count;
  // CSB_NEW_* flags; with CSB_NEW_PROCESS the command runs below an init of its own.
  uint64_t namespaces;
  // Without CSB_NEW_PROCESS: run below such an init all the same, as the parent of all orphans.
  int reaps;
  // An empty host folder to mount the new root on; NULL to stay in the host's file system.
  const char *root;
  const struct csb_step *steps;
  int step_count;
  // Bring the loopback interface up.
  int loopback;
  const struct csb_limit *limits;
  int limit_count;
  // Drop every capability and all ways to new ones.
  int drop_privileges;
  // Landlock: what is handled, and the rules; no ruleset when `landlock_files` is 0.
  uint64_t landlock_files;
  uint64_t landlock_scopes;
  const struct csb_rule *rules;
  int rule_count;
  // Seccomp programs (struct sock_filter[]), installed in order; the last is asked first.
  const void *filter;
  size_t filter_length;
  // A program whose notifications the supervisor answers; its listener is sent over `notify_fd`.
  const void *notifier;
  size_t notifier_length;
  int notify_fd;
  // Where the init writes a struct csb_ending; -1 without an init.
  int ending_fd;
  // A folder inside whose file system's free space is part of the ending; NULL for none.
  const char *scratch;
};

// What the init saw.
struct csb_ending {
  // As wait(2) gives it.
  int status;
  uint64_t scratch_free_bytes;
  uint64_t scratch_free_files;
};

// Where a start failed.
enum csb_stage {
  CSB_FORK = 1,
  CSB_CGROUP,
  CSB_LIMIT,
  CSB_NAMESPACES,
  CSB_USER_NAMESPACE,
  CSB_ROOT,
  CSB_STEP,
  CSB_LOOPBACK,
  CSB_PRIVILEGES,
  CSB_LANDLOCK,
  CSB_SECCOMP,
  CSB_DIRECTORY,
  CSB_DESCRIPTORS,
  CSB_EXEC,
};

struct csb_failure {
  int stage;
  int error;
  // The step that failed, when `stage` is CSB_STEP.
  int step;
};

// Starts the command. The child is a session leader, dies with the calling thread, has only the streams named,
// default signal handling and no descriptors but those named.
// Returns the process id of the command, or of its init, or -1 with `failure` filled in.
pid_t csb_spawn(const struct csb_spec *spec, struct csb_failure *failure);

// Which calls a notifier hands to the supervisor: connections, or every way to send; calls that open,
// make or change files.
struct csb_filter_wish {
  int watch_connections;
  int count_requests;
  int count_files;
};
// Seccomp programs (struct sock_filter[]) built with libseccomp; *bytes is malloc'ed. 0, or an errno.
int csb_build_filter(void **bytes, size_t *length);
int csb_build_notifier(const struct csb_filter_wish *wish, void **bytes, size_t *length);
// One refusal of the filter: a call, only when all `count` arguments match, fails with `error`.
struct csb_call_rule {
  const char *name;
  int error;
  int count;
  struct csb_argument {
    unsigned index;
    uint64_t mask;
    uint64_t value;
  } arguments[2];
};
// All refusals; returns how many there are, at most `capacity` are written.
size_t csb_call_rules(struct csb_call_rule *rules, size_t capacity);
// The name of a system call; NULL for an unknown one. malloc'ed.
char *csb_call_name(int call);

// The version of Landlock's interface that the kernel offers; 0 for none.
int csb_landlock_version(void);

// A notification of a system call that waits for an answer.
struct csb_notification {
  uint64_t id;
  pid_t pid;
  int call;
  uint64_t arguments[6];
};
// The listener that the init sent over a socket, or -1.
int csb_receive_listener(int socket);
// 0, or -1 when there is none (the caller is gone).
int csb_notification_receive(int listener, struct csb_notification *notification);
// Lets the call go on (`error` 0) or fail with an errno.
void csb_notification_answer(int listener, uint64_t id, int error);
// Copies memory of another process; the number of bytes, or -1.
ssize_t csb_read_memory(pid_t pid, uint64_t address, void *buffer, size_t length);

// Whether a file, links not followed, has an extended attribute.
int csb_has_attribute(const char *path, const char *name);
// pidfd_open(2).
int csb_pidfd(pid_t pid);
// A memory file holding `length` bytes, positioned at its start, or -1.
int csb_memory_file(const void *bytes, size_t length);
// Whether memory file systems keep extended attributes of users.
int csb_memory_holds_attributes(void);
// eventfd(2), non-blocking, close-on-exec.
int csb_event(void);
// wait4(2) without WNOHANG, retried on EINTR.
int csb_wait(pid_t pid, int *status, struct rusage *usage);
// F_SETPIPE_SZ, best effort.
void csb_widen_pipe(int fd);
// The user and the process at the other end of a local socket, as they were when it connected; 0, or -1 when that cannot
// be told.
int csb_peer(int socket, uid_t *user, pid_t *process);
// Starts a program in a session of its own, with / as its folder and nothing of the caller's open; its process, or -1.
int csb_start_detached(const char *path, char *const argv[], char *const environment[]);
