"""Times calls of one function: bare, by proctor without and with its helper, and in a container where an engine runs.

What a call costs is told above nothing: above the same program doing nothing (proctor --version), and, of the
helper's own answers over its socket, above none at all. A file is new that was never called before; cold is a call that
no sandbox waits for at all, not even one for any file: its environment is none that was seen before.
"""

import itertools
import json
import os
import shutil
import socket
import statistics
import subprocess
import time

ROUNDS, PROCTOR, WORK = int(os.environ["ROUNDS"]), os.environ["PROCTOR"], os.environ["WORK"]
PYTHON = os.path.join(os.environ["VIRTUAL_ENV"], "bin/python")
SPACE = os.path.join(WORK, "workspace")
MEETING = os.path.join(WORK, "cache", "warm")
# Between calls: nobody calls without looking at the last answer.
PAUSE = 0.25

FILES = {
    "sums.py": "def add(a, b):\n    return a + b\n",
    "grid.py": "import numpy\n\ndef add(a, b):\n    return int(numpy.add(a, b))\n",
    "sums.mjs": "export function add(a, b) { return a + b; }\n",
    "rust/Cargo.toml": '[package]\nname = "sums"\nversion = "0.1.0"\nedition = "2021"\n',
    "rust/src/lib.rs": "pub fn add(a: i64, b: i64) -> i64 { a + b }\n",
    "rust/src/bin/bare.rs": 'fn main() { println!("{}", sums::add(1, 2)); }\n',
    "swift/Package.swift": "// swift-tools-version: 6.0\nimport PackageDescription\n"
    'let package = Package(name: "Sums", targets: [.target(name: "Sums"), '
    '.executableTarget(name: "bare", dependencies: ["Sums"])])\n',
    "swift/Sources/Sums/Sums.swift": "public func add(_ a: Int, _ b: Int) -> Int { a + b }\n",
    "swift/Sources/bare/main.swift": "import Sums\nprint(add(1, 2))\n",
}
for name, text in FILES.items():
    path = os.path.join(SPACE, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def run(command, folder=SPACE, **environment):
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    taken = (time.perf_counter() - start) * 1000
    if done.returncode != 0:
        raise SystemExit(f"{command} failed: {done.stdout.decode()}{done.stderr.decode()}")
    return taken


def call(path, warm):
    return run([PROCTOR, "exec", path, "add", "[1, 2]", "--yes", "--format", "json"], PROCTOR_WARM=warm, CI="")


def helper():
    names = [name for name in os.listdir(MEETING) if not name.endswith(".lock")] if os.path.isdir(MEETING) else []
    return os.path.join(MEETING, names[0]) if names else None


def ask(path, **environment):
    """Milliseconds of the helper's own answer, without a program that is started for it."""
    request = {
        "workspace": SPACE, "base": SPACE, "path": path, "function": "add", "arguments": "[1, 2]", "isJSON": True,
        "isColoured": False, "environment": {**os.environ, "PROCTOR_WARM": "on", "CI": "", **environment},
    }
    start = time.perf_counter()
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(helper())
        end.sendall(json.dumps(request).encode() + b"\n")
        answer = b""
        while part := end.recv(1 << 16):
            answer += part
    if not answer.endswith(b"X1\n0"):
        raise SystemExit(f"the helper gave no answer: {answer!r}")
    return (time.perf_counter() - start) * 1000


copies = itertools.count()


def new(path):
    """A file of the same text that was never called."""
    stem, ending = os.path.splitext(path)
    copy = f"{stem}_{next(copies)}{ending}"
    shutil.copyfile(os.path.join(SPACE, path), os.path.join(SPACE, copy))
    return copy


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def show(name, kinds):
    for kind, times in kinds.items():
        print(f"{name:14}{kind:28}{statistics.median(times):9.1f}{quantile(times, 0.95):9.1f}")


def container_engine():
    for engine in ("docker", "podman"):
        if shutil.which(engine):
            images = subprocess.run(
                [engine, "images", "--format", "{{.Repository}}:{{.Tag}}"], capture_output=True, text=True)
            names = [name for name in images.stdout.split() if "proctor" in name]
            if images.returncode == 0 and names:
                return engine, names[0]
    return None


subprocess.run(["cargo", "build", "--quiet", "--offline"], cwd=os.path.join(SPACE, "rust"), check=True)
subprocess.run(
    ["swift", "build", "--quiet", "--product", "bare"], cwd=os.path.join(SPACE, "swift"), check=True,
    stdout=subprocess.DEVNULL)
bare = {
    "sums.py": [PYTHON, "-c", "import sums; print(sums.add(1, 2))"],
    "grid.py": [PYTHON, "-c", "import grid; print(grid.add(1, 2))"],
    "sums.mjs": ["node", "-e", "import('./sums.mjs').then((m) => console.log(m.add(1, 2)))"],
    "rust/src/lib.rs": ["rust/target/debug/bare"],
    "swift/Sources/Sums/Sums.swift": ["swift/.build/debug/bare"],
}
engine = container_engine()
print(f"{'':14}{'ms of a call':28}{'median':>9}{'95th':>9}   {ROUNDS} rounds, interleaved")
for path, command in bare.items():
    for _ in range(2):
        call(path, "off")
        call(path, "on")
    while helper() is None:
        time.sleep(0.05)
    kinds = {"proctor --version": [], "bare": [], "proctor, no helper": [], "proctor, helper": [], "the helper alone": []}
    # In other languages a sandbox that waits is for any file, or the file would be compiled first.
    waits_for_file = path.endswith(".py")
    if waits_for_file:
        kinds |= {"proctor, helper, new file": [], "the helper alone, new file": [], "the helper alone, cold": []}
    if engine and path == "sums.py":
        kinds[f"{engine[0]} run"] = []
    for number in range(ROUNDS):
        kinds["proctor --version"].append(run([PROCTOR, "--version"]))
        kinds["bare"].append(run(command))
        kinds["proctor, no helper"].append(call(path, "off"))
        time.sleep(PAUSE)
        kinds["proctor, helper"].append(call(path, "on"))
        time.sleep(PAUSE)
        kinds["the helper alone"].append(ask(path))
        time.sleep(PAUSE)
        if waits_for_file:
            kinds["proctor, helper, new file"].append(call(new(path), "on"))
            time.sleep(PAUSE)
            kinds["the helper alone, new file"].append(ask(new(path)))
            time.sleep(PAUSE)
            kinds["the helper alone, cold"].append(ask(path, LC_ROUND=str(number)))
            time.sleep(PAUSE)
            # It has sandboxes for those now.
            call(path, "on")
            time.sleep(PAUSE)
        if f"{engine and engine[0]} run" in kinds:
            mount = f"{SPACE}:{SPACE}:ro"
            kinds[f"{engine[0]} run"].append(run(
                [engine[0], "run", "--rm", "--network", "none", "-v", mount, "-w", SPACE, engine[1], "python3", "-c",
                 "import sums; print(sums.add(1, 2))"]))
    show(path.split("/")[0], kinds)
