#define _GNU_SOURCE
#include "cattacks.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_alg.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef const struct attack_target *target_t;
#define ATTACK(name) static int name(target_t t __attribute__((unused)))

static int through(int succeeded) { return succeeded ? ATTACK_GOT_THROUGH : ATTACK_BLOCKED; }

// A privileged call with senseless arguments: any complaint but a refusal means that the kernel looked
// at them.
static int reached(long result) {
  return through(result >= 0 || (errno != EPERM && errno != ENOSYS && errno != EACCES));
}

static int holds_token(target_t t, int fd) {
  char buffer[65536];
  ssize_t count = fd < 0 ? -1 : read(fd, buffer, sizeof buffer);
  if (fd >= 0) close(fd);
  return count > 0 && memmem(buffer, (size_t)count, t->token, strlen(t->token)) != 0;
}

static int readable(target_t t, const char *path) {
  return through(holds_token(t, open(path, O_RDONLY | O_CLOEXEC)));
}

static char *join(const char *folder, const char *name) {
  char *path = 0;
  if (asprintf(&path, "%s/%s", folder, name) < 0) abort();
  return path;
}

static int can_open(const char *path, int flags) {
  int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

// Files

ATTACK(read_secret) { return readable(t, t->secret); }

ATTACK(list_outside) {
  DIR *folder = opendir(t->outside);
  int seen = 0;
  const char *name = strrchr(t->secret, '/') + 1;
  for (struct dirent *entry; folder && (entry = readdir(folder));)
    if (!strcmp(entry->d_name, name)) seen = 1;
  if (folder) closedir(folder);
  return through(seen);
}

static int write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
  int done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  if (fd >= 0) close(fd);
  return done;
}

ATTACK(write_outside) { return through(write_file(join(t->outside, "written"), "x")); }
ATTACK(change_workspace) { return through(write_file(join(t->workspace, "file"), "changed")); }

ATTACK(plant_git_hook) {
  mkdir(join(t->workspace, ".git"), 0755);
  mkdir(join(t->workspace, ".git/hooks"), 0755);
  return through(write_file(join(t->workspace, ".git/hooks/pre-commit"), "#!/bin/sh\n"));
}

ATTACK(plant_conftest) { return through(write_file(join(t->workspace, "conftest.py"), "")); }
ATTACK(remove_file) { return through(unlink(join(t->workspace, "file")) == 0); }

ATTACK(follow_symlink) {
  char *link = join(t->workspace, "link");
  unlink(link);
  if (symlink(t->secret, link) != 0) return ATTACK_BLOCKED;
  int result = readable(t, link);
  unlink(link);
  return result;
}

ATTACK(hard_link) {
  char *name = join(t->workspace, "hard");
  unlink(name);
  if (link(t->secret, name) != 0) return ATTACK_BLOCKED;
  unlink(name);
  return ATTACK_GOT_THROUGH;
}

ATTACK(climb_dots) {
  return readable(t, join(join(t->workspace, "../outside"), strrchr(t->secret, '/') + 1));
}

ATTACK(proc_root) { return readable(t, join("/proc/self/root", t->secret)); }
ATTACK(proc_parent_root) {
  char path[4096];
  snprintf(path, sizeof path, "/proc/%d/root%s", (int)getppid(), t->secret);
  return readable(t, path);
}
ATTACK(proc_thread_cwd) {
  char path[4096];
  snprintf(path, sizeof path, "/proc/%d/cwd/../outside/%s", (int)t->victim, strrchr(t->secret, '/') + 1);
  return readable(t, path);
}

