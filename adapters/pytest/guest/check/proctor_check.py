"""Says whether Python files compile and import, over proctor's own channel. Standard library only.

Three ways, each told apart in what it reports: compiling (nothing runs), finding what is imported (nothing of the
project runs), and really importing, in a child process: what exits, crashes or hangs there costs only itself.
"""

import ast
import importlib
import importlib.machinery
import importlib.util
import json
import os
import select
import signal
import sys
import time
import traceback
import warnings

_FRAME = 4096
_MESSAGE = 4000
_IMPORT_SECONDS = 20.0


class Channel:
    def __init__(self):
        self.head = f"P1 {os.environ.pop('PROCTOR_NONCE')} {os.getpid()}".encode("ascii")
        self.descriptor = os.open(
            os.environ.pop("PROCTOR_CHANNEL"), os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self.sequence = 0

    def send(self, **record):
        payload = json.dumps({k: v for k, v in record.items() if v is not None}).encode("ascii")
        while True:
            start = b"%b %d " % (self.head, self.sequence)
            room = _FRAME - len(start) - 3
            self.sequence += 1
            if len(payload) <= room:
                os.write(self.descriptor, b"%b. %b\n" % (start, payload))
                return
            os.write(self.descriptor, b"%b+ %b\n" % (start, payload[:room]))
            payload = payload[room:]


def clean(text):
    return str(text).encode("utf-8", "backslashreplace").decode("utf-8")[:_MESSAGE]


class Checker:
    def __init__(self, request, channel):
        self.root = request["root"]
        self.files = request["files"]
        self.seconds = request.get("seconds") or _IMPORT_SECONDS
        self.paths = request["paths"]
        self.channel = channel
        self.errors = 0
        self.trees = {}
        self.unresolved = {}
        self.known = {}

    def report(self, severity, finder, file, message, code=None, line=None, column=None,
               end_line=None, end_column=None):
        if severity == "error":
            self.errors += 1
        self.channel.send(
            event="diagnostic", severity=severity, finder=finder, file=file,
            message=clean(message), code=code, line=line, column=column, end_line=end_line,
            end_column=end_column)

    # compiling

    def compile(self, file):
        try:
            with open(file, "rb") as stream:
                source = stream.read()
        except OSError as error:
            self.report("error", "compile", file, error.strerror or error, type(error).__name__)
            return
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                tree = compile(source, file, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
                compile(source, file, "exec", dont_inherit=True)
            except SyntaxError as error:
                self.syntax(file, error)
                return
            except (ValueError, RecursionError, MemoryError, OverflowError) as error:
                self.report("error", "compile", file, error or "nested too deeply",
                            type(error).__name__)
                return
        self.trees[file] = tree
        for warning in {(w.lineno, str(w.message), w.category.__name__): w for w in caught}.values():
            self.report("warning", "compile", file, warning.message, warning.category.__name__,
                        line=warning.lineno)

    def syntax(self, file, error):
        def positive(value):
            return value if isinstance(value, int) and value > 0 else None
        line, end = positive(error.lineno), positive(getattr(error, "end_lineno", None))
        if str(error.msg).startswith("(unicode error)"):  # bytes that are no text have no columns
            self.report("error", "compile", file, error.msg, type(error).__name__, line=line)
            return
        self.report("error", "compile", file, error.msg, type(error).__name__, line=line,
                    column=line and positive(error.offset), end_line=end,
                    end_column=end and positive(getattr(error, "end_offset", None)))

    # finding what is imported

    def resolve(self, file, name):
        visitor = Imports()
        visitor.visit(self.trees[file])
        package = name.rpartition(".")[0] if not file.endswith("__init__.py") else name
        for node, module, level, always in visitor.found:
            if level:
                base = package.split(".") if package else []
                base = base[:len(base) - level + 1] if level > 1 else base
                if not base:
                    continue  # importing says it better
                module = ".".join(base + ([module] if module else []))
            missing = self.missing(module) if module else None
            if missing:
                place = {"line": node.lineno, "column": node.col_offset + 1,
                         "end_line": node.end_lineno, "end_column": node.end_col_offset + 1}
                self.unresolved.setdefault(file, []).append((always, missing, place))

    def missing(self, name):
        """The first part of a dotted name that nothing finds; parents are not imported for it."""
        path, full = None, ""
        for part in name.split("."):
            full = f"{full}.{part}" if full else part
            if full not in self.known:
                self.known[full] = self.find(full, path)
            spec = self.known[full]
            if spec is None:
                return full
            path = spec.submodule_search_locations
            if path is None:
                # A module may make its own submodules.
                return None
        return None

    @staticmethod
    def find(full, path):
        for finder in sys.meta_path:
            try:
                spec = finder.find_spec(full, path)
            except Exception:
                continue
            if spec is not None:
                return spec
        return None

    # importing

    def module(self, file):
        """The folder to import from, and the dotted name, as the project itself would."""
        folder, stem = os.path.split(file)
        parts = [] if stem == "__init__.py" else [stem[:-3]]
        while os.path.exists(os.path.join(folder, "__init__.py")) and folder != self.root:
            folder, name = os.path.split(folder)
            parts.insert(0, name)
        if len(parts) == 1 and file in self.trees and relative(self.trees[file]):
            for base in [os.path.join(self.root, "src"), self.root]:
                if file.startswith(base + "/"):
                    names = os.path.relpath(file, base)[:-3].split("/")
                    if len(names) > 1 and all(name.isidentifier() for name in names):
                        return base, ".".join(names)
        return folder, ".".join(parts)

    def is_program(self, file):
        name = os.path.basename(file)
        if name in ("__main__.py", "setup.py") or not name[:-3].isidentifier():
            return True
        try:
            with open(file, "rb") as stream:
                return stream.read(2) == b"#!" and os.access(file, os.X_OK)
        except OSError:
            return True

    def import_all(self, modules):
        failed, start, again = {}, 0, False
        while start < len(modules):
            start = self.worker(modules, start, failed)
        # In a circle, which module comes first decides; one that works later is used that way.
        circular = [modules[i] for i, e in failed.items() if e and e.get("circular")]
        worked = {}
        if circular:
            order = [m for i, m in enumerate(modules) if i not in failed] + circular
            start = 0
            while start < len(order):
                start = self.worker(order, start, worked)
        late = {order[i] for i in worked} if circular else set()
        for index, error in failed.items():
            if error is None:
                continue
            if error.get("circular") and modules[index] not in late:
                self.report("warning", "import", error["file"], "cannot be imported first: "
                            + error["message"], error["code"], line=error.get("line"))
            else:
                self.imported(modules[index][0], error)

    def imported(self, file, error):
        place = {}
        for key in list(self.unresolved):
            for item in self.unresolved[key]:
                if key == error["file"] and item[2]["line"] == error.get("line"):
                    place = item[2]
        if error.get("syntax") and error["file"] not in self.trees and error["file"] in self.files:
            return  # compiling told it
        self.report("error", "import", error["file"], error["message"], error["code"],
                    **{"line": error.get("line"), **place})

    def worker(self, modules, start, failed):
        """Imports from `start` on in a child; returns where to go on."""
        reader, writer = os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            # What is imported has no part in the report.
            os.close(self.channel.descriptor)
            self.channel.head = None
            os.setsid()
            run_worker(self, modules, start, writer)
            os._exit(0)
        os.close(writer)
        # What was begun last and not finished, and the one after the last that was finished.
        current, following, rest, deadline = None, start, b"", None
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([reader], [], [], left)[0]:
                break
            chunk = os.read(reader, 1 << 16)
            if not chunk:
                break
            rest += chunk
            *lines, rest = rest.split(b"\n")
            for line in lines:
                try:
                    record = json.loads(line)
                    index = int(record["index"])
                except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                    continue
                if index != following or index >= len(modules):
                    continue
                deadline = time.monotonic() + self.seconds
                if "begin" in record:
                    current = index
                    self.channel.send(event="importing", file=modules[index][0])
                elif current == index:
                    current, following = None, index + 1
                    if "message" in record:
                        failed[index] = record
        hung = deadline is not None and time.monotonic() >= deadline
        # Who closed everything is about to end.
        status, patience = None, time.monotonic() + (0 if hung else 1)
        while status is None and time.monotonic() < patience:
            ended, code = os.waitpid(pid, os.WNOHANG)
            status = code if ended else None
            time.sleep(0 if ended else 0.005)
        try:
            os.killpg(pid, signal.SIGKILL)
        except OSError:
            pass
        if status is None:
            status = os.waitpid(pid, 0)[1]
        os.close(reader)
        # Between two modules, by what an earlier one left behind: the next one is imported by a process of its own.
        if current is None and (following > start or following == len(modules)):
            return following
        current = following
        file = modules[current][0]
        if hung:
            failed[current] = {"file": file, "code": "timeout",
                               "message": f"did not import within {self.seconds:g} seconds"}
        elif os.WIFSIGNALED(status):
            failed[current] = {"file": file, "code": "crashed",
                               "message": "importing it ended the process with signal "
                               f"{os.WTERMSIG(status)}"}
        else:
            failed[current] = {"file": file, "code": "exited",
                               "message": "importing it ended the process with status "
                               f"{os.WEXITSTATUS(status)}"}
        return current + 1

    # all of it

    def run(self):
        for file in self.files:
            self.compile(file)
        # Folders of the project come first, this program's own not at all.
        sys.path[:] = self.paths + [p for p in sys.path[1:] if p not in self.paths]
        names = {file: self.module(file) for file in self.files if file in self.trees}
        for folder, _ in names.values():
            if folder not in sys.path:
                sys.path.append(folder)
        importlib.invalidate_caches()
        for file, (_, name) in names.items():
            self.resolve(file, name)
        modules = [(file, folder, name) for file, (folder, name) in names.items()
                   if not self.is_program(file)]
        self.import_all(modules)
        really = {file for file, _, _ in modules}
        for file, found in self.unresolved.items():
            for always, missing, place in found:
                if always and file in really:
                    continue  # importing decided
                self.report("error" if always else "warning", "resolve", file,
                            f"No module named {missing!r}", "ModuleNotFoundError", **place)
        self.channel.send(event="end", compiled=len(self.files), imported=len(modules))
        return 1 if self.errors else 0


class Imports(ast.NodeVisitor):
    """What a module imports whenever it is imported, and what only inside functions."""

    def __init__(self):
        self.found = []
        self.depth = 0
        self.optional = 0

    def visit_Import(self, node):
        for alias in node.names:
            self.add(node, alias.name, 0)

    def visit_ImportFrom(self, node):
        self.add(node, node.module or "", node.level)

    def add(self, node, module, level):
        if not self.optional:
            self.found.append((node, module, level, not self.depth))

    def function(self, node):
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = function

    def visit_Try(self, node):
        # Whoever catches something may do without it.
        self.optional += bool(node.handlers)
        for child in node.body:
            self.visit(child)
        self.optional -= bool(node.handlers)
        self.optional += 1
        for child in node.handlers:
            self.visit(child)
        self.optional -= 1
        for child in node.orelse + node.finalbody:
            self.visit(child)

    visit_TryStar = visit_Try

    def visit_If(self, node):
        # A condition may be about the version, the platform or a type checker.
        self.optional += 1
        self.generic_visit(node)
        self.optional -= 1

    def visit_With(self, node):
        self.optional += 1
        self.generic_visit(node)
        self.optional -= 1


def relative(tree):
    return any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))


