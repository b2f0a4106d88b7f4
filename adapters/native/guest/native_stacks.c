/* Says where a native test program is when it is killed for hanging (SIGABRT), and where it crashes
 * when a crash is looked at again. The stacks of all threads go to stderr through addr2line, each
 * after a line of its own. Preloaded into test programs only. */
#define _GNU_SOURCE
#include <dirent.h>
#include <execinfo.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEPTH = 64, THREADS = 64, WAIT_MS = 50, SYMBOLIZE_MS = 1200 };

static struct {
  void *frames[DEPTH];
  int count;
} stacks[THREADS];
static atomic_int taken;
static uintptr_t base, end;
static char program[4096];

static int find_program(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  (void)data;
  base = info->dlpi_addr;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    uintptr_t top = base + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
    if (info->dlpi_phdr[i].p_type == PT_LOAD && top > end) end = top;
  }
  return 1; /* the first one is the program itself */
}

static void take_stack(int signal) {
  int slot = atomic_load(&taken);
  if (slot < THREADS) stacks[slot].count = backtrace(stacks[slot].frames, DEPTH);
  atomic_store(&taken, slot + 1);
  /* A sleep that the signal ended must not let the test go on, and the program come to its end. */
  while (signal) pause();
}

/* One thread after the other, so that each has its slot. */
static void take_other_stacks(void) {
  pid_t self = (pid_t)syscall(SYS_gettid);
  DIR *tasks = opendir("/proc/self/task");
  if (!tasks) return;
  for (struct dirent *entry; (entry = readdir(tasks));) {
    pid_t thread = atoi(entry->d_name);
    int before = atomic_load(&taken);
    if (thread <= 0 || thread == self || before >= THREADS) continue;
    if (syscall(SYS_tgkill, getpid(), thread, SIGPROF)) continue;
    for (int waited = 0; waited < WAIT_MS && atomic_load(&taken) == before; waited++) poll(NULL, 0, 1);
  }
  closedir(tasks);
}

static void symbolize(void) {
  static char words[THREADS * DEPTH / 8][24];
  static char *arguments[THREADS * DEPTH / 8 + 8];
  int count = 0, word = 0;
  const int most = THREADS * DEPTH / 8;
  arguments[count++] = "addr2line";
  arguments[count++] = "-fCpie";
  arguments[count++] = program;
  int threads = atomic_load(&taken) < THREADS ? atomic_load(&taken) : THREADS;
  for (int i = 0; i < threads; i++) {
    int own = 0;
    /* Below the handlers and the kernel's frame comes the instruction that was interrupted. */
    const int interrupted = i == 0 ? 3 : 2;
    for (int j = 0; j < stacks[i].count && word < most - 1; j++) {
      uintptr_t address = (uintptr_t)stacks[i].frames[j];
      if (address < base || address >= end) continue;
      /* A return address is that of the next instruction. */
      snprintf(words[word], sizeof words[word], "0x%lx",
               (unsigned long)(address - base - (j == interrupted ? 0 : 1)));
      arguments[count++] = words[word++];
      own++;
    }
    /* An address that is none stands between threads. */
    if (own && word < most) arguments[count++] = strcpy(words[word++], "0x0");
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  char *environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", NULL};
  pid_t child;
  dprintf(STDERR_FILENO, "\nproctor: stacks\n");
  if (!posix_spawnp(&child, "addr2line", &actions, NULL, arguments, environment)) {
    for (int waited = 0; waited < SYMBOLIZE_MS && waitpid(child, NULL, WNOHANG) == 0; waited += 5)
      poll(NULL, 0, 5);
  }
  dprintf(STDERR_FILENO, "proctor: end of stacks\n");
}

static void install(int number, void (*simple)(int), void (*full)(int, siginfo_t *, void *)) {
  struct sigaction action = {0};
  action.sa_flags = SA_ONSTACK | SA_RESTART | (full ? SA_SIGINFO | SA_NODEFER : 0);
  if (full) action.sa_sigaction = full; else action.sa_handler = simple;
  sigaction(number, &action, NULL);
}

static void die(int number, siginfo_t *info, void *context) {
  (void)context;
  static atomic_flag once = ATOMIC_FLAG_INIT;
  if (!atomic_flag_test_and_set(&once)) {
    /* What the test printed last, whoever holds the lock. */
    fflush_unlocked(stdout);
    take_stack(0);
    if (number == SIGABRT && info->si_code == SI_USER) {
      /* libdispatch's threads block most signals, but not this one. */
      install(SIGPROF, take_stack, NULL);
      take_other_stacks();
    }
    symbolize();
  }
  signal(number, SIG_DFL);
  raise(number);
}

__attribute__((constructor)) static void start_stacks(void) {
  const char *wanted = getenv("PROCTOR_STACKS");
  if (!wanted) return;
  int crashes = !strcmp(wanted, "crashes");
  unsetenv("PROCTOR_STACKS");
  if (getenv("PROCTOR_STACKS_ALONE")) {
    /* Nobody else is preloaded who would take it away. */
    unsetenv("PROCTOR_STACKS_ALONE");
    unsetenv("LD_PRELOAD");
  }
  ssize_t count = readlink("/proc/self/exe", program, sizeof program - 1);
  if (count <= 0) return;
  dl_iterate_phdr(find_program, NULL);
  void *frame[1];
  backtrace(frame, 1); /* loads the unwinder before it is needed */
  install(SIGABRT, NULL, die);
  if (!crashes) return;
  int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) install(numbers[i], NULL, die);
}
