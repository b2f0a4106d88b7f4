"""The files for continuous integration, run as far as that goes without their platforms.

usage: PROCTOR=path/of/proctor ci_runs.py [TestCase...]
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from ci_files import ACTION, GITLAB, PROCTOR, REPOSITORY, YAML_READER, Checked

TESTS = """\
import pytest

def test_ok():
    assert 1 + 1 == 2

def test_wrong():
    print("::error file=forged.py,line=1::not GitHub's")
    print("::add-mask::test_ok")
    assert 1 + 1 == 3

@pytest.mark.skip(reason="later")
def test_later(): pass
"""


class Action(Checked):
    """The action's steps with their real scripts, as GitHub's runner would start them."""

    def setUp(self):
        super().setUp()
        self.workspace = self.folder / "repository"
        self.write("repository/api/test_api.py", TESTS)

    def act(self, program=PROCTOR, action_path=REPOSITORY, path=None, **inputs):
        """The outputs, the exit status, what GitHub obeyed, the summary and the log."""
        action = YAML_READER.load(ACTION.read_text())
        given = {name.replace("-", "_"): value for name, value in inputs.items()}
        self.assertLessEqual(set(given), set(action["inputs"]))
        values = {name: given.get(name, field.get("default", "")) for name, field in action["inputs"].items()}
        if program:
            values["proctor"] = program
        outputs, log, status, summary = {}, "", 0, ""
        for step in action["runs"]["steps"]:
            if status:
                break
            temporary = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
            files = {name: temporary / name for name in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV"]}
            for file in files.values():
                file.touch()
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]], cwd=self.workspace, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env={
                    **os.environ, **({"PATH": path} if path else {}), **files, "RUNNER_TEMP": str(temporary), "CI": "true",
                    "GITHUB_ACTION_PATH": str(action_path), "GITHUB_WORKSPACE": str(self.workspace),
                    **{name: self.evaluated(text, values, outputs) for name, text in step["env"].items()}})
            status, log = done.returncode, log + done.stdout
            lines = files["GITHUB_OUTPUT"].read_text().splitlines()
            outputs[step["id"]] = dict(line.split("=", 1) for line in lines)
            summary += files["GITHUB_STEP_SUMMARY"].read_text()
            self.assertEqual(files["GITHUB_ENV"].read_text(), "")
        answers = {name: self.evaluated(field["value"], values, outputs) for name, field in action["outputs"].items()}
        return answers, status, self.obeyed(log), summary, log

    def evaluated(self, text, inputs, outputs):
        """An expression of GitHub's, of the two kinds that the action has."""
        kind = re.fullmatch(r"\$\{\{ (?:inputs\.([\w-]+)|steps\.(\w+)\.outputs\.([\w-]+)) \}\}", text)
        self.assertTrue(kind, text)
        return str(inputs[kind[1]]) if kind[1] else outputs.get(kind[2], {}).get(kind[3], "")

    @staticmethod
    def obeyed(log):
        """The commands in a log that GitHub's runner would carry out."""
        commands, word = [], None
        for line in log.splitlines():
            if word:
                word = None if line == f"::{word}::" else word
            elif line.startswith("::stop-commands::"):
                word = line.removeprefix("::stop-commands::")
            elif line.lstrip().startswith("::"):
                commands.append(line)
        assert word is None
        return commands

    def test_a_run_with_a_failure(self):
        outputs, status, obeyed, summary, log = self.act(reports="junit=out/junit.xml\n\n  ctrf=out/ctrf.json \n")
        self.assertEqual(status, 1, log)
        self.assertEqual(
            {name: outputs[name] for name in ["status", "reason", "total", "passed", "failed", "skipped", "exit-code"]},
            {"status": "partial_failure", "reason": "tests_failed", "total": "3", "passed": "1", "failed": "1", "skipped": "1",
             "exit-code": "1"})
        self.assertEqual(json.loads(pathlib.Path(outputs["report"]).read_text())["failed"], 1)
        self.assertIn("test_wrong", summary)
        self.assertEqual(pathlib.Path(outputs["summary"]).read_text().strip(), summary.strip())
        # The failure where it is, and nothing that the test said.
        errors = [line for line in obeyed if line.startswith("::error")]
        self.assertEqual(len(errors), 1, log)
        self.assertIn("file=api/test_api.py,line=9", errors[0])
        self.assertFalse(any("forged" in line.split("::")[1] or "add-mask" in line for line in obeyed), obeyed)
        self.assertTrue((self.workspace / "out/junit.xml").exists() and (self.workspace / "out/ctrf.json").exists())

    def test_a_green_run(self):
        outputs, status, obeyed, summary, log = self.act(workspace="api", filter="test_ok|test_later", annotations="false")
        self.assertEqual((status, outputs["status"], outputs["reason"], outputs["passed"]), (0, "passed", "", "1"), log)
        self.assertEqual(obeyed, [])
        self.assertTrue(summary)

    def test_values_are_no_code_and_no_options(self):
        for hostile in ["$(touch pwned) `touch pwned` \"; touch pwned; '; touch pwned; #", "--help", "--isolation=none"]:
            outputs, status, obeyed, _, log = self.act(filter=hostile)
            self.assertEqual((status, outputs["status"]), (4, "no_tests"), log)
        for name in ["retries", "shard", "flaky", "format", "reports"]:
            outputs, status, _, _, log = self.act(**{name: "$(touch pwned)"})
            self.assertEqual((status, outputs["status"]), (2, "error"), log)
            # Whether there is a report that says so, or the command line could not even be read.
            self.assertIn(outputs["reason"], ["usage", "no_report"], log)
        outputs, status, _, _, log = self.act(workspace="--help")
        self.assertNotEqual(status, 0, log)
        self.assertEqual(list(self.folder.rglob("pwned")), [])

    def test_wrong_inputs_are_refused(self):
        for inputs, word in [
            ({"fetch": "yes"}, "fetch"), ({"annotations": ""}, "annotations"), ({"merge": "a", "filter": "b"}, "filter"),
            ({"base": "HEAD", "shard": "1/2"}, "shard"), ({"base": "HEAD", "filter": "a"}, "filter"),
            ({"merge": "shards/*/report.json"}, "shards/*/report.json"), ({"merge": " \n"}, "merge"),
        ]:
            outputs, status, obeyed, _, log = self.act(**inputs)
            self.assertEqual((status, outputs["status"], outputs["reason"]), (2, "error", "usage"), log)
            self.assertIn(word, obeyed[-1])

    def test_without_a_report_there_is_no_verdict(self):
        # Ends well, and says nothing.
        program = self.write("silent", "#!/bin/sh\nexit 0\n")
        outputs, status, obeyed, summary, log = self.act(program=str(program))
        self.assertEqual((status, outputs["status"], outputs["reason"], outputs["exit-code"]), (5, "error", "no_report", "5"), log)
        self.assertIn("no verdict", obeyed[-1])
        self.assertIn("no report", summary)

    def test_shards_are_merged(self):
        for shard in [1, 2]:
            outputs, status, _, _, log = self.act(shard=f"{shard}/2", annotations="false")
            self.assertIn(status, [0, 1], log)
            shutil.copy(outputs["report"], self.write(f"repository/shards/shard-{shard}/report.json", ""))
        outputs, status, obeyed, summary, log = self.act(merge="shards/*/report.json")
        self.assertEqual((status, outputs["status"], outputs["total"], outputs["failed"]), (1, "partial_failure", "3", "1"), log)
        self.assertIn("test_wrong", summary)
        self.assertEqual(len([line for line in obeyed if line.startswith("::error")]), 1, log)
        outputs, status, _, _, log = self.act(merge="shards/shard-1/report.json")
        self.assertEqual((status, outputs["status"]), (5, "error"), log)

    def git(self, *arguments):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=self.workspace, check=True, capture_output=True, text=True).stdout.strip()

    def test_a_change_is_judged_against_its_base(self):
        self.git("init", "--quiet")
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", "base")
        base = self.git("rev-parse", "HEAD")
        self.write("repository/api/test_more.py", "def test_more(): pass\n")
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", "more")
        outputs, status, _, summary, log = self.act(base=base)
        self.assertEqual((status, outputs["status"], outputs["exit-code"]), (0, "passed", "0"), log)
        self.write("repository/api/test_more.py", "def test_more(): assert 0\n")
        self.git("commit", "--quiet", "-am", "broken")
        outputs, status, _, summary, log = self.act(base=base)
        self.assertEqual((status, outputs["status"], outputs["exit-code"]), (1, "blocked", "1"), log)
        self.assertIn("test_more", summary)

    def test_the_history_is_carried_on(self):
        for _ in range(2):
            _, status, obeyed, _, log = self.act(history="kept/history.ndjson", filter="test_ok")
            self.assertEqual((status, [line for line in obeyed if "notice" not in line]), (0, []), log)
            lines = (self.workspace / "kept/history.ndjson").read_text().splitlines()
            self.assertTrue(any("test_ok" in line for line in lines))
        self.write("repository/kept/history.ndjson", "no JSON\n")
        _, status, obeyed, _, log = self.act(history="kept/history.ndjson", filter="test_ok")
        self.assertEqual(status, 0, log)
        self.assertTrue(any("::warning" in line for line in obeyed), log)

    def test_the_program_is_given_or_built(self):
        # Where neither is there, that is said.
        tools = self.folder / "bin"
        for name in ["bash", "env", "make", "realpath", "chmod", "cp", "mkdir", "mktemp", "od", "tr", "sed", "stat", "cat"]:
            self.write(f"bin/{name}", "").unlink()
            (tools / name).symlink_to(shutil.which(name))
        outputs, status, obeyed, _, log = self.act(program=None, path=str(tools), action_path=self.source())
        self.assertEqual((status, outputs["status"]), (2, ""), log)
        self.assertIn("Swift", obeyed[-1])
        _, status, obeyed, _, log = self.act(program="dist/proctor")
        self.assertEqual(status, 2, log)
        # Built where the action's sources are, by `make dist`.
        self.write("bin/swift", "#!/bin/sh\n").chmod(0o755)
        source = self.source()
        outputs, status, _, _, log = self.act(program=None, path=f"{tools}:{os.environ['PATH']}", action_path=source, filter="test_ok")
        self.assertEqual((status, outputs["proctor"]), (0, f"{source}/dist/proctor"), log)
        dry = subprocess.run(["make", "-n", "-C", REPOSITORY, "dist"], capture_output=True, text=True, check=True).stdout
        self.assertIn("dist/proctor", dry)
        # As an artifact it comes without its permissions.
        copy = self.folder / "artifact/proctor"
        copy.parent.mkdir()
        shutil.copyfile(PROCTOR, copy)
        _, status, _, _, log = self.act(program=str(copy), filter="test_ok")
        self.assertEqual(status, 0, log)

    def source(self):
        """The action's sources, which are built in no time."""
        source = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        shutil.copytree(REPOSITORY / "ci", source / "ci")
        (source / "Makefile").write_text(f"dist:\n\tmkdir -p dist && cp '{PROCTOR}' dist/proctor\n")
        return source


