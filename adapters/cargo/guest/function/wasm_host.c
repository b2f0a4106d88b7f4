/*
 * wasm_host: calls the function that was compiled into a WASI reactor module
 * (preview 1) together with the harness, and says how it ended over the
 * channel of frames.h.
 *
 *   wasm_host --lib LIB --module M.wasm [--cache M.cwasm] --memory-mib N
 *   wasm_host --lib LIB --module M.wasm --compile M.cwasm --memory-mib N     fills the cache, calls nothing
 *
 * LIB is wasmtime's shared library, as in PyPI's wheel `wasmtime`. The wheel
 * has no headers: the prototypes used are declared below, after version 50.
 *
 * The guest gets no folder, no environment, no arguments, no network and an
 * empty stdin; its stdout and stderr are this process's. There is no time
 * limit here: whoever starts this program ends it.
 *
 * Exit code: 0 a record says how the call ended; 2 usage; 3 this program failed.
 *
 * A cache file is native code, trusted when loaded. It is taken only if it is
 * a regular file of this user that nobody else may write, in a folder for
 * which the caller answers; wasmtime refuses one of another version or with
 * other settings. Its name must derive from the module's digest.
 *
 * Build: cc -std=c11 -O2 -Wall -Wextra wasm_host.c -o wasm_host -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "frames.h"

enum {
    GUEST_STACK = 1 << 20,    /* as much as the guest's other stack, the one in its memory */
    TABLE_ELEMENTS = 100000,
    MODULE_LIMIT = 256 << 20,
    PAGE = 64 << 10,          /* of a WebAssembly memory */
};

/* ---- wasmtime's C API, the part used ------------------------------------ */

typedef struct wasm_config wasm_config_t;
typedef struct wasm_engine wasm_engine_t;
typedef struct wasm_trap wasm_trap_t;
typedef struct wasm_valtype wasm_valtype_t;
typedef struct wasm_functype wasm_functype_t;
typedef struct wasm_memorytype wasm_memorytype_t;
typedef struct wasi_config wasi_config_t;
typedef struct wasmtime_store wasmtime_store_t;
typedef struct wasmtime_context wasmtime_context_t;
typedef struct wasmtime_caller wasmtime_caller_t;
typedef struct wasmtime_module wasmtime_module_t;
typedef struct wasmtime_linker wasmtime_linker_t;
typedef struct wasmtime_error wasmtime_error_t;
typedef struct { size_t size; char *data; } wasm_byte_vec_t;
typedef struct { size_t size; wasm_valtype_t **data; } wasm_valtype_vec_t;
typedef struct { uint64_t store_id; size_t private_; } wasmtime_instance_t;
typedef struct { uint64_t store_id; void *private_; } wasmtime_func_t;
typedef struct { uint64_t store_id; uint32_t private1, private2, private3; } wasmtime_global_t;
typedef struct { struct { uint64_t store_id; uint32_t private1; }; uint32_t private2; } wasmtime_memory_t;
typedef struct {
    uint8_t kind;
    union { wasmtime_func_t func; wasmtime_global_t global; wasmtime_memory_t memory; uint64_t room[6]; } of;
} wasmtime_extern_t;
typedef struct {
    uint8_t kind;
    union { int32_t i32; int64_t i64; struct { uint64_t a; uint32_t b, c; void *d; } reference; } of;
} wasmtime_val_t;
typedef wasm_trap_t *(*callback)(void *, wasmtime_caller_t *, const wasmtime_val_t *, size_t, wasmtime_val_t *, size_t);
typedef struct {
    void *env;
    uint8_t *(*get)(void *, size_t *size, size_t *capacity);
    wasmtime_error_t *(*grow)(void *, size_t size);
    void (*finalizer)(void *);
} wasmtime_linear_memory_t;
typedef struct {
    void *env;
    wasmtime_error_t *(*make)(void *, const wasm_memorytype_t *, size_t minimum, size_t maximum, size_t reserve,
                              size_t guard, wasmtime_linear_memory_t *);
    void (*finalizer)(void *);
} wasmtime_memory_creator_t;

enum { KIND_FUNC = 0, KIND_GLOBAL = 1, KIND_MEMORY = 3, TYPE_I32 = 0 };
enum { TRAP_STACK_OVERFLOW = 0, TRAP_OUT_OF_BOUNDS = 1 };