def run_worker(checker, modules, start, descriptor):
    write, encode = os.write, json.JSONEncoder().encode

    def tell(**record):
        data = encode(record).encode("ascii") + b"\n"
        while data:
            data = data[write(descriptor, data):]

    # What modules print is nobody's report.
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    for index in range(start, len(modules)):
        tell(index=index, begin=True)
        tell(index=index, **outcome(checker, *modules[index]))


def outcome(checker, file, folder, name):
    if folder in sys.path:
        sys.path.remove(folder)
    sys.path.insert(0, folder)
    try:
        load(file, name)
    except BaseException as error:
        if type(error).__name__ in ("Skipped", "SkipTest"):
            return {}
        return describe(checker, file, error)
    return {}


def load(file, name):
    module = None
    if name not in sys.modules or same(sys.modules[name], file):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin and os.path.realpath(spec.origin) == os.path.realpath(file):
            module = importlib.import_module(name)
    if module is None:
        # Another module has its name, as test files and conftest.py may: it is loaded under one of its own.
        spec = importlib.util.spec_from_file_location(
            "proctor_" + "".join(c if c.isalnum() else "_" for c in file), file)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)


def same(module, file):
    own = getattr(module, "__file__", None)
    return own is not None and os.path.realpath(own) == os.path.realpath(file)


def describe(checker, file, error):
    code = type(error).__name__
    place, line = file, None
    if isinstance(error, SyntaxError) and error.filename and os.path.exists(error.filename):
        place, line = error.filename, error.lineno
    else:
        for frame, number in traceback.walk_tb(error.__traceback__):
            name = frame.f_code.co_filename
            if name.startswith(checker.root + "/") and "/site-packages/" not in name:
                place, line = name, number
    message = str(error) or code
    if isinstance(error, SystemExit):
        message = f"ended the process while it was imported (status {error.code})"
    result = {"file": place, "code": code, "message": message[:_MESSAGE]}
    if isinstance(line, int):
        result["line"] = line
    if isinstance(error, SyntaxError):
        result["syntax"] = True
    if isinstance(error, ImportError) and "circular import" in message:
        result["circular"] = True
    return result


def main():
    channel = Channel()
    with open(os.environ.pop("PROCTOR_REQUEST"), encoding="utf-8") as stream:
        request = json.load(stream)
    # What the parent has is not what the project imports.
    sys.dont_write_bytecode = False
    return Checker(request, channel).run()


sys.exit(main())
