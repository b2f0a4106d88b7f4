"""What the tests of the doors for programs have in common: a workspace of their own, and a test that takes forever."""

import pathlib
import subprocess
import tempfile
import time
import unittest
import uuid

CODE = "def twice(x):\n    return 2 * x\n"
TESTS = """\
import pytest
from code_here import twice

def test_ok(): assert twice(1) == 2
def test_wrong(): assert twice(2) == 5
@pytest.mark.skip(reason="later")
def test_later(): pass
"""


class ServedWorkspace(unittest.TestCase):
    """A test with a workspace of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="proctor-served-")
        self.addCleanup(folder.cleanup)
        self.workspace = pathlib.Path(folder.name).resolve() / "workspace"
        self.workspace.mkdir()
        self.write("code_here.py", CODE)

    def write(self, name, content):
        (self.workspace / name).write_text(content)

    def commit(self):
        """Makes the workspace a git repository with one commit of all that is there."""
        for arguments in [["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "one"]]:
            subprocess.run(
                ["git", "-c", "user.name=n", "-c", "user.email=n@example.org", *arguments],
                cwd=self.workspace, check=True)


class SlowTest:
    """Beside a ServedWorkspace: a run's tree is looked up by a name that nobody else has."""

    def setUp(self):
        super().setUp()
        self.mark = f"86{uuid.uuid4().int % 10**9}"
        self.write("test_slow.py", f"""\
import subprocess
def test_slow():
    subprocess.run(["sleep", "{self.mark}"])
""")

    def tree(self):
        found = []
        for folder in pathlib.Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and self.mark in (folder / "cmdline").read_text():
                    found.append(folder.name)
            except OSError:
                pass
        return found

    def await_tree(self, there, seconds=30.0):
        end = time.monotonic() + seconds
        while bool(self.tree()) != there:
            self.assertLess(time.monotonic(), end, f"processes: {self.tree()}")
            time.sleep(0.02)