#define API(X) \
    X(wasm_config_t *, wasm_config_new, (void)) \
    X(void, wasmtime_config_max_wasm_stack_set, (wasm_config_t *, size_t)) \
    X(void, wasmtime_config_wasm_threads_set, (wasm_config_t *, bool)) \
    X(void, wasmtime_config_wasm_memory64_set, (wasm_config_t *, bool)) \
    X(void, wasmtime_config_wasm_multi_memory_set, (wasm_config_t *, bool)) \
    X(void, wasmtime_config_parallel_compilation_set, (wasm_config_t *, bool)) \
    X(void, wasmtime_config_memory_reservation_set, (wasm_config_t *, uint64_t)) \
    X(void, wasmtime_config_memory_guard_size_set, (wasm_config_t *, uint64_t)) \
    X(void, wasmtime_config_memory_reservation_for_growth_set, (wasm_config_t *, uint64_t)) \
    X(void, wasmtime_config_memory_init_cow_set, (wasm_config_t *, bool)) \
    X(void, wasmtime_config_host_memory_creator_set, (wasm_config_t *, wasmtime_memory_creator_t *)) \
    X(wasm_engine_t *, wasm_engine_new_with_config, (wasm_config_t *)) \
    X(wasmtime_store_t *, wasmtime_store_new, (wasm_engine_t *, void *, void (*)(void *))) \
    X(wasmtime_context_t *, wasmtime_store_context, (wasmtime_store_t *)) \
    X(void, wasmtime_store_limiter, (wasmtime_store_t *, int64_t, int64_t, int64_t, int64_t, int64_t)) \
    X(wasmtime_error_t *, wasmtime_context_set_wasi, (wasmtime_context_t *, wasi_config_t *)) \
    X(wasi_config_t *, wasi_config_new, (void)) \
    X(void, wasi_config_inherit_stdout, (wasi_config_t *)) \
    X(void, wasi_config_inherit_stderr, (wasi_config_t *)) \
    X(void, wasm_byte_vec_delete, (wasm_byte_vec_t *)) \
    X(wasm_valtype_t *, wasm_valtype_new, (uint8_t)) \
    X(void, wasm_valtype_vec_new, (wasm_valtype_vec_t *, size_t, wasm_valtype_t *const *)) \
    X(wasm_functype_t *, wasm_functype_new, (wasm_valtype_vec_t *, wasm_valtype_vec_t *)) \
    X(wasmtime_error_t *, wasmtime_module_new, (wasm_engine_t *, const uint8_t *, size_t, wasmtime_module_t **)) \
    X(wasmtime_error_t *, wasmtime_module_serialize, (wasmtime_module_t *, wasm_byte_vec_t *)) \
    X(wasmtime_error_t *, wasmtime_module_deserialize_file, (wasm_engine_t *, const char *, wasmtime_module_t **)) \
    X(wasmtime_linker_t *, wasmtime_linker_new, (wasm_engine_t *)) \
    X(wasmtime_error_t *, wasmtime_linker_define_wasi, (wasmtime_linker_t *)) \
    X(wasmtime_error_t *, wasmtime_linker_define_func, (wasmtime_linker_t *, const char *, size_t, const char *, size_t, \
        const wasm_functype_t *, callback, void *, void (*)(void *))) \
    X(wasmtime_error_t *, wasmtime_linker_instantiate, (const wasmtime_linker_t *, wasmtime_context_t *, \
        const wasmtime_module_t *, wasmtime_instance_t *, wasm_trap_t **)) \
    X(bool, wasmtime_instance_export_get, (wasmtime_context_t *, const wasmtime_instance_t *, \
        const char *, size_t, wasmtime_extern_t *)) \
    X(bool, wasmtime_caller_export_get, (wasmtime_caller_t *, const char *, size_t, wasmtime_extern_t *)) \
    X(wasmtime_context_t *, wasmtime_caller_context, (wasmtime_caller_t *)) \
    X(uint8_t *, wasmtime_memory_data, (const wasmtime_context_t *, const wasmtime_memory_t *)) \
    X(size_t, wasmtime_memory_data_size, (const wasmtime_context_t *, const wasmtime_memory_t *)) \
    X(void, wasmtime_global_get, (wasmtime_context_t *, const wasmtime_global_t *, wasmtime_val_t *)) \
    X(wasmtime_error_t *, wasmtime_func_call, (wasmtime_context_t *, const wasmtime_func_t *, \
        const void *, size_t, void *, size_t, wasm_trap_t **)) \
    X(wasm_trap_t *, wasmtime_trap_new, (const char *, size_t)) \
    X(bool, wasmtime_trap_code, (const wasm_trap_t *, uint8_t *)) \
    X(void, wasm_trap_message, (const wasm_trap_t *, wasm_byte_vec_t *)) \
    X(wasmtime_error_t *, wasmtime_error_new, (const char *)) \
    X(void, wasmtime_error_message, (const wasmtime_error_t *, wasm_byte_vec_t *)) \
    X(bool, wasmtime_error_exit_status, (const wasmtime_error_t *, int *)) \
    X(void, wasmtime_error_delete, (wasmtime_error_t *))

