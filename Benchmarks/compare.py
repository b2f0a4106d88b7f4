"""Times bare runners and proctor on the same projects, one after the other, and prints the ratios."""

import os
import statistics
import subprocess
import time

ROUNDS, PROCTOR, WORK = int(os.environ["ROUNDS"]), os.environ["PROCTOR"], os.environ["WORK"]
PYTHON = os.path.join(os.environ["VIRTUAL_ENV"], "bin/python")
POLYGLOT = os.path.join(WORK, "polyglot")


def milliseconds(command, folder):
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000


def many_tests(count):
    folder = os.path.join(WORK, f"python-{count}")
    os.makedirs(folder)
    with open(os.path.join(folder, "pytest.ini"), "w") as file:
        file.write("[pytest]\naddopts = -p no:cacheprovider\n")
    with open(os.path.join(folder, "test_many.py"), "w") as file:
        file.write(f"import pytest\n\n@pytest.mark.parametrize('n', range({count}))\ndef test_n(n):\n    pass\n")
    return folder


CASES = [
    ("start-up", ["/bin/true"], [PROCTOR, "--version"], WORK),
    ("sandbox", ["bwrap", "--ro-bind", "/", "/", "--unshare-all", "true"], None, WORK),
    ("cargo test", ["cargo", "test", "--offline"], [PROCTOR, "run"], os.path.join(POLYGLOT, "rust")),
    ("pytest", [PYTHON, "-m", "pytest"], [PROCTOR, "run"], os.path.join(POLYGLOT, "python")),
    ("pytest, 5000 tests", [PYTHON, "-m", "pytest", "-q"], [PROCTOR, "run"], many_tests(5000)),
    ("jest", ["node", "../../node_modules/.bin/jest"], [PROCTOR, "run"], os.path.join(POLYGLOT, "javascript")),
    ("swift test", ["swift", "test"], [PROCTOR, "run"], os.path.join(POLYGLOT, "swift")),
]

print(f"{'':22}{'bare ms':>10}{'proctor ms':>12}{'ratio':>8}   median of {ROUNDS}, interleaved, warm")
for name, bare, proctor, folder in CASES:
    milliseconds(bare, folder)
    if proctor:
        milliseconds(proctor, folder)
    times = {"bare": [], "proctor": []}
    for _ in range(ROUNDS):
        times["bare"].append(milliseconds(bare, folder))
        if proctor:
            times["proctor"].append(milliseconds(proctor, folder))
    low = statistics.median(times["bare"])
    if proctor:
        high = statistics.median(times["proctor"])
        print(f"{name:22}{low:10.1f}{high:12.1f}{high / low:8.2f}")
    else:
        print(f"{name:22}{low:10.1f}")
