/* Sends what libtest reports over proctor's own channel instead of stdout.
 *
 * libtest prints its report on the main thread; tests run on threads of their own. So what the main
 * thread of the test binary writes to descriptor 1 is the report, and what anybody else writes there
 * is a test's output, whatever it looks like.
 *
 * It also tells of threads that ended in a panic and that nobody joins: their panic reaches no test.
 * Preloaded into test binaries, and into documentation tests, which may not end themselves early. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FRAME = 4096, PATH_SIZE = 4096, NONCE_SIZE = 64, HIGH = 600 };

static char path[PATH_SIZE], nonce[NONCE_SIZE];
static int channel = -1;
static pid_t owner;
static unsigned long sequence;
static char *line;
static size_t used, room;
static int bootstrap_gone;
static int is_documentation;

static void open_channel(void) {
  int low = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (low < 0) return;
  int high = fcntl(low, F_DUPFD_CLOEXEC, HIGH);
  channel = high < 0 ? low : high;
  if (high >= 0) syscall(SYS_close, low);
}

static void put(const char *bytes, size_t count) {
  if (syscall(SYS_write, channel, bytes, count) >= 0) return;
  /* A test closed every descriptor. */
  open_channel();
  syscall(SYS_write, channel, bytes, count);
}

static pthread_mutex_t sending = PTHREAD_MUTEX_INITIALIZER;

static void send_record(const char *bytes, size_t count) {
  char frame[FRAME];
  pthread_mutex_lock(&sending);
  size_t start = 0;
  do {
    int head = snprintf(frame, sizeof frame, "P1 %s %d %lu ", nonce, (int)owner, sequence++);
    size_t space = sizeof frame - (size_t)head - 3;
    size_t piece = count - start < space ? count - start : space;
    char *at = frame + head;
    *at++ = start + piece == count ? '.' : '+';
    *at++ = ' ';
    memcpy(at, bytes + start, piece);
    at[piece] = '\n';
    put(frame, (size_t)(at - frame) + piece + 1);
    start += piece;
  } while (start < count);
  pthread_mutex_unlock(&sending);
}

static void receive(const char *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (bytes[i] != '\n') {
      if (used == room) {
        size_t larger = room ? room * 2 : 8192;
        char *grown = realloc(line, larger);
        if (!grown) return;
        line = grown;
        room = larger;
      }
      line[used++] = bytes[i];
      continue;
    }
    if (used) send_record(line, used);
    used = 0;
    if (!bootstrap_gone) {
      /* The arguments are parsed by now; tests and their children must not see it. */
      unsetenv("RUSTC_BOOTSTRAP");
      bootstrap_gone = 1;
    }
  }
}

static int is_report(int fd) {
  return fd == STDOUT_FILENO && channel >= 0 && getpid() == owner &&
         (pid_t)syscall(SYS_gettid) == owner;
}

ssize_t write(int fd, const void *bytes, size_t count) {
  if (is_report(fd)) {
    receive(bytes, count);
    return (ssize_t)count;
  }
  return syscall(SYS_write, fd, bytes, count);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (is_report(fd)) {
    ssize_t total = 0;
    for (int i = 0; i < count; i++) {
      receive(parts[i].iov_base, parts[i].iov_len);
      total += (ssize_t)parts[i].iov_len;
    }
    return total;
  }
  return syscall(SYS_writev, fd, parts, count);
}

/* Threads. A panic unwinds to the catch of whoever started the work. When that was the thread's own
 * beginning, the thread ends at once, without waiting for anything: a worker that lives on would. */

enum { ENDED = 256 };

static pthread_key_t panicked;
/* Threads that ended in a panic and can still be joined. */
static struct {
  pthread_t thread;
  pid_t id;
} ended[ENDED];
static int ended_count;
static pthread_mutex_t ending = PTHREAD_MUTEX_INITIALIZER;

static long waits(void) {
  struct rusage usage;
  return getrusage(RUSAGE_THREAD, &usage) ? -1 : usage.ru_nvcsw;
}