class GitLab(Checked):
    """The hidden jobs' scripts, run by a shell as GitLab's runner does."""

    def job(self, name, **variables):
        jobs = YAML_READER.load(GITLAB.read_text())
        program = self.folder / "bin/proctor"
        if not program.exists():
            self.write("bin/proctor", "").unlink()
            program.symlink_to(PROCTOR)
        return subprocess.run(
            ["sh", "-e", "-c", "\n".join(jobs[name]["script"])], cwd=self.folder / "repository", text=True, capture_output=True,
            stdin=subprocess.DEVNULL, env={
                **os.environ, "CI": "true", "PATH": f"{self.folder}/bin:{os.environ['PATH']}", **jobs[".proctor-base"]["variables"],
                **jobs[name].get("variables", {}), **variables})

    def test_shards_and_their_merge(self):
        self.write("repository/test_api.py", TESTS)
        merged = {}
        for index in ["1", "2"]:
            done = self.job(".proctor", CI_NODE_INDEX=index, CI_NODE_TOTAL="2", PROCTOR_HISTORY="kept/history.ndjson")
            self.assertIn(done.returncode, [0, 1], done.stderr)
            merged[index] = self.job(".proctor-merge").returncode
            for name in ["tests-{}.json", "junit-{}.xml", "codequality-{}.json"]:
                self.assertTrue((self.folder / "repository/proctor-reports" / name.format(index)).stat().st_size > 0)
        self.assertEqual(merged, {"1": 5, "2": 1})
        self.assertTrue((self.folder / "repository/kept/history.ndjson").exists())