ATTACK(open_by_handle) {
  struct { struct file_handle head; unsigned char room[128]; } handle = {.head = {.handle_bytes = 128}};
  int mount_id;
  if (name_to_handle_at(AT_FDCWD, t->secret, &handle.head, &mount_id, 0) != 0) return ATTACK_BLOCKED;
  int place = open(t->outside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return through(holds_token(t, open_by_handle_at(place, &handle.head, O_RDONLY)));
}

ATTACK(set_user_id_bit) {
  char *path = join(t->workspace, "suid");
  if (!write_file(path, "")) return ATTACK_NOT_APPLICABLE;
  int result = chmod(path, 04755);
  unlink(path);
  return through(result == 0);
}

ATTACK(make_device) {
  char *path = join(t->area, "device");
  unlink(path);
  int result = mknod(path, S_IFBLK | 0600, makedev(7, 0));
  unlink(path);
  return through(result == 0);
}

ATTACK(open_block_device) {
  DIR *folder = opendir("/sys/class/block");
  int opened = 0;
  for (struct dirent *entry; folder && (entry = readdir(folder));)
    if (entry->d_name[0] != '.' && can_open(join("/dev", entry->d_name), O_RDONLY)) opened = 1;
  if (folder) closedir(folder);
  return through(opened);
}

ATTACK(list_sys) {
  DIR *folder = opendir("/sys/kernel");
  int seen = 0;
  for (struct dirent *entry; folder && (entry = readdir(folder));) seen += entry->d_name[0] != '.';
  if (folder) closedir(folder);
  return through(seen > 0);
}

ATTACK(join_other_cgroup) {
  static const char *const paths[] = {
      "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/cgroup.procs",
      "/sys/fs/cgroup/unified/cgroup.procs"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
    if (can_open(paths[i], O_WRONLY)) return ATTACK_GOT_THROUGH;
  return ATTACK_BLOCKED;
}

// Descriptors and environment

ATTACK(inherited_descriptor) {
  char buffer[256];
  ssize_t count = pread(t->descriptor, buffer, sizeof buffer, 0);
  return through(count > 0 && memmem(buffer, (size_t)count, t->token, strlen(t->token)));
}

ATTACK(environment_secret) {
  const char *value = getenv("PROCTOR_SELFTEST_TOKEN");
  return through(value && !strcmp(value, t->token));
}

ATTACK(no_new_privileges_unset) { return through(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0); }

ATTACK(capabilities) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
  if (syscall(SYS_capget, &header, data) != 0) return ATTACK_NOT_APPLICABLE;
  return through(data[0].effective || data[1].effective || data[0].permitted || data[1].permitted);
}

ATTACK(other_user) { return through(setresuid(12345, 12345, 12345) == 0); }
ATTACK(other_group) { return through(setresgid(12345, 12345, 12345) == 0); }

// Processes

ATTACK(see_process) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/cmdline", (int)t->victim);
  return through(can_open(path, O_RDONLY));
}
ATTACK(signal_process) { return through(kill(t->victim, 0) == 0); }
ATTACK(process_environment) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/environ", (int)t->victim);
  return readable(t, path);
}
ATTACK(process_memory) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/mem", (int)t->victim);
  return through(can_open(path, O_RDWR));
}
ATTACK(trace_process) {
  long result = ptrace(PTRACE_SEIZE, t->victim, 0, 0);
  if (result == 0) ptrace(PTRACE_DETACH, t->victim, 0, 0);
  return through(result == 0);
}
ATTACK(first_process_memory) { return through(can_open("/proc/1/mem", O_RDONLY)); }
ATTACK(first_process_environment) {
  char buffer[16];
  int fd = open("/proc/1/environ", O_RDONLY | O_CLOEXEC);
  ssize_t count = fd < 0 ? -1 : read(fd, buffer, sizeof buffer);
  return through(fd >= 0 && count >= 0);
}
ATTACK(first_process_descriptors) {
  char target[4096];
  return through(readlink("/proc/1/fd/0", target, sizeof target) > 0
                 || readlink("/proc/1/fd/3", target, sizeof target) > 0);
}
ATTACK(trace_child) {
  pid_t pid = fork();
  if (pid == 0) _exit(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0 ? 0 : 1);
  int status = 0;
  waitpid(pid, &status, 0);
  return through(status == 0);
}
ATTACK(read_memory_across) {
  int value = 42, copy = 0;
  struct iovec local = {&copy, sizeof copy}, remote = {&value, sizeof value};
  return through(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == sizeof copy);
}
ATTACK(write_memory_across) {
  int value = 42, copy = 0;
  struct iovec local = {&value, sizeof value}, remote = {&copy, sizeof copy};
  return through(process_vm_writev(getpid(), &local, 1, &remote, 1, 0) == sizeof copy);
}
ATTACK(steal_descriptor) {
  int pid = (int)syscall(434 /* pidfd_open */, getpid(), 0);
  if (pid < 0) return ATTACK_NOT_APPLICABLE;
  return through(syscall(438 /* pidfd_getfd */, pid, 1, 0) >= 0);
}
ATTACK(compare_processes) { return through(syscall(SYS_kcmp, getpid(), getpid(), 0, 1, 1) >= 0); }
ATTACK(message_queue) { return through(msgget(t->queue_key, 0) >= 0); }

