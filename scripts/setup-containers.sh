#!/bin/bash
# Docker and Podman for tests, without a registry, a bridge or systemd.
#
#   setup-containers.sh [prepare|start|stop] [FOLDER]
#
# prepare (the default)  install the Debian packages, build FOLDER/root.tar once
# start                  prepare, run a private dockerd, import the tar as
#                        proctor-test:latest into docker and podman; prints
#                        NAME=value lines (nothing else) on stdout:
#                          set -a; eval "$(setup-containers.sh start)"; set +a
# stop                   end the dockerd and all containers of FOLDER
#
# FOLDER is .cache/containers below the caller's folder unless given.
set -euo pipefail

readonly IMAGE=proctor-test:latest
readonly SUITE=bookworm
# debootstrap knows a mirror itself.
readonly MIRROR=${DEBIAN_MIRROR-}

# What the tests run, then what Swift's toolchain needs from the system: to
# start (libxml2 ... libuuid1), and to compile and link (gcc ... libstdc++-12-dev).
readonly PACKAGES=(
  python3 python3-pytest cargo rustc nodejs
  libxml2 libcurl4 libedit2 libsqlite3-0 libncurses6 zlib1g libuuid1
  gcc binutils libc6-dev libstdc++-12-dev
  tzdata ca-certificates
)

say() { printf 'setup-containers: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
usage() { die "usage: ${0##*/} [prepare|start|stop] [FOLDER]"; }

action=prepare
case ${1-} in
  prepare | start | stop) action=$1; shift ;;
  -*) usage ;;
