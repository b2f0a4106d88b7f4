#define _GNU_SOURCE
#include "csandbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef TIOCLINUX
#define TIOCLINUX 0x541C
#endif

// Calls that no test needs and that exploits begin with. Names that libseccomp is too old for are
// given by number, which since 424 is the same on every architecture.
static const char *const forbidden[] = {
    // namespaces and mounts
    "unshare", "setns", "mount", "umount", "umount2", "pivot_root", "chroot", "open_tree",
    "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
    // other processes
    "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "process_madvise",
    "migrate_pages", "move_pages",
    // the kernel and the machine
    "bpf", "perf_event_open", "userfaultfd", "init_module", "finit_module", "delete_module",
    "create_module", "get_kernel_syms", "query_module", "kexec_load", "kexec_file_load", "reboot",
    "swapon", "swapoff", "syslog", "acct", "quotactl", "quotactl_fd", "nfsservctl", "uselib",
    "ustat", "sysfs", "_sysctl", "vm86", "vm86old", "iopl", "ioperm", "modify_ldt", "vhangup",
    "lookup_dcookie", "settimeofday", "clock_settime", "clock_settime64", "clock_adjtime",
    "clock_adjtime64", "adjtimex", "stime", "sethostname", "setdomainname",
    // handles, keys, watches over file systems
    "open_by_handle_at", "name_to_handle_at", "fanotify_init", "fanotify_mark", "add_key",
    "request_key", "keyctl",
};
// statmount, listmount, open_tree_attr
static const int forbidden_numbers[] = {457, 458, 467};

// Answered as by a kernel that does not have them, so that libraries fall back: io_uring does what the
// filter would refuse, clone3 hides its flags in memory, and so does fchmodat2.
static const char *const unknown[] = {
    "io_uring_setup", "io_uring_enter", "io_uring_register", "clone3",
};
static const int unknown_numbers[] = {452};

// The newest call that was looked at; what comes later does not exist inside.
enum { NEWEST_CALL = 469 };

static const char *const file_calls[] = {
    "open", "openat", "openat2", "creat", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat",
    "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "truncate",
    "truncate64", "chmod", "fchmodat", "chown", "lchown", "fchownat", "mknod", "mknodat",
    "utimensat", "setxattr", "lsetxattr",
};

struct build {
  scmp_filter_ctx context;
  int error;
};

static void rule(struct build *build, uint32_t action, int call, unsigned count,
                 struct scmp_arg_cmp *arguments) {
  if (build->error || call < 0) return;
  int result = seccomp_rule_add_array(build->context, action, call, count, arguments);
  if (result < 0) build->error = -result;
}

static void named(struct build *build, uint32_t action, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++)
    rule(build, action, seccomp_syscall_resolve_name(names[i]), 0, 0);
}

static void masked(struct build *build, uint32_t action, int call, unsigned argument,
                   uint64_t mask, uint64_t value) {
  struct scmp_arg_cmp compare = {argument, SCMP_CMP_MASKED_EQ, mask, value};
  rule(build, action, call, 1, &compare);
}

static void sockets(struct build *build) {
  uint32_t refuse = SCMP_ACT_ERRNO(EAFNOSUPPORT);
  for (int family = 0; family < 64; family++) {
    if (family == AF_UNIX || family == AF_NETLINK || family == AF_INET || family == AF_INET6) continue;
    masked(build, refuse, SCMP_SYS(socket), 0, 0xffffffff, (uint64_t)family);
  }
  struct scmp_arg_cmp above = {0, SCMP_CMP_GE, 64, 0};
  rule(build, refuse, SCMP_SYS(socket), 1, &above);
  for (uint64_t protocol = 1; protocol < 32; protocol++) {
    struct scmp_arg_cmp netlink[] = {
        {0, SCMP_CMP_MASKED_EQ, 0xffffffff, AF_NETLINK},
        {2, SCMP_CMP_MASKED_EQ, 0xffffffff, protocol}};
    rule(build, refuse, SCMP_SYS(socket), 2, netlink);
  }
}

static void personalities(struct build *build) {
  // 0xffffffff asks for the present one.
  static const uint64_t dangerous[] = {
      MMAP_PAGE_ZERO, READ_IMPLIES_EXEC, ADDR_COMPAT_LAYOUT, SHORT_INODE, WHOLE_SECONDS};
  for (size_t i = 0; i < sizeof dangerous / sizeof *dangerous; i++) {
    struct scmp_arg_cmp both[] = {{0, SCMP_CMP_MASKED_EQ, dangerous[i] | 0x80000000, dangerous[i]}};
    rule(build, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(personality), 1, both);
  }
}

