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

// Calls that no test needs and that exploits begin with. libseccomp is too old for the names of some; their
// numbers, which since 424 are the same on every architecture, stand below.
static const char *const forbidden[] = {
    // namespaces and mounts
    "unshare", "setns", "mount", "umount", "umount2", "pivot_root", "chroot", "open_tree",
    "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "statmount", "listmount",
    "open_tree_attr",
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

// Answered as by a kernel that does not have them, so that libraries fall back: io_uring does what the
// filter would refuse, clone3 hides its flags in memory, and so does fchmodat2.
static const char *const unknown[] = {
    "io_uring_setup", "io_uring_enter", "io_uring_register", "clone3", "fchmodat2",
};

static const struct {
  const char *name;
  int number;
} numbers[] = {{"fchmodat2", 452}, {"statmount", 457}, {"listmount", 458}, {"open_tree_attr", 467}};

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

// The walls, in a form that the kernel's filter and container engines' profiles are made from.
struct table {
  struct csb_call_rule *rules;
  size_t capacity, count;
};

static void add(struct table *table, struct csb_call_rule rule) {
  if (table->count < table->capacity) table->rules[table->count] = rule;
  table->count++;
}

static void masked(struct table *table, const char *name, int error, unsigned argument,
                   uint64_t mask, uint64_t value) {
  add(table, (struct csb_call_rule){name, error, 1, {{argument, mask, value}}});
}

static void sockets(struct table *table) {
  for (uint64_t family = 0; family < 64; family++) {
    if (family == AF_UNIX || family == AF_NETLINK || family == AF_INET || family == AF_INET6) continue;
    masked(table, "socket", EAFNOSUPPORT, 0, 0xffffffff, family);
  }
  for (int bit = 6; bit < 32; bit++)
    masked(table, "socket", EAFNOSUPPORT, 0, 1ull << bit, 1ull << bit);
  // Of netlink only the one that tells of routes and addresses.
  for (uint64_t protocol = 1; protocol < 32; protocol++)
    add(table, (struct csb_call_rule){
                   "socket", EAFNOSUPPORT, 2,
                   {{0, 0xffffffff, AF_NETLINK}, {2, 0xffffffff, protocol}}});
}

size_t csb_call_rules(struct csb_call_rule *rules, size_t capacity) {
  struct table table = {rules, capacity, 0};
  for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
    add(&table, (struct csb_call_rule){forbidden[i], EPERM, 0, {{0}}});
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
    add(&table, (struct csb_call_rule){unknown[i], ENOSYS, 0, {{0}}});
  static const uint64_t namespaces[] = {
      CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS,
      CLONE_NEWCGROUP};
  for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++)
    masked(&table, "clone", EPERM, 0, namespaces[i], namespaces[i]);
  // Only 32 bits count for the kernel, whatever stands above them.
  static const uint64_t terminals[] = {TIOCSTI, TIOCLINUX, TIOCSETD};
  for (size_t i = 0; i < sizeof terminals / sizeof *terminals; i++)
    masked(&table, "ioctl", EPERM, 1, 0xffffffff, terminals[i]);
  static const uint64_t bits[] = {S_ISUID, S_ISGID};
  for (int i = 0; i < 2; i++) {
    masked(&table, "chmod", EPERM, 1, bits[i], bits[i]);
    masked(&table, "fchmod", EPERM, 1, bits[i], bits[i]);
    masked(&table, "fchmodat", EPERM, 2, bits[i], bits[i]);
    masked(&table, "mknod", EPERM, 1, bits[i], bits[i]);
    masked(&table, "mknodat", EPERM, 2, bits[i], bits[i]);
  }
  sockets(&table);
  // 0xffffffff asks for the present one.
  static const uint64_t personalities[] = {
      MMAP_PAGE_ZERO, READ_IMPLIES_EXEC, ADDR_COMPAT_LAYOUT, SHORT_INODE, WHOLE_SECONDS};
  for (size_t i = 0; i < sizeof personalities / sizeof *personalities; i++)
    masked(&table, "personality", EPERM, 0, personalities[i] | 0x80000000, personalities[i]);
  return table.count;
}

static int call_number(const char *name) {
  int call = seccomp_syscall_resolve_name(name);
  for (size_t i = 0; call == __NR_SCMP_ERROR && i < sizeof numbers / sizeof *numbers; i++)
    if (!strcmp(numbers[i].name, name)) call = numbers[i].number;
  return call;
}

static void walls(struct build *build, const struct csb_filter_wish *wish) {
  (void)wish;
  enum { MOST = 512 };
  struct csb_call_rule rules[MOST];
  size_t count = csb_call_rules(rules, MOST);
  if (count > MOST) build->error = E2BIG;
  for (size_t i = 0; i < count && !build->error; i++) {
    struct scmp_arg_cmp compare[2];
    for (int k = 0; k < rules[i].count; k++)
      compare[k] = (struct scmp_arg_cmp){rules[i].arguments[k].index, SCMP_CMP_MASKED_EQ,
                                         rules[i].arguments[k].mask, rules[i].arguments[k].value};
    rule(build, SCMP_ACT_ERRNO((uint32_t)rules[i].error), call_number(rules[i].name),
         (unsigned)rules[i].count, compare);
  }
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
  for (size_t i = 0; wish->count_files && i < sizeof file_calls / sizeof *file_calls; i++)
    rule(build, ask, seccomp_syscall_resolve_name(file_calls[i]), 0, 0);
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

char *csb_call_name(int call) {
  return seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
}
