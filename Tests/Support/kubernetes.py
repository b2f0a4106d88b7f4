"""Checks the manifests that `proctor cluster kubernetes` prints against the API's own schemas.

usage: PROCTOR=path/of/proctor kubernetes.py
"""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import kubernetes_validate

SETTINGS = """[cluster.kubernetes]
shards = 4
image = "registry.example/tests:1"
namespace = "ci"
parallelism = 2
cpu = "500m"
memory_mb = 2048
requeues = 3
claim = "reports"
workspace = "/src"
"""


class Manifest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="proctor-kubernetes-")
        self.addCleanup(folder.cleanup)
        self.workspace = pathlib.Path(folder.name).resolve() / "My App_é"
        self.workspace.mkdir()

    def proctor(self, *arguments):
        return subprocess.run(
            [os.environ["PROCTOR"], "cluster", "kubernetes", *arguments],
            cwd=self.workspace, capture_output=True, text=True,
        )

    def manifest(self, *arguments):
        done = self.proctor("--print", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        manifest = json.loads(done.stdout)
        for version in ("1.31", "1.34"):
            kubernetes_validate.validate(manifest, version, strict=True)
        return manifest, manifest["spec"]["template"]["spec"]["containers"][0]

    def test_flags(self):
        manifest, container = self.manifest("--image", "tests", "--shards", "8", "--filter", "a b$", "--test-timeout", "3")
        self.assertEqual(manifest["metadata"]["name"], "proctor-my-app")
        spec = manifest["spec"]
        self.assertEqual((spec["completionMode"], spec["completions"], spec["parallelism"]), ("Indexed", 8, 8))
        self.assertEqual(container["env"], [{"name": "PROCTOR_SHARDS", "value": "8"}])
        self.assertEqual(
            container["command"] + container["args"],
            ["proctor", "run", "--shard", "auto", "--format", "json", "--details", "--filter", "a b$", "--test-timeout", "3.0"],
        )
        # A result is no reason to run the shard again.
        values = spec["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"]
        self.assertEqual(values, sorted(set(values)))
        self.assertIn(1, values)

    def test_durations(self):
        _, container = self.manifest("--image", "tests", "--shards", "8", "--durations", "/src/history.ndjson")
        self.assertEqual(container["args"][-2:], ["--durations", "/src/history.ndjson"])
        done = self.proctor("--print", "--image", "tests", "--shards", "8", "--durations", "history")
        self.assertEqual(done.returncode, 2)
        self.assertIn("Pods share no history", done.stderr)

    def test_settings(self):
        (self.workspace / "proctor.toml").write_text(SETTINGS)
        manifest, container = self.manifest()
        self.assertEqual(manifest["metadata"]["namespace"], "ci")
        self.assertEqual((manifest["spec"]["completions"], manifest["spec"]["parallelism"]), (4, 2))
        self.assertEqual(manifest["spec"]["backoffLimitPerIndex"], 3)
        self.assertEqual(container["resources"]["limits"], {"cpu": "500m", "memory": "2048Mi"})
        self.assertEqual(container["workingDir"], "/src")
        self.assertEqual(container["volumeMounts"][0]["name"], "reports")
        # What the pod does, done here: a report is named by its shard.
        reports = self.workspace / "reports"
        reports.mkdir()
        tool = self.workspace / "proctor"
        tool.write_text("#!/bin/sh\necho \"$*\"\nexit $CODE\n")
        tool.chmod(0o755)
        script = container["command"][2].replace("/reports", str(reports).replace(" ", "\\ "))
        for code, names in (("1", ["shard-2.json"]), ("137", ["shard-2.part"])):
            variables = {"PATH": f"{self.workspace}:/usr/bin:/bin", "JOB_COMPLETION_INDEX": "2", "CODE": code}
            done = subprocess.run(["/bin/sh", "-c", script, "sh", *container["args"]], env=variables, check=False)
            self.assertEqual(done.returncode, int(code))
            self.assertEqual([path.name for path in reports.iterdir()], names)
            (reports / names[0]).unlink()

    def test_wrong(self):
        for arguments, word in (
            (("--print",), "image"), (("--print", "--image", "x"), "shards"), (("--image", "x", "--shards", "2"), "--print"),
            (("--print", "--image", "x", "--shards", "0"), "--shards"),
        ):
            done = self.proctor(*arguments)
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertIn(word, done.stderr)
        (self.workspace / "proctor.toml").write_text("[cluster.kubernetes]\ncpu = \"-1\"\n")
        done = self.proctor("--print", "--image", "x", "--shards", "2")
        self.assertEqual(done.returncode, 2)
        self.assertIn("proctor.toml:2: cluster.kubernetes.cpu", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
