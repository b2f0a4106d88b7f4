"""Answers the question that `proctor exec` asks on a terminal; Tests/EndToEndTests/PromptTests.swift runs it.

usage: PROCTOR=path/of/proctor prompt.py
"""

import os
import pathlib
import pty
import select
import signal
import tempfile
import time
import unittest

QUESTION = b"Allow? (y/n, a: always while it stays as it is) "


class Prompt(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="proctor-prompt-")
        self.addCleanup(folder.cleanup)
        self.workspace = pathlib.Path(folder.name).resolve()
        self.file = self.workspace / "a.py"
        self.file.write_text("def f(x):\n    return x * 2\n")

    def ask(self, answer, before=b"", then=lambda: None, arguments="[21]"):
        """(exit status, what the terminal showed)"""
        process, terminal = pty.fork()
        if process == 0:
            os.chdir(self.workspace)
            os.execv(os.environ["PROCTOR"], ["proctor", "exec", "a.py", "f", arguments, "--format", "text"])
        if before:
            os.write(terminal, before)
        shown, answered, end = b"", False, time.monotonic() + 60
        while time.monotonic() < end:
            if select.select([terminal], [], [], 1)[0]:
                try:
                    part = os.read(terminal, 4096)
                except OSError:
                    break
                if not part:
                    break
                shown += part
            if not answered and QUESTION in shown:
                answered = True
                then()
                os.write(terminal, answer)
        else:
            os.kill(process, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        os.close(terminal)
        return status, shown.decode(errors="replace")

    def test_yes(self):
        status, shown = self.ask(b"y\n")
        self.assertEqual(status, 0, shown)
        self.assertIn("f of a.py", shown)
        self.assertIn("[21]", shown)
        self.assertIn("42", shown)

    def test_anything_else_is_no(self):
        for answer in [b"n\n", b"\n", b"maybe\n", b"\x04"]:
            with self.subTest(answer):
                status, shown = self.ask(answer)
                self.assertEqual(status, 8, shown)
                self.assertNotIn("42", shown)

    def test_always_is_for_this_code_with_these_settings(self):
        status, shown = self.ask(b"a\n")
        self.assertEqual(status, 0, shown)
        # Other arguments, nobody is asked.
        status, shown = self.ask(b"n\n", arguments="[5]")
        self.assertEqual((status, "Allow?" in shown), (0, False), shown)
        self.assertIn("10", shown)
        settings = self.workspace / "proctor.toml"
        for change, back in [
            (lambda: self.file.write_text("def f(x):\n    return x * 3\n"), lambda: self.file.write_text("def f(x):\n    return x * 2\n")),
            (lambda: settings.write_text("[execution]\nallow_network_access = true\nmax_network_requests = 9\n"), settings.unlink),
            (lambda: settings.write_text('[execution]\nisolation = "none"\n'), settings.unlink),
        ]:
            change()
            status, shown = self.ask(b"n\n")
            self.assertEqual(status, 8, shown)
            back()
        status, shown = self.ask(b"n\n")
        self.assertEqual((status, "Allow?" in shown), (0, False), shown)
        # A no is not remembered.
        self.file.write_text("def f(x):\n    return 7\n")
        for _ in range(2):
            self.assertEqual(self.ask(b"n\n")[0], 8)

    def test_what_was_typed_before_is_no_answer(self):
        status, shown = self.ask(b"n\n", before=b"y\ny\n")
        self.assertEqual(status, 8, shown)

    def test_what_was_read_is_what_runs(self):
        status, shown = self.ask(b"y\n", then=lambda: self.file.write_text("def f(x):\n    return 42\n"))
        self.assertEqual(status, 8, shown)
        self.assertIn("changed while the user was asked", shown)

    def test_nothing_moves_the_cursor(self):
        status, shown = self.ask(b"n\n", arguments='["\x1b[2J"]')
        self.assertEqual(status, 8, shown)
        self.assertIn("\\e[2J", shown)
        self.assertNotIn("\x1b[2J", shown)


if __name__ == "__main__":
    unittest.main(verbosity=2)
