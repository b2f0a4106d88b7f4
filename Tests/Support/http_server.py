"""What `proctor serve` must do, seen by clients over HTTP.

usage: PROCTOR=path/of/proctor http_server.py [TestCase...]
"""

import asyncio
import collections
import json
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import threading
import time
import unittest

import httpx2
import jsonschema
import mcp
import mcp_types
from mcp.client.streamable_http import streamable_http_client
from mcp_wire import HANDSHAKE, MODERN, PREFIX, envelope
from openapi_spec_validator import OpenAPIV31SpecValidator
from served_workspace import TESTS, ServedWorkspace, SlowTest
from service import CONFIRMS, TOKEN, Service

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
CALL = {"path": "code_here.py", "function_name": "twice", "args": [4]}

def events(body):
    """The (name, data) of each server-sent event."""
    for block in body.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            yield fields["event"], json.loads(fields["data"])


class Case(ServedWorkspace):
    def serve(self, *arguments, token=None):
        service = Service(*(arguments or [self.workspace]), token=token)
        self.addCleanup(service.stop)
        return service

    def assert_problem(self, answer, status, words=""):
        self.assertEqual(answer.status, status, answer.body[:500])
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        problem = json.loads(answer.body)
        self.assertEqual(problem["status"], status)
        self.assertEqual(problem["request_id"], answer.headers["X-Request-Id"])
        self.assertIn(words, problem["detail"] + problem.get("resolution", ""))
        return problem

    def assert_answer(self, answer, schema):
        self.assertEqual(answer.status, 200, answer.body[:500])
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        content = json.loads(answer.body)
        published = json.loads((REPOSITORY / f"docs/schema/{schema}.schema.json").read_text())
        jsonschema.validate(content, published)
        return content