class Lanes(Checked):
    """The suite's own gate: scripts/judge-lanes.sh on what Swift Testing records."""

    def judge(self, listed, *streams):
        files = [self.write(f"{index}.jsonl", text) if text is not None else self.folder / "none.jsonl" for index, text in enumerate(streams)]
        names = self.write("listed", "".join(f"Kit.Suite/test{index}()\n" for index in range(listed)))
        done = subprocess.run(
            [REPOSITORY / "scripts/judge-lanes.sh", PROCTOR, names, *files], capture_output=True, text=True, cwd=self.folder)
        return done.returncode, done.stdout + done.stderr

    @staticmethod
    def stream(first, last, failed=None, ends=True):
        """What a lane with the tests from one number to another writes."""
        event = lambda kind, **payload: {
            "kind": "event", "payload": {"instant": {"absolute": 1, "since1970": 1}, "kind": kind, "messages": [], **payload}, "version": 0}
        place = {"_filePath": "/Suite.swift", "fileID": "Kit/Suite.swift", "line": 1, "column": 1}
        names = [f"Kit.Suite/test{number}()/Suite.swift:1:1" for number in range(first, last)]
        records = [
            {"kind": "test", "payload": {"kind": "function", "id": name, "name": name.split("/")[1], "isParameterized": False,
                                         "sourceLocation": place}, "version": 0} for name in names]
        records.append(event("runStarted"))
        for number, name in zip(range(first, last), names):
            records.append(event("testStarted", testID=name))
            if number == failed:
                records.append(event(
                    "issueRecorded", testID=name, issue={"isKnown": False, "sourceLocation": place},
                    messages=[{"symbol": "fail", "text": "Expectation failed"}]))
            symbol = "fail" if number == failed else "pass"
            records.append(event("testEnded", testID=name, messages=[{"symbol": symbol, "text": "ended"}]))
        if ends:
            records.append(event("runEnded"))
        return "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)

    def test_only_whole_lanes_with_every_test_are_green(self):
        first, second = self.stream(0, 3), self.stream(3, 5)
        status, words = self.judge(5, first, second)
        self.assertEqual(status, 0, words)
        self.assertIn("3 passed", words)
        for listed, *streams in [
            (5, first, self.stream(3, 5, failed=4)), (5, first, self.stream(3, 5, ends=False)), (5, first, second[:-40]),
            (5, first, ""), (5, first, None), (3, first, self.stream(3, 3)), (6, first, second), (0, first, second),
        ]:
            status, words = self.judge(listed, *streams)
            self.assertEqual(status, 1, words)


if __name__ == "__main__":
    unittest.main()
