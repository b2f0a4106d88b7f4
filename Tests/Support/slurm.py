"""Runs shards on a real Slurm of three nodes, which it starts; Tests/EndToEndTests/ClusterTests.swift runs it.

usage: PROCTOR=path/of/proctor slurm.py
"""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import slurm_cluster


class Slurm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="proctor-slurm-")
        cls.addClassCleanup(folder.cleanup)
        cls.cluster = slurm_cluster.Cluster(folder.name, 3)
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="proctor-slurm-run-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()
        self.workspace = self.folder / "work space's"
        self.output = self.folder / "out put"
        (self.workspace / "tests").mkdir(parents=True)
        (self.workspace / "pytest.ini").write_text("[pytest]\n")
        (self.workspace / "proctor.toml").write_text("[cluster.slurm]\npartition = \"test\"\nmemory_mb = 500\n")

    def write_tests(self, seconds=0.0, failing=None):
        for number in range(6):
            (self.workspace / f"tests/test_{number}.py").write_text(
                f"import time\n\ndef test_{number}():\n    time.sleep({seconds})\n    assert {number} != {failing}\n"
            )

    def start(self, *arguments):
        return subprocess.Popen(
            [os.environ["PROCTOR"], "cluster", "slurm", str(self.workspace), "--output", str(self.output), *arguments],
            env=self.cluster.variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )

    def end(self, process, status):
        stdout, stderr = process.communicate(timeout=120)
        self.assertEqual(process.returncode, status, f"{stdout}\n{stderr}\n{self.logs()}")
        self.assertEqual(self.cluster.tasks(), [])
        left = {pid: words for pid, words in slurm_cluster.processes().items() if str(self.folder) in words}
        self.assertEqual(left, {})
        return stdout, stderr

    def logs(self):
        return "".join(f"{path}: {path.read_text()}" for path in sorted(self.output.glob("*.log")))

    def running(self, count=1):
        """The tasks of which proctor runs already."""
        def tasks():
            found = [task for task in self.cluster.tasks() if task[2] == "RUNNING"]
            parts = list(self.output.glob("shard-*.part"))
            return found if len(found) >= count and len(parts) >= count else None

        return self.cluster.until(tasks, "tasks run")

    def test_a_run_with_one_verdict(self):
        self.write_tests(failing=4)
        process = self.start("--shards", "3", "--format", "json", "--details")
        answer = json.loads(self.end(process, 1)[0])
        self.assertEqual((answer["status"], answer["passed"], answer["failed"]), ("partial_failure", 5, 1))
        self.assertEqual([failure["test"] for failure in answer["failures"]], ["test_4"])
        names = sorted(path.name for path in self.output.glob("*") if path.suffix != ".log")
        self.assertEqual(names, ["proctor.plan", "shard-1.json", "shard-2.json", "shard-3.json"])
        # The folder's own merge says the same, and no second run takes it for its own.
        merged = subprocess.run([os.environ["PROCTOR"], "merge", str(self.output)], capture_output=True, text=True)
        self.assertEqual(merged.returncode, 1, merged.stdout)
        self.assertIn("not empty", self.end(self.start("--shards", "3"), 2)[1])
        # A machine that finds other tests than the plan has runs none of them.
        (self.workspace / "tests/test_new.py").write_text("def test_new():\n    pass\n")
        done = subprocess.run(
            [os.environ["PROCTOR"], "run", self.workspace, "--format", "json", "--shard", "1/3", "--plan", self.output / "proctor.plan"],
            capture_output=True, text=True,
        )
        answer = json.loads(done.stdout)
        self.assertEqual((done.returncode, answer["reason"], answer["total_tests"]), (5, "shard_conflict", 0))
        self.assertIn("not in the plan: pytest:.:tests/test_new.py::test_new", answer["message"])

    def test_balanced_by_the_history(self):
        self.write_tests()
        (self.workspace / "tests/test_5.py").write_text("import time\n\ndef test_5():\n    time.sleep(2)\n")
        earlier = subprocess.run(
            [os.environ["PROCTOR"], "run", self.workspace], env=self.cluster.variables, capture_output=True, text=True,
        )
        self.assertEqual(earlier.returncode, 0, earlier.stdout + earlier.stderr)
        stdout, stderr = self.end(self.start("--shards", "2", "--format", "text"), 0)
        note = "shards are balanced by the history, which knows 6 tests"
        self.assertIn(note, stderr)
        self.assertIn(note, stdout)
        plan = json.loads((self.output / "proctor.plan").read_text())
        first = [entry["entry"] for entry in plan["entries"] if entry["shard"] == 1]
        self.assertEqual(first, ["pytest:.:tests/test_5.py::test_5"])

    def test_a_node_dies(self):
        self.write_tests(seconds=1)
        process = self.start("--shards", "3", "--format", "text")
        job, shard, _, node = self.running(3)[0]
        self.cluster.kill(node, job)
        stdout, stderr = self.end(process, 0)
        self.cluster.restart(node)
        self.assertIn("6 passed", stdout)
        self.assertRegex(stderr, rf"shard {shard} of 3 left no report \(NODE_FAIL.*\) and is submitted again")

    def test_interrupted(self):
        self.write_tests(seconds=30)
        process = self.start("--shards", "2")
        self.running(2)
        process.send_signal(signal.SIGINT)
        self.end(process, 130)
        self.assertFalse(self.output.exists())

    def test_a_shard_that_does_not_come(self):
        self.write_tests(seconds=1)
        process = self.start("--shards", "2", "--format", "json")
        self.running(2)
        # One task of the array has the array's own number: that would cancel both.
        array = self.cluster.call("squeue", "-h", "-o", "%F").split()[0]
        self.cluster.call("scancel", f"{array}_2")
        answer = json.loads(self.end(process, 5)[0])
        self.assertEqual((answer["status"], answer["reason"]), ("error", "shard_missing"))
        self.assertIn("shard 2 of 2 is missing (Slurm: CANCELLED", answer["message"])
        self.assertEqual(answer["passed"], 3)

    def test_refused(self):
        self.write_tests()
        for arguments, word in (
            (("--shards", "2", "--partition", "nowhere"), "nvalid partition"), ((), "--shards"),
            (("--shards", "2", "--filter", "("), "invalid regex"),
        ):
            self.assertIn(word, self.end(self.start(*arguments), 2)[1])
            self.assertFalse(self.output.exists())
        # Nothing is submitted for what has no tests, or does not collect.
        self.end(self.start("--shards", "2", "--filter", "nothing"), 4)
        (self.workspace / "tests/test_broken.py").write_text("import nowhere\n")
        self.assertIn("nowhere", self.end(self.start("--shards", "2"), 3)[0])
        self.assertFalse(self.output.exists())
        (self.workspace / "proctor.toml").write_text("[cluster.slurm]\noptions = [\"--wrap=id\"]\n")
        self.assertIn("cluster.slurm.options", self.end(self.start("--shards", "2"), 2)[1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