class Operations(Case):
    def test_every_operation_answers_by_its_schema(self):
        self.write("test_code.py", TESTS)
        service = self.serve(self.workspace, "--yes")
        def post(path, body, schema):
            return self.assert_answer(service.request("POST", path, body), schema)
        report = post("/tests/run_all", {"reason": "to see"}, "run_all_tests")
        self.assertEqual((report["status"], report["failed"]), ("partial_failure", 1))
        self.assertEqual(report["failures"][0]["line"], 5)
        # Programs get all of it.
        self.assertEqual(len(report["tests"]), 3)
        self.assertEqual(report["run"], "run-1")
        some = post("/tests/run", {"path": "test_code.py", "test_name": "test_ok"}, "run_test")
        self.assertEqual((some["status"], some["tests_passed"]), ("passed", 1))
        called = post("/functions/execute", {**CALL, "args": [10**30]}, "execute_function")
        self.assertEqual(called["result"], 2 * 10**30)
        timed = post("/functions/benchmark", {**CALL, "iterations": 50}, "benchmark")
        self.assertEqual(timed["iterations"], 50)
        self.assertGreater(len(timed["samples_ms"]), 10)
        code = {"language": "python", "code": "print('x' * 100_000)\n6 * 7"}
        ran = post("/sandbox/execute", code, "execute_code")
        self.assertEqual((ran["result"], len(ran["stdout"])), (42, 100_001))
        judged = post(
            "/sandbox/validate", {"code": "eval(input())", "language": "python"}, "validate_code")
        self.assertGreater(judged["risk_score"], 0)
        self.assertEqual(post("/diagnostics", None, "check")["status"], "passed")
        self.commit()
        self.write("test_code.py", TESTS.replace("def test_ok", "def test_other"))
        gate = post("/gate", {"base": "main"}, "gate")
        self.assertEqual((gate["status"], gate["change"]["removed"]), (
            "blocked", ["pytest:.:test_code.py::test_ok"]))
        self.write("test_code.py", TESTS)
        listing = self.assert_answer(service.request("GET", "/tests?filter=ok%24"), "list_tests")
        self.assertEqual([t["name"] for t in listing["tests"]], ["test_ok"])
        self.assert_answer(service.request("GET", "/sandbox/status"), "status")
        figures = service.request("GET", "/metrics").body.decode()
        self.assertIn('proctor_operations_total{operation="run_all_tests",status="partial_failure"} 1', figures)
        self.assertIn('proctor_operation_duration_seconds_count{operation="execute_code"} 1', figures)
        self.assertIn("\nproctor_queue_running 0\n", figures)

    def test_what_goes_on_is_told(self):
        self.write("test_code.py", TESTS)
        service = self.serve()
        answer = service.request(
            "POST", "/tests/run_all", headers={"Accept": "text/event-stream"})
        self.assertEqual(answer.headers["Content-Type"], "text/event-stream")
        told = list(events(answer.body))
        self.assertEqual(told[-1][0], "answer")
        self.assertEqual(told[-1][1]["failed"], 1)
        tests = [test for name, data in told if name == "test" for test in data]
        self.assertEqual(
            {(t["test"], t["outcome"]) for t in tests},
            {("test_code.py::test_ok", "passed"), ("test_code.py::test_wrong", "failed"),
             ("test_code.py::test_later", "skipped")})
        progress = [data for name, data in told if name == "progress"]
        self.assertEqual((progress[-1]["done"], progress[-1]["total"]), (3, 3))
        wrong = service.request(
            "POST", "/tests/run", {"path": "nowhere"}, {"Accept": "text/event-stream"})
        [(name, problem)] = events(wrong.body)
        self.assertEqual((name, problem["status"]), ("problem", 422))

    def test_runs_can_be_looked_at(self):
        self.write("test_code.py", TESTS)
        service = self.serve()
        first = json.loads(service.request("POST", "/tests/run_all").body)
        [row] = json.loads(service.request("GET", "/runs").body)["runs"]
        self.assertEqual((row["run"], row["status"], row["failed"]), ("run-1", "partial_failure", 1))
        again = self.assert_answer(service.request("GET", "/runs/run-1"), "run_all_tests")
        self.assertEqual([t["outcome"] for t in again["tests"]], [t["outcome"] for t in first["tests"]])
        # The code around what failed, and what became of the tests before.
        self.assertIn("assert twice(2) == 5", json.dumps(again["sources"]))
        self.assertEqual(len(again["history"]["runs"]), 1)
        told = list(events(service.request("GET", "/runs/run-1/events").body))
        self.assertEqual(told[-1], ("end", {"run": "run-1", "status": "partial_failure"}))
        self.assertEqual(sum(len(data) for name, data in told if name == "test"), 3)
        self.assert_problem(service.request("GET", "/runs/run-2"), 404, "run-2")
        # What another process ran is there, too.
        subprocess.run([os.environ["PROCTOR"], "test", "test_code.py", "test_ok"], cwd=self.workspace, check=True, capture_output=True)
        rows = json.loads(service.request("GET", "/runs").body)["runs"]
        self.assertEqual([row["operation"] for row in rows], ["run_test", "run_all_tests"])
        other = self.assert_answer(service.request("GET", f"/runs/{rows[0]['run']}"), "run_all_tests")
        self.assertEqual((other["status"], other["total_tests"]), ("passed", 1))
        self.assert_problem(service.request("GET", "/runs/..%2F..%2Fetc"), 404)

    def test_calls_are_on_record(self):
        service = self.serve(self.workspace, token=TOKEN)
        service.request("POST", "/functions/execute", {**CALL, "reason": "to double it"})
        service.request("GET", "/tests?filter=none")
        listed = self.assert_answer(service.request("GET", "/audit"), "audit")
        self.assertEqual(
            [(c["operation"], c["status"], c["door"]) for c in listed["calls"]],
            [("list_tests", "no_tests", "http"), ("execute_function", "confirmation_needed", "http")])
        self.assertEqual(listed["calls"][1]["reason"], "to double it")
        self.assertEqual(listed["calls"][1]["caller"], "127.0.0.1 with the token")
        self.assertNotIn(TOKEN, json.dumps(listed))
        service.request("POST", "/functions/execute", {**CALL, "args": [TOKEN], "reason": f"use {CONFIRMS}"})
        words = service.request("GET", "/audit").body.decode()
        self.assertIn("[masked]", words)
        for secret in [TOKEN, CONFIRMS]:
            self.assertNotIn(secret, words)
        some = self.assert_answer(service.request("GET", "/audit?limit=1&door=http"), "audit")
        self.assertEqual((len(some["calls"]), some["more"]), (1, True))
        self.assertEqual(self.assert_answer(service.request("GET", "/audit?door=mcp"), "audit")["calls"], [])
        for query in ["limit=0", "limit=x", "door=window", "fly=1"]:
            self.assert_problem(service.request("GET", f"/audit?{query}"), 400)
        self.assert_problem(service.request("GET", "/audit?since=tomorrow"), 422)

    def test_the_page(self):
        self.write("test_code.py", TESTS)
        service = self.serve(token=TOKEN)
        page = service.request("GET", "/", headers={"Authorization": ""})
        self.assertEqual((page.status, page.headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertIn(b"Content-Security-Policy", page.body)
        self.assertNotEqual(page.body, service.request("GET", "/").body)
        two = self.serve(f"a b={self.workspace}", f"second={self.workspace}")
        there = two.request("GET", "/")
        self.assertEqual((there.status, there.headers["Location"]), (303, "/?workspace=a%20b"))
        self.assertEqual(two.request("GET", "/?workspace=a%20b").status, 200)

    def test_what_is_wrong_is_said(self):
        service = self.serve()
        json_type = {"Content-Type": "application/json"}
        for body, status, words in [
            ({"path": 7}, 400, "the argument path must be a string"),
            ({}, 400, "the argument path is missing"),
            ({"path": "a", "fly": 1}, 400, "fly"),
            ({"path": "nowhere.py"}, 422, "nowhere.py"),
        ]:
            self.assert_problem(service.request("POST", "/tests/run", body), status, words)
        for raw, headers, status in [
            (b"{", json_type, 400), (b"[]", json_type, 400), (b"\xff\xfe", json_type, 400),
            (b'{"path": "a", "path": "b"}', json_type, 400), (b"{}", {}, 415),
            (b"path=a", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
            (b" " * (9 << 20), json_type, 413),
        ]:
            with self.subTest(raw[:20]):
                self.assert_problem(service.request("POST", "/tests/run", raw=raw, headers=headers), status)
        self.assert_problem(service.request("GET", "/tests?filter=%28"), 422)
        self.assert_problem(service.request("GET", "/tests?offset=x"), 400, "offset")
        self.assert_problem(service.request("GET", "/tests?filter=a&filter=b"), 400)
        self.assert_problem(service.request("GET", "/nothing"), 404, "openapi.json")
        wrong = service.request("GET", "/tests/run")
        self.assert_problem(wrong, 405, "POST")
        self.assertEqual(wrong.headers["Allow"], "POST")
        (self.workspace / "proctor.toml").write_text("[execution]\nmax_memory = 1\n")
        self.assert_problem(service.request("POST", "/tests/run_all"), 409, "max_memory")

    def test_requests_have_names(self):
        service = self.serve()
        answer = service.request("GET", "/health", headers={"X-Request-Id": "mine-1.2_3"})
        self.assertEqual(answer.headers["X-Request-Id"], "mine-1.2_3")
        self.assertEqual(json.loads(answer.body)["status"], "ok")
        forged = service.request("GET", "/health", headers={"X-Request-Id": "a b"})
        self.assertRegex(forged.headers["X-Request-Id"], "^[0-9a-f]+$")
        end = time.monotonic() + 30
        while not any("mine-1.2_3" in line for line in service.log):
            self.assertLess(time.monotonic(), end, service.log)
            time.sleep(0.02)

    def test_many_small_arguments_hold_nobody_up(self):
        service = self.serve()
        connection = service.connect()
        body = json.dumps({**CALL, "args": ["ab"] * 500_000})
        connection.request("POST", "/functions/execute", body, {"Content-Type": "application/json"})
        time.sleep(0.2)
        begun = time.monotonic()
        self.assertEqual(service.request("GET", "/health").status, 200)
        self.assertEqual(connection.getresponse().status, 428)
        self.assertLess(time.monotonic() - begun, 20)
        connection.close()

    def test_more_connections_than_there_is_room_for(self):
        starved = [
            "bash", "-c", 'ulimit -n 200; exec "$0" "$@"', os.environ["PROCTOR"]]
        service = Service(self.workspace, program=starved)
        self.addCleanup(service.stop)
        idle = [socket.create_connection((service.host, service.port)) for _ in range(150)]
        self.addCleanup(lambda: [s.close() for s in idle])
        time.sleep(0.5)
        def seconds():
            fields = pathlib.Path(f"/proc/{service.process.pid}/stat").read_text().split()
            return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
        before = seconds()
        time.sleep(2)
        self.assertLess(seconds() - before, 0.5)
        for connection in idle[:60]:
            connection.close()
        self.assertEqual(service.request("GET", "/health").status, 200)

    def test_a_head_that_is_too_large(self):
        service = self.serve()
        answer = service.request("GET", "/health", headers={"X-Much": "a" * 100_000})
        self.assertIn(answer.status, [400, 431])
        self.assertEqual(service.request("GET", "/health").status, 200)


class Access(Case):
    def test_a_token_is_wanted(self):
        service = self.serve(token=TOKEN)
        for headers in [
            {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": f"Basic {TOKEN}"},
            {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Bearer {TOKEN[:-1]}"},
            {"Authorization": f"Bearer {TOKEN} "[:-2]},
        ]:
            answer = service.request("GET", "/runs", headers=headers)
            self.assert_problem(answer, 401)
            self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Bearer"))
            for path in ["/mcp", "/tests/run_all", "/metrics"]:
                method = "GET" if path == "/metrics" else "POST"
                self.assert_problem(service.request(method, path, headers=headers), 401)
        self.assertEqual(service.request("GET", "/runs").status, 200)
        self.assertEqual(service.request("GET", "/health", headers={"Authorization": "x"}).status, 200)
        # It is nowhere to be read.
        self.assertNotIn(TOKEN, "".join(service.log))
        self.assertNotIn(TOKEN.encode(), pathlib.Path(f"/proc/{service.process.pid}/cmdline").read_bytes())

    def test_what_runs_does_not_know_it(self):
        service = self.serve(self.workspace, "--yes", token=TOKEN)
        code = {"language": "python", "code": "import os; sorted(k for k in os.environ if 'TOKEN' in k)"}
        answer = service.request("POST", "/sandbox/execute", code)
        self.assertEqual(json.loads(answer.body)["result"], [])

    def test_other_names_and_other_pages_are_refused(self):
        service = self.serve(self.workspace, "--allow-host", "ci.example", "--allow-origin", "https://page.example")
        port = service.port
        for host, status in [
            (f"127.0.0.1:{port}", 200), (f"localhost:{port}", 200), ("[::1]", 200),
            ("ci.example", 200), ("CI.example:80", 200), ("evil.example", 403),
            ("localhost.evil.example", 403), ("127.0.0.1.evil.example", 403), ("127.0.0.1x", 403),
        ]:
            with self.subTest(host):
                self.assertEqual(service.request("GET", "/health", headers={"Host": host}).status, status)
        for origin, status in [
            (f"http://127.0.0.1:{port}", 200), ("https://page.example", 200), ("null", 403),
            ("http://evil.example", 403), (f"http://127.0.0.1:{port}.evil.example", 403),
            ("http://127.0.0.1:1", 403),
        ]:
            with self.subTest(origin):
                self.assertEqual(service.request("GET", "/runs", headers={"Origin": origin}).status, status)
                answer = service.request("POST", "/mcp", {}, {"Origin": origin})
                self.assertEqual(answer.status == 403, status == 403)
        # Pictures and scripts of a page come without its origin.
        for site, status in [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)]:
            self.assertEqual(service.request("GET", "/runs", headers={"Sec-Fetch-Site": site}).status, status)
        # A page that may call may read, too.
        page = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
        asked = service.request("OPTIONS", "/tests/run_all", headers=page)
        self.assertEqual((asked.status, asked.headers["Access-Control-Allow-Origin"]), (204, "https://page.example"))
        self.assertIn("Authorization", asked.headers["Access-Control-Allow-Headers"])
        self.assertEqual(service.request("GET", "/runs", headers=page).headers["Access-Control-Allow-Origin"], "https://page.example")
        own = service.request("GET", "/runs", headers={"Origin": f"http://127.0.0.1:{port}"})
        self.assertNotIn("Access-Control-Allow-Origin", own.headers)
        self.assertEqual(service.request("OPTIONS", "/tests/run_all").status, 405)

    def test_nobody_opens_it_to_others_by_mistake(self):
        def start(*arguments, **environment):
            return subprocess.run(
                [os.environ["PROCTOR"], "serve", "--port", "0", *arguments, self.workspace],
                env={**os.environ, **environment}, capture_output=True, text=True, timeout=120)
        for host in ["0.0.0.0", "::", "192.0.2.1", "127.evil.example"]:
            outcome = start("--host", host)
            self.assertEqual(outcome.returncode, 2, outcome.stderr)
            self.assertIn("--token-file", outcome.stderr)
        self.assertIn("at least 16", start(PROCTOR_TOKEN="short").stderr)
        same = start(PROCTOR_TOKEN=TOKEN, PROCTOR_CONFIRMATION_TOKEN=TOKEN)
        self.assertEqual((same.returncode, "the same" in same.stderr), (2, True))
        self.assertEqual(start("--token-file", "nowhere").returncode, 2)
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        outcome = subprocess.run(
            [os.environ["PROCTOR"], "serve", "--port", str(taken.getsockname()[1]), self.workspace],
            capture_output=True, text=True, timeout=120)
        self.assertEqual(outcome.returncode, 5)
        self.assertIn("Choose another one with --port", outcome.stderr)

    def test_an_open_address_with_a_token(self):
        file = self.workspace.parent / "token"
        file.write_text(TOKEN + "\n")
        service = Service(self.workspace, "--host", "0.0.0.0", "--token-file", file)
        self.addCleanup(service.stop)
        service.host = "127.0.0.1"
        self.assertEqual(service.request("GET", "/runs").status, 401)
        service.token = TOKEN
        self.assertEqual(service.request("GET", "/runs").status, 200)


class Workspaces(Case):
    def test_only_those_named_at_the_start(self):
        other = self.workspace.parent / "other"
        other.mkdir()
        (other / "test_other.py").write_text("def test_other(): pass\n")
        self.write("test_code.py", TESTS)
        outside = self.workspace.parent / "outside"
        outside.mkdir()
        (outside / "test_secret.py").write_text("def test_secret(): pass\n")
        (outside / "code_there.py").write_text("def there(): return 1\n")
        (self.workspace / "link").symlink_to(outside)
        (self.workspace / "link.py").symlink_to(outside / "code_there.py")
        service = self.serve(self.workspace, f"second={other}", "--yes")
        self.assert_problem(service.request("POST", "/tests/run_all"), 400, "workspace, second")
        for name, count in [("workspace", 3), ("second", 1)]:
            answer = service.request("GET", f"/tests?workspace={name}")
            self.assertEqual(json.loads(answer.body)["total_tests"], count)
        for name in ["third", "..", str(other), "", "%2E%2E"]:
            self.assert_problem(service.request("GET", f"/tests?workspace={name}"), 404)
        for path in ["../other", "../outside/test_secret.py", str(other), "link", "link/test_secret.py", "/etc/passwd", "/proc/self/environ"]:
            with self.subTest(path):
                self.assert_problem(
                    service.request("POST", "/tests/run?workspace=workspace", {"path": path}), 422, "outside")
        for path in ["../outside/code_there.py", str(outside / "code_there.py"), "link.py", "link/code_there.py", "/etc/passwd"]:
            for where, body in [
                ("/functions/execute", {"path": path, "function_name": "there"}),
                ("/functions/benchmark", {"path": path, "function_name": "there"}),
                ("/sandbox/validate", {"path": path}), ("/diagnostics", {"path": path}),
            ]:
                with self.subTest((where, path)):
                    answer = service.request("POST", f"{where}?workspace=workspace", body)
                    self.assertIn("outside the workspace", answer.body.decode())
                    self.assertNotIn("root:", answer.body.decode())

    def test_names(self):
        def start(*workspaces):
            return subprocess.run(
                [os.environ["PROCTOR"], "serve", "--port", "0", *workspaces],
                capture_output=True, text=True, timeout=120)
        twice = start(f"a={self.workspace}", f"a={self.workspace}")
        self.assertEqual((twice.returncode, "NAME=DIR" in twice.stderr), (2, True))
        self.assertEqual(start("nowhere").returncode, 2)


class Confirmation(Case):
    def ask(self, service, call=CALL, **headers):
        problem = self.assert_problem(
            service.request("POST", "/functions/execute", call, headers), 428, "AI wants to execute code")
        return problem["confirmation"]

    def again(self, service, token, call=CALL):
        return service.request("POST", "/functions/execute", call, {"Proctor-Confirmation": token})

    def refused(self, answer, words):
        self.assertEqual(answer.status, 403)
        content = json.loads(answer.body)
        self.assertEqual(content["error_type"], "refused")
        self.assertIn(words, content["message"])

    def test_whoever_holds_the_other_token_answers(self):
        service = self.serve(token=TOKEN)
        token = self.ask(service)
        listed = service.request("GET", "/confirmations", headers={"Authorization": f"Bearer {CONFIRMS}"})
        [question] = json.loads(listed.body)["confirmations"]
        self.assertEqual((question["confirmation"], question["code"]), (token, "[4]"))
        self.assertIn("twice of code_here.py", question["question"])
        # Who asks cannot answer.
        self.assert_problem(service.request("GET", "/confirmations"), 401)
        self.assert_problem(service.request("POST", f"/confirmations/{token}", {"allow": True}), 401)
        self.assertEqual(self.again(service, token).status, 428)
        self.assertEqual(service.confirm(token, True).status, 200)
        self.assert_problem(service.confirm(token, True), 404)
        self.assertEqual(json.loads(self.again(service, token).body)["result"], 8)
        self.refused(self.again(service, token), "has been used")

    def test_the_same_is_asked_once(self):
        service = self.serve()
        token = self.ask(service)
        self.assertEqual(self.ask(service), token)
        for number in range(63):
            self.ask(service, {**CALL, "args": [100 + number]})
        # None makes room for another one.
        answer = service.request("POST", "/functions/execute", {**CALL, "args": [5]})
        self.refused(answer, "64 questions wait for the user already")
        service.confirm(token, True)
        self.assertEqual(json.loads(self.again(service, token).body)["result"], 8)

    def test_a_no_is_a_no(self):
        service = self.serve()
        token = self.ask(service)
        self.assertEqual(service.confirm(token, False).status, 200)
        self.refused(self.again(service, token), "did not allow")
        for body in [{}, {"allow": "yes"}, {"allow": 1}, {"allow": True, "more": 1}, {"allow": None}]:
            answer = service.request(
                "POST", f"/confirmations/{self.ask(service)}", body, {"Authorization": f"Bearer {CONFIRMS}"})
            self.assert_problem(answer, 400)

    def test_an_answer_is_for_what_was_asked(self):
        service = self.serve()
        token = self.ask(service)
        service.confirm(token, True)
        self.refused(self.again(service, token, {**CALL, "args": [5]}), "other arguments")
        self.write("code_here.py", "def twice(x):\n    return 3 * x\n")
        self.refused(self.again(service, token), "another state of the file")
        self.refused(self.again(service, "made-up"), "not good for this call")

    def test_an_answer_can_be_for_as_long_as_it_stays_so(self):
        service = self.serve()
        token = self.ask(service)
        answer = service.request(
            "POST", f"/confirmations/{token}", {"allow": True, "remember": True},
            {"Authorization": f"Bearer {CONFIRMS}"})
        self.assertEqual(answer.status, 200)
        self.assertEqual(json.loads(self.again(service, token).body)["result"], 8)
        other = service.request("POST", "/functions/execute", {**CALL, "args": [5]})
        self.assertEqual(json.loads(other.body)["result"], 10)
        [answered] = json.loads(service.request("GET", "/audit?operation=confirm").body)["calls"]
        self.assertEqual(answered["arguments"]["operation"], "execute_function")
        self.assertIs(answered["arguments"]["allow"], True)
        self.assertEqual(answered["status"], "success")
        calls = json.loads(service.request("GET", "/audit?limit=1").body)["calls"]
        self.assertIn("remembered", json.dumps(calls))
        self.write("code_here.py", "def twice(x):\n    return 3 * x\n")
        self.ask(service)

    def test_answered_ahead(self):
        service = self.serve(self.workspace, "--yes")
        answer = service.request("POST", "/functions/execute", CALL)
        self.assertEqual(json.loads(answer.body)["result"], 8)


class Ends(SlowTest, Case):
    def start(self, service, path="/tests/run_all", accept="*/*"):
        connection = service.connect()
        connection.request("POST", path, headers={"Accept": accept})
        self.await_tree(True)
        return connection

    def test_a_client_that_goes_away_ends_its_run(self):
        service = self.serve()
        for accept in ["application/json", "text/event-stream"]:
            with self.subTest(accept):
                connection = self.start(service, accept=accept)
                connection.close()
                self.await_tree(False, seconds=15)
        def reasons():
            rows = json.loads(service.request("GET", "/runs").body)["runs"]
            return [row.get("reason") for row in rows]
        end = time.monotonic() + 30
        while reasons() != ["interrupted"] * 2:
            self.assertLess(time.monotonic(), end, reasons())
            time.sleep(0.02)

    def test_a_run_that_nobody_waits_for(self):
        service = self.serve()
        answer = service.request("POST", "/tests/run_all", {"wait_seconds": 0.3})
        self.assertEqual(json.loads(answer.body)["status"], "running")
        self.await_tree(True)
        watching = service.connect()
        watching.request("GET", "/runs/run-1/events")
        self.assertEqual(watching.getresponse().status, 200)
        watching.close()
        self.assertEqual(json.loads(service.request("GET", "/runs/run-1").body)["status"], "running")
        self.assertIn("proctor_runs_going_on 1", service.request("GET", "/metrics").body.decode())
        stopped = json.loads(service.request("DELETE", "/runs/run-1").body)
        self.assertEqual((stopped["status"], stopped["reason"]), ("error", "interrupted"))
        [call] = json.loads(service.request("GET", "/audit?operation=stop_run").body)["calls"]
        self.assertEqual((call["arguments"], call["status"]), ({"run": "run-1"}, "success"))
        self.await_tree(False, seconds=15)

    def test_told_to_stop(self):
        for number in [signal.SIGTERM, signal.SIGINT]:
            service = self.serve(self.workspace, "--grace", "1")
            connection = self.start(service)
            begun = time.monotonic()
            service.process.send_signal(number)
            self.assertEqual(service.process.wait(60), 0)
            # Without being told, it would wait ten seconds.
            self.assertLess(time.monotonic() - begun, 9)
            self.assertEqual(self.tree(), [])
            connection.close()

    def test_calls_end_before_it_does(self):
        self.write("test_slow.py", "import time\ndef test_slow(): time.sleep(2)\n")
        service = self.serve(self.workspace, "--grace", "60")
        connection = service.connect()
        connection.request("POST", "/tests/run_all")
        end = time.monotonic() + 60
        while "\nproctor_runs_going_on 1\n" not in service.request("GET", "/metrics").body.decode():
            self.assertLess(time.monotonic(), end)
        service.process.terminate()
        answer = json.loads(connection.getresponse().read())
        self.assertEqual((answer["status"], answer["passed"]), ("passed", 1))
        connection.close()
        self.assertEqual(service.process.wait(60), 0)

    def test_killed(self):
        service = self.serve()
        connection = self.start(service)
        service.process.kill()
        service.process.wait()
        self.await_tree(False, seconds=15)
        connection.close()
        mounts = pathlib.Path("/proc/self/mountinfo").read_text()
        self.assertNotIn(str(self.workspace), mounts)


class Queue(Case):
    def test_a_thousand_calls_at_once(self):
        # A connection each: a machine that allows only so many by default allows more when it is asked.
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        service = self.serve(
            self.workspace, "--yes", "--max-running", "2", "--max-waiting", "8", "--timeout", "60")
        async def call(client, number):
            answer = await client.post("/functions/execute", json={**CALL, "args": [number]})
            return number, answer
        async def all_of_them():
            limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
            async with httpx2.AsyncClient(base_url=service.url, timeout=120, limits=limits) as client:
                calls = asyncio.gather(*[call(client, number) for number in range(1000)])
                healthy = await client.get("/health")
                return healthy, await calls
        healthy, answers = asyncio.run(all_of_them())
        self.assertEqual(healthy.status_code, 200)
        counted = collections.Counter(answer.status_code for _, answer in answers)
        self.assertEqual(set(counted), {200, 429}, counted)
        # Those that had a place when they came, and those that found one later.
        self.assertGreaterEqual(counted[200], 10, counted)
        for number, answer in answers:
            if answer.status_code == 200:
                self.assertEqual(answer.json()["result"], 2 * number)
            else:
                self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
                self.assertEqual(answer.json()["code"], "busy")
        figures = service.request("GET", "/metrics").body.decode()
        self.assertIn("\nproctor_queue_running 0\n", figures)
        self.assertIn("\nproctor_queue_waiting 0\n", figures)
        self.assertEqual(service.request("POST", "/functions/execute", CALL).status, 200)

    def test_places_are_given_in_turn(self):
        # Each comes when those before it are seen in their places, and the first lasts until all are there.
        self.write("slow.py", "import time\ndef slow(n):\n    time.sleep(4)\n    return n\n")
        service = self.serve(self.workspace, "--yes", "--max-running", "1", "--max-waiting", "2", "--timeout", "60")
        answers = []
        def call(number):
            body = {"path": "slow.py", "function_name": "slow", "args": [number]}
            answer = service.request("POST", "/functions/execute", body)
            answers.append((number, answer.status))
        threads = []
        for number, (running, waiting) in enumerate([(1, 0), (1, 1), (1, 2)]):
            threads.append(threading.Thread(target=call, args=[number]))
            threads[-1].start()
            end = time.monotonic() + 60
            while self.places(service) != (running, waiting):
                self.assertLess(time.monotonic(), end, self.places(service))
        call(3)
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [(3, 429), (0, 200), (1, 200), (2, 200)])

    def places(self, service):
        figures = service.request("GET", "/metrics").body.decode()
        return tuple(int(re.search(rf"\nproctor_queue_{kind} (\d+)\n", figures)[1]) for kind in ("running", "waiting"))


class OpenAPI(Case):
    def test_the_document(self):
        document = json.loads(self.serve().request("GET", "/openapi.json").body)
        OpenAPIV31SpecValidator(document).validate()
        published = json.loads((REPOSITORY / "docs/openapi.json").read_text())
        self.assertEqual(document, published, "make docs/openapi.json anew: CONTRIBUTING.md says how")
        contract = {
            ("post", "/tests/run_all"), ("post", "/tests/run"), ("get", "/tests"),
            ("post", "/functions/execute"), ("post", "/functions/benchmark"),
            ("post", "/sandbox/execute"), ("post", "/sandbox/validate"), ("post", "/diagnostics"),
            ("get", "/sandbox/status"), ("get", "/health"), ("get", "/metrics"), ("post", "/mcp"),
        }
        there = {(method, path) for path, entry in document["paths"].items() for method in entry}
        self.assertLessEqual(contract, there)

    def test_schemathesis(self):
        """Thousands of calls made from the document, right and wrong ones."""
        self.write("test_code.py", TESTS)
        # Runs that nobody waits for fill the queue, and some of them repeat the tests thousands of times: what is asked
        # behind them gets its turn because each of them ends soon.
        service = self.serve(self.workspace, "--timeout", "4", token=TOKEN)
        # It is asked about, too.
        service.request("POST", "/tests/run_all")
        settings = self.workspace.parent / "schemathesis.toml"
        # What is right by the document and cannot be followed is 422; code is asked about with 428.
        settings.write_text("""\
[parameters]
workspace = "workspace"
run = "run-1"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 401, 403, 404, 409, 422, 428]
[checks.missing_required_header]
expected-statuses = [401, 405, 406]
""")
        outcome = subprocess.run(
            [pathlib.Path(os.sys.executable).parent / "schemathesis", "--config-file", settings, "run",
             f"{service.url}/openapi.json", "--header", f"Authorization: Bearer {TOKEN}",
             "--max-examples", "5", "--seed", "1", "--generation-database", "none", "--phases", "examples,coverage,fuzzing",
             "--request-timeout", "300",
             "--exclude-path", "/mcp", "--suppress-health-check", "all", "--no-color"],
            capture_output=True, text=True, cwd=self.workspace.parent)
        self.assertEqual(outcome.returncode, 0, outcome.stdout + outcome.stderr)
        self.assertEqual(service.request("GET", "/health").status, 200)


class MCP(Case):
    def run_client(self, service, body, mode, asked=None, token=CONFIRMS):
        async def ask(context, params):
            if asked is not None:
                asked.append(params.message)
            return mcp_types.ElicitResult(action="accept", content={"allow": True})
        async def run():
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx2.AsyncClient(headers=headers, timeout=120) as http_client:
                transport = streamable_http_client(f"{service.url}/mcp", http_client=http_client)
                async with mcp.Client(transport, mode=mode, elicitation_callback=ask) as client:
                    return await body(client)
        return asyncio.run(run())

    def test_the_official_client_in_both_eras(self):
        self.write("test_code.py", TESTS)
        service = self.serve(token=TOKEN)
        for mode, version in [("legacy", HANDSHAKE), ("auto", MODERN)]:
            with self.subTest(mode):
                asked = []
                async def body(client):
                    self.assertEqual(client.protocol_version, version)
                    tools = await client.list_tools()
                    run = await client.call_tool("run_all_tests", {"reason": "to see"})
                    handle = run.structured_content["run"]
                    page = await client.call_tool("get_run", {"run": handle, "section": "failures"})
                    called = await client.call_tool("execute_function", CALL)
                    log = await client.read_resource(f"proctor://runs/{handle}/log")
                    return tools, run, page, called, log
                tools, run, page, called, log = self.run_client(service, body, mode, asked)
                self.assertEqual(len(tools.tools), 12)
                self.assertEqual(run.structured_content["failures"][0]["line"], 5)
                self.assertNotIn("tests", run.structured_content)
                self.assertFalse(page.is_error)
                self.assertEqual(called.structured_content["result"], 8)
                self.assertEqual(len(asked), 1)

    def test_a_client_does_not_answer_for_the_user(self):
        service = self.serve(token=TOKEN)
        for mode in ["legacy", "auto"]:
            with self.subTest(mode):
                asked, results = [], []
                async def body(client):
                    return await client.call_tool("execute_function", CALL)
                def call():
                    results.append(self.run_client(service, body, mode, asked, token=TOKEN))
                thread = threading.Thread(target=call)
                thread.start()
                def questions():
                    listed = service.request("GET", "/confirmations", headers={"Authorization": f"Bearer {CONFIRMS}"})
                    return json.loads(listed.body)["confirmations"]
                end = time.monotonic() + 60
                while not questions():
                    self.assertLess(time.monotonic(), end)
                    time.sleep(0.05)
                [question] = questions()
                self.assertEqual(results, [])
                self.assertEqual(question["operation"], "workspace execute_function")
                service.confirm(question["confirmation"], mode == "auto")
                thread.join(20)
                content = results[0].structured_content
                self.assertEqual(content.get("result"), 8 if mode == "auto" else None)
                self.assertEqual(content.get("error_type"), None if mode == "auto" else "refused")
                self.assertEqual(asked, [])
        calls = json.loads(service.request("GET", "/audit?limit=1&operation=execute_function").body)["calls"]
        self.assertEqual(calls[0]["door"], "http")
        self.assertRegex(calls[0]["caller"], "^mcp .* from 127.0.0.1 with the token$")

    def post(self, service, message, **headers):
        headers = {"Accept": "application/json, text/event-stream",
                   **{name.replace("_", "-"): value for name, value in headers.items()}}
        return service.request("POST", "/mcp", {"jsonrpc": "2.0", **message}, headers)

    def stateless(self, service, method, more=None, **headers):
        message = {"id": 1, "method": method, "params": {**(more or {}), "_meta": envelope()}}
        headers = {"MCP_Protocol_Version": MODERN, "Mcp_Method": method, **headers}
        return self.post(service, message, **{k: v for k, v in headers.items() if v is not None})

    def assert_refused(self, answer, status, code):
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(json.loads(answer.body)["error"]["code"], code)

    def test_headers_and_message_agree(self):
        service = self.serve()
        self.assertEqual(self.stateless(service, "tools/list").status, 200)
        call = {"name": "sandbox_status"}
        self.assertEqual(self.stateless(service, "tools/call", call, Mcp_Name="sandbox_status").status, 200)
        encoded = "=?base64?c2FuZGJveF9zdGF0dXM=?="
        self.assertEqual(self.stateless(service, "tools/call", call, Mcp_Name=encoded).status, 200)
        for method, more, headers in [
            ("tools/list", {}, {"Mcp_Method": "tools/call"}), ("tools/list", {}, {"Mcp_Method": None}),
            ("tools/list", {}, {"MCP_Protocol_Version": None}),
            ("tools/list", {}, {"MCP_Protocol_Version": HANDSHAKE}),
            ("tools/call", call, {}), ("tools/call", call, {"Mcp_Name": "run_all_tests"}),
        ]:
            with self.subTest((method, headers)):
                self.assert_refused(self.stateless(service, method, more, **headers), 400, -32020)

    def test_statuses(self):
        service = self.serve()
        self.assert_refused(self.stateless(service, "tools/fly"), 404, -32601)
        meta = {**envelope(), PREFIX + "protocolVersion": "2031-01-01"}
        answer = self.post(
            service, {"id": 1, "method": "tools/list", "params": {"_meta": meta}},
            MCP_Protocol_Version="2031-01-01", Mcp_Method="tools/list")
        self.assert_refused(answer, 400, -32022)
        self.assert_refused(self.post(service, {"id": 1, "method": "tools/list"}), 400, -32602)
        for raw, code in [(b"{", -32700), (b"[]", -32600), (b'{"id": 1}', -32600)]:
            answer = service.request(
                "POST", "/mcp", raw=raw, headers={"Content-Type": "application/json"})
            self.assert_refused(answer, 400, code)
        self.assert_problem(service.request("GET", "/mcp"), 405)
        self.assert_problem(service.request("DELETE", "/mcp"), 405)
        self.assert_problem(
            self.post(service, {"id": 1, "method": "ping"}, Accept="text/html"), 406)

    def test_sessions(self):
        service = self.serve()
        hello = {"id": 1, "method": "initialize", "params": {
            "protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}
        first = self.post(service, hello)
        self.assertEqual(json.loads(first.body)["result"]["protocolVersion"], HANDSHAKE)
        session = first.headers["Mcp-Session-Id"]
        self.assertNotEqual(session, self.post(service, hello).headers["Mcp-Session-Id"])
        noted = self.post(service, {"method": "notifications/initialized"}, Mcp_Session_Id=session)
        self.assertEqual((noted.status, noted.body), (202, b""))
        listed = self.post(service, {"id": 2, "method": "tools/list"}, Mcp_Session_Id=session)
        self.assertEqual(len(json.loads(listed.body)["result"]["tools"]), 12)
        self.assert_problem(
            self.post(service, {"id": 2, "method": "tools/list"}, Mcp_Session_Id="made-up"), 404)
        ended = service.request("DELETE", "/mcp", headers={"Mcp-Session-Id": session})
        self.assertEqual(ended.status, 204)
        self.assert_problem(
            self.post(service, {"id": 3, "method": "tools/list"}, Mcp_Session_Id=session), 404)


class MCPEnds(SlowTest, MCP):
    # What MCP tests is tested there.
    test_the_official_client_in_both_eras = test_headers_and_message_agree = None
    test_statuses = test_sessions = None

    def test_a_client_that_goes_away(self):
        service = self.serve()
        connection = service.connect()
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "run_all_tests", "arguments": {}, "_meta": envelope(token="t")}}
        connection.request("POST", "/mcp", json.dumps(message), {
            "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "run_all_tests"})
        self.await_tree(True)
        stream = connection.getresponse()
        self.assertEqual(stream.headers["Content-Type"], "text/event-stream")
        lines = [stream.readline() for _ in range(2)]
        self.assertIn(b"notifications/progress", lines[1])
        stream.close()
        connection.close()
        self.await_tree(False, seconds=15)

    def test_a_session_cancels(self):
        service = self.serve()
        hello = {"id": 0, "method": "initialize", "params": {
            "protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}
        session = self.post(service, hello).headers["Mcp-Session-Id"]
        def call():
            self.post(service, {"id": "a", "method": "tools/call", "params": {
                "name": "run_all_tests", "arguments": {}}}, Mcp_Session_Id=session)
        thread = threading.Thread(target=call)
        thread.start()
        self.await_tree(True)
        self.post(service, {"method": "notifications/cancelled", "params": {"requestId": "a"}}, Mcp_Session_Id=session)
        self.await_tree(False, seconds=15)
        thread.join(10)
        self.assertFalse(thread.is_alive())


if __name__ == "__main__":
    unittest.main()
