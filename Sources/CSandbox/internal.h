#pragma once
#include "csandbox.h"

// After fork in a process of many threads nothing here may allocate: another thread may have held
// malloc's lock.

// Tells the parent where the start failed, and ends the process.
_Noreturn void csb_fail(int stage);
_Noreturn void csb_fail_step(int step);

// Mounts the new root, takes the steps and moves into it.
void csb_build_root(const struct csb_spec *spec);
// Steps on the host's own paths.
void csb_build_overlays(const struct csb_spec *spec);

void csb_drop_privileges(void);
void csb_restrict_files(const struct csb_spec *spec);
// The notifier's listener stays open in `csb_listener`: its process cannot send it, since sending may be
// what is notified.
void csb_filter_calls(const struct csb_spec *spec);
extern int csb_listener;
void csb_send_listener(int socket);

// Text building without the C library's formatting.
char *csb_append(char *at, char *end, const char *text);
char *csb_append_number(char *at, char *end, uint64_t number);
