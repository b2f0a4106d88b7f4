#define _GNU_SOURCE
#include "csandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

int csb_receive_listener(int socket) {
  char byte;
  struct iovec data = {&byte, 1};
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr header;
  } control;
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes,
      .msg_controllen = sizeof control.bytes};
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1) return -1;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (!header || header->cmsg_type != SCM_RIGHTS) return -1;
  int fd;
  memcpy(&fd, CMSG_DATA(header), sizeof fd);
  // Since 6.6: whoever asks runs on while it is answered on the same processor, so nobody is woken from far.
  ioctl(fd, _IOW('!', 4, uint64_t) /* SECCOMP_IOCTL_NOTIF_SET_FLAGS */, 1 /* SYNC_WAKE_UP */);
  return fd;
}

int csb_notification_receive(int listener, struct csb_notification *notification) {
  // The kernel may know a longer structure than these headers do.
  union {
    struct seccomp_notif request;
    char room[512];
  } buffer;
  memset(&buffer, 0, sizeof buffer);
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &buffer.request) != 0) return -1;
  notification->id = buffer.request.id;
  notification->pid = (pid_t)buffer.request.pid;
  notification->call = buffer.request.data.nr;
  for (int i = 0; i < 6; i++) notification->arguments[i] = buffer.request.data.args[i];
  return 0;
}

void csb_notification_answer(int listener, uint64_t id, int error) {
  union {
    struct seccomp_notif_resp response;
    char room[512];
  } buffer;
  memset(&buffer, 0, sizeof buffer);
  buffer.response.id = id;
  if (error) buffer.response.error = -error;
  else buffer.response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &buffer.response);
}

ssize_t csb_read_memory(pid_t pid, uint64_t address, void *buffer, size_t length) {
  struct iovec local = {buffer, length};
  struct iovec remote = {(void *)(uintptr_t)address, length};
  return process_vm_readv(pid, &local, 1, &remote, 1, 0);
}

int csb_has_attribute(const char *path, const char *name) {
  return lgetxattr(path, name, 0, 0) >= 0;
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

int csb_memory_holds_attributes(void) {
  int fd = memfd_create("proctor", MFD_CLOEXEC);
  if (fd < 0) return 0;
  int result = fsetxattr(fd, "user.proctor", "", 0, 0);
  close(fd);
  return result == 0;
}

int csb_event(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int csb_wait(pid_t pid, int *status, struct rusage *usage) {
  pid_t result;
  do result = wait4(pid, status, 0, usage);
  while (result < 0 && errno == EINTR);
  return result == pid ? 0 : -1;
}

void csb_widen_pipe(int fd) { fcntl(fd, F_SETPIPE_SZ, 1 << 20); }