#define DECLARE(ret, name, args) static ret (*name) args;
API(DECLARE)

/* ---- the guest's memory -------------------------------------------------- */

/*
 * wasmtime's own limiter does not tell that it refused, and the guest's own
 * words ("memory allocation failed") could be printed by anyone. So the memory
 * is made here, where every refusal passes.
 */
static struct {
    uint8_t *base;
    size_t size, limit, reserve, mapped;
    bool refused;
} memory;

static uint8_t *memory_get(void *unused, size_t *size, size_t *capacity) {
    (void)unused;
    *size = memory.size;
    *capacity = memory.reserve;
    return memory.base;
}

static wasmtime_error_t *memory_grow(void *unused, size_t size) {
    (void)unused;
    if (size > memory.limit || size > memory.reserve || mprotect(memory.base, size, PROT_READ | PROT_WRITE) != 0) {
        memory.refused = true;
        return wasmtime_error_new("the memory limit is reached");
    }
    memory.size = size;
    return NULL;
}

static void memory_free(void *unused) {
    (void)unused;
    munmap(memory.base, memory.mapped);
}

static wasmtime_error_t *memory_make(void *unused, const wasm_memorytype_t *type, size_t minimum, size_t maximum,
                                     size_t reserve, size_t guard, wasmtime_linear_memory_t *made) {
    (void)unused, (void)type, (void)maximum;
    if (memory.base) return wasmtime_error_new("only one memory is given");
    if (reserve < memory.limit) reserve = memory.limit;
    memory.reserve = reserve;
    memory.mapped = reserve + guard;
    void *base = mmap(NULL, memory.mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) return wasmtime_error_new("no address space for the guest's memory");
    memory.base = base;
    *made = (wasmtime_linear_memory_t){.get = memory_get, .grow = memory_grow, .finalizer = memory_free};
    return memory_grow(NULL, minimum);
}

/*
 * With 4 GiB reserved the compiled code needs no bounds checks. Under a limit
 * of address space (RLIMIT_AS) that fails: then only the limit is reserved.
 */
static bool can_reserve(void) {
    size_t wanted = (size_t)5 << 30;
    void *base = mmap(NULL, wanted, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) return false;
    munmap(base, wanted);
    return true;
}

/* ---- what the guest imports ---------------------------------------------- */

/* The guest's bytes from..from+size, or NULL if they are not all in its memory. */
static uint8_t *guest_bytes(wasmtime_caller_t *caller, int32_t from, size_t size) {
    wasmtime_extern_t item;
    if (!wasmtime_caller_export_get(caller, "memory", 6, &item) || item.kind != KIND_MEMORY) return NULL;
    wasmtime_context_t *context = wasmtime_caller_context(caller);
    size_t start = (uint32_t)from, end = wasmtime_memory_data_size(context, &item.of.memory);
    return size <= end && start <= end - size ? wasmtime_memory_data(context, &item.of.memory) + start : NULL;
}

static wasm_trap_t *trap(const char *text) { return wasmtime_trap_new(text, strlen(text)); }

