"""Drives every host through a real named pipe and checks the records.

    python function_hosts.py [-k NAME]

PROCTOR_TEST_PYTHON is an interpreter for the plain Python host (default: this
one), PROCTOR_TEST_VM_PYTHON one with RestrictedPython and quickjs-ng (default:
this one; without them the tests of the VM hosts are skipped). node is taken from PATH.
"""
import atexit
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# In use, proctor lays them into one folder.
HERE = tempfile.mkdtemp(prefix="proctor-hosts-")
atexit.register(shutil.rmtree, HERE)
for language in ("pytest", "jest"):
    shutil.copytree(f"{REPOSITORY}/adapters/{language}/guest/function", HERE, dirs_exist_ok=True)
PYTHON = os.environ.get("PROCTOR_TEST_PYTHON", sys.executable)
VM_PYTHON = os.environ.get("PROCTOR_TEST_VM_PYTHON", sys.executable)
NODE = shutil.which("node")
NONCE = "0123456789abcdef" * 2
FRAME = re.compile(rb"P1 " + NONCE.encode() + rb" fn (\d+) ([+.]) ([\x20-\x7e]*)\n")
COMMANDS = {
    "python": [PYTHON, "-B", "-X", "utf8", "proctor_call.py"],
    "restricted": [VM_PYTHON, "-I", "-B", "-X", "utf8", "proctor_call_restricted.py"],
    "node": [NODE, "proctor_call.mjs"],
    "quickjs": [VM_PYTHON, "-I", "-B", "-X", "utf8", "proctor_call_quickjs.py"],
}


def has(module):
    return subprocess.run([VM_PYTHON, "-I", "-c", f"import {module}"], capture_output=True).returncode == 0


def read_frames(data):
    """The records in what came over the pipe; every frame is checked."""
    records, payload, position, sequence = [], b"", 0, 0
    while position < len(data):
        match = FRAME.match(data, position)
        assert match, f"no frame at {position}: {data[position:position + 80]!r}"
        assert match.end() - position <= 4096 and int(match[1]) == sequence
        payload += match[3]
        if match[2] == b".":
            records.append(json.loads(payload))
            payload = b""
        position, sequence = match.end(), sequence + 1
    assert not payload
    return records


class Result:
    def __init__(self, records, process, output, errors):
        self.records, self.code = records, process.returncode
        self.out, self.err = output, errors
        self.last = records[-1] if records else None