static void walls(struct build *build, const struct csb_filter_wish *wish) {
  (void)wish;
  uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
  uint32_t absent = SCMP_ACT_ERRNO(ENOSYS);
  named(build, refuse, forbidden, sizeof forbidden / sizeof *forbidden);
  for (size_t i = 0; i < sizeof forbidden_numbers / sizeof *forbidden_numbers; i++)
    rule(build, refuse, forbidden_numbers[i], 0, 0);
  named(build, absent, unknown, sizeof unknown / sizeof *unknown);
  for (size_t i = 0; i < sizeof unknown_numbers / sizeof *unknown_numbers; i++)
    rule(build, absent, unknown_numbers[i], 0, 0);
  static const uint64_t namespaces[] = {
      CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS,
      CLONE_NEWCGROUP};
  for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++)
    masked(build, refuse, SCMP_SYS(clone), 0, namespaces[i], namespaces[i]);
  // Only 32 bits count for the kernel, whatever stands above them.
  masked(build, refuse, SCMP_SYS(ioctl), 1, 0xffffffff, TIOCSTI);
  masked(build, refuse, SCMP_SYS(ioctl), 1, 0xffffffff, TIOCLINUX);
  masked(build, refuse, SCMP_SYS(ioctl), 1, 0xffffffff, TIOCSETD);
  static const uint64_t bits[] = {S_ISUID, S_ISGID};
  for (int i = 0; i < 2; i++) {
    masked(build, refuse, SCMP_SYS(chmod), 1, bits[i], bits[i]);
    masked(build, refuse, SCMP_SYS(fchmod), 1, bits[i], bits[i]);
    masked(build, refuse, SCMP_SYS(fchmodat), 2, bits[i], bits[i]);
    masked(build, refuse, SCMP_SYS(mknod), 1, bits[i], bits[i]);
    masked(build, refuse, SCMP_SYS(mknodat), 2, bits[i], bits[i]);
  }
  sockets(build);
  personalities(build);
}

static void watches(struct build *build, const struct csb_filter_wish *wish) {
  uint32_t ask = SCMP_ACT_NOTIFY;
  if (wish->watch_connections || wish->count_requests) {
    rule(build, ask, SCMP_SYS(connect), 0, 0);
    struct scmp_arg_cmp addressed = {4, SCMP_CMP_NE, 0, 0};
    rule(build, ask, SCMP_SYS(sendto), 1, &addressed);
  }
  if (wish->count_requests) {
    rule(build, ask, SCMP_SYS(sendmsg), 0, 0);
    rule(build, ask, SCMP_SYS(sendmmsg), 0, 0);
  }
  if (wish->count_files) named(build, ask, file_calls, sizeof file_calls / sizeof *file_calls);
}

// The program's bytes, behind `head` instructions that are left free.
static int export(scmp_filter_ctx context, size_t head, void **bytes, size_t *length) {
  int fd = memfd_create("filter", MFD_CLOEXEC);
  if (fd < 0) return errno;
  int result = -seccomp_export_bpf(context, fd);
  off_t size = lseek(fd, 0, SEEK_END);
  size_t offset = head * sizeof(struct sock_filter);
  char *buffer = 0;
  if (!result && size > 0) buffer = malloc(offset + (size_t)size);
  if (!buffer || pread(fd, buffer + offset, (size_t)size, 0) != size) {
    free(buffer);
    buffer = 0;
    if (!result) result = EIO;
  }
  close(fd);
  *bytes = buffer;
  *length = offset + (size_t)size;
  return result;
}

static int build(void (*rules)(struct build *, const struct csb_filter_wish *),
                 const struct csb_filter_wish *wish, size_t head, void **bytes, size_t *length) {
  struct build build = {seccomp_init(SCMP_ACT_ALLOW), 0};
  if (!build.context) return ENOMEM;
  // A binary tree: a call is found in a few comparisons.
  seccomp_attr_set(build.context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  int result = -seccomp_attr_set(build.context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  if (!result) rules(&build, wish);
  if (!result) result = build.error;
  if (!result) result = export(build.context, head, bytes, length);
  seccomp_release(build.context);
  return result;
}

int csb_build_filter(void **bytes, size_t *length) {
  int result = build(walls, 0, 3, bytes, length);
  if (result) return result;
  // libseccomp has no rule for numbers it has no name for.
  struct sock_filter head[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, NEWEST_CALL, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
  };
  memcpy(*bytes, head, sizeof head);
  return 0;
}

int csb_build_notifier(const struct csb_filter_wish *wish, void **bytes, size_t *length) {
  return build(watches, wish, 0, bytes, length);
}

const char *csb_forbidden_call(int index) {
  return index < (int)(sizeof forbidden / sizeof *forbidden) ? forbidden[index] : 0;
}

const char *csb_absent_call(int index) {
  return index < (int)(sizeof unknown / sizeof *unknown) ? unknown[index] : 0;
}

char *csb_call_name(int call) {
  return seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
}
