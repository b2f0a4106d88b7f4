/*
 * The C part of what is compiled into a library with a Swift function: the way to the host program
 * (function_host.c), and where a trap of Swift's happened.
 *
 * Swift says the reason of most traps on stderr, of some nowhere, and the place of few: arithmetic and
 * subscripts name the standard library's file or none. The debug information knows the place, and the
 * reasons that are not said ("Swift runtime failure: arithmetic overflow") are names of inlined frames.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The host's; weak, because they are not there when the library is linked. */
__attribute__((weak)) size_t proctor_request_size(void);
__attribute__((weak)) void proctor_request_read(void *to);
__attribute__((weak)) void proctor_send(const char *record, size_t size);
__attribute__((weak)) size_t proctor_processor_milliseconds(void);

size_t proctor_guest_request_size(void) { return proctor_request_size(); }
void proctor_guest_request_read(void *to) { proctor_request_read(to); }
void proctor_guest_send(const char *record, size_t size) { proctor_send(record, size); }

/* Of a benchmark: the calls that ended before the batch, and those of the batch. */
static const long *calls;
void proctor_guest_count(const long *counted) { calls = counted; }
size_t proctor_guest_processor_milliseconds(void) { return proctor_processor_milliseconds(); }

/* A line of stdout is there when it is whole, also if the process then dies. */
void proctor_guest_line_buffered(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

enum { DEPTH = 128, ADDRESSES = 48, ANSWER = 64 << 10, WAIT_MS = 2000, INTERRUPTED = 2 };

static struct {
    char root[4096], symbolizer[4096], library[4096];
    void *base;
} guest;

static char answer[ANSWER];

/* Asks the toolchain's symbolizer; false if it does not answer in time. */
static bool ask(char words[][24], int count) {
    static char *arguments[ADDRESSES + 8];
    static char object[4200];
    int n = 0, pipes[2];
    snprintf(object, sizeof object, "--obj=%s", guest.library);
    arguments[n++] = guest.symbolizer;
    arguments[n++] = object;
    arguments[n++] = "--inlines";
    arguments[n++] = "--no-demangle";
    for (int i = 0; i < count; i++) arguments[n++] = words[i];
    arguments[n] = NULL;
    if (pipe2(pipes, O_CLOEXEC)) return false;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    char *environment[] = {NULL};
    pid_t child;
    int failed = posix_spawn(&child, guest.symbolizer, &actions, NULL, arguments, environment);
    close(pipes[1]);
    if (failed) { close(pipes[0]); return false; }
    size_t have = 0;
    for (;;) {
        struct pollfd waiting = {.fd = pipes[0], .events = POLLIN};
        if (poll(&waiting, 1, WAIT_MS) <= 0) break;
        ssize_t more = read(pipes[0], answer + have, sizeof answer - 1 - have);
        if (more <= 0) break;
        have += (size_t)more;
    }
    answer[have] = 0;
    close(pipes[0]);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return have > 0;
}

static size_t put_text(char *to, size_t room, const char *text) {
    size_t n = 0;
    for (; *text && n + 8 < room; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20) continue;
        if (c == '"' || c == '\\') to[n++] = '\\';
        to[n++] = (char)c;
    }
    return n;
}

/*
 * The answer has for each address pairs of lines, a function and `file:line:column`, the innermost
 * inlined one first, and then an empty line.
 */
static void report(void) {
    static char record[12 << 10];
    static const char failure[] = "Swift runtime failure: ";
    const char *reason = NULL, *file = NULL;
    long row = 0;
    bool is_first = true;
    char *rest = answer;
    for (char *function; !file && (function = strsep(&rest, "\n"));) {
        if (!*function) { is_first = false; continue; }
        char *place = strsep(&rest, "\n");
        if (!place) break;
        if (is_first && !reason && !strncmp(function, failure, sizeof failure - 1))
            reason = function + sizeof failure - 1;
        char *column = strrchr(place, ':');
        if (!column) continue;
        *column = 0;
        char *line = strrchr(place, ':');
        if (!line) continue;
        *line = 0;
        size_t root = strlen(guest.root);
        if (strncmp(place, guest.root, root) || place[root] != '/') continue;
        file = place;
        row = strtol(line + 1, NULL, 10);
    }
    size_t n = (size_t)snprintf(record, sizeof record, "{\"event\":\"raised\"");
    if (reason) {
        n += (size_t)snprintf(record + n, sizeof record - n, ",\"message\":\"");
        n += put_text(record + n, 1000, reason);
        record[n++] = '"';
    }
    if (file && row > 0) {
        n += (size_t)snprintf(record + n, sizeof record - n, ",\"file\":\"");
        n += put_text(record + n, 8000, file);
        n += (size_t)snprintf(record + n, sizeof record - n, "\",\"line\":%ld", row);
    }
    if (calls) n += (size_t)snprintf(record + n, sizeof record - n, ",\"iteration\":%ld", calls[0] + calls[1] + 1);
    record[n++] = '}';
    proctor_send(record, n);
}

static void on_trap(int number, siginfo_t *info, void *context) {
    (void)info;
    (void)context;
    static atomic_flag once = ATOMIC_FLAG_INIT;
    static void *frames[DEPTH];
    static char words[ADDRESSES][24];
    signal(number, SIG_DFL); /* the instruction traps again, now deadly */
    if (atomic_flag_test_and_set(&once)) return;
    int depth = backtrace(frames, DEPTH), count = 0;
    bool is_swift = number != SIGABRT; /* nobody but the compiler traps; who aborts is to be seen */
    /* This function and the kernel's frame come first, then the instruction that was interrupted. */
    for (int i = INTERRUPTED; i < depth && count < ADDRESSES; i++) {
        Dl_info where;
        if (!dladdr(frames[i], &where)) continue;
        if (where.dli_fbase != guest.base) {
            if (!count && where.dli_fname && strstr(where.dli_fname, "/libswiftCore")) is_swift = true;
            continue;
        }
        /* A return address is that of the next instruction. */
        uintptr_t offset = (uintptr_t)frames[i] - (uintptr_t)guest.base - (i == INTERRUPTED ? 0 : 1);
        snprintf(words[count++], sizeof words[0], "0x%lx", (unsigned long)offset);
    }
    if (!is_swift) return;
    answer[0] = 0;
    if (count) ask(words, count);
    report();
}

/* root: the folder of the user's own code. */
void proctor_guest_watch_traps(const char *root, const char *symbolizer) {
    Dl_info self;
    if (!dladdr((void *)proctor_guest_watch_traps, &self) || !self.dli_fname) return;
    snprintf(guest.root, sizeof guest.root, "%s", root);
    snprintf(guest.symbolizer, sizeof guest.symbolizer, "%s", symbolizer);
    snprintf(guest.library, sizeof guest.library, "%s", self.dli_fname);
    guest.base = self.dli_fbase;
    void *frame[1];
    backtrace(frame, 1); /* loads the unwinder before it is needed */
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    int numbers[] = {SIGILL, SIGTRAP, SIGABRT};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaction(numbers[i], &action, NULL);
}
