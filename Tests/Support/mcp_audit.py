"""What `proctor mcp` puts on record, each test with a trail of its own.

usage: PROCTOR=path/of/proctor mcp_audit.py [TestCase...]
"""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from mcp_wire import PREFIX, Wire


class Audit(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="proctor-audit-")
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name).resolve()
        self.workspace = root / "workspace"
        self.workspace.mkdir()
        (self.workspace / "code_here.py").write_text("def twice(x):\n    return 2 * x\n")
        changed = {"PROCTOR_CACHE_DIR": str(root / "cache"), "XDG_CONFIG_HOME": str(root / "config")}
        before = {name: os.environ.get(name) for name in changed}
        os.environ.update(changed)
        self.addCleanup(lambda: [
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)
            for name, value in before.items()])

    def wire(self, *arguments, elicits=None):
        wire = Wire(self.workspace, *arguments)
        self.addCleanup(wire.__exit__)
        if elicits is not None:
            wire.initialize(elicits=elicits)
        return wire

    def audit(self, *arguments):
        done = subprocess.run(
            [os.environ["PROCTOR"], "audit", *arguments, "--format", "json"], capture_output=True, check=True)
        return json.loads(done.stdout)

    def calls(self, *arguments):
        return self.audit(*arguments)["calls"]

    def until(self, condition):
        for _ in range(400):
            if condition():
                return
            time.sleep(0.05)
        self.fail("it did not come to that")

    def call(self, wire, tool, arguments, **more):
        return wire.request("tools/call", {"name": tool, "arguments": arguments}, **more)

    FUNCTION = {"path": "code_here.py", "function_name": "twice", "args": [4], "reason": "to see it double"}

    def test_a_call_with_its_reason_and_the_users_answer(self):
        wire = self.wire(elicits=True)
        identifier = wire.post("tools/call", {"name": "execute_function", "arguments": self.FUNCTION})
        question = wire.frame()
        self.assertEqual(question["method"], "elicitation/create")
        running, = self.calls()
        self.assertEqual(running["status"], "running")
        wire.send({"id": question["id"], "result": {"action": "accept", "content": {"allow": True}}})
        answer = wire.response(identifier)
        self.assertEqual(answer["result"]["structuredContent"]["result"], 8)
        call, = self.calls()
        self.assertEqual(call["door"], "mcp")
        self.assertEqual(call["caller"], "test 1")
        self.assertEqual(call["operation"], "execute_function")
        self.assertEqual(call["status"], "success")
        self.assertEqual(call["reason"], "to see it double")
        self.assertEqual(call["workspace"], str(self.workspace))
        self.assertEqual(
            call["arguments"], {"path": "code_here.py", "function_name": "twice", "args": [4]})
        self.assertEqual(call["confirmation"]["answer"], "allowed")
        self.assertIn("twice", call["confirmation"]["question"])
        self.assertEqual(call["sandbox"]["network"], "none")
        self.assertNotIn("exit_code", call)

    def test_nobody_to_ask_and_nobody_asked(self):
        self.call(self.wire(elicits=False), "execute_function", self.FUNCTION)
        self.call(self.wire("--yes", elicits=False), "execute_function", self.FUNCTION)
        ahead, refused = self.calls()
        self.assertEqual(ahead["confirmation"], {"answer": "allowed_ahead"})
        self.assertEqual(refused["confirmation"]["answer"], "refused")
        self.assertEqual(refused["verdict"]["reason"], "refused")

    def test_a_stateless_client_is_named_and_asked_in_two_calls(self):
        wire = self.wire()
        first = self.call(wire, "execute_function", self.FUNCTION, elicits=True)["result"]
        self.assertEqual(first["resultType"], "input_required")
        call, = self.calls()
        self.assertEqual(call["caller"], "test 1")
        self.assertEqual(call["status"], "confirmation_needed")
        self.assertEqual(call["confirmation"]["answer"], "asked_later")
        wire.request("tools/call", {
            "name": "execute_function", "arguments": self.FUNCTION, "requestState": first["requestState"],
            "inputResponses": {"confirm": {"action": "accept", "content": {"allow": True}}},
        }, elicits=True)
        second, _ = self.calls()
        self.assertEqual(second["status"], "success")
        self.assertEqual(second["confirmation"]["answer"], "allowed")

    def test_wrong_calls_are_on_record_without_secrets(self):
        wire = self.wire(elicits=False)
        self.call(wire, "execute_function", {"path": "a.py", "password": "HIDE-this"})
        self.call(wire, "validate_code", {"code": "token = 'HIDE-that'", "language": "python"})
        validated, wrong = self.calls()
        self.assertEqual(wrong["verdict"]["status"], "error")
        self.assertEqual(wrong["arguments"]["password"], "[masked]")
        self.assertEqual(validated["arguments"]["code"]["bytes"], len("token = 'HIDE-that'"))
        trail = pathlib.Path(os.environ["PROCTOR_CACHE_DIR"]) / "audit"
        for file in trail.iterdir():
            self.assertNotIn(b"HIDE", file.read_bytes())

    def test_a_run_ends_when_it_ends_not_when_its_caller_stops_waiting(self):
        (self.workspace / "test_a.py").write_text("import time\ndef test_a(): time.sleep(4)\n")
        wire = self.wire(elicits=False)
        answer = self.call(wire, "run_all_tests", {"wait_seconds": 0.5})["result"]["structuredContent"]
        self.assertEqual(answer["status"], "running")
        call, = self.calls()
        self.assertEqual(call["status"], "running")
        self.until(lambda: self.calls()[0]["status"] == "passed")
        call, = self.calls()
        self.assertEqual(call["verdict"]["passed"], 1)
        self.assertGreater(call["resources"]["wall_ms"], 3000)

    def test_a_run_is_in_the_history_of_its_workspace(self):
        (self.workspace / "test_a.py").write_text("def test_a(): pass\n")
        wire = self.wire(elicits=False)
        self.call(wire, "run_test", {"path": "test_a.py", "test_name": "test_a"})

        def history():
            done = subprocess.run(
                [os.environ["PROCTOR"], "history", "test_a", "--workspace", self.workspace, "--format", "json"],
                capture_output=True)
            return json.loads(done.stdout)["tests"]

        self.until(history)
        test, = history()
        self.assertEqual([attempt["outcome"] for attempt in test["attempts"]], ["passed"])

    def test_a_session_that_is_killed_loses_its_calls_and_no_other(self):
        (self.workspace / "test_a.py").write_text("import time\ndef test_a(): time.sleep(60)\n")
        wire = self.wire(elicits=False)
        self.call(wire, "sandbox_status", {})
        wire.post("tools/call", {"name": "run_all_tests", "arguments": {}})
        self.until(lambda: self.calls("--status", "running"))
        wire.process.send_signal(signal.SIGKILL)
        wire.process.wait()
        run, status = self.calls()
        self.assertEqual(run["status"], "lost")
        self.assertNotEqual(status["status"], "lost")
        self.assertEqual(self.audit("verify")["status"], "intact")

    def test_a_session_that_ends_ends_its_runs(self):
        (self.workspace / "test_a.py").write_text("import time\ndef test_a(): time.sleep(60)\n")
        wire = self.wire(elicits=False)
        wire.post("tools/call", {"name": "run_all_tests", "arguments": {}})
        self.until(lambda: self.calls("--status", "running"))
        wire.process.stdin.close()
        wire.process.wait(30)
        run, = self.calls()
        self.assertEqual(run["verdict"]["reason"], "interrupted")

    def test_settings_of_the_workspace_cannot_switch_it_off(self):
        wire = self.wire(elicits=False)
        for text in ["[audit]\nenabled = false\n", "[audit]\nretention_days = 1\n", "[audit]\nrequired = false\n"]:
            (self.workspace / "proctor.toml").write_text(text)
            self.call(wire, "execute_function", self.FUNCTION)
        self.assertEqual(len(self.calls()), 3)

    def test_required_is_held_to(self):
        settings = self.workspace / "proctor.toml"
        settings.write_text("[audit]\nrequired = true\n")
        wire = self.wire("--yes", elicits=False)
        # Whoever writes the workspace's settings later cannot take it back.
        settings.write_text("[audit]\nrequired = false\n")
        blocked = pathlib.Path(os.environ["PROCTOR_CACHE_DIR"]) / "audit" / "audit.sqlite"
        blocked.mkdir(parents=True)
        answer = self.call(wire, "execute_function", self.FUNCTION)["result"]
        self.assertTrue(answer["isError"])
        self.assertIn("cannot be recorded", answer["structuredContent"]["message"])


if __name__ == "__main__":
    unittest.main()