// Namespaces and mounts

static int in_child(int (*body)(target_t), target_t t) {
  pid_t pid = fork();
  if (pid == 0) _exit(body(t));
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return ATTACK_BLOCKED;
  return WEXITSTATUS(status);
}

static int own_mounts(void) {
  if (geteuid() == 0 && unshare(CLONE_NEWNS) == 0) {
    // Whatever is mounted from here on stays here.
    return mount(0, "/", 0, MS_REC | MS_PRIVATE, 0) == 0;
  }
  return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
}

static int unshare_user_in(target_t t) { (void)t; return through(unshare(CLONE_NEWUSER) == 0); }
ATTACK(unshare_user) { return in_child(unshare_user_in, t); }
static int unshare_mount_in(target_t t) { (void)t; return through(own_mounts()); }
ATTACK(unshare_mount) { return in_child(unshare_mount_in, t); }
static int unshare_network_in(target_t t) {
  (void)t;
  return through(unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0);
}
ATTACK(unshare_network) { return in_child(unshare_network_in, t); }

ATTACK(clone_user) {
  pid_t pid = (pid_t)syscall(SYS_clone, (unsigned long)(CLONE_NEWUSER | SIGCHLD), 0, 0, 0, 0);
  if (pid == 0) _exit(0);
  if (pid > 0) waitpid(pid, 0, 0);
  return through(pid > 0);
}
ATTACK(clone3_user) {
  struct { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; } arguments =
      {CLONE_NEWUSER, 0, 0, 0, SIGCHLD, 0, 0, 0};
  pid_t pid = (pid_t)syscall(435, &arguments, sizeof arguments);
  if (pid == 0) _exit(0);
  if (pid > 0) waitpid(pid, 0, 0);
  return through(pid > 0);
}
static int enter_namespace_in(target_t t) {
  (void)t;
  int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ATTACK_NOT_APPLICABLE;
  return through(setns(fd, 0) == 0);
}
ATTACK(enter_namespace) { return in_child(enter_namespace_in, t); }
static int mount_memory_in(target_t t) {
  own_mounts();
  return through(mount("none", t->area, "tmpfs", 0, 0) == 0);
}
ATTACK(mount_memory) {
  // Without mounts of its own a success would be the host's.
  if (in_child(unshare_mount_in, t) != ATTACK_GOT_THROUGH) return ATTACK_BLOCKED;
  return in_child(mount_memory_in, t);
}
static int bind_root_in(target_t t) {
  own_mounts();
  return through(mount("/", t->area, 0, MS_BIND | MS_REC, 0) == 0);
}
ATTACK(bind_root) {
  if (in_child(unshare_mount_in, t) != ATTACK_GOT_THROUGH) return ATTACK_BLOCKED;
  return in_child(bind_root_in, t);
}
static int pivot_chain_in(target_t t) {
  int root = open("/", O_PATH | O_CLOEXEC);
  if (root < 0 || !own_mounts()) return ATTACK_BLOCKED;
  if (mount("none", t->area, "tmpfs", 0, 0) != 0 || chdir(t->area) != 0) return ATTACK_BLOCKED;
  return through(syscall(SYS_pivot_root, ".", ".") == 0);
}
ATTACK(pivot_chain) { return in_child(pivot_chain_in, t); }
static int change_root_in(target_t t) { return through(chroot(t->area) == 0); }
ATTACK(change_root) { return in_child(change_root_in, t); }
static int open_tree_in(target_t t) {
  (void)t;
  own_mounts();
  return through(syscall(428, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */) >= 0);
}
ATTACK(copy_mounts) { return in_child(open_tree_in, t); }
static int new_file_system_in(target_t t) {
  (void)t;
  own_mounts();
  return through(syscall(430 /* fsopen */, "tmpfs", 0) >= 0);
}
ATTACK(new_file_system) { return in_child(new_file_system_in, t); }
static int loosen_mount_in(target_t t) {
  (void)t;
  own_mounts();
  struct { uint64_t set, clear, propagation, namespace_fd; } attributes = {0, 0, 0, 0};
  attributes.clear = 1;  // read-only
  return through(syscall(442, AT_FDCWD, "/", 0, &attributes, sizeof attributes) == 0);
}
ATTACK(loosen_mount) { return in_child(loosen_mount_in, t); }

