"""Writes the expected.json of fixture projects from what proctor answers now.

usage: update_goldens.py PROCTOR FIXTURE...
Read the difference by hand before you commit it: a golden freezes bugs too.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def answer(proctor, fixture, arguments, environment):
    with tempfile.TemporaryDirectory() as folder:
        workspace = os.path.join(folder, "workspace")
        shutil.copytree(fixture, workspace, symlinks=True)
        golden = os.path.join(workspace, "expected.json")
        if os.path.exists(golden):
            os.remove(golden)
        then = os.path.join(workspace, "then")
        if os.path.isdir(then):
            # The first run sees the workspace as it was; what comes then keeps its old dates.
            later = shutil.move(then, os.path.join(folder, "then"))
            subprocess.run([proctor, "run"], cwd=workspace, capture_output=True)
            subprocess.run(["cp", "-a", f"{later}/.", workspace], check=True)
        os.symlink(os.path.join(ROOT, "fixtures/node_modules"), os.path.join(folder, "node_modules"))
        details = ["--details"] if "run" in arguments else []
        done = subprocess.run(
            [proctor, *arguments, "--format", "json", *details], cwd=workspace, capture_output=True,
            env=environment)
        return done.returncode, json.loads(done.stdout)


def golden(code, found):
    result = {"exit_code": code, "status": found["status"], "reason": found.get("reason")}
    for key in ("total_tests", "passed", "failed", "skipped"):
        if key in found:
            result[key] = found[key]
    failures = {failure["id"]: failure for failure in found.get("failures", [])}
    tests = {}
    for test in found.get("tests", []):
        row = {key: test[key] for key in ("outcome", "raw_status", "file", "definition_line") if key in test}
        failure = failures.get(test["id"])
        if failure:
            row["line"] = failure.get("line")
            row["file"] = failure.get("file")
            # What a dead process printed last differs from machine to machine.
            crashed = failure["outcome"] == "crashed"
            row["message_contains"] = (
                next(words for words in ("the process ended", "crashed while running", "") if words in failure["error"])
                if crashed else failure["error"].split("\n")[0][:80])
        tests[test["id"]] = row
    result["tests"] = tests
    result["errors"] = [
        {**{key: error.get(key) for key in ("stage", "file", "line")},
         "message_contains": error["message"].split("\n")[0][:80]}
        for error in found.get("errors", [])]
    return result


def main():
    proctor = os.path.abspath(sys.argv[1])
    for fixture in sys.argv[2:]:
        path = os.path.join(fixture, "expected.json")
        old = json.load(open(path)) if os.path.exists(path) else {}
        arguments = old.get("arguments", ["run"])
        environment = dict(os.environ)
        if "virtual_environment" in old:
            environment["VIRTUAL_ENV"] = os.path.join(ROOT, ".cache", old["virtual_environment"])
        code, found = answer(proctor, fixture, arguments, environment)
        new = golden(code, found)
        if "arguments" in old:
            new = {"arguments": arguments, **new}
        if "virtual_environment" in old:
            new = {"virtual_environment": old["virtual_environment"], **new}
        if "notes_contain" in old:
            new["notes_contain"] = [note.partition(": ")[2] for note in found.get("notes", [])]
        if "lie" in old:
            sentence = (found.get("message") or "").split(":")[0]
            new = {"lie": old["lie"], "bare_is_green": old.get("bare_is_green"), **new, "sentence_contains": sentence}
        with open(path, "w", encoding="utf-8") as file:
            json.dump(new, file, indent=1, ensure_ascii=False)
            file.write("\n")
        print(fixture, new["exit_code"], new["status"], new["reason"])


main()
