"""Tests `--isolation vm` with a real isolated-vm.

    python isolated_vm.py FOLDER

FOLDER holds node_modules/isolated-vm, installed for the node on PATH. The host program is driven through a
named pipe as function_hosts.py does; then the built proctor (PROCTOR, by default .build/debug/proctor) calls functions
of generated workspaces, and the attacks of `proctor selftest --isolation vm` run against the isolate, each after its
control in plain node. The exit status is 0 when all of it is as it must be.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest

import function_hosts as hosts

if len(sys.argv) != 2 or not os.path.isdir(os.path.join(sys.argv[1], "node_modules", "isolated-vm")):
    sys.exit(__doc__)
PACKAGE = os.path.realpath(os.path.join(sys.argv[1], "node_modules", "isolated-vm"))
PROCTOR = os.path.abspath(os.environ.get("PROCTOR", hosts.REPOSITORY + "/.build/debug/proctor"))
LAYER = "isolated-vm without files, network and modules (depth, not a wall)"
FORGED = '{"event":"returned","value":666,"nanoseconds":1}'
hosts.COMMANDS["isolated"] = [hosts.NODE, "--no-node-snapshot", "proctor_call_isolated.cjs", PACKAGE]


class IsolatedHost(hosts.BareEngineTests, hosts.JavaScriptTests, hosts.HostTest):
    """The host program alone, through the tests of the other hosts of JavaScript."""

    host = "isolated"
    name = "function.js"
    codes = {"memory_limit": -9}

    def test_memory(self):
        source = """\
            function grow() { globalThis.kept = []; for (;;) kept.push(new Array(1e5).fill(1)) }
            function text() { const all = []; for (let n = 0;; n++) all.push(JSON.stringify(new Array(1e5).fill(n))) }
            function one() { return new Uint8Array(2e9).length }
            function buffers() { const all = []; for (;;) all.push(new Uint8Array(1e6)) }
            async function later() { await null; grow() }
            function report() { return { get a() { grow() } } }
            function caught() { try { grow() } catch { return 1 } finally { return 2 } }
        """
        for name in ("grow", "text", "later", "report", "caught"):
            self.final("memory_limit", source, name)
        self.codes = {}
        self.final("memory_limit", source, "buffers")
        self.final("raised", source, "one")
        self.codes = {"memory_limit": -9}
        self.final("memory_limit", "const a = []; for (;;) a.push(new Array(1e5).fill(1));\n", "f")

    def test_rejections(self):
        source = "function f() { Promise.reject(new TypeError('m')); return new Promise(() => {}) }\n" \
            "function g() { Promise.reject(1); return 2 }\n"
        self.raised("TypeError", 1, source, "f")
        self.assertEqual(self.value(source, "g"), 2)

    def test_modules_that_never_load(self):
        record = self.raised("UnsettledPromise", None, "await new Promise(() => {});\nexport const f = () => 1;\n", "f", name="m.mjs")
        self.assertEqual(record["phase"], "import")

    def test_encodings(self):
        self.assertEqual(self.value(b"\xef\xbb\xbffunction f() { return 1 }\n", "f"), 1)
        self.assertEqual(self.final("raised", b"function f() { return '\xff' }\n", "f")["phase"], "import")

    def test_orderly_end(self):
        for _ in range(20):
            self.value("async function f() { return new Array(1e5).fill(7).length }\n", "f")


class Workspace(unittest.TestCase):
    """Calls through proctor."""

    def setUp(self):
        self.folder = os.path.realpath(tempfile.mkdtemp(prefix="proctor-isolated-"))
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(PACKAGE, self.folder + "/node_modules/isolated-vm")

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(text))

    def call(self, name, function, args="[]", isolation="vm", *options):
        """The answer of a call."""
        command = [PROCTOR, "exec", name, function, args, "--isolation", isolation, "--yes", "--format", "json", *options]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        answer = json.loads(done.stdout)
        answer["exit"] = done.returncode
        if isolation == "vm":
            self.assertEqual(answer["sandbox"]["layers"][0], LAYER)
        return answer

    def result(self, *args):
        answer = self.call(*args)
        self.assertEqual((answer["status"], answer["exit"]), ("success", 0), answer)
        return answer["result"]

    def error(self, kind, status, *args):
        answer = self.call(*args)
        self.assertEqual((answer.get("error_type"), answer["exit"]), (kind, status), answer)
        self.assertNotIn("result", answer)
        return answer

    def test_results(self):
        self.write("lib/code.js", f"""\
            function add(a, b) {{ console.log("adding"); console.error("to", b); return a + b }}
            async function later(x) {{ await null; return new Map([["x", new Set([x])]]) }}
            function forge() {{ print('{FORGED}'); console.log("P1 0 fn 1 . " + '{FORGED}'); return 2 }}
            function huge() {{ return "x".repeat(50e6) }}
            module.exports = {{ add, later, forge, huge }}
        """)
        answer = self.call("lib/code.js", "add", "[1, 2]")
        self.assertEqual((answer["result"], answer["stdout"], answer["stderr"]), (3, "adding\n", "to 2\n"))
        self.assertEqual(self.result("lib/code.js", "later", "[1]"), {"x": [1]})
        self.assertEqual(self.result("lib/code.js", "forge"), 2)
        self.error("output_limit", 1, "lib/code.js", "huge")
        self.assertEqual(self.error("not_found", 2, "lib/code.js", "ad")["suggestions"][0]["name"], "add")

    def test_modules(self):
        self.write("a.mjs", "export const twice = async (x) => 2 * x;\nexport default class K { static s() { return 1 } }\n")
        self.write("b.mjs", "\nimport fs from 'node:fs';\nexport const f = () => 1;\n")
        self.assertEqual(self.result("a.mjs", "twice", "[4]"), 8)
        self.assertEqual(self.result("a.mjs", "K.s"), 1)
        self.assertEqual(self.error("permission_denied", 1, "b.mjs", "f")["line"], 2)

    def test_errors(self):
        self.write("a.js", "const bad = () => {\n  throw new TypeError('no')\n}\n")
        self.write("b.js", "let a;\nlet b = ;\n")
        answer = self.error("runtime_error", 1, "a.js", "bad")
        self.assertEqual((answer["file"], answer["line"], answer["message"]), ("a.js", 2, "TypeError: no"))
        self.assertEqual(self.error("build_error", 3, "b.js", "f")["line"], 2)

    def test_limits(self):
        self.write("a.js", """\
            function spin() { for (;;); }
            function microtasks() { const again = () => Promise.resolve().then(again); again(); return 1 }
            function grow() { const all = []; for (;;) all.push(new Array(1e5).fill(1.5)) }
            function buffer() { return new Uint8Array(2e9).length }
            function buffers() { const all = []; for (;;) all.push(new Uint8Array(1e6)) }
            function flood() { for (;;) console.log("x".repeat(1e5)) }
        """)
        for name in ("spin", "microtasks"):
            self.error("timeout", 6, "a.js", name, "[]", "vm", "--timeout", "1")
        for name in ("grow", "buffers"):
            self.error("memory_limit", 1, "a.js", name)
        self.error("runtime_error", 1, "a.js", "buffer")
        self.error("output_limit", 1, "a.js", "flood")

    ESCAPES = """\
        const kinds = (realm) => [typeof realm.process, typeof realm.require === "function" && realm.require.name];
        function globals() { return [typeof process, typeof Buffer, typeof setTimeout, typeof fetch, typeof WebAssembly,
          typeof SharedArrayBuffer, typeof Atomics, typeof proctorEmit, typeof globalThis.process] }
        function constructed() { return [constructor, print.constructor, console.log.constructor, (async () => {}).constructor]
          .map((c) => { const f = c.constructor("return typeof process"); return f() }) }
        async function imported() { const found = [];
          for (const name of ["fs", "node:fs", "/etc/passwd", "./a.js"]) try { await import(name); found.push(name) } catch {}
          return found }
        function required() { try { return require("fs") } catch (error) { return error.message } }
        function frames() { Error.prepareStackTrace = (_, sites) => sites; const found = [];
          const look = { get x() { for (const site of new Error().stack.slice(1)) found.push(typeof site.getFunction(), typeof site.getThis()); return 1 } };
          console.log(look); return found.filter((kind) => kind !== "undefined") }
        function callers() { try { return String(callers.caller) } catch { return "null" } }
        function proxied() { return new Promise((done) => { console.log(new Proxy({}, { get(_, key, self) { done(typeof self.constructor); } })); done("undefined") }) }
        function spoiled() { JSON.parse = JSON.stringify = String.prototype.slice = () => 'FORGED'; Object.prototype.then = (f) => f(1); return { a: 1n } }
    """.replace("FORGED", FORGED)

    def test_escapes(self):
        self.write("a.js", self.ESCAPES)
        for name, value in (
                ("globals", ["undefined"] * 9), ("constructed", ["undefined"] * 4), ("imported", []), ("frames", []),
                ("callers", "null"), ("proxied", "undefined")):
            self.assertEqual(self.result("a.js", name), value, name)
        self.assertIn("no modules", self.result("a.js", "required"))
        self.assertIn(self.call("a.js", "spoiled").get("result"), ({"a": 1}, 1))

    def test_folders_above(self):
        for name in ("package.json", "packages/inner/package.json"):
            self.write(name, '{"private": true}\n')
        self.write("packages/inner/src/a.js", "function f() { return 1 }\n")
        self.assertEqual(self.result("packages/inner/src/a.js", "f"), 1)

    def test_damage(self):
        self.write("a.js", "function f() { return 1 }\n")
        binary = self.folder + "/node_modules/isolated-vm/out/isolated_vm.node"
        with open(binary, "rb") as file:
            whole = file.read()
        for part in (b"", b"\x7fELF", whole[:5000]):
            with open(binary, "wb") as file:
                file.write(part)
            self.error("sandbox_error", 7, "a.js", "f")

    def test_attacks(self):
        self.write("proctor.toml", "[execution]\nallow_filesystem_access = true\nallow_network_access = true\n")
        with open(hosts.REPOSITORY + "/Sources/ProctorEngine/RuntimeAttacks.swift", encoding="utf-8") as file:
            found = re.findall(r'\bscript\(\s*("(?:[^"\\]|\\.)*"),\s*("(?:[^"\\]|\\.)*")\s*\)', file.read())
        self.assertGreaterEqual(len(found), 26)
        for name, body in found:
            source = "async function attack() {\n  %s\n}\nmodule.exports = { attack }\n" % json.loads(body)
            self.write("attack.js", source)
            self.assertIs(self.result("attack.js", "attack", "[]", "auto"), True, name)
            inside = self.call("attack.js", "attack")
            self.assertIsNot(inside.get("result"), True, name)
            self.assertIn(inside.get("error_type"), (None, "runtime_error"), inside)
        print(f"{len(found)} attacks blocked, each control succeeded", file=sys.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