static wasm_trap_t *request_size(void *unused, wasmtime_caller_t *caller, const wasmtime_val_t *in, size_t ins,
                                 wasmtime_val_t *out, size_t outs) {
    (void)unused, (void)caller, (void)in, (void)ins, (void)outs;
    out[0].kind = TYPE_I32;
    out[0].of.i32 = (int32_t)frames.request_size;
    return NULL;
}

static wasm_trap_t *spent(void *unused, wasmtime_caller_t *caller, const wasmtime_val_t *in, size_t ins,
                          wasmtime_val_t *out, size_t outs) {
    (void)unused, (void)caller, (void)in, (void)ins, (void)outs;
    out[0].kind = TYPE_I32;
    out[0].of.i32 = (int32_t)processor_milliseconds();
    return NULL;
}

static wasm_trap_t *request_read(void *unused, wasmtime_caller_t *caller, const wasmtime_val_t *in, size_t ins,
                                 wasmtime_val_t *out, size_t outs) {
    (void)unused, (void)ins, (void)out, (void)outs;
    uint8_t *to = guest_bytes(caller, in[0].of.i32, frames.request_size);
    if (!to) return trap("proctor_request_read: outside the memory");
    memcpy(to, frames.request, frames.request_size);
    return NULL;
}

static wasm_trap_t *send_record(void *unused, wasmtime_caller_t *caller, const wasmtime_val_t *in, size_t ins,
                                wasmtime_val_t *out, size_t outs) {
    (void)unused, (void)ins, (void)out, (void)outs;
    size_t size = (uint32_t)in[1].of.i32;
    const uint8_t *record = guest_bytes(caller, in[0].of.i32, size);
    if (!record) return trap("proctor_send: outside the memory");
    /* What this host alone knows, a guest does not say. */
    static const char *const allowed[] = {"started", "progress", "measured", "returned", "raised", "bad_arguments", "unserializable", "too_large"};
    static const char begin[] = "{\"event\":\"";
    bool known = false;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        size_t head = sizeof begin - 1, length = strlen(allowed[i]);
        known |= size > head + length && !memcmp(record, begin, head) && !memcmp(record + head, allowed[i], length)
            && record[head + length] == '"';
    }
    if (!known) return trap("proctor_send: no record of the harness");
    frames_send((const char *)record, size);
    return NULL;
}

static void check(wasmtime_error_t *error);

static void define(wasmtime_linker_t *linker, const char *name, size_t parameters, size_t results, callback function) {
    wasm_valtype_t *types[2] = {NULL, NULL};
    wasm_valtype_vec_t in, out;
    for (size_t i = 0; i < parameters; i++) types[i] = wasm_valtype_new(TYPE_I32);
    wasm_valtype_vec_new(&in, parameters, types);
    for (size_t i = 0; i < results; i++) types[i] = wasm_valtype_new(TYPE_I32);
    wasm_valtype_vec_new(&out, results, types);
    check(wasmtime_linker_define_func(linker, "proctor", 7, name, strlen(name), wasm_functype_new(&in, &out), function, NULL, NULL));
}

/* ---- the cache ------------------------------------------------------------ */

static bool cache_is_trusted(const char *path) {
    struct stat s;
    return lstat(path, &s) == 0 && S_ISREG(s.st_mode) && s.st_uid == geteuid() && !(s.st_mode & (S_IWGRP | S_IWOTH));
}

/* Written beside and renamed, so that a reader never meets half a file. A failure only costs the cache. */
static void cache_store(const char *path, const wasm_byte_vec_t *code) {
    char temporary[4096];
    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary) return;
    int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
    if (fd < 0) return;
    size_t done = 0;
    while (done < code->size) {
        ssize_t n = write(fd, code->data + done, code->size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        done += (size_t)n;
    }
    if (close(fd) != 0 || done < code->size || rename(temporary, path) != 0) unlink(temporary);
}

/* ---- how it ended ---------------------------------------------------------- */