// The kernel

ATTACK(kernel_settings) {
  char text[256];
  int fd = open("/proc/sys/kernel/core_pattern", O_RDWR | O_CLOEXEC);
  ssize_t count = fd < 0 ? -1 : read(fd, text, sizeof text);
  // The same value again.
  return through(count > 0 && pwrite(fd, text, (size_t)count, 0) == count);
}
ATTACK(kernel_magic) { return through(can_open("/proc/sysrq-trigger", O_WRONLY)); }
ATTACK(kernel_memory) { return through(can_open("/proc/kcore", O_RDONLY)); }
ATTACK(kernel_symbols) {
  FILE *file = fopen("/proc/kallsyms", "re");
  char line[512];
  int seen = file && fgets(line, sizeof line, file) && strtoull(line, 0, 16) != 0;
  if (file) fclose(file);
  return through(seen);
}
ATTACK(kernel_log) { return through(syscall(SYS_syslog, 10, 0, 0) >= 0); }
ATTACK(kernel_log_device) { return through(can_open("/dev/kmsg", O_RDONLY)); }
ATTACK(kernel_module) { return reached(syscall(SYS_finit_module, -1, "", 0)); }
ATTACK(kernel_exec) { return reached(syscall(SYS_kexec_load, 0, 0, 0, ~0ul)); }
ATTACK(kernel_program) {
  char attributes[128];
  memset(attributes, 0, sizeof attributes);
  return reached(syscall(SYS_bpf, 0x7fff, attributes, sizeof attributes));
}
ATTACK(kernel_events) {
  struct perf_event_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  return through(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0) >= 0);
}
ATTACK(kernel_keys) { return through(syscall(SYS_add_key, "user", "proctor-selftest", "x", 1, -1) >= 0); }
ATTACK(kernel_keyring) { return through(syscall(SYS_keyctl, 0, -3, 1, 0, 0) >= 0); }
ATTACK(kernel_faults) { return through(syscall(SYS_userfaultfd, O_CLOEXEC) >= 0); }
ATTACK(kernel_ring) {
  char parameters[256];
  memset(parameters, 0, sizeof parameters);
  return through(syscall(425 /* io_uring_setup */, 1, parameters) >= 0);
}
ATTACK(kernel_watch) { return through(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY) >= 0); }
ATTACK(kernel_swap) { return reached(syscall(SYS_swapon, "/nonexistent", 0)); }
ATTACK(kernel_clock) {
  struct timespec wrong = {0, -1};
  // The C library would complain itself.
  return reached(syscall(SYS_clock_settime, CLOCK_REALTIME, &wrong));
}
ATTACK(kernel_accounting) { return reached(syscall(SYS_acct, "/nonexistent")); }
ATTACK(kernel_host_name) {
  char name[65];
  return through(gethostname(name, sizeof name) == 0 && sethostname(name, strlen(name)) == 0);
}
ATTACK(readable_means_executable) { return through(personality(READ_IMPLIES_EXEC) >= 0); }
ATTACK(input_injection) {
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) return ATTACK_NOT_APPLICABLE;
  int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) return ATTACK_NOT_APPLICABLE;
  return through(ioctl(slave, TIOCSTI, "x") == 0);
}
ATTACK(input_injection_wide) {
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) return ATTACK_NOT_APPLICABLE;
  int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) return ATTACK_NOT_APPLICABLE;
  // Filters that compare 64 bits miss this one.
  return through(syscall(SYS_ioctl, slave, 1ul << 32 | TIOCSTI, "x") == 0);
}
static int foreign_calls_in(target_t t) {
  (void)t;
#ifdef __x86_64__
  int result;
  // getpid by its 32-bit number, past filters that know 64-bit numbers only.
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
  return through(result > 0);
#else
  return ATTACK_NOT_APPLICABLE;
#endif
}
ATTACK(foreign_calls) { return in_child(foreign_calls_in, t); }

