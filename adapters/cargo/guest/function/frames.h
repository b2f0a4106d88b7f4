/*
 * What both hosts share: the request, the frames of the channel, and JSON text.
 *
 * Environment, read once by frames_open() and then removed:
 *   PROCTOR_REQUEST  path of the request file
 *   PROCTOR_CHANNEL  path of a named pipe
 *   PROCTOR_NONCE    32 hexadecimal digits
 *
 * A record is one JSON object, sent as lines of at most FRAME_SIZE bytes, each
 * written by one write():  P1 NONCE fn SEQUENCE FLAG PAYLOAD
 * FLAG is '+' when the record goes on in the next frame, '.' when it ends.
 * A payload is cut anywhere, also inside a UTF-8 sequence: join bytes.
 */
#ifndef PROCTOR_FRAMES_H
#define PROCTOR_FRAMES_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    FRAME_SIZE = 4096,           /* no more than PIPE_BUF: such a write is never mixed with another */
    REQUEST_LIMIT = 256 << 20,
    HOST_OK = 0, HOST_USAGE = 2, HOST_FAILED = 3,
};

static struct {
    int channel;
    char nonce[33];
    unsigned long long sequence;
    bool started, finished;      /* which records were already sent */
    char *request;
    size_t request_size;
} frames = {.channel = -1};

static _Noreturn void host_failed(const char *what) {
    fprintf(stderr, "proctor: %s\n", what);
    fflush(stderr);
    _exit(HOST_FAILED);
}

/* Reads a whole file; NULL if that fails or it is larger than the limit. */
static char *read_file(const char *path, size_t limit, size_t *size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t room = 64 << 10, have = 0;
    char *data = fd < 0 ? NULL : malloc(room);
    while (data) {
        if (have == room) {
            char *grown = room > limit ? NULL : realloc(data, room *= 2);
            if (!grown) { free(data); data = NULL; break; }
            data = grown;
        }
        ssize_t n = read(fd, data + have, room - have);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) { free(data); data = NULL; }
        if (n <= 0) break;
        have += (size_t)n;
    }
    if (fd >= 0) close(fd);
    *size = have;
    return data;
}

/* Takes a variable out of the environment, its bytes included: /proc/self/environ shows those. */
static char *take_variable(const char *name) {
    char *value = getenv(name);
    if (!value) host_failed("PROCTOR_REQUEST, PROCTOR_CHANNEL and PROCTOR_NONCE are needed");
    char *copy = strdup(value);
    if (!copy) host_failed("out of memory");
    unsetenv(name);
    explicit_bzero(value - strlen(name) - 1, strlen(name) + 1 + strlen(value));
    return copy;
}

static void frames_open(void) {
    char *request = take_variable("PROCTOR_REQUEST");
    char *channel = take_variable("PROCTOR_CHANNEL");
    char *nonce = take_variable("PROCTOR_NONCE");
    if (strlen(nonce) != 32 || strspn(nonce, "0123456789abcdefABCDEF") != 32) host_failed("PROCTOR_NONCE is not 32 hexadecimal digits");
    memcpy(frames.nonce, nonce, sizeof frames.nonce);
    frames.request = read_file(request, REQUEST_LIMIT, &frames.request_size);
    if (!frames.request) host_failed("cannot read the request");
    signal(SIGPIPE, SIG_IGN); /* as Rust's own start does */
    do frames.channel = open(channel, O_WRONLY | O_CLOEXEC); while (frames.channel < 0 && errno == EINTR);
    if (frames.channel < 0) host_failed("cannot open the channel");
    explicit_bzero(nonce, 32);
    free(nonce);
    free(channel);
    free(request);
}

/*
 * Sends one record. Calls nothing that is unsafe in a signal handler.
 * False if the record was refused for its order: `started` comes first and
 * once, and nothing comes after the record that says how the call ended.
 * `progress` comes between them, as often as it likes.
 */
static bool frames_send(const char *record, size_t size) {
    static const char starts[] = "{\"event\":\"started\"}";
    bool is_start = size == sizeof starts - 1 && !memcmp(record, starts, size);
    static const char goes_on[] = "{\"event\":\"progress\"";
    bool is_progress = size > sizeof goes_on && !memcmp(record, goes_on, sizeof goes_on - 1);
    if (frames.finished || (is_start && frames.started)) return false;
    if (!is_progress) *(is_start ? &frames.started : &frames.finished) = true;

    size_t sent = 0;
    do {
        char line[FRAME_SIZE], digits[24];
        size_t n = 0, count = 0;
        memcpy(line, "P1 ", 3); n += 3;
        memcpy(line + n, frames.nonce, 32); n += 32;
        memcpy(line + n, " fn ", 4); n += 4;
        for (unsigned long long rest = frames.sequence++; count == 0 || rest; rest /= 10) digits[count++] = (char)('0' + rest % 10);
        while (count) line[n++] = digits[--count];
        size_t room = FRAME_SIZE - n - 4, part = size - sent < room ? size - sent : room;
        line[n++] = ' ';
        line[n++] = sent + part < size ? '+' : '.';
        line[n++] = ' ';
        for (size_t i = 0; i < part; i++) {
            char c = record[sent + i];
            line[n++] = c == '\n' ? ' ' : c; /* in JSON a raw line end can only be space */
        }
        line[n++] = '\n';
        sent += part;
        for (size_t done = 0; done < n;) {
            ssize_t written = write(frames.channel, line + done, n - done);
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) _exit(HOST_FAILED); /* nobody reads any more */
            done += (size_t)written;
        }
    } while (sent < size);
    return true;
}

/* Milliseconds of processor time of this process and its children. */
__attribute__((unused))
static unsigned processor_milliseconds(void) {
    struct rusage own, children;
    if (getrusage(RUSAGE_SELF, &own) || getrusage(RUSAGE_CHILDREN, &children)) return 0;
    const struct timeval *parts[] = {&own.ru_utime, &own.ru_stime, &children.ru_utime, &children.ru_stime};
    uint64_t sum = 0;
    for (int i = 0; i < 4; i++) sum += (uint64_t)parts[i]->tv_sec * 1000000 + (uint64_t)parts[i]->tv_usec;
    return (unsigned)(sum / 1000);
}

__attribute__((unused))
static void frames_text(const char *record) { frames_send(record, strlen(record)); }

#endif
