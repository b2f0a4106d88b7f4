#pragma once
// The attacks of `proctor selftest`: each tries one thing that a sandboxed command must not be able to
// do, and none does harm where it succeeds.
#include <sys/types.h>

enum {
  ATTACK_GOT_THROUGH = 0,
  ATTACK_BLOCKED = 10,
  ATTACK_NOT_APPLICABLE = 20,
};

// What the attacks are aimed at, prepared by the self-test on the host.
struct attack_target {
  // A file outside of the workspace, and what it holds.
  const char *secret;
  const char *token;
  // The folder the secret is in.
  const char *outside;
  const char *workspace;
  // A folder for files that are written by the thousand.
  const char *area;
  // A process of the host with the token in its environment.
  pid_t victim;
  // Listeners of the host.
  int tcp_port;
  const char *socket_path;
  const char *abstract_name;
  // A System V message queue of the host.
  int queue_key;
  // A descriptor that was open to the secret when the attack was started.
  int descriptor;
};

struct attack {
  const char *name;
  const char *category;
  int (*run)(const struct attack_target *target);
};

extern const int attack_count;
// Swift cannot import an array of unknown length.
const struct attack *attack_at(int index);
