#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Landlock's interface, of which supported systems have older headers.
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 };
struct ruleset { uint64_t files, network, scopes; };
struct path_rule { uint64_t rights; int32_t fd; } __attribute__((packed));
// Rights that a file, as opposed to a folder, can have: execute, write, read, truncate, ioctl.
static const uint64_t file_rights = 1 | 2 | 4 | 1 << 14 | 1 << 15;

int csb_landlock_version(void) {
  long version = syscall(CREATE_RULESET, 0, 0, 1);
  return version > 0 ? (int)version : 0;
}

void csb_restrict_files(const struct csb_spec *spec) {
  struct ruleset rules = {spec->landlock_files, 0, spec->landlock_scopes};
  // Old kernels take the shorter structure only.
  size_t size = spec->landlock_scopes ? sizeof rules : sizeof rules.files;
  int set = (int)syscall(CREATE_RULESET, &rules, size, 0);
  if (set < 0) csb_fail(CSB_LANDLOCK);
  for (int i = 0; i < spec->rule_count; i++) {
    int fd = open(spec->rules[i].path, O_PATH | O_CLOEXEC);
    if (fd < 0) {
      if (errno == ENOENT) continue;
      csb_fail(CSB_LANDLOCK);
    }
    struct stat status;
    uint64_t rights = spec->rules[i].rights & spec->landlock_files;
    if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode)) rights &= file_rights;
    struct path_rule rule = {rights, fd};
    if (rights && syscall(ADD_RULE, set, 1, &rule, 0) != 0) csb_fail(CSB_LANDLOCK);
    close(fd);
  }
  if (syscall(RESTRICT_SELF, set, 0) != 0) csb_fail(CSB_LANDLOCK);
  close(set);
}

void csb_drop_privileges(void) {
  for (int capability = 0; capability < 64; capability++)
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL)
      csb_fail(CSB_PRIVILEGES);
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2];
  memset(none, 0, sizeof none);
  if (syscall(SYS_capset, &header, none) != 0) csb_fail(CSB_PRIVILEGES);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) csb_fail(CSB_PRIVILEGES);
}

int csb_listener = -1;

void csb_send_listener(int socket) {
  int fd = csb_listener;
  char byte = 0;
  struct iovec data = {&byte, 1};
  union {
    char bytes[CMSG_SPACE(sizeof fd)];
    struct cmsghdr header;
  } control;
  memset(&control, 0, sizeof control);
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes,
      .msg_controllen = sizeof control.bytes};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (sendmsg(socket, &message, MSG_NOSIGNAL) != 1) csb_fail(CSB_SECCOMP);
}

static struct sock_fprog program(const void *bytes, size_t length) {
  struct sock_fprog result = {
      (unsigned short)(length / sizeof(struct sock_filter)), (struct sock_filter *)bytes};
  return result;
}

void csb_filter_calls(const struct csb_spec *spec) {
  if (!spec->filter && !spec->notifier) return;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) csb_fail(CSB_SECCOMP);
  if (spec->notifier) {
    struct sock_fprog notifier = program(spec->notifier, spec->notifier_length);
    // A signal that does not kill must not make a counted call happen twice.
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | 1ul << 5 /* WAIT_KILLABLE_RECV */;
    long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &notifier);
    if (listener < 0 && errno == EINVAL)
      listener = syscall(
          SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &notifier);
    if (listener < 0) csb_fail(CSB_SECCOMP);
    csb_listener = (int)listener;
  }
  if (spec->filter) {
    struct sock_fprog filter = program(spec->filter, spec->filter_length);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) csb_fail(CSB_SECCOMP);
  }
}