// The network

static int connects(int family, const void *address, socklen_t length) {
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct timeval wait = {2, 0};
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  int connected = fd >= 0 && connect(fd, address, length) == 0;
  if (fd >= 0) close(fd);
  return connected;
}

ATTACK(host_loopback) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)t->tcp_port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return through(connects(AF_INET, &address, sizeof address));
}
ATTACK(host_loopback_mapped) {
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)t->tcp_port)};
  inet_pton(AF_INET6, "::ffff:127.0.0.1", &address.sin6_addr);
  return through(connects(AF_INET6, &address, sizeof address));
}
ATTACK(host_any_address) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)t->tcp_port)};
  return through(connects(AF_INET, &address, sizeof address));
}
ATTACK(datagram_out) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
  inet_pton(AF_INET, "192.0.2.1", &address.sin_addr);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  // Sent is sent: nobody has to be there.
  return through(fd >= 0 && sendto(fd, "x", 1, 0, (void *)&address, sizeof address) == 1);
}
ATTACK(metadata_route) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
  inet_pton(AF_INET, "169.254.169.254", &address.sin_addr);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  // Connecting a datagram socket asks for a route and sends nothing.
  return through(fd >= 0 && connect(fd, (void *)&address, sizeof address) == 0);
}
ATTACK(host_interfaces) {
  struct if_nameindex *list = if_nameindex();
  int others = 0;
  for (struct if_nameindex *at = list; at && at->if_name; at++) others += strcmp(at->if_name, "lo") != 0;
  return through(others > 0);
}
ATTACK(host_socket) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(t->socket_path) >= sizeof address.sun_path) return ATTACK_NOT_APPLICABLE;
  strcpy(address.sun_path, t->socket_path);
  return through(connects(AF_UNIX, &address, sizeof address));
}
ATTACK(abstract_socket) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(t->abstract_name);
  memcpy(address.sun_path + 1, t->abstract_name, length);
  return through(connects(
      AF_UNIX, &address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)));
}
static int opens_socket(int family, int type, int protocol) {
  int fd = socket(family, type | SOCK_CLOEXEC, protocol);
  if (fd >= 0) close(fd);
  return through(fd >= 0);
}
ATTACK(packet_socket) { return opens_socket(AF_PACKET, SOCK_RAW, htons(3)); }
ATTACK(raw_socket) { return opens_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }
ATTACK(hypervisor_socket) { return opens_socket(AF_VSOCK, SOCK_STREAM, 0); }
ATTACK(crypto_socket) { return opens_socket(AF_ALG, SOCK_SEQPACKET, 0); }
ATTACK(kernel_event_socket) { return opens_socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT); }
ATTACK(firewall_socket) { return opens_socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER); }

// Limits