/* The text of an error or a trap: wasmtime's is a backtrace and then the cause. */
static void describe(const wasmtime_error_t *error, const wasm_trap_t *trapped, char *text, size_t room) {
    wasm_byte_vec_t bytes = {0, NULL};
    if (error) wasmtime_error_message(error, &bytes);
    else wasm_trap_message(trapped, &bytes); /* ends in a NUL that counts */
    size_t size = bytes.size && !bytes.data[bytes.size - 1] ? bytes.size - 1 : bytes.size;
    static const char mark[] = "\n\nCaused by:\n    ";
    const char *from = bytes.data, *found = size ? memmem(bytes.data, size, mark, sizeof mark - 1) : NULL;
    if (found) { size -= (size_t)(found - from) + sizeof mark - 1; from = found + sizeof mark - 1; }
    while (size && from[size - 1] == '\n') size--;
    snprintf(text, room, "%.*s", (int)(size < room ? size : room - 1), from ? from : "");
}

static void check(wasmtime_error_t *error) {
    char text[2000];
    if (!error) return;
    describe(error, NULL, text, sizeof text);
    host_failed(text);
}

static void report_raised(const char *message) {
    char record[8000];
    size_t n = (size_t)sprintf(record, "{\"event\":\"raised\",\"message\":\"");
    for (const char *c = message; *c && n < sizeof record - 16; c++) {
        if (*c == '"' || *c == '\\') { record[n++] = '\\'; record[n++] = *c; }
        else if ((unsigned char)*c < 0x20) n += (size_t)sprintf(record + n, "\\u%04x", (unsigned char)*c);
        else record[n++] = *c;
    }
    memcpy(record + n, "\"}", 3);
    frames_text(record);
}

/*
 * A Rust program has a second stack, in its memory, below everything else
 * (--stack-first): running over its end is an access out of bounds with the
 * stack pointer below zero. The pointer is seen if the module exports it.
 */
static bool stack_pointer_is_below_zero(wasmtime_context_t *context, const wasmtime_instance_t *instance) {
    wasmtime_extern_t item;
    wasmtime_val_t value;
    if (!wasmtime_instance_export_get(context, instance, "__stack_pointer", 15, &item) || item.kind != KIND_GLOBAL) return false;
    wasmtime_global_get(context, &item.of.global, &value);
    return value.kind == TYPE_I32 && value.of.i32 < 0;
}

/* Says how a failed call ended, unless the guest already did; does not return. */
static _Noreturn void report_failed(wasmtime_error_t *error, wasm_trap_t *trapped, wasmtime_context_t *context,
                                    const wasmtime_instance_t *instance) {
    char text[2000], record[64];
    int exit_code;
    uint8_t code = 255;
    if (error && wasmtime_error_exit_status(error, &exit_code)) {
        snprintf(record, sizeof record, "{\"event\":\"exited\",\"code\":%d}", exit_code);
        frames_text(record);
        _exit(HOST_OK);
    }
    if (trapped && !wasmtime_trap_code(trapped, &code)) code = 255;
    if (code == TRAP_STACK_OVERFLOW || (code == TRAP_OUT_OF_BOUNDS && instance && stack_pointer_is_below_zero(context, instance)))
        report_raised("call stack exhausted");
    else if (memory.refused) /* the guest asked for more, was refused, and then died */
        frames_text("{\"event\":\"memory_limit\"}");
    else {
        describe(error, trapped, text, sizeof text);
        if (!instance) host_failed(text); /* no module for this host */
        report_raised(text);
    }
    _exit(HOST_OK);
}

static void call(wasmtime_context_t *context, const wasmtime_instance_t *instance, const char *name, bool needed) {
    wasmtime_extern_t item;
    wasm_trap_t *trapped = NULL;
    if (!wasmtime_instance_export_get(context, instance, name, strlen(name), &item) || item.kind != KIND_FUNC) {
        if (needed) host_failed("the module exports no proctor_call");
        return;
    }
    wasmtime_error_t *error = wasmtime_func_call(context, &item.of.func, NULL, 0, NULL, 0, &trapped);
    if (error || trapped) report_failed(error, trapped, context, instance);
}

