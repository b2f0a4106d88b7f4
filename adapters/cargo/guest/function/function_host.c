/*
 * function_host LIBRARY.so: calls the function that was compiled into a shared
 * library together with the harness. Says how it ended over the channel of
 * frames.h; exit code 0 when proctor_call came back, 2 usage, 3 this program failed.
 *
 * The library runs in this process and may do what this process may: the nonce
 * keeps stray output apart, it is no wall against hostile code.
 *
 * Build: cc -std=c11 -O2 -Wall -Wextra -rdynamic function_host.c -o function_host -ldl -pthread
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "frames.h"

enum { SIGNAL_STACK = 64 << 10, NEAR_THE_END = 1 << 20 };

/* ---- what the library imports ------------------------------------------- */

size_t proctor_request_size(void);
void proctor_request_read(void *to);
void proctor_send(const char *record, size_t size);
size_t proctor_processor_milliseconds(void);

size_t proctor_request_size(void) { return frames.request_size; }
void proctor_request_read(void *to) { memcpy(to, frames.request, frames.request_size); }
void proctor_send(const char *record, size_t size) { frames_send(record, size); }
size_t proctor_processor_milliseconds(void) { return processor_milliseconds(); }

/* ---- before the request is there ----------------------------------------- */

/* Where an address of the library is in its file; 0 when it is not. */
static size_t place(const ElfW(Ehdr) *head, const ElfW(Phdr) *parts, size_t address) {
    for (int i = 0; i < head->e_phnum; i++)
        if (parts[i].p_type == PT_LOAD && address >= parts[i].p_vaddr && address - parts[i].p_vaddr < parts[i].p_filesz)
            return address - parts[i].p_vaddr + parts[i].p_offset;
    return 0;
}

/* Loads, of what the library needs, what lies in a folder of the toolchain's: most of what loading takes, and none of
 * it the user's. */
static void load_needed(const char *file, size_t size, const char *folder) {
    const ElfW(Ehdr) *head = (const void *)file;
    if (size < sizeof *head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0) return;
    if (head->e_phoff > size || head->e_phnum > (size - head->e_phoff) / sizeof(ElfW(Phdr))) return;
    const ElfW(Phdr) *parts = (const void *)(file + head->e_phoff);
    for (int i = 0; i < head->e_phnum; i++) {
        if (parts[i].p_type != PT_DYNAMIC || parts[i].p_offset > size || parts[i].p_filesz > size - parts[i].p_offset) continue;
        const ElfW(Dyn) *list = (const void *)(file + parts[i].p_offset);
        size_t count = parts[i].p_filesz / sizeof *list, names = 0;
        for (size_t k = 0; k < count; k++)
            if (list[k].d_tag == DT_STRTAB) names = place(head, parts, list[k].d_un.d_ptr);
        for (size_t k = 0; names && k < count; k++) {
            size_t name = names + list[k].d_un.d_val;
            if (list[k].d_tag != DT_NEEDED || name >= size || !memchr(file + name, 0, size - name)) continue;
            char path[4096];
            int length = snprintf(path, sizeof path, "%s/%s", folder, file + name);
            if (length < (int)sizeof path && access(path, R_OK) == 0) dlopen(path, RTLD_NOW | RTLD_LOCAL);
        }
    }
}

static void load_ahead(const char *library) {
    const char *folder = getenv("PROCTOR_AHEAD_LIBRARIES");
    int fd = folder ? open(library, O_RDONLY | O_CLOEXEC) : -1;
    struct stat status;
    if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0) {
        size_t size = (size_t)status.st_size;
        char *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (file != MAP_FAILED) {
            load_needed(file, size, folder);
            munmap(file, size);
        }
    }
    if (fd >= 0) close(fd);
    unsetenv("PROCTOR_AHEAD_LIBRARIES");
}

/* ---- ends that the library cannot report itself -------------------------- */

static uintptr_t stack_end; /* the lowest address of the main thread's stack */

/* A fault near the end of the stack is endless recursion. The signal then takes its usual course. */
static void on_fault(int number, siginfo_t *info, void *context) {
    (void)context;
    uintptr_t at = (uintptr_t)info->si_addr;
    if (stack_end && at + NEAR_THE_END > stack_end && at < stack_end + (64 << 10))
        frames_text("{\"event\":\"raised\",\"message\":\"call stack exhausted\"}");
    signal(number, SIG_DFL); /* the instruction faults again, now deadly */
}

static void watch_stack(void) {
    pthread_attr_t attributes;
    void *low = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        if (pthread_attr_getstack(&attributes, &low, &size) == 0) stack_end = (uintptr_t)low;
        pthread_attr_destroy(&attributes);
    }
    stack_t other = {.ss_size = SIGNAL_STACK};
    other.ss_sp = mmap(NULL, SIGNAL_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (other.ss_sp == MAP_FAILED || sigaltstack(&other, NULL) != 0) return;
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

static bool came_back;

static void on_end(int code, void *unused) {
    (void)unused;
    char record[64];
    if (came_back) return;
    snprintf(record, sizeof record, "{\"event\":\"exited\",\"code\":%d}", code);
    frames_text(record);
}

int main(int argc, char **argv) {
    if (argc != 2) { fputs("usage: function_host LIBRARY.so\n", stderr); return HOST_USAGE; }
    load_ahead(argv[1]);
    frames_open();
    watch_stack();
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) host_failed(dlerror());
    void (*call)(void) = NULL;
    *(void **)&call = dlsym(library, "proctor_call");
    if (!call) host_failed("the library has no proctor_call");
    on_exit(on_end, NULL); /* the function may call exit() */
    call();
    came_back = true;
    return HOST_OK;
}
