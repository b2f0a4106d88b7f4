"""Times proctor ingest beside xmllint --stream and junitparser on the same generated files, interleaved."""
import os
import statistics
import subprocess
import sys
import time

SUITE = 1000


def generate(path, cases):
    """A file as surefire writes it: a failure in a thousand cases, a skip in a hundred."""
    with open(path, "w") as out:
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n')
        for suite in range(max(1, cases // SUITE)):
            name = f"com.example.module{suite % 97}.Service{suite}Test"
            rows = []
            for number in range(SUITE):
                head = (
                    f'    <testcase classname="{name}" name="handlesRequest[{number}, kind={number * 7919 % 104729}]" '
                    f'file="src/test/java/com/example/Service{suite}Test.java" line="{number + 10}" time="0.{number:03d}"')
                if number == 500:
                    rows.append(
                        head + '>\n      <failure message="expected &lt;1&gt; but was &lt;2&gt;" type="AssertionFailedError">'
                        f"AssertionFailedError: expected 1 but was 2\n\tat {name}.handles(Service{suite}Test.java:42)\n"
                        "</failure>\n    </testcase>\n")
                elif number % 100 == 0:
                    rows.append(head + "><skipped/></testcase>\n")
                else:
                    rows.append(head + "/>\n")
            out.write(f'  <testsuite name="{name}" tests="{SUITE}" failures="1" errors="0" skipped="9" time="12.345">\n')
            out.write("".join(rows))
            out.write("  </testsuite>\n")
        out.write("</testsuites>\n")


def run(command, expected):
    """Seconds of wall and processor time and megabytes of peak memory."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != expected:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def compare(title, commands, rounds):
    rows = {name: [] for name in commands}
    for _ in range(rounds):
        for name, (command, expected) in commands.items():
            rows[name].append(run(command, expected))
    print(title)
    for name, taken in rows.items():
        wall, cpu = (statistics.median(row[i] for row in taken) for i in (0, 1))
        print(f"  {name:18} {wall:8.2f} s wall {cpu:8.2f} s processor {max(row[2] for row in taken):8.1f} MB peak")
    base = [statistics.median(row[i] for row in rows["proctor"]) for i in (0, 1)]
    for name in rows:
        if name != "proctor":
            other = [statistics.median(row[i] for row in rows[name]) for i in (0, 1)]
            print(
                f"  proctor takes {base[0] / other[0]:.2f} times the wall time of {name}, {base[1] / other[1]:.2f} times its processor time"
                f" ({other[0] / base[0]:.1f} and {other[1] / base[1]:.1f} times as fast)")


def main():
    work, cases, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    large, small = f"{work}/large.xml", f"{work}/small.xml"
    generate(large, cases)
    generate(small, max(SUITE, cases // 10))
    sources = f"{work}/workspace"
    os.makedirs(sources)

    def proctor(path):
        return [os.environ["PROCTOR"], "ingest", "--workspace", sources, "--format", "json", path], 1

    compare(
        f"{cases} cases, {os.path.getsize(large) / 1e6:.0f} MB",
        {"proctor": proctor(large), "xmllint --stream": (["xmllint", "--stream", "--noout", "--huge", large], 0)}, rounds)
    # What proctor reads of each case, too: its whole name, its time, and what went wrong.
    script = (
        "import sys, junitparser\nseen, names, total, failed = 0, set(), 0, []\n"
        "for suite in junitparser.JUnitXml.fromfile(sys.argv[1]):\n"
        "    for case in suite:\n        names.add((suite.name, case.classname, case.name))\n"
        "        total += case.time or 0\n"
        "        for result in case.result:\n"
        "            failed.append((result.message, result.type, result.text))\n")
    compare(
        f"{max(SUITE, cases // 10)} cases, {os.path.getsize(small) / 1e6:.0f} MB",
        {"proctor": proctor(small), "junitparser": ([sys.executable, "-c", script, small], 0)}, rounds)


main()