class HostTest(unittest.TestCase):
    host = "python"
    name = "function.py"
    codes = {}  # exit codes that are not 0, by the final event
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="proctor-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.root = os.path.join(self.folder, "project")
        os.mkdir(self.root)

    def write(self, files):
        for name, text in files.items():
            path = os.path.join(self.root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(text if isinstance(text, bytes) else textwrap.dedent(text).encode("utf-8", "surrogatepass"))

    def run_host(self, source, function, args=(), name=None, files=None, **request):
        """Runs the host; source None: the file is among files."""
        name = name or self.name
        self.write({**(files or {}), **({name: source} if source is not None else {})})
        request = {"file": os.path.join(self.root, name), "root": self.root, "function": function,
                   "args": list(args) if isinstance(args, tuple) else args, "memory_mb": 64, "output_limit": 100000,
                   "items": 10, **request}
        paths = [os.path.join(self.folder, n) for n in ("request.json", "pipe")]
        with open(paths[0], "w") as file:
            json.dump(request, file)
        if os.path.exists(paths[1]):
            os.unlink(paths[1])
        os.mkfifo(paths[1])
        reader = os.open(paths[1], os.O_RDONLY | os.O_NONBLOCK)
        environment = {**os.environ, "PROCTOR_REQUEST": paths[0], "PROCTOR_CHANNEL": paths[1], "PROCTOR_NONCE": NONCE}
        command = COMMANDS[self.host]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            command = [os.path.join(HERE, part) if part.startswith("proctor_") else part for part in command]
            process = subprocess.Popen(command, cwd=self.root, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            data, deadline = b"", time.monotonic() + 60
            try:
                while time.monotonic() < deadline:
                    ended = process.poll() is not None
                    select.select([reader], [], [], 0 if ended else 0.01)
                    try:
                        while True:
                            part = os.read(reader, 1 << 16)
                            data += part
                            if not part:  # no writer at the moment
                                time.sleep(0.002)
                                break
                    except BlockingIOError:
                        pass
                    if ended:
                        break
                else:
                    self.fail("the host does not end")
            finally:
                process.kill()
                process.wait()
                os.close(reader)
            out.seek(0)
            err.seek(0)
            return Result(read_frames(data), process, out.read().decode("utf-8", "replace"),
                          err.read().decode("utf-8", "replace"))

    def value(self, *args, **kwargs):
        """The value of a call that must return one."""
        result = self.run_host(*args, **kwargs)
        self.assertEqual([r["event"] for r in result.records], ["started", "returned"], (result.records, result.err))
        self.assertEqual(result.code, 0)
        self.assertGreaterEqual(result.last["nanoseconds"], 0)
        return result.last["value"]

    def final(self, event, *args, **kwargs):
        """The final record, which must be of this event."""
        result = self.run_host(*args, **kwargs)
        self.assertTrue(result.records, (result.code, result.err))
        self.assertEqual(result.last["event"], event, (result.records, result.err))
        self.assertEqual(result.code, self.codes.get(event, 0))
        return result.last

    def raised(self, kind, line, *args, **kwargs):
        record = self.final("raised", *args, **kwargs)
        self.assertEqual((record["kind"], record["line"]), (kind, line), record)
        return record


class PythonHost(HostTest):
    def test_forms(self):
        source = """\
            import collections, dataclasses, datetime, decimal, enum, fractions, pathlib, uuid, array, types
            Point = collections.namedtuple("Point", "x y")
            class Colour(enum.Enum):
                RED = "red"
            class Level(enum.IntEnum):
                HIGH = 3
            @dataclasses.dataclass
            class Part:
                name: str
                inner: object = None
            def f():
                return {
                    "dataclass": Part("a", Part("b")), "named": Point(1, [2]), "enum": Colour.RED, "int_enum": Level.HIGH,
                    "set": {3, 1, 2}, "mixed_set": frozenset([1, "a"]), "tuple": (1, (2,)),
                    "keys": {1: "i", 1.5: "f", True: "same as 1", None: "n", Level.HIGH: "e"},
                    "bytes": b"ab", "view": memoryview(b"ab"), "date": datetime.date(2020, 1, 2),
                    "datetime": datetime.datetime(2020, 1, 2, 3), "time": datetime.time(4),
                    "delta": datetime.timedelta(minutes=1), "decimal": decimal.Decimal("1.10"),
                    "fraction": fractions.Fraction(1, 3), "complex": 1 + 2j, "nan": float("nan"), "inf": float("inf"),
                    "minus": [-float("inf")], "uuid": uuid.UUID(int=1), "path": pathlib.Path("/a/b"),
                    "deque": collections.deque([1]), "range": range(3), "counter": collections.Counter("aa"),
                    "array": array.array("i", [1]), "iterator": map(str, [1]), "view_keys": {"a": 1}.keys(),
                    "proxy": types.MappingProxyType({"a": 1}), "text": "é\\u2028\\ud800\\U0001f600\\0",
                }
        """
        self.assertEqual(self.value(source, "f"), {
            "dataclass": {"name": "a", "inner": {"name": "b", "inner": None}}, "named": {"x": 1, "y": [2]},
            "enum": "red", "int_enum": 3, "set": [1, 2, 3], "mixed_set": ["a", 1], "tuple": [1, [2]],
            "keys": {"1": "same as 1", "1.5": "f", "null": "n", "3": "e"}, "bytes": {"base64": "YWI="},
            "view": {"base64": "YWI="}, "date": "2020-01-02", "datetime": "2020-01-02T03:00:00", "time": "04:00:00",
            "delta": 60.0, "decimal": "1.10", "fraction": "1/3", "complex": "1+2j", "nan": "NaN", "inf": "Infinity",
            "minus": ["-Infinity"], "uuid": "00000000-0000-0000-0000-000000000001", "path": "/a/b", "deque": [1],
            "range": [0, 1, 2], "counter": {"a": 2}, "array": [1], "iterator": ["1"], "view_keys": ["a"],
            "proxy": {"a": 1}, "text": "é\u2028\ud800\U0001f600\0"})

    def test_numpy(self):
        if subprocess.run([PYTHON, "-c", "import numpy"], capture_output=True).returncode:
            self.skipTest("no numpy")
        source = """\
            import numpy as np
            def f():
                return [np.int64(1), np.float32(0.5), np.bool_(True), np.array([[1, 2]]), np.array(3), np.array([np.nan]),
                        {np.int64(1): np.str_("a")}, np.datetime64("2020-01-02")]
            def big():
                return np.zeros(10**7)
        """
        self.assertEqual(self.value(source, "f"), [1, 0.5, True, [[1, 2]], 3, ["NaN"], {"1": "a"}, "2020-01-02"])
        self.final("too_large", source, "big")

    def test_pandas_by_its_names(self):
        """Without pandas: a class with the module, the name and the parts of a DataFrame that are used."""
        source = """\
            class Column:
                def __init__(self, *v): self.v = list(v)
                def tolist(self): return self.v
                def __len__(self): return len(self.v)
            class DataFrame:
                size, columns, index = 4, Column("a", "b"), Column(0, 1)
                iloc = {(slice(None), 0): 0, (slice(None), 1): 1} if False else None
                def __len__(self): return 2
            class Cells:
                def __getitem__(self, at): return [Column(1, 2), Column(0.5, "x")][at[1]]
            DataFrame.iloc = Cells()
            DataFrame.__module__ = "pandas.core.frame"
            def f(): return DataFrame()
        """
        self.assertEqual(self.value(source, "f"), {"columns": ["a", "b"], "index": [0, 1], "data": [[1, 0.5], [2, "x"]]})

    def test_unserializable(self):
        source = """\
            class A: pass
            def part(): return [1, {"x": (A(),)}]
            def circle():
                a = []; a.append({"b": a}); return a
            def deep():
                a = []
                for _ in range(100000): a = [a]
                return a
            def error(): return [ValueError("x")]
            def key(): return {(1, 2): 3}
            def same(): return {1: 2, "1": 3}
            def kind(): return A
            def function(): return [len]
            class Bad:
                def __repr__(self): raise RuntimeError
                def __fspath__(self): raise KeyError
            def bad(): return {"b": Bad()}
            def huge_repr(): return [list(range(10**6)), A()]
            def number(): return [10 ** 5000]
        """
        for name, place in (("part", "result[1].x[0]:"), ("circle", "result[0].b: contains itself"), ("deep", "nested"),
                            ("error", "result[0]: an exception"), ("key", "result: a key of type tuple"),
                            ("same", "two keys"), ("kind", "class"), ("function", "result[0]:"), ("bad", "result.b")):
            record = self.final("unserializable", source, name)
            self.assertIn(place, record["message"])
            self.assertLessEqual(len(record["text"]), 1000)
        self.final("too_large", source, "huge_repr")
        record = self.final("unserializable", source, "huge_repr", output_limit=10**8)
        self.assertIn("result[1]", record["message"])
        result = self.run_host(source, "number")
        self.assertIn(result.last["event"], ("unserializable", "returned"))

    def test_too_large(self):
        source = """\
            def text(): return "x" * 10**8
            def numbers(): return list(range(10**6))
            def escaped(): return "é" * 30000
            def same():
                a = ["y" * 1000] * 1000
                return [a] * 1000
            def exact(n): return "x" * n
            def integer(): return 1 << 10**7
        """
        for name in ("text", "numbers", "escaped", "same", "integer"):
            self.assertGreater(self.final("too_large", source, name)["size"], 100000)
        self.assertEqual(len(self.value(source, "exact", (99998,))), 99998)
        self.assertEqual(self.final("too_large", source, "exact", (99999,))["size"], 100001)

    def test_kinds_of_functions(self):
        source = """\
            import asyncio, functools
            class A:
                def __init__(self): self.n = 5
                def method(self, x): return self.n + x
                @staticmethod
                def static(x): return x
                @classmethod
                def build(cls, x): return [cls.__name__, x]
                class Inner:
                    def deep(self): return "deep"
                @functools.lru_cache(None)
                def cached(self, x): return x
            class Needs:
                def __init__(self, x): pass
                def method(self): pass
            class Breaks:
                def __init__(self): raise ValueError("no")
                def method(self): pass
            async def wait(x):
                await asyncio.sleep(0.001)
                return x
            async def asynchronous():
                for i in range(1000): yield i
            def endless():
                n = 0
                while True:
                    yield n
                    n += 1
            def ten(): yield from range(10)
            def inner(): return {"g": endless()}
            part = functools.partial(pow, 2)
            square = lambda x: x * x
        """
        for name, args, value in (
                ("A.method", (1,), 6), ("A.static", (1,), 1), ("A.build", (1,), ["A", 1]), ("A.Inner.deep", (), "deep"),
                ("A.cached", (2,), 2), ("wait", {"x": 3}, 3), ("asynchronous", (), list(range(10))),
                ("ten", (), list(range(10))), ("inner", (), {"g": list(range(10))}), ("part", (3,), 8), ("square", (3,), 9)):
            self.assertEqual(self.value(source, name, args), value, name)
        result = self.run_host(source, "endless")
        self.assertEqual((result.last["value"], result.last["truncated"]), (list(range(10)), True))
        self.assertNotIn("truncated", self.run_host(source, "ten").last)
        self.assertTrue(self.run_host(source, "asynchronous").last["truncated"])
        self.assertTrue(self.run_host(source, "inner").last["truncated"])
        self.assertIn("without arguments", self.final("bad_arguments", source, "Needs.method")["message"])
        self.raised("ValueError", 17, source, "Breaks.method")

    def test_arguments(self):
        source = """\
            from typing import Dict, List, Optional, Union
            import functools
            def f(a: int, b: float = 1.0, *, c: str = "x"): return [a, b, c]
            def g(x: "Optional[List[int]]", y: Union[int, str, None] = None, z: Dict[str, bool] = {}, w: bool = True): return x
            def rest(*args: int, **names: str): return [args, names]
            def only(a, /, b): return [a, b]
            def other(a: "Unknown", b: functools.partial, c: tuple, d: "print(1/0)"): return 1
            def none(a: int = None): return a
            def wrapped(f):
                @functools.wraps(f)
                def inner(*args): return f(*args)
                return inner
            @wrapped
            def decorated(a: int): return a
        """
        good = (("f", (1,), [1, 1.0, "x"]), ("f", (1, 2), [1, 2, "x"]), ("f", {"a": 1, "c": "y"}, [1, 1.0, "y"]),
                ("g", ([1],), [1]), ("g", (None,), None), ("rest", (1, 2), [[1, 2], {}]), ("rest", {"a": "b"}, [[], {"a": "b"}]),
                ("other", (1, 2, [3], 4), 1), ("none", (None,), None), ("decorated", ("x",), "x"), ("only", (1, 2), [1, 2]))
        for name, args, value in good:
            self.assertEqual(self.value(source, name, args), value, (name, args))
        bad = (("f", (), "a", None), ("f", ("1",), "a", "int"), ("f", (True,), "a", "int"), ("f", (1, "2"), "b", "float"),
               ("f", {"a": 1, "d": 2}, "d", None), ("f", (1, 2, 3), None, None), ("f", (1.0,), "a", "int"),
               ("g", ([1, "x"],), "x", "list[int] | null"), ("g", ([], [1]), "y", "int | str | null"),
               ("g", ([], 1, {"a": 1}), "z", "dict[str, bool]"), ("g", ([], 1, {}, 1), "w", "bool"),
               ("rest", (1, "x"), "args", "int"), ("only", {"a": 1, "b": 2}, "a", None), ("f", "text", None, None))
        for name, args, argument, expected in bad:
            record = self.final("bad_arguments", source, name, args)
            self.assertEqual((record["argument"], record["expected"]), (argument, expected), (name, args, record))

    def test_not_found(self):
        source = """\
            import os
            class Shape:
                def area(self): pass
            def compute(): pass
            def computer(): pass
            limit = 3
        """
        record = self.final("not_found", source, "compte")
        self.assertEqual(record["near"][0], {"name": "compute", "line": 4})
        self.assertEqual(self.final("not_found", source, "Shape.aria")["near"][0], {"name": "Shape.area", "line": 3})
        self.assertEqual(self.final("not_found", source, "area")["near"][0]["name"], "Shape.area")
        self.final("not_found", source, "limit")
        self.final("not_found", source, "compute.__globals__")
        self.final("not_found", source, "")
        self.assertEqual(self.final("not_found", "", "f")["near"], [])

    def test_errors_and_places(self):
        files = {"site-packages/lib.py": "def call(f):\n    return f()\ndef fail(): raise OSError('x')\n",
                 "other.py": "def g():\n\n    raise KeyError('k')\n"}
        source = """\
            import sys
            sys.path.append(sys.path[0] + "/site-packages")
            import lib, other
            def zero(): return 1 / 0
            def through(): return lib.call(lambda:
                1 / 0)
            def within(): return lib.fail()
            def elsewhere(): other.g()
            def deep(): return deep()
            def leave(): sys.exit("bye")
            def text():
                class E(Exception):
                    def __str__(self): raise ValueError
                raise E
            def long(): raise ValueError("x" * 10**6)
            def memory(): return [0] * 10**15
            async def late(): raise LookupError
            def syntax(): compile("(", "<made>", "exec")
        """
        self.raised("ZeroDivisionError", 4, source, "zero", files=files)
        self.raised("ZeroDivisionError", 6, source, "through", files=files)
        self.raised("OSError", 7, source, "within", files=files)
        record = self.raised("KeyError", 3, source, "elsewhere", files=files)
        self.assertTrue(record["file"].endswith("/other.py"))
        self.raised("RecursionError", 9, source, "deep", files=files)
        self.assertEqual(self.raised("SystemExit", 10, source, "leave", files=files)["message"], "bye")
        self.raised("E", 14, source, "text", files=files)
        self.assertLess(len(self.raised("ValueError", 15, source, "long", files=files)["message"]), 5000)
        self.raised("MemoryError", 16, source, "memory", files=files)
        self.raised("LookupError", 17, source, "late", files=files)
        self.raised("SyntaxError", 18, source, "syntax", files=files)

    def test_import_errors(self):
        for source, kind, line in (("x = (\n", "SyntaxError", 1), ("def f(): pass\n1/0\n", "ZeroDivisionError", 2),
                                   ("import missing_module\n", "ModuleNotFoundError", 1),
                                   ("raise SystemExit\n", "SystemExit", 1), ("def f():\n\tx\n        y\n", "TabError", 3)):
            record = self.final("raised", source, "f")
            self.assertEqual((record["kind"], record["phase"]), (kind, "import"))
            if kind != "SyntaxError":
                self.assertEqual(record["line"], line)
            self.assertTrue(record["file"].endswith("/function.py"))
        record = self.final("raised", "\nimport broken\n", "f", files={"broken.py": "a = 1\nb = = 2\n"})
        self.assertEqual((record["kind"], record["line"], os.path.basename(record["file"])), ("SyntaxError", 2, "broken.py"))
        self.assertEqual(self.final("raised", None, "f", name="gone.py")["kind"], "FileNotFoundError")
        self.assertEqual(self.final("raised", b"x = '\xff'\n", "f")["phase"], "import")

    def test_places_of_files(self):
        files = {"src/pack/__init__.py": "base = 1\n", "src/pack/sub/__init__.py": "", "src/pack/helper.py": "def h(): return 7\n",
                 "src/pack/sub/mod.py": "from ..helper import h\nfrom .. import base\nimport pack.helper\n"
                                        "def f(): return [h(), base, __name__]\n"}
        self.assertEqual(self.value(None, "f", name="src/pack/sub/mod.py", files=files), [7, 1, "pack.sub.mod"])
        script = "import pack.helper, tools.near\ndef f(): return [pack.helper.h(), tools.near.x]\n"
        self.assertEqual(self.value(script, "f", name="scripts/run.py", files={**files, "tools/near.py": "x = 2\n"}), [7, 2])
        self.assertEqual(self.value("def f(): return __name__\n", "f", name="src/pack/__init__.py"), "pack")
        self.assertEqual(self.value("def f(): return 1\n", "f", name="my-file 2.x.py"), 1)
        coded = "# -*- coding: latin-1 -*-\ndef f(): return 'é'\n".encode("latin-1")
        self.assertEqual(self.value(coded, "f"), "é")

    def test_hijacked_modules(self):
        trap = "raise SystemError('the wrong module')\n"
        names = ("inspect", "asyncio", "binascii", "posix", "typing", "ast", "difflib", "dataclasses", "time", "traceback")
        files = {n + ".py": trap for n in names}
        source = """\
            import functools
            async def f(): return b"a"
            part = functools.partial(max, 1)
        """
        self.assertEqual(self.value(source, "f", files=files), {"base64": "YQ=="})
        self.assertEqual(self.value(source, "part", (3,), files=files), 3)
        own = {"json.py": "def mine(): return 'mine'\n"}
        self.assertEqual(self.value("import json\ndef f(): return json.mine()\n", "f", files=own), "mine")
        self.assertEqual(self.value(None, "mine", name="json.py"), "mine")
        self.assertEqual(self.value("def f(): return 'own'\n", "f", name="os.py"), "own")

    def test_hostile_neighbourhood(self):
        source = """\
            import builtins, json, os, sys
            def patch():
                put = setattr
                for name in list(vars(builtins)):
                    if name != "__build_class__": put(builtins, name, None)
                return {"a": (1, b"x"), "s": {2, 1}}
            def calls():
                def trap(*a, **k): raise SystemError("trapped")
                os.write = os.fstat = os._exit = json.dumps = print = sys.exit = trap
                sys.stdout = sys.stderr = None
                import posix, time
                for name in list(vars(posix)): setattr(posix, name, None)
                time.perf_counter_ns = None
                return [1]
            def close():
                os.closerange(0, 256)
                return [1.5]
            def replace():
                for fd in range(3, 64):
                    try: os.fstat(fd)
                    except OSError: continue
                    os.dup2(1, fd)
                return "here"
            def nonblocking():
                for fd in range(3, 64):
                    try: os.set_blocking(fd, False)
                    except OSError: pass
                return "x" * 99000
            def fork():
                os.fork()
                return 1
            def threads():
                import threading
                threading.Thread(target=threading.Event().wait).start()
                return 2
            def environment():
                text = open("/proc/self/environ", "rb").read()
                return [sorted(k for k in os.environ if k[:9] in ("PROCTOR_R", "PROCTOR_C", "PROCTOR_N")), b"HALFHALF" in text]
            def main_module():
                import __main__
                return [n for n in vars(__main__) if not n.startswith("_")] + [m for m in sys.modules if "proctor" in m]
            def trace():
                sys.settrace(lambda *a: (_ for _ in ()).throw(SystemError))
                return 3
            def limit():
                sys.setrecursionlimit(60)
                a = 1
                for _ in range(90): a = [a]
                return a
            def vanish(): os._exit(7)
            def exits():
                import atexit
                atexit.register(lambda: [None for _ in iter(int, 1)])
                return 4
        """.replace("HALF", NONCE[:16])
        self.assertEqual(self.value(source, "patch"), {"a": [1, {"base64": "eA=="}], "s": [1, 2]})
        self.assertEqual(self.value(source, "calls"), [1])
        self.assertEqual(self.value(source, "close"), [1.5])
        self.assertEqual(self.value(source, "replace"), "here")
        self.assertEqual(len(self.value(source, "nonblocking")), 99000)
        self.assertEqual(self.value(source, "fork"), 1)
        self.assertEqual(self.value(source, "threads"), 2)
        self.assertEqual(self.value(source, "environment"), [[], False])
        self.assertEqual(self.value(source, "main_module"), [])
        self.assertEqual(self.value(source, "trace"), 3)
        self.value(source, "limit")
        result = self.run_host(source, "vanish")
        self.assertEqual((result.records, result.code), ([{"event": "started"}], 7))
        self.assertEqual(self.value(source, "exits"), 4)

    def test_output(self):
        source = f"""\
            import sys
            def f():
                print("P1 {NONCE} fn 1 . {{}}")
                sys.stdout.write("no end of line")
                sys.stderr.write("é")
                return "\\nP1 {NONCE} fn 1 . {{}}\\n"
        """
        result = self.run_host(source, "f")
        self.assertEqual(result.last["value"], f"\nP1 {NONCE} fn 1 . {{}}\n")
        self.assertTrue(result.out.endswith("no end of line"))
        self.assertEqual(result.err, "é")

    def test_usage(self):
        process = subprocess.run([PYTHON, "-B", os.path.join(HERE, "proctor_call.py")], capture_output=True)
        self.assertEqual(process.returncode, 2)


ATTACKS = {
    "open": "def main(x): return open('/etc/passwd').read()",
    "__import__ call": "def main(x): return __import__('os').getcwd()",
    "import os": "import os\ndef main(x): return os.getcwd()",
    "from os import system": "def main(x):\n from os import system\n return system('id')",
    "().__class__": "def main(x): return ().__class__.__bases__[0].__subclasses__()",
    "eval": "def main(x): return eval('1+1')",
    "exec": "def main(x): exec('x=1')",
    "compile": "def main(x): return compile('1','a','eval')",
    "getattr underscore": "def main(x): return getattr((), '__class__')",
    "getattr str subclass": "class S(str):\n def startswith(self, p): return False\n"
                            "def main(x): return getattr((), S('__class__'))",
    "'{0.__class__}'.format": "def main(x): return '{0.__class__}'.format(x)",
    "str.format unbound": "def main(x): return str.format('{0.__class__}', x)",
    "format_map": "def main(x): return '{a.__class__}'.format_map({'a':1})",
    "map(str.format)": "def main(x): return list(map(getattr(str,'format'), ['{0.__class__}'],[1]))",
    "gi_frame": "def main(x):\n g = (i for i in [1])\n return g.gi_frame",
    "getattr gi_frame": "def main(x):\n g = (i for i in [1])\n return getattr(g, 'gi_frame')",
    "tb_frame": "def main(x):\n try:\n  1/0\n except Exception as e:\n  return e.__traceback__.tb_frame",
    "type()": "def main(x): return type(x)",
    "type 3 args": "def main(x): return type('X', (), {})",
    "object": "def main(x): return object()",
    "match class pattern": "def main(x):\n match x:\n  case int(__class__=c): return c",
    "statistics.sys": "import statistics\ndef main(x): return statistics.sys.modules['os'].getcwd()",
    "from statistics import sys": "def main(x):\n from statistics import sys\n return sys.version",
    "from json import decoder": "def main(x):\n from json import decoder\n return decoder.scanner",
    "json.codecs.open": "import json\ndef main(x): return json.codecs.open('/etc/hostname').read()",
    "import json.decoder": "import json.decoder\ndef main(x): return json.decoder",
    "re.enum.sys": "import re\ndef main(x): return re.enum.sys.version",
    "update_wrapper": "import functools, json\ndef main(x):\n functools.update_wrapper(main, json.dumps, assigned=(), "
                      "updated=('__globals__',))\n return 1",
    "string.Formatter": "import string\ndef main(x): return string.Formatter().format('{0.__class__}', x)",
    "typing.get_type_hints": "import typing\ndef main(x): return typing.get_type_hints(main)",
    "setattr": "class A: pass\ndef main(x):\n a=A(); setattr(a,'__class__',A)\n return 1",
    "write module": "import math\ndef main(x):\n math.pi = 3\n return math.pi",
    "write builtin type": "def main(x):\n int.x = 3",
    "write __builtins__": "__builtins__ = {}\ndef main(x): return 1",
    "globals()": "def main(x): return globals()",
    "class dunder": "class A:\n __getattr__ = lambda s, n: 1\ndef main(x): return A().q",
    "metaclass": "class A(metaclass=int): pass\ndef main(x): return 1",
    "breakpoint": "def main(x): breakpoint()",
    "subclass walk": "def main(x):\n o = int.mro()[1]\n return getattr(o, '__subclasses__')()",
    "namedtuple": "from collections import namedtuple\ndef main(x): return namedtuple('X', ['a=__import__(\"os\")'])",
    "the host": "import proctor_host\ndef main(x): return 1",
    "main module": "import __main__\ndef main(x): return 1",
    "_print_": "def main(x): return _print_",
    "printer's stream": "def main(x): return printed",
}


@unittest.skipUnless(has("RestrictedPython"), "no RestrictedPython")
class RestrictedHost(HostTest):
    host = "restricted"

    def test_ordinary(self):
        source = """\
            import math, statistics, re
            from collections import Counter, defaultdict
            from typing import List, Optional
            class Total:
                def __init__(self): self.sum = 0
                def add(self, n: int):
                    self.sum = self.sum + n
                    return self.sum
                @staticmethod
                def twice(n): return n * 2
            def f(xs: List[int], name: "Optional[str]" = None):
                print("seen", len(xs), end="!\\n")
                d = defaultdict(list)
                for i, x in enumerate(xs):
                    d[x % 2].append(i)
                a, (b, c) = 1, (2, 3)
                return {"mean": statistics.mean(xs), "d": d, "c": Counter("aab"), "t": (a, b, c), "p": round(math.pi, 2),
                        "r": re.findall("[a-z]", "a1b"), "g": (x for x in xs), "s": {2, 1}}
            def g():
                yield from range(100)
            def zero(): return 1 / 0
        """
        self.assertEqual(self.value(source, "f", ([1, 2, 3],)), {
            "mean": 2, "d": {"1": [0, 2], "0": [1]}, "c": {"a": 2, "b": 1}, "t": [1, 2, 3], "p": 3.14, "r": ["a", "b"],
            "g": [1, 2, 3], "s": [1, 2]})
        self.assertEqual(self.run_host(source, "f", ([1],)).out, "seen 1!\n")
        self.assertEqual(self.value(source, "Total.add", (4,)), 4)
        self.assertEqual(self.value(source, "Total.twice", (4,)), 8)
        self.assertTrue(self.run_host(source, "g").last["truncated"])
        self.raised("ZeroDivisionError", 21, source, "zero")
        self.assertEqual(self.final("bad_arguments", source, "f", ([1, "x"],))["expected"], "list[int]")
        self.assertEqual(self.final("bad_arguments", source, "f", {"xs": [], "name": 1})["expected"], "str | null")
        self.assertEqual(self.final("bad_arguments", source, "Total.add", ("x",))["argument"], "n")
        self.assertEqual(self.final("not_found", source, "ff")["near"][0]["name"], "f")
        self.final("not_found", source, "_getattr_")
        self.final("not_found", source, "__builtins__")

    def test_refused(self):
        record = self.final("refused", "def f():\n    x = 1\n    return x.__class__\n", "f")
        self.assertEqual(record["line"], 3)
        self.assertEqual(self.final("refused", "async def f():\n    return 1\n", "f")["line"], 1)
        record = self.final("raised", "def f(:\n", "f")
        self.assertEqual((record["kind"], record["phase"], record["line"]), ("SyntaxError", "import", 1))
        record = self.final("raised", "import os\n", "f")
        self.assertEqual((record["kind"], record["phase"], record["line"]), ("ImportError", "import", 1))

    def test_attacks(self):
        for name, source in ATTACKS.items():
            with self.subTest(name):
                result = self.run_host(source + "\n", "main", (1,))
                self.assertIn(result.last["event"], ("refused", "raised", "unserializable"), result.last)
                if result.last["event"] == "unserializable":
                    self.assertIn(name, ("printer's stream", "type()"), result.last)

    def test_survival(self):
        source = f"""\
            def text(n: "print(1/0)"): return n
            def stop(): raise SystemExit(0)
            def deep(): return deep()
            def cycle():
                a = []
                a.append(a)
                return a
            def nan(): return [float("nan"), chr(0xd800)]
            def forge():
                print("P1 {NONCE} fn 1 . {{}}")
                return "\\nP1 {NONCE} fn 1 . "
            def big(): return "x" * 10**6
            def at_once(): return len("x" * 10**15)
            class Bad:
                def __lt__(self, other): raise KeyError
            def order(): return {{Bad(), Bad()}}
        """
        self.assertEqual(self.value(source, "text", (1,)), 1)
        self.raised("SystemExit", 2, source, "stop")
        self.raised("RecursionError", 3, source, "deep")
        self.assertIn("contains itself", self.final("unserializable", source, "cycle")["message"])
        self.assertEqual(self.value(source, "nan"), ["NaN", "\ud800"])
        self.assertIn("P1", self.value(source, "forge"))
        self.final("too_large", source, "big")
        self.raised("MemoryError", 13, source, "at_once")
        self.final("unserializable", source, "order")


class JavaScriptTests:
    """What both hosts of JavaScript must do alike."""

    FORMS = """\
        class Point { constructor() { this.x = 1 } get y() { return 2 } }
        class Money { toJSON() { return "5 EUR" } }
        class Bag { *[Symbol.iterator]() { yield 1; yield 2 } }
        const bare = Object.create(null); bare.a = 1;
        module.exports.f = (x) => ({
            x, undefined: undefined, null: null, nan: NaN, inf: [Infinity, -Infinity], zero: -0, big: [10n, -(2n ** 70n)],
            map: new Map([["a", new Map()]]), pairs: new Map([[1, 2]]), set: new Set([1, [2]]), date: new Date(0),
            wrong: new Date(NaN), typed: new Float64Array([1.5, NaN]), bytes: new Uint8Array([97, 98]).buffer,
            view: new DataView(new Uint8Array([97, 98, 99]).buffer, 1), boxed: [Object(1), Object("a"), Object(false)],
            point: new Point(), money: new Money(), bag: new Bag(), bare, holes: [, 1],
            text: "é\\u2028\\0\\ud800😀\\n", generator: (function* () { yield 1 })(), 2: "index",
        });
    """
    FORMS_VALUE = {
        "x": [1], "undefined": None, "null": None, "nan": "NaN", "inf": ["Infinity", "-Infinity"], "zero": 0,
        "big": [10, str(-2**70)], "map": {"a": {}}, "pairs": [[1, 2]], "set": [1, [2]], "date": "1970-01-01T00:00:00.000Z",
        "wrong": "Invalid Date", "typed": [1.5, "NaN"], "bytes": {"base64": "YWI="}, "view": {"base64": "YmM="},
        "boxed": [1, "a", False], "point": {"x": 1}, "money": "5 EUR", "bag": [1, 2], "bare": {"a": 1}, "holes": [None, 1],
        "text": "é\u2028\0\ud800😀\n", "generator": [1], "2": "index"}

    def test_forms(self):
        self.assertEqual(self.value(self.FORMS, "f", ([1],)), self.FORMS_VALUE)

    def test_unserializable(self):
        source = """\
            const a = {}; a.b = [a];
            let deep = []; for (let i = 0; i < 1e5; i++) deep = [deep];
            exports.circle = () => a;
            exports.deep = () => deep;
            exports.fn = () => [1, { x: () => 1 }];
            exports.symbol = () => ({ s: Symbol("q") });
            exports.error = () => [new TypeError("x")];
            exports.regexp = () => [/x/];
            exports.promise = () => [Promise.resolve(1)];
            exports.getter = () => ({ get x() { throw new RangeError("no") } });
            exports.kind = () => class K {};
            exports.proxy = () => new Proxy({}, { ownKeys() { throw "trap" } });
        """
        for name, message in (("circle", "result.b[0]: contains itself"), ("deep", "nested"), ("fn", "result[1].x: a function"),
                              ("symbol", "result.s: a symbol"), ("error", "result[0]: an error"), ("regexp", "result[0]: a RegExp"),
                              ("promise", "result[0]: a promise"), ("getter", "RangeError"), ("kind", "a class"), ("proxy", "trap")):
            record = self.final("unserializable", source, name)
            self.assertIn(message, record["message"])
            self.assertLessEqual(len(record["text"]), 1000)

    def test_too_large(self):
        source = """\
            exports.text = (n) => "x".repeat(n);
            exports.list = () => new Array(1e6).fill(0);
            exports.holes = () => new Array(4e9);
            exports.same = () => { const a = new Array(1000).fill("y".repeat(100)); return new Array(1000).fill(a) };
        """
        self.assertEqual(len(self.value(source, "text", (99998,))), 99998)
        self.assertEqual(self.final("too_large", source, "text", (99999,))["size"], 100001)
        for name in ("list", "holes", "same"):
            self.assertGreater(self.final("too_large", source, name)["size"], 100000)

    def test_kinds_of_functions(self):
        source = """\
            class K {
              constructor() { this.n = 2 }
              static twice(x) { return x * 2 }
              times(x) { return this.n * x }
            }
            module.exports = {
              K, plain(x) { return [x, this === module.exports] }, async wait(x) { await null; return x },
              *endless() { for (let i = 0;; i++) yield i }, async *later() { for (let i = 0;; i++) yield i },
              *ten() { for (let i = 0; i < 10; i++) yield i }, api: { inner: { f: (a, b) => [a, b] } },
              never: () => new Promise(() => {}), async generator() { return new Set([1]).values() },
              thenable: () => ({ then(done) { done(5) } }),
            };
        """
        for name, args, value in (
                ("K.twice", (4,), 8), ("K.times", (4,), 8), ("K", (), {"n": 2}), ("plain", {"a": 1}, [{"a": 1}, True]),
                ("wait", (3,), 3), ("endless", (), list(range(10))), ("later", (), list(range(10))), ("ten", (), list(range(10))),
                ("api.inner.f", (1,), [1, None]), ("generator", (), [1]), ("thenable", (), 5)):
            self.assertEqual(self.value(source, name, args), value, name)
        self.assertTrue(self.run_host(source, "endless").last["truncated"])
        self.assertTrue(self.run_host(source, "later").last["truncated"])
        self.assertNotIn("truncated", self.run_host(source, "ten").last)
        self.raised("UnsettledPromise", None, source, "never")
        for name in ("K.toString", "plain.call", "api.hasOwnProperty", "constructor", "__proto__", "api.inner", ""):
            self.final("not_found", source, name)

    def test_modules(self):
        source = """\
            const hidden = (x) => x;
            export default function main(x) { return x }
            export const api = { f: () => 1 };
            export class K { static s() { return 2 } }
            export let n = await 5;
            export const read = () => n;
        """
        for name, args, value in (("main", (1,), 1), ("default", (1,), 1), ("api.f", (), 1), ("K.s", (), 2), ("read", (), 5)):
            self.assertEqual(self.value(source, name, args, name="m.mjs"), value)
        record = self.final("not_found", source, "hidden", name="m.mjs")
        self.assertIn("line 1 but not exported", record["message"])
        record = self.final("not_found", source, "K.ss", name="m.mjs")
        self.assertEqual(record["near"][0]["name"].split(".")[0], "K")
        self.raised("TypeError", 2, "\nthrow new TypeError('x');\nexport const f = 1;\n", "f", name="t.mjs")

    def test_errors(self):
        source = """\
            class Own extends Error {}
            exports.nothing = () => {
              null.x;
            };
            exports.own = () => { throw new Own("o") };
            exports.text = () => { throw "word" };
            exports.deep = function deep() { return deep() + 1 };
            exports.later = async () => {
              await null;
              throw new RangeError("late") };
            exports.hostile = () => { throw { get message() { throw 1 }, get name() { throw 2 }, toString() { throw 3 } } };
            exports.long = () => { throw new Error("x".repeat(1e6)) };
            exports.generator = function* () { yield 1;
              throw new Own("g") };
            exports.nul = () => { throw null };
        """
        self.raised("TypeError", 3, source, "nothing")
        self.raised("Own", 5, source, "own")
        self.assertEqual(self.raised("string", None, source, "text")["message"], "word")
        self.raised("RangeError", 7, source, "deep")
        self.raised("RangeError", 10, source, "later")
        self.final("raised", source, "hostile")
        self.assertLess(len(self.raised("Error", 12, source, "long")["message"]), 5000)
        self.raised("Own", 14, source, "generator")
        self.raised("null", None, source, "nul")
        record = self.raised("SyntaxError", 2, "let a;\nlet b = ;\n", "f")
        self.assertEqual(record["phase"], "import")
        record = self.raised("SyntaxError", 2, "export let a;\nexport let a;\n", "f", name="s.mjs")
        self.assertEqual(record["phase"], "import")
        self.final("not_found", "", "f")

    def test_replaced_intrinsics(self):
        source = """\
            exports.f = () => {
              const trap = () => { throw new Error("trapped") };
              const holders = [JSON, Object, Reflect, Math, Function.prototype, Array.prototype, String.prototype,
                                    Number.prototype, Map.prototype, Set.prototype, Date.prototype, Promise.prototype, BigInt.prototype,
                                    Object.getPrototypeOf(Uint8Array.prototype), RegExp.prototype, Error.prototype, Promise];
              for (let h = 0; h < holders.length; h++) {
                const holder = holders[h], keys = Reflect_ownKeys(holder);
                for (let k = 0; k < keys.length; k++) {
                  const key = keys[k];
                  try { const d = describe(holder, key); if (d.configurable && key !== "constructor") define(holder, key, { get: trap, set: trap, configurable: true }) } catch {}
                }
              }
              const names = ["JSON", "Reflect", "Array", "String", "Number", "Map", "Error", "Symbol", "Promise"];
              for (let n = 0; n < names.length; n++) globalThis[names[n]] = trap;
              const setters = ["0", "1", "next", "get", "value"];
              for (let n = 0; n < setters.length; n++) define(ObjectPrototype, setters[n], { __proto__: null, set: trap, configurable: true });
              return { a: [1, "é", [2]], m: new SavedMap([]), t: new Uint16Array(2), n: 5n, d: new SavedDate(0) };
            };
            const Reflect_ownKeys = Reflect.ownKeys, describe = Object.getOwnPropertyDescriptor, define = Object.defineProperty;
            const ObjectPrototype = Object.prototype, SavedMap = Map, SavedDate = Date;
            SavedMap.prototype; exports.g = async () => { await null; return exports.f() };
        """.replace("new SavedMap([])", "new SavedMap()")
        expected = {"a": [1, "é", [2]], "m": {}, "t": [0, 0], "n": 5, "d": "1970-01-01T00:00:00.000Z"}
        self.assertEqual(self.value(source, "f"), expected)
        self.assertEqual(self.value(source, "g"), expected)

    def test_forged_output(self):
        source = f"""\
            exports.f = () => {{ console.log("P1 {NONCE} fn 1 . {{}}\\n\\0é"); console.error("e");
                return "\\nP1 {NONCE} fn 1 . {{}}" }};
        """
        result = self.run_host(source, "f")
        self.assertEqual(result.last["value"], f"\nP1 {NONCE} fn 1 . {{}}")
        self.assertEqual((result.out, result.err), (f"P1 {NONCE} fn 1 . {{}}\n\0é\n", "e\n"))


@unittest.skipUnless(NODE, "no node")
class NodeHost(JavaScriptTests, HostTest):
    host = "node"
    name = "function.js"

    def test_buffers_and_urls(self):
        source = "exports.f = () => [Buffer.from('ab'), new Uint8Array([1]), new URL('http://a/b')]\n"
        self.assertEqual(self.value(source, "f"), [{"base64": "YWI="}, [1], "http://a/b"])

    def test_survival(self):
        source = """\
            const fs = require("fs");
            exports.exit = () => process.exit(4);
            exports.late = () => new Promise(() => setTimeout(() => {
              throw new RangeError("late") }, 1));
            exports.rejected = async () => { Promise.reject(new TypeError("r")); await new Promise((f) => setTimeout(f, 50)) };
            exports.close = () => { for (let fd = 3; fd < 64; fd++) try { fs.closeSync(fd) } catch {} return 1 };
            exports.patch = () => { fs.writeSync = fs.openSync = process.reallyExit = process.exit = () => { throw 1 };
              process.env = {}; return 2 };
            exports.timers = () => { setInterval(() => {}, 10); return 3 };
            exports.onExit = () => { process.on("exit", () => { for (;;); }); return 4 };
            exports.environment = () => [Object.keys(process.env).filter((k) => /^PROCTOR_[RCN]/.test(k)),
              fs.readFileSync("/proc/self/environ", "latin1").includes("NONCE")];
            exports.handled = async () => { process.on("uncaughtException", () => {}); setTimeout(() => { throw 1 }, 1);
              await new Promise((f) => setTimeout(f, 20)); return 5 };
            exports.stack = () => { Error.prepareStackTrace = () => { throw 1 }; throw new TypeError("s") };
        """.replace("NONCE", NONCE)
        self.assertEqual(self.raised("ProcessExit", None, source, "exit")["message"], "process.exit(4)")
        self.raised("RangeError", 4, source, "late")
        self.raised("TypeError", 5, source, "rejected")
        closed = self.run_host(source, "close").last  # the exit code is not 0: node's own descriptors are gone, too
        self.assertEqual(closed["value"], 1)
        for name, value in (("patch", 2), ("timers", 3), ("onExit", 4), ("handled", 5), ("environment", [[], False])):
            self.assertEqual(self.value(source, name), value, name)
        self.assertEqual(self.final("raised", source, "stack")["kind"], "TypeError")

    def test_places(self):
        files = {"node_modules/lib/index.js": "exports.call = (f) => f(); exports.fail = () => { throw new Error('l') };\n",
                 "other file.mjs": "export const g = () => {\n  throw new Error('o') };\n"}
        source = """\
            const lib = require("lib");
            exports.through = () => lib.call(() => {
              null.x });
            exports.within = () =>
              lib.fail();
            exports.elsewhere = async () => (await import("./other file.mjs")).g();
        """
        self.raised("TypeError", 3, source, "through", files=files)
        self.raised("Error", 5, source, "within", files=files)
        record = self.raised("Error", 2, source, "elsewhere", files=files)
        self.assertEqual(record["file"], os.path.join(self.root, "other file.mjs"))

    def test_packages(self):
        files = {"package.json": '{"type": "module"}', "b.js": "export const g = () => 2;\n"}
        self.assertEqual(self.value("import { g } from './b.js';\nexport const f = () => g();\n", "f", files=files), 2)
        self.assertEqual(self.value("exports.f = () => __filename.length > 0\n", "f", name="c.cjs"), True)

    def test_typescript(self):
        result = self.run_host("export const f = (n: number): number => n + 1;\n", "f", (1,), name="t.ts")
        if result.last["event"] == "raised":
            self.assertIn("TypeScript", result.last["message"])
            self.assertEqual(result.last["phase"], "import")
        else:
            self.assertEqual(result.last["value"], 2)


class BareEngineTests:
    """What the engines that have nothing of the host must show."""

    def test_scripts(self):
        source = "const a = (x) => x;\nfunction b() { return 1 }\nclass C { static d() { return 2 } }\nlet module2 = 1;\n"
        for name, args, value in (("a", (1,), 1), ("b", (), 1), ("C.d", (), 2)):
            self.assertEqual(self.value(source, name, args), value)
        for name in ("parseInt", "print", "this", "a-b", "eval", "module", "globalThis", "console.log"):
            self.final("not_found", source, name)
        self.assertEqual(self.value("export const f = () => 3;\n", "f"), 3)
        self.assertEqual(self.value("const module = {}, console = 1;\nfunction f() { return 4 }\n", "f"), 4)

    def test_refused(self):
        record = self.final("refused", "\nimport x from './y.mjs';\nexport const f = 1;\n", "f", name="m.mjs")
        self.assertEqual(record["line"], 2)
        self.final("refused", "const f = (n: number) => n;\n", "f", name="m.ts")
        self.assertIn("no modules", self.raised("Error", 1, "const fs = require('fs');\n", "f")["message"])

    def test_memory(self):
        source = """\
            function grow() { globalThis.kept = []; for (;;) kept.push(new Array(1e5).fill(1)) }
            function text() { let s = "x"; const all = []; for (;;) { s += s; if (s.length > 1e8) s = "y"; all.push(s + 1) } }
            function caught() { let n = 0; for (let i = 0; i < 3; i++) try { const a = []; for (;;) a.push(new Uint8Array(1e6)) } catch (e) { n++ } return n }
            async function later() { await null; grow() }
            function buffers() { const all = []; for (;;) all.push(new Uint8Array(1e6)) }
            function doubled() { let s = [1]; for (;;) s = s.concat(s) }
        """
        for name in ("grow", "later", "buffers", "doubled"):
            self.final("memory_limit", source, name)
        self.assertIn(self.run_host(source, "text").last["event"], ("memory_limit", "raised"))
        self.assertEqual(self.value(source, "caught"), 3)
        self.final("memory_limit", "const a = []; for (;;) a.push(new Array(1e5).fill(1));\n", "f")

    def test_memory_limit_by_word_only(self):
        source = """\
            const words = [["InternalError", "out of memory"], ["RangeError", "Array buffer allocation failed"]];
            function plain() { throw { name: "InternalError", message: "out of memory" } }
            function made(n) { const e = new Error(words[n][1]); e.name = words[n][0]; throw e }
            async function later(n) { await null; made(n) }
            function own(n) { if (typeof InternalError === "function" && n === 0) throw new InternalError("out of memory"); made(n) }
            function getter(n) { return { get a() { made(n) } } }
            function nothing() { throw null }
        """
        self.final("raised", source, "plain")
        self.final("raised", source, "nothing")
        for name in ("made", "later", "own", "getter"):
            for number in (0, 1):
                self.assertNotEqual(self.run_host(source, name, (number,)).last["event"], "memory_limit", (name, number))
        self.final("raised", source + "made(0);\n", "plain")
        self.final("raised", source + "made(1);\n", "plain")

    def test_attacks(self):
        source = """\
            function globals() { return [typeof std, typeof os, typeof process, typeof Deno, typeof setTimeout, typeof scriptArgs,
              typeof proctorEmit, typeof proctorHost, (() => {}).constructor("return typeof std")()] }
            async function imports() { const r = []; for (const m of ["std", "os", "./function.js", "/etc/passwd", "fs"])
              try { await import(m); r.push(m) } catch (e) {} return r }
            async function made() { try { await new Function('return import("std")')(); return "LOADED" } catch (e) { return "no" } }
            function walk() { const seen = new Set(), todo = [globalThis], names = [];
              while (todo.length) { const o = todo.pop(); if ((typeof o !== "object" && typeof o !== "function") || o === null || seen.has(o)) continue;
                seen.add(o); todo.push(Object.getPrototypeOf(o));
                for (const k of Reflect.ownKeys(o)) { if (/proctor/i.test(String(k))) names.push(String(k));
                  try { const d = Object.getOwnPropertyDescriptor(o, k); todo.push(d.value, d.get, d.set) } catch {} } }
              return names }
            function callers() { try { return typeof callers.caller } catch (e) { return "no" } }
            function arg() { let found = "none"; console.log({ get x() { found = new Error().stack; return 1 } }); return typeof found }
            function format() { console.log({ toString() { throw 1 }, toJSON() { throw 2 } }, Symbol("s"), 1n, null, undefined, () => 1, [[[[[1]]]]]); return 1 }
            function getter() { throw { toString() { for (;;); } } }
            function undef() {}
            function tz() { return [new Date(0).toISOString(), Date.now() > 0, typeof Math.random()] }
            function freeze() { Object.freeze(Object.prototype); Object.freeze(Array.prototype); return [1, { a: 2 }] }
        """
        expected = (("globals", ["undefined"] * 9), ("imports", []), ("made", "no"), ("walk", []), ("arg", "string"), ("format", 1),
                    ("undef", None), ("tz", ["1970-01-01T00:00:00.000Z", True, "number"]), ("freeze", [1, {"a": 2}]))
        for name, value in expected:
            self.assertEqual(self.value(source, name), value, name)
        self.final("raised", source, "getter")


@unittest.skipUnless(has("_quickjs"), "no quickjs-ng")
class QuickJSHost(BareEngineTests, JavaScriptTests, HostTest):
    host = "quickjs"
    name = "function.js"

    def test_microtasks(self):
        source = "function f() { queueMicrotask(() => {\n throw new TypeError('m') }); return new Promise(() => {}) }\n"
        self.raised("TypeError", 2, source, "f")


if __name__ == "__main__":
    unittest.main()