int main(int argc, char **argv) {
    const char *lib = NULL, *module_path = NULL, *cache = NULL;
    bool only_compile = false;
    long memory_mib = 0;
    for (int i = 1; i < argc; i += 2) {
        const char *option = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(option, "--lib")) lib = value;
        else if (!strcmp(option, "--module")) module_path = value;
        else if (!strcmp(option, "--cache")) cache = value;
        else if (!strcmp(option, "--compile")) { cache = value; only_compile = true; }
        else if (!strcmp(option, "--memory-mib")) memory_mib = strtol(value, NULL, 10);
        else memory_mib = -1;
    }
    if (!lib || !module_path || memory_mib < 1 || memory_mib > 4096) {
        fputs("usage: wasm_host --lib LIB --module M.wasm [--cache|--compile M.cwasm] --memory-mib 1..4096\n", stderr);
        return HOST_USAGE;
    }
    if (!only_compile) frames_open();
    memory.limit = (size_t)memory_mib << 20;

    void *library = dlopen(lib, RTLD_NOW | RTLD_LOCAL);
    if (!library) host_failed(dlerror());
#define LOAD(ret, name, args) if (!(*(void **)&name = dlsym(library, #name))) host_failed("the library lacks " #name);
    API(LOAD)

    wasm_config_t *config = wasm_config_new();
    wasmtime_config_max_wasm_stack_set(config, GUEST_STACK);
    wasmtime_config_wasm_threads_set(config, false);
    wasmtime_config_wasm_memory64_set(config, false);
    wasmtime_config_wasm_multi_memory_set(config, false);
    wasmtime_config_parallel_compilation_set(config, false); /* no thread pool: works under a limit of tasks */
    if (!can_reserve()) {
        wasmtime_config_memory_reservation_set(config, memory.limit);
        wasmtime_config_memory_guard_size_set(config, PAGE);
        wasmtime_config_memory_reservation_for_growth_set(config, 0);
    }
    wasmtime_config_memory_init_cow_set(config, false); /* wasmtime 50 panics on it with a memory of the host's */
    wasmtime_config_host_memory_creator_set(config, &(wasmtime_memory_creator_t){.make = memory_make});
    wasm_engine_t *engine = wasm_engine_new_with_config(config);
    if (!engine) host_failed("no engine");

    /* The module: from the cache, else compiled and put there. */
    wasmtime_module_t *module = NULL;
    if (cache && cache_is_trusted(cache)) {
        wasmtime_error_t *stale = wasmtime_module_deserialize_file(engine, cache, &module);
        if (stale) { wasmtime_error_delete(stale); module = NULL; }
    }
    if (!module) {
        size_t size = 0;
        char *wasm = read_file(module_path, MODULE_LIMIT, &size);
        if (!wasm) host_failed("cannot read the module");
        check(wasmtime_module_new(engine, (uint8_t *)wasm, size, &module));
        free(wasm);
        wasm_byte_vec_t code;
        wasmtime_error_t *unwritten = cache ? wasmtime_module_serialize(module, &code) : NULL;
        if (unwritten) wasmtime_error_delete(unwritten);
        else if (cache) { cache_store(cache, &code); wasm_byte_vec_delete(&code); }
    }

    if (only_compile) return 0;
    wasi_config_t *wasi = wasi_config_new(); /* with nothing in it: stdin is empty */
    wasi_config_inherit_stdout(wasi);
    wasi_config_inherit_stderr(wasi);
    wasmtime_store_t *store = wasmtime_store_new(engine, NULL, NULL);
    wasmtime_context_t *context = wasmtime_store_context(store);
    wasmtime_store_limiter(store, -1, TABLE_ELEMENTS, 1, 4, 1); /* the memory is limited above */
    check(wasmtime_context_set_wasi(context, wasi));
    wasmtime_linker_t *linker = wasmtime_linker_new(engine);
    check(wasmtime_linker_define_wasi(linker));
    define(linker, "proctor_request_size", 0, 1, request_size);
    define(linker, "proctor_request_read", 1, 0, request_read);
    define(linker, "proctor_send", 2, 0, send_record);
    define(linker, "proctor_processor_milliseconds", 0, 1, spent);

    wasmtime_instance_t instance;
    wasm_trap_t *trapped = NULL;
    wasmtime_error_t *error = wasmtime_linker_instantiate(linker, context, module, &instance, &trapped);
    if (error || trapped) report_failed(error, trapped, context, NULL);
    call(context, &instance, "_initialize", false);
    call(context, &instance, "proctor_call", true);
    fflush(NULL);
    _exit(HOST_OK); /* the system frees faster than wasmtime */
}