static int touch(size_t megabytes) {
  char *memory = mmap(0, megabytes << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 0;
  for (size_t at = 0; at < megabytes << 20; at += 4096) memory[at] = 1;
  return 1;
}
ATTACK(much_memory) { return through(touch(600)); }
ATTACK(much_memory_together) {
  // Each takes little.
  int ends[2], done = 0;
  if (pipe(ends) != 0) return ATTACK_NOT_APPLICABLE;
  for (int i = 0; i < 6; i++)
    if (fork() == 0) {
      char byte = (char)touch(100);
      ssize_t ignored = write(ends[1], &byte, 1);
      (void)ignored;
      sleep(1);
      _exit(0);
    }
  close(ends[1]);
  for (char byte; read(ends[0], &byte, 1) == 1;) done += byte;
  while (wait(0) > 0) {
  }
  return through(done == 6);
}
ATTACK(much_memory_in_files) {
  char *path = join(t->area, "memory");
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  static char block[1 << 20];
  memset(block, 1, sizeof block);
  int written = 0;
  while (fd >= 0 && written < 40 && write(fd, block, sizeof block) == (ssize_t)sizeof block) written++;
  if (fd >= 0) close(fd);
  unlink(path);
  return through(written == 40);
}
ATTACK(many_processes) {
  int made = 0;
  pid_t pids[300];
  for (int i = 0; i < 300; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      pause();
      _exit(0);
    }
    if (pid > 0) pids[made++] = pid;
  }
  for (int i = 0; i < made; i++) kill(pids[i], SIGKILL);
  while (wait(0) > 0) {
  }
  return through(made == 300);
}
static void *wait_there(void *argument) {
  (void)argument;
  pause();
  return 0;
}
ATTACK(many_threads) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  int made = 0;
  pthread_t thread;
  for (int i = 0; i < 300; i++) made += pthread_create(&thread, &attributes, wait_there, 0) == 0;
  return through(made == 300);
}
ATTACK(much_time) {
  struct timespec used;
  do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  while (used.tv_sec < 3);
  return ATTACK_GOT_THROUGH;
}
ATTACK(much_time_together) {
  for (int i = 0; i < 6; i++)
    if (fork() == 0) {
      struct timespec used;
      do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
      while (used.tv_nsec < 500000000 && used.tv_sec < 1);
      _exit(0);
    }
  int status, all = 1;
  while (wait(&status) > 0) all &= status == 0;
  return through(all);
}
ATTACK(long_sleep) {
  struct timespec left = {4, 0};
  signal(SIGABRT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  while (nanosleep(&left, &left) != 0) {
  }
  return ATTACK_GOT_THROUGH;
}
static int write_size(const char *path, int megabytes) {
  signal(SIGXFSZ, SIG_IGN);
  static char block[1 << 20];
  memset(block, 'x', sizeof block);
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  int written = 0;
  while (fd >= 0 && written < megabytes && write(fd, block, sizeof block) == (ssize_t)sizeof block)
    written++;
  if (fd >= 0) close(fd);
  return written == megabytes;
}
ATTACK(large_file) {
  char *path = join(t->area, "large");
  int done = write_size(path, 48);
  unlink(path);
  return through(done);
}
ATTACK(sparse_file) {
  signal(SIGXFSZ, SIG_IGN);
  char *path = join(t->area, "sparse");
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  int done = fd >= 0 && ftruncate(fd, 1ll << 36) == 0;
  unlink(path);
  return through(done);
}
// Does something to each of so many files; to how many it could be done.
static int each_file(const char *folder, int files, int (*act)(const char *path)) {
  int done = 0;
  char name[32];
  for (int i = 0; i < files; i++) {
    snprintf(name, sizeof name, "file-%d", i);
    done += act(join(folder, name));
  }
  return done;
}
static int make_large(const char *path) { return write_size(path, 8); }
static int make_empty(const char *path) { return write_file(path, ""); }
static int take_away(const char *path) { return unlink(path) == 0; }

static int fill(const char *folder, int files, int (*make)(const char *path)) {
  int made = each_file(folder, files, make);
  // Time for the supervisor to look, if it has to.
  usleep(400000);
  each_file(folder, files, take_away);
  return through(made == files);
}
ATTACK(full_area) { return fill(t->area, 10, make_large); }
ATTACK(full_workspace) { return fill(t->workspace, 30, make_large); }
ATTACK(many_files) { return fill(t->area, 3000, make_empty); }
ATTACK(many_descriptors) {
  int opened = 0;
  while (opened < 200 && open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) opened++;
  return through(opened == 200);
}
ATTACK(higher_limits) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_CORE, &limit) != 0) return ATTACK_NOT_APPLICABLE;
  limit.rlim_cur = limit.rlim_max = 1 << 20;
  return through(setrlimit(RLIMIT_CORE, &limit) == 0);
}
ATTACK(endless_output) {
  static char block[1 << 16];
  memset(block, 'x', sizeof block);
  for (int i = 0; i < 1024; i++)
    if (write(1, block, sizeof block) < 0) return ATTACK_BLOCKED;
  return ATTACK_GOT_THROUGH;
}
ATTACK(many_file_operations) {
  int made = 0;
  char name[32];
  for (int i = 0; i < 20; i++) {
    snprintf(name, sizeof name, "operation-%d", i);
    char *path = join(t->area, name);
    made += write_file(path, "x");
    unlink(path);
  }
  return through(made == 20);
}
ATTACK(read_beyond_count) { return through(can_open(join(t->workspace, "file"), O_RDONLY)); }
ATTACK(many_connections) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t length = sizeof address;
  if (server < 0 || bind(server, (void *)&address, sizeof address) != 0 || listen(server, 16) != 0
      || getsockname(server, (void *)&address, &length) != 0)
    return ATTACK_NOT_APPLICABLE;
  int made = 0;
  for (int i = 0; i < 8; i++) made += connects(AF_INET, &address, sizeof address);
  return through(made == 8);
}
ATTACK(many_datagrams) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct iovec data = {"x", 1};
  struct msghdr message = {
      .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &data, .msg_iovlen = 1};
  int made = 0;
  for (int i = 0; i < 8; i++) {
    // The answer to the one before (nobody listens) would be reported here.
    int error;
    socklen_t size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    made += sendmsg(fd, &message, MSG_NOSIGNAL) == 1;
  }
  return through(made == 8);
}