esac
[[ $# -le 1 ]] || usage
[[ $(id -u) -eq 0 ]] || die "needs root"

umask 022   # the root's files are for a container's uid 65534, too
# su keeps a plain user's PATH, without the folders of debootstrap and dockerd.
export PATH=$PATH:/usr/sbin:/sbin
# Settings for another daemon must not reach ours.
unset DOCKER_HOST DOCKER_CONTEXT CONTAINER_HOST CONTAINERS_CONF CONTAINERS_STORAGE_CONF

folder=$(realpath -m -- "${1:-.cache/containers}")
readonly folder tar=$folder/root.tar sock=$folder/docker.sock pidfile=$folder/docker.pid
# Mount options, TOML and an eval'd line cannot all hold these.
[[ $folder =~ ^[A-Za-z0-9/._+@-]+$ ]] || die "plain characters only, please: $folder"
# A socket's address holds 107 bytes.
[[ ${#sock} -le 107 ]] || die "path too long for a socket: $sock"

# Another list of packages, or another way (its number), makes another tar and another image.
stamp=$(printf '%s\n' 2 "$SUITE" "${PACKAGES[@]}" | sha256sum | cut -c1-16)
# Control groups of our own, so that stop can remove them.
cgroup=setup-containers-$(printf '%s' "$folder" | sha256sum | cut -c1-8)
readonly stamp cgroup

# ---------------------------------------------------------------- packages

daemons() { pidof dockerd containerd 2>/dev/null | tr ' ' '\n' | sort || true; }

install_missing() {
  local missing=() name command before pid policy=/usr/sbin/policy-rc.d made='' failed=''
  # By command, not package: docker.io would throw out an installed docker-ce.
  while read -r name command; do
    command -v "$command" >/dev/null || missing+=("$name")
  done <<<'docker.io dockerd
podman podman
runc runc
tini tini
debootstrap debootstrap'
  [[ ${#missing[@]} -gt 0 ]] || return 0
  say "installing ${missing[*]}"
  before=$(daemons)
  # Packages' scripts ask this file before they start a service: 101 is "no".
  if [[ ! -e $policy ]]; then
    made=1
    # shellcheck disable=SC2064  # $policy is meant to be expanded now
    trap "rm -f $policy" EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  {
    # Old lists may do; if not, the install says so. Another apt may be at work.
    apt-get update -qq || true
    apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "${missing[@]}" || failed=1
  } </dev/null >"$folder/apt.log" 2>&1
  [[ -z $made ]] || { rm -f "$policy"; trap - EXIT; }
  # Should one have started all the same: end it, but none from before.
  for pid in $(comm -13 <(printf '%s\n' "$before") <(daemons)); do
    kill "$pid" 2>/dev/null || true
  done
  [[ -z $failed ]] || { tail -n 20 "$folder/apt.log" >&2; die "apt-get failed"; }
}

# -------------------------------------------------------------------- root

build_tar() {
  [[ ! -s $tar || $(cat "$tar.stamp" 2>/dev/null) != "$stamp" ]] || return 0
  local root=$folder/root.new list
  say "building $tar (some minutes)"
  rm -rf --one-file-system "$root"
  rm -f "$tar" "$tar.stamp"
  list=$(IFS=,; printf '%s' "${PACKAGES[*]}")
  # In a mount namespace, debootstrap's /proc and /sys cannot stay behind.
  unshare --mount debootstrap --variant=minbase --include="$list" \
    "$SUITE" "$root" ${MIRROR:+"$MIRROR"} </dev/null >"$folder/debootstrap.log" 2>&1 ||
    { tail -n 20 "$folder/debootstrap.log" >&2; die "debootstrap failed"; }
  # Tools of a host's root may be mounted below it, for another user.
  chmod 755 "$root/root"
  # Engines make /dev, /proc and /sys; the rest left out no test reads.
  tar -C "$root" --numeric-owner --sort=name -cf "$tar.new" \
    --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' \
    --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' \
    --exclude='./var/log/*' --exclude='./usr/share/doc/*' \
    --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' .
  mv -f "$tar.new" "$tar"
  printf '%s\n' "$stamp" >"$tar.stamp"
  rm -rf --one-file-system "$root"
}

prepare() {
  install_missing
  build_tar
}

# ------------------------------------------------------------------ docker

our_docker() { command docker --host "unix://$sock" "$@"; }

# With its start time, a number that came to another process is not ours.
start_time() {
  local line fields
  line=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # The name, in parentheses, may hold blanks: count (from 3) after it.
  read -r -a fields <<<"${line##*) }"
  printf '%s\n' "${fields[19]}"
}

# Prints the number of the daemon's first process if it lives.
daemon_pid() {
  local pid time
  [[ -s $pidfile ]] || return 1
  read -r pid time <"$pidfile" || return 1
  [[ $(start_time "$pid") == "$time" ]] || return 1
  printf '%s\n' "$pid"
}

start_docker() {
  local pid
  if daemon_pid >/dev/null && our_docker version >/dev/null 2>&1; then
    return 0
  fi
  stop_docker
  mkdir -p "$folder/docker"
  # - mount namespace: dockerd's mounts show nowhere else and go with it;
  #   slave, so that later mounts outside do show inside (where / is shared);
  # - process namespace: with its first process (tini, which also reaps) the
  #   kernel ends all others: no containerd, shim or container can stay;
  # - 9>&-: the daemon must not hold our lock.
  setsid unshare --mount --propagation slave --pid --fork --kill-child \
    bash -s -- "$folder" "$cgroup" <<'INNER' 9>&- >"$folder/docker.log" 2>&1 &
set -euo pipefail
folder=$1 cgroup=$2
# /proc is still the one outside, so this is our number out there.
read -r pid _ </proc/self/stat
read -r -a fields </proc/self/stat
printf '%s %s\n' "$pid" "${fields[21]}" >"$folder/docker.pid.new"
mv "$folder/docker.pid.new" "$folder/docker.pid"
mount -t proc -o nosuid,nodev,noexec proc /proc
# Docker 20.10 and runc 1.1 take a v2 tree beside the v1 ones for v2 alone.
if mountpoint -q /sys/fs/cgroup/unified; then
  umount /sys/fs/cgroup/unified
fi
# containerd's shims put sockets into /run/containerd wherever its own are; a
# tmpfs hides them, and a system's containerd.sock, which dockerd would take.
mkdir -p /run/containerd
mount -t tmpfs -o mode=0711 tmpfs /run/containerd
mkdir /run/containerd/docker
exec tini -- dockerd \
  --config-file "$folder/docker.json" \
  --host "unix://$folder/docker.sock" \
  --data-root "$folder/docker" \
  --exec-root /run/containerd/docker \
  --pidfile /run/containerd/docker.pid \
  --storage-driver overlay2 \
  --cgroup-parent "/$cgroup" --exec-opt native.cgroupdriver=cgroupfs \
  --bridge=none --iptables=false --ip6tables=false \
  --ip-forward=false --ip-masq=false --userland-proxy=false \
  --log-level warn </dev/null
INNER
  pid=$!
  for ((i = 0; i < 300; i++)); do
    ! our_docker version >/dev/null 2>&1 || return 0
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$folder/docker.log" >&2
  stop_docker
  die "dockerd does not answer, see $folder/docker.log"
}

stop_docker() {
  local pid running
  if pid=$(daemon_pid); then
    # Containers first: dockerd alone would wait 10 s for each deaf one.
    running=$(timeout 10 docker --host "unix://$sock" ps -aq 2>/dev/null) || running=
    # shellcheck disable=SC2086  # one word a container
    [[ -z $running ]] ||
      timeout 30 docker --host "unix://$sock" rm -f -v $running >/dev/null 2>&1 || true
    kill -TERM "$pid" 2>/dev/null || true
    for ((i = 0; i < 100; i++)); do
      daemon_pid >/dev/null || break
      [[ $i -lt 99 ]] || kill -KILL "$pid" 2>/dev/null || true
      sleep 0.1
    done
  fi
  rm -f "$pidfile" "$sock"
  remove_cgroups
}

remove_cgroups() {
  # Empty ones only: rmdir refuses the others.
  find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" -exec rmdir {} + 2>/dev/null || true
}

# ------------------------------------------------------------------ podman

# Keeps everything of Podman below the folder, its locks (else in /dev/shm),
# events and sockets (else below /run) too. Callers get the two variables.
write_podman_conf() {
  local files procs pid_max
  # Podman's own defaults lie above our hard limits, and only CAP_SYS_RESOURCE,
  # which root in a sandbox may lack, can raise those. It lowers its own limit
  # of processes to pid_max first.
  files=$(ulimit -Hn) procs=$(ulimit -Hu) pid_max=$(</proc/sys/kernel/pid_max)
  [[ $files != unlimited ]] || files=1048576
  [[ $procs != unlimited && $procs -lt $pid_max ]] || procs=$pid_max
  # Podman's database holds paths: in a folder that was moved it would look in vain
  # for the ends of containers, 20 seconds each time.
  [[ $(cat "$folder/podman/place" 2>/dev/null) == "$folder" ]] || rm -rf --one-file-system "$folder/podman"
  mkdir -p "$folder/podman" "$folder/tmp"
  printf '%s\n' "$folder" >"$folder/podman/place"
  cat >"$folder/podman/containers.conf" <<CONF
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=$files:$files", "nproc=$procs:$procs"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
lock_type = "file"
tmp_dir = "$folder/podman/tmp"
[network]
network_config_dir = "$folder/podman/net"
CONF
  # skip_mount_home: Podman would leave a mount of the folder on itself.
  cat >"$folder/podman/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$folder/podman/root"
runroot = "$folder/podman/run"
[storage.options.overlay]
skip_mount_home = "true"
CONF
}

our_podman() {
  # TMPDIR: import would unpack in /var/tmp.
  TMPDIR=$folder/tmp CONTAINERS_CONF=$folder/podman/containers.conf \
    CONTAINERS_STORAGE_CONF=$folder/podman/storage.conf podman "$@"
}

import_podman() {
  # It also notes the blob in /var/lib/containers; here, in a passing tmpfs.
  if [[ $folder/ == /var/lib/* ]]; then
    our_podman import --quiet "$@"
  else
    export -f our_podman
    export folder
    unshare --mount bash -c 'mount -t tmpfs tmpfs /var/lib; our_podman import --quiet "$@"' bash "$@"
  fi
}

# Prints the numbers of Podman's own processes (conmon, clean-up) of the folder.
podman_pids() {
  # [p]: the pattern does not fit its own grep.
  { grep -ls -e "$folder/[p]odman/" /proc/[0-9]*/cmdline || true; } | cut -d / -f 3
}

stop_podman() {
  local target pid id bundle
  [[ -d $folder/podman/root ]] || return 0
  # Podman's rm alone forgets, but does not end, a container that was in the
  # midst of a stop when its podman was killed; runc knows it even then.
  our_podman kill --all >/dev/null 2>&1 || true
  our_podman rm --all --force --time 0 >/dev/null 2>&1 || true
  while read -r id _ _ bundle _; do
    [[ $bundle != "$folder/podman/"* ]] || runc delete --force "$id" || true
  done < <(runc list)
  # conmon starts a clean-up process that outlives the rm for a moment.
  for ((i = 0; i < 30; i++)); do
    [[ -n $(podman_pids) ]] || break
    sleep 0.1
  done
  for pid in $(podman_pids); do
    kill -KILL "$pid" 2>/dev/null || true
  done
  # Deepest first; only such as a caller's own options or a crash left.
  while read -r target; do
    umount "$target" || umount --lazy "$target" || true
  done < <(findmnt -rno TARGET | grep -F "$folder/podman/" | tac)
}

# ------------------------------------------------------------------ images

# has_image ENGINE NAME: is it there, and made from this list of packages?
has_image() {
  local have
  have=$("$1" image inspect --format '{{index .Config.Labels "proctor.root"}}' "$2" 2>/dev/null) || return 1
  [[ $have == "$stamp" ]]
}

import_images() {
  local label="LABEL proctor.root=$stamp"
  if ! has_image our_docker "$IMAGE"; then
    say "importing the image into docker"
    our_docker import --change "$label" "$tar" "$IMAGE" >/dev/null
  fi
  # With localhost/, its full name there, Podman looks up no alias in /var/cache.
  if ! has_image our_podman "localhost/$IMAGE"; then
    say "importing the image into podman"
    import_podman --change "$label" "$tar" "localhost/$IMAGE" >/dev/null
  fi
}

# -------------------------------------------------------------------- main

# Nothing was ever made there, so there is nothing to stop, nor to make.
[[ $action != stop || -d $folder ]] || exit 0
mkdir -p "$folder"
# One at a time; the lock goes with the process.
exec 9>"$folder/lock"
flock 9

case $action in
  prepare)
    prepare
    ;;
  start)
    prepare
    # A file of our own keeps /etc/docker/daemon.json out; and the key, in there.
    printf '{"deprecated-key-path": "%s"}\n' "$folder/docker.key" >"$folder/docker.json"
    write_podman_conf
    start_docker
    import_images
    printf 'DOCKER_HOST=unix://%s\n' "$sock"
    printf 'CONTAINERS_CONF=%s\n' "$folder/podman/containers.conf"
    printf 'CONTAINERS_STORAGE_CONF=%s\n' "$folder/podman/storage.conf"
    ;;
  stop)
    stop_docker
    stop_podman
    ;;
esac