static void tell_orphan(pid_t id) {
  char record[96];
  int count = snprintf(
      record, sizeof record, "{ \"type\": \"thread\", \"event\": \"orphan\", \"thread\": %d }", (int)id);
  if (channel >= 0 && getpid() == owner) send_record(record, (size_t)count);
}

static void end_of_thread(void *value) {
  if (waits() != (long)value - 1) return;
  pthread_attr_t attributes;
  int state = PTHREAD_CREATE_JOINABLE;
  if (pthread_getattr_np(pthread_self(), &attributes)) return;
  pthread_attr_getdetachstate(&attributes, &state);
  pthread_attr_destroy(&attributes);
  pid_t id = (pid_t)syscall(SYS_gettid);
  if (state == PTHREAD_CREATE_DETACHED) {
    tell_orphan(id);
    return;
  }
  pthread_mutex_lock(&ending);
  if (ended_count < ENDED) {
    ended[ended_count].thread = pthread_self();
    ended[ended_count++].id = id;
  }
  pthread_mutex_unlock(&ending);
}

/* Forgets a thread that ended in a panic; returns its id, or 0. */
static pid_t forget(pthread_t thread) {
  pid_t id = 0;
  pthread_mutex_lock(&ending);
  for (int i = 0; i < ended_count && !id; i++) {
    if (!pthread_equal(ended[i].thread, thread)) continue;
    id = ended[i].id;
    ended[i] = ended[--ended_count];
  }
  pthread_mutex_unlock(&ending);
  return id;
}

int _Unwind_RaiseException(void *exception) {
  static int (*original)(void *);
  if (!original) original = (int (*)(void *))dlsym(RTLD_NEXT, "_Unwind_RaiseException");
  if (!original) abort();
  if (channel >= 0) pthread_setspecific(panicked, (void *)(waits() + 1));
  return original(exception);
}

int pthread_join(pthread_t thread, void **result) {
  static int (*original)(pthread_t, void **);
  if (!original) original = (int (*)(pthread_t, void **))dlsym(RTLD_NEXT, "pthread_join");
  int status = original(thread, result);
  if (!status) forget(thread);
  return status;
}

int pthread_detach(pthread_t thread) {
  static int (*original)(pthread_t);
  if (!original) original = (int (*)(pthread_t))dlsym(RTLD_NEXT, "pthread_detach");
  pid_t id = forget(thread);
  if (id) tell_orphan(id);
  return original(thread);
}

/* The end of main does not come through here: only code that calls exit does. */
void exit(int status) {
  static void (*original)(int) __attribute__((noreturn));
  if (!original) original = (void (*)(int))dlsym(RTLD_NEXT, "exit");
  if (is_documentation && status == 0) {
    fputs("the example ended itself with exit(0): what follows in it did not run\n", stderr);
    status = 101;
  }
  original(status);
}

static void take(const char *name, char *into, size_t size) {
  const char *value = getenv(name);
  if (value && strlen(value) < size) strcpy(into, value);
  unsetenv(name);
}

__attribute__((constructor)) static void start(void) {
  char own[PATH_SIZE] = "", users[PATH_SIZE] = "";
  if (getenv("PROCTOR_DOCUMENTATION")) {
    /* cargo, rustdoc and rustc pass it on to the programs that rustdoc makes. */
    ssize_t count = readlink("/proc/self/exe", own, sizeof own - 1);
    const char *name = count > 0 ? strrchr(own, '/') : NULL;
    is_documentation = name && !strncmp(name, "/rust_out", 9);
    return;
  }
  take("PROCTOR_CHANNEL", path, sizeof path);
  take("PROCTOR_NONCE", nonce, sizeof nonce);
  take("PROCTOR_PRELOAD", users, sizeof users);
  take("LD_PRELOAD", own, sizeof own);
  if (*users) setenv("LD_PRELOAD", users, 1);
  if (!*path || !*nonce) return;
  owner = getpid();
  pthread_key_create(&panicked, end_of_thread);
  open_channel();
}