// Staying

ATTACK(stay_behind) {
  pid_t pid = fork();
  if (pid < 0) return ATTACK_BLOCKED;
  if (pid == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    for (int fd = 0; fd < 3; fd++) close(fd);
    // The self-test looks for a process with this name.
    prctl(PR_SET_NAME, t->abstract_name, 0, 0, 0);
    sleep(30);
    _exit(0);
  }
  waitpid(pid, 0, 0);
  return ATTACK_GOT_THROUGH;
}
ATTACK(hold_output) {
  if (fork() == 0) {
    setsid();
    sleep(3);
    _exit(0);
  }
  return ATTACK_GOT_THROUGH;
}

#define ENTRY(category, name) {#name, category, name}
static const struct attack attacks[] = {
    ENTRY("files", read_secret), ENTRY("files", list_outside), ENTRY("files", write_outside),
    ENTRY("files", change_workspace), ENTRY("files", plant_git_hook), ENTRY("files", plant_conftest),
    ENTRY("files", remove_file), ENTRY("files", follow_symlink), ENTRY("files", hard_link),
    ENTRY("files", climb_dots), ENTRY("files", proc_root), ENTRY("files", proc_parent_root),
    ENTRY("files", proc_thread_cwd), ENTRY("files", open_by_handle), ENTRY("files", set_user_id_bit),
    ENTRY("files", make_device), ENTRY("files", open_block_device), ENTRY("files", list_sys),
    ENTRY("files", join_other_cgroup),
    ENTRY("inheritance", inherited_descriptor), ENTRY("inheritance", environment_secret),
    ENTRY("inheritance", no_new_privileges_unset), ENTRY("inheritance", capabilities),
    ENTRY("inheritance", other_user), ENTRY("inheritance", other_group),
    ENTRY("processes", see_process), ENTRY("processes", signal_process),
    ENTRY("processes", process_environment), ENTRY("processes", process_memory),
    ENTRY("processes", trace_process), ENTRY("processes", first_process_memory),
    ENTRY("processes", first_process_environment), ENTRY("processes", first_process_descriptors),
    ENTRY("processes", trace_child), ENTRY("processes", read_memory_across),
    ENTRY("processes", write_memory_across), ENTRY("processes", steal_descriptor),
    ENTRY("processes", compare_processes), ENTRY("processes", message_queue),
    ENTRY("namespaces", unshare_user), ENTRY("namespaces", unshare_mount),
    ENTRY("namespaces", unshare_network), ENTRY("namespaces", clone_user),
    ENTRY("namespaces", clone3_user), ENTRY("namespaces", enter_namespace),
    ENTRY("namespaces", mount_memory), ENTRY("namespaces", bind_root),
    ENTRY("namespaces", pivot_chain), ENTRY("namespaces", change_root),
    ENTRY("namespaces", copy_mounts), ENTRY("namespaces", new_file_system),
    ENTRY("namespaces", loosen_mount),
    ENTRY("kernel", kernel_settings), ENTRY("kernel", kernel_magic), ENTRY("kernel", kernel_memory),
    ENTRY("kernel", kernel_symbols), ENTRY("kernel", kernel_log), ENTRY("kernel", kernel_log_device),
    ENTRY("kernel", kernel_module), ENTRY("kernel", kernel_exec), ENTRY("kernel", kernel_program),
    ENTRY("kernel", kernel_events), ENTRY("kernel", kernel_keys), ENTRY("kernel", kernel_keyring),
    ENTRY("kernel", kernel_faults), ENTRY("kernel", kernel_ring), ENTRY("kernel", kernel_watch),
    ENTRY("kernel", kernel_swap), ENTRY("kernel", kernel_clock), ENTRY("kernel", kernel_accounting),
    ENTRY("kernel", kernel_host_name), ENTRY("kernel", readable_means_executable),
    ENTRY("kernel", input_injection), ENTRY("kernel", input_injection_wide),
    ENTRY("kernel", foreign_calls),
    ENTRY("network", host_loopback), ENTRY("network", host_loopback_mapped),
    ENTRY("network", host_any_address), ENTRY("network", datagram_out),
    ENTRY("network", metadata_route), ENTRY("network", host_interfaces), ENTRY("network", host_socket),
    ENTRY("network", abstract_socket), ENTRY("network", packet_socket), ENTRY("network", raw_socket),
    ENTRY("network", hypervisor_socket), ENTRY("network", crypto_socket),
    ENTRY("network", kernel_event_socket), ENTRY("network", firewall_socket),
    ENTRY("limits", much_memory), ENTRY("limits", much_memory_together),
    ENTRY("limits", much_memory_in_files), ENTRY("limits", many_processes),
    ENTRY("limits", many_threads), ENTRY("limits", much_time), ENTRY("limits", much_time_together),
    ENTRY("limits", long_sleep), ENTRY("limits", large_file), ENTRY("limits", sparse_file),
    ENTRY("limits", full_area), ENTRY("limits", full_workspace), ENTRY("limits", many_files),
    ENTRY("limits", many_descriptors), ENTRY("limits", higher_limits),
    ENTRY("limits", endless_output), ENTRY("limits", many_file_operations),
    ENTRY("limits", read_beyond_count), ENTRY("limits", many_connections),
    ENTRY("limits", many_datagrams),
    ENTRY("staying", stay_behind), ENTRY("staying", hold_output),
};
const int attack_count = sizeof attacks / sizeof *attacks;
const struct attack *attack_at(int index) { return &attacks[index]; }
