"""What the Python programs proctor_call*.py have in common, and all of the plain one: its main() is here.

Frames, the reading of the request and of arguments, loading, errors and their
place, the JSON forms of values. docs/functions.md has the formats.

The user's code runs in the same interpreter: nothing here is a boundary. What
is done so that ordinary code cannot spoil the report by accident:
  - this module has its own copy of the builtins, and holds the system calls
    it needs by name: replacing os.write, print, len or json.dumps changes nothing;
  - it is gone from sys.modules before the user's file is loaded;
  - the channel is checked before each record, and opened again if it was closed.
"""
import builtins
import sys

# Functions take their builtins from here when they are defined: the user's changes do not arrive.
__builtins__ = dict(vars(builtins))

from binascii import b2a_base64
from gc import disable as stop_collector
from gc import enable as start_collector
from gc import isenabled as collector_runs
from posix import O_CLOEXEC, O_WRONLY, _exit, close, fstat, getpid
from posix import open as open_descriptor
from posix import set_blocking, stat, times, write
from sys import setprofile, settrace
from time import perf_counter_ns, time_ns

try:  # the C parts of json: importing json itself costs more than the rest of this program
    from _json import encode_basestring_ascii as quote
    from _json import make_scanner
except ImportError:
    import json

    quote, make_scanner = json.dumps, None

FRAME_BYTES = 4096  # PIPE_BUF on Linux: a write up to this size is never mixed with another
MAX_DEPTH = 100  # of values: parsers of JSON commonly stop at 128
MAX_MESSAGE = 4000  # characters of an error's message
STARTED = perf_counter_ns()
MAX_TEXT = 1000  # characters of the repr of a value that has no JSON form
HOST_FOLDER = __file__.rpartition("/")[0] or "."
HOST_FILES = HOST_FOLDER + "/proctor_"
sys.path[:] = [folder for folder in sys.path if folder != HOST_FOLDER]  # it is none of the user's
ORIGINAL_PATH = list(sys.path)


class Finished(Exception):
    """Carries the final record out of the steps that lead to the call."""

    def __init__(self, record):
        self.record = record


class Unserializable(Exception):
    """A part of a value has no JSON form; the text says which."""


class TooLarge(Exception):
    """The JSON text passes the limit; size is what was counted when it did."""

    def __init__(self, size):
        self.size = size


class Raw(str):
    """JSON text to be put into a record as it is."""


# ---------------------------------------------------------------- request and channel


def parse_json(text):
    """The value of a JSON text; ValueError if it is none."""
    if make_scanner is None:
        return json.loads(text)

    class Settings:
        strict, object_hook, object_pairs_hook, memo = True, None, None, {}
        parse_float, parse_int, parse_constant = float, int, staticmethod(float)

    text = text.strip(" \t\r\n")
    try:
        value, end = make_scanner(Settings)(text, 0)
    except StopIteration as error:
        raise ValueError(f"not JSON at character {error.value}") from None
    if end != len(text):
        raise ValueError(f"not JSON at character {end}")
    return value


def take_environment():
    """(request, channel): reads and removes the environment variables; ends the process if they are wrong."""
    from os import environ

    values = [environ.pop(name, "") for name in ("PROCTOR_REQUEST", "PROCTOR_CHANNEL", "PROCTOR_NONCE")]
    if not all(values):
        fail(2, "PROCTOR_REQUEST, PROCTOR_CHANNEL and PROCTOR_NONCE must be set")
    wipe_initial_environment(values[2].encode())
    try:
        channel = Channel(values[1], values[2])
        with open(values[0], encoding="utf-8") as file:
            request = parse_json(file.read())
        for name, kinds in (("file", str), ("root", str), ("function", str), ("output_limit", int), ("items", int)):
            if not isinstance(request.get(name), kinds):
                raise ValueError(f"{name} is missing or of a wrong type")
        return request, channel
    except (OSError, ValueError, AttributeError) as error:
        fail(2, f"the request cannot be used: {error}")


def wipe_initial_environment(secret):
    """Overwrites the secret in /proc/self/environ, which removing a variable does not. Best effort."""
    try:
        with open("/proc/self/stat", "rb") as file:
            start, end = map(int, file.read().rsplit(b")", 1)[1].split()[47:49])
        with open("/proc/self/mem", "r+b", buffering=0) as memory:
            memory.seek(start)
            at = memory.read(end - start).find(secret)
            if at >= 0:
                memory.seek(start + at)
                memory.write(b"0" * len(secret))
    except (OSError, ValueError, IndexError):
        pass


def fail(code, message):
    """Ends the process without a record."""
    write(2, f"proctor_call: {message}\n".encode("utf-8", "replace"))
    _exit(code)


class Channel:
    """Writes records as frames. A forked child of the user's code writes none."""

    def __init__(self, path, nonce):
        self.path, self.nonce = path, nonce
        self.sequence, self.process = 0, getpid()
        self.descriptor = open_descriptor(path, O_WRONLY | O_CLOEXEC)
        self.identity = self.identify(fstat(self.descriptor))

    @staticmethod
    def identify(status):
        return status.st_dev, status.st_ino

    def check(self):
        """Opens the pipe again if the user's code closed it, or put another file in its place."""
        try:
            if self.identify(fstat(self.descriptor)) == self.identity:
                return
        except OSError:
            pass
        self.descriptor = open_descriptor(self.path, O_WRONLY | O_CLOEXEC)

    def send(self, record):
        """Sends one record: a dict of JSON values, where Raw text stands for itself."""
        if getpid() != self.process:
            _exit(0)
        payload = encode_record(record)
        self.check()
        at = 0
        while True:
            head = f"P1 {self.nonce} fn {self.sequence} "
            room = FRAME_BYTES - len(head) - 3
            part = payload[at : at + room]
            at += room
            frame = f"{head}{'.' if at >= len(payload) else '+'} {part}\n".encode("ascii")
            while True:
                try:
                    write(self.descriptor, frame)
                    break
                except BlockingIOError:  # the user's code made it non-blocking
                    set_blocking(self.descriptor, True)
            self.sequence += 1
            if at >= len(payload):
                return

    def finish(self, record, status=0):
        """Sends the final record and ends the process, whatever threads are left."""
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            try:
                stream.flush()
            except BaseException:  # closed, replaced or broken by the user's code
                pass
        self.send(record)
        _exit(status)


def encode_record(value):
    kind = type(value)
    if kind is Raw:
        return str(value)
    if kind is dict:
        return "{" + ",".join(f"{quote(k)}:{encode_record(v)}" for k, v in value.items()) + "}"
    if kind is list:
        return "[" + ",".join(map(encode_record, value)) + "]"
    if kind is str:
        return quote(value)
    return {None: "null", True: "true", False: "false"}[value] if value is None or kind is bool else int.__repr__(value)


def import_own(name, project):
    """Imports a module of the standard library, whatever the project calls its own files."""
    modules = sys.modules
    if name in modules and not is_below(getattr(modules[name], "__file__", None) or "", project):
        return modules[name]
    hidden = {n: m for n, m in list(modules.items()) if is_below(getattr(m, "__file__", None) or "", project)}
    for hidden_name in hidden:
        del modules[hidden_name]
    path, sys.path[:] = list(sys.path), ORIGINAL_PATH
    try:
        return __import__(name)
    finally:
        sys.path[:] = path
        modules.update(hidden)


# ---------------------------------------------------------------- errors and their place


def is_below(file, folders):
    return isinstance(file, str) and file.startswith(folders)


def project_folders(root):
    """The prefixes of files of the user's project: the folder as given, and with links resolved."""
    from os.path import realpath

    return tuple({folder.rstrip("/") + "/" for folder in (root, realpath(root))})


def is_project_file(file, project):
    if not is_below(file, project) or file.startswith(HOST_FILES):
        return False
    if "/site-packages/" in file or "/dist-packages/" in file or "/node_modules/" in file:
        return False
    # an interpreter may lie in the project, with its library
    prefixes = tuple(p + "/" for p in {sys.prefix, sys.base_prefix} if is_below(p, project))
    return not is_below(file, prefixes)


def describe_error(error, project, file=None):
    """The raised record of an exception; file is the user's own while it is imported."""
    if isinstance(error, MemoryError):
        forget_locals(error.__traceback__)
    where, line = file, None
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if is_project_file(name, project):
            where, line = name, trace.tb_lineno
        trace = trace.tb_next
    if file is not None and isinstance(error, SyntaxError) and is_project_file(error.filename, project):
        where, line = error.filename, error.lineno or None
    try:
        message = str(error.msg if type(error) is SyntaxError and error.msg else error)
        message = message[:MAX_MESSAGE] + ("..." if len(message) > MAX_MESSAGE else "")
    except BaseException as second:
        message = f"(its text cannot be had: {type(second).__name__})"
    record = {"event": "raised", "kind": type(error).__name__, "message": message, "file": where, "line": line}
    if file is not None:
        record["phase"] = "import"
    return record


def forget_locals(trace):
    """Lets go of what the frames of an error hold, so that there is memory to report it."""
    while trace is not None:
        try:
            trace.tb_frame.clear()
        except RuntimeError:  # still running
            pass
        trace = trace.tb_next


# ---------------------------------------------------------------- loading


def module_place(file):
    """(module name, folder for sys.path) of a file, by the packages it lies in."""
    from os.path import basename, dirname, isfile, join

    folder, stem = dirname(file), basename(file)
    stem = (stem[:-3] if stem.endswith(".py") else stem).replace(".", "_")  # a dot would mean a package
    parts = [] if stem == "__init__" else [stem]
    while isfile(join(folder, "__init__.py")) and basename(folder).isidentifier() and dirname(folder) != folder:
        parts.insert(0, basename(folder))
        folder = dirname(folder)
    return ".".join(parts) or stem, folder


def load(file, root, code=None):
    """Imports the user's file under the name it has in its packages.

    code: what it is compiled to, when that is known.
    """
    from os.path import isdir, join, samefile

    from importlib._bootstrap import module_from_spec
    from importlib._bootstrap_external import SourceFileLoader, spec_from_file_location

    name, base = module_place(file)
    places = [base] + [p for p in (join(root, "src"), root) if p != base and isdir(p)]
    sys.path[:0] = places
    sys.argv[:] = [file]
    if "." in name or file.endswith("/__init__.py"):
        if "." in name:
            __import__(name.rpartition(".")[0])  # the packages around it, for relative imports
        found = sys.modules.get(name)
        if found is not None and samefile(getattr(found, "__file__", None) or root, file):
            return found  # its package has imported it
    elif name in sys.modules or name in getattr(sys, "stdlib_module_names", ()) or not name.isidentifier():
        name += "_"  # the name belongs to another module, or cannot be one
    is_package = file.endswith("/__init__.py")
    loader = SourceFileLoader(name, file)
    if code is not None:
        loader.get_code = lambda name: code
    spec = spec_from_file_location(
        name, file, loader=loader,
        submodule_search_locations=[file.rpartition("/")[0]] if is_package else None,
    )
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    finally:
        vars(loader).pop("get_code", None)
    module = sys.modules.get(name, module)  # a module may replace itself
    parent, _, own = name.rpartition(".")
    if parent in sys.modules and not hasattr(sys.modules[parent], own):
        setattr(sys.modules[parent], own, module)
    return module


# ---------------------------------------------------------------- before the request is known


class Ahead:
    """What a program that waits for its request loads meanwhile: the modules that the user's file begins with
    importing, as long as they are none of the user's. That is what the file would do first of all, too. For a call of
    any file (None) nothing of that is known.

    is_outdated() says whether it would load something else now.
    code is what the user's file was compiled to, and good for it as long as knows() says so.
    """

    FRESH_NS = 20_000_000  # what changed just now may change again within one tick of the kernel's clock

    def __init__(self, file, root, workspace):
        from os.path import join

        import importlib._bootstrap_external  # noqa: F401  load() needs it

        self.file, self.leads, self.names = file, [], set()
        self.seen = self.code = None
        self.places = {join(root, "src"), root}
        self.folders = {folder: self.stamp(folder) for folder in ORIGINAL_PATH}
        if file is not None:
            self.load(workspace)
        everything = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        everything += self.settings()
        self.files = {path: self.stamp(path) for path in everything if isinstance(path, str)}

    @staticmethod
    def settings():
        """The files by which the interpreter found its modules."""
        from posix import listdir

        found = [sys.prefix + "/pyvenv.cfg"]
        for folder in ORIGINAL_PATH:
            try:
                found += [folder + "/" + name for name in listdir(folder) if name.endswith((".pth", "._pth"))]
            except OSError:
                pass
        return found

    def load(self, workspace):
        """What is of use for calls of the one file."""
        self.seen = self.stamp(self.file)
        name, base = module_place(self.file)
        self.places.add(base)
        before, own = set(sys.modules), self.own_names()
        # A package's own file comes before its modules, and may decide what they find.
        if "." not in name and not self.file.endswith("/__init__.py"):
            self.leads = leading_imports(self.file)
        for name in self.leads:
            if name.partition(".")[0] in own:
                break
            __import__(name)
        if uses_async(self.file):
            __import__("asyncio")
        loaded = set(sys.modules) - before
        self.names = {name.partition(".")[0] for name in loaded}
        paths = [getattr(sys.modules[name], "__file__", None) for name in loaded]
        project = project_folders(workspace)
        if self.names & own or any(is_project_file(path, project) for path in paths):
            raise ImportError("modules of the project's are among those that it begins with")
        self.code = self.compiled()

    def compiled(self):
        """The code of the file; None when the call is to see for itself: the compiler has something to say."""
        if self.seen is None or time_ns() - self.seen[2] < self.FRESH_NS:
            return None
        said = []

        class Listener:
            write = staticmethod(said.append)
            flush = staticmethod(lambda: None)

        stderr, sys.stderr = sys.stderr, Listener
        try:
            with open(self.file, "rb") as stream:
                code = compile(stream.read(), self.file, "exec", dont_inherit=True)
            return None if said else code
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        finally:
            sys.stderr = stderr

    @staticmethod
    def stamp(path):
        try:
            status = stat(path or ".")
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_ctime_ns

    def own_names(self):
        """The names of modules that the user's folders may have."""
        from posix import listdir

        names = set()
        for folder in self.places:
            try:
                names.update(entry.partition(".")[0] for entry in listdir(folder))
            except OSError:
                pass
        return names

    def is_outdated(self):
        if self.leads and leading_imports(self.file) != self.leads:
            return True
        known = {**self.folders, **self.files}
        if any(self.stamp(path) != known[path] for path in known):
            return True
        return bool(self.names) and bool(self.names & self.own_names())

    def knows(self, file):
        """Whether it has seen the file as it is now."""
        return file == self.file and self.seen is not None and self.stamp(file) == self.seen


def leading_imports(file):
    """The names of modules that a file imports before it does anything else, in order."""
    names = []
    try:
        with open(file, "rb") as stream:
            tree = compile(stream.read(), file, "exec", 0x400, dont_inherit=True)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return names
    for node in tree.body:
        kind = type(node).__name__
        if kind == "Import":
            names += [alias.name for alias in node.names]
        elif kind == "ImportFrom" and not node.level:
            if node.module != "__future__":
                names.append(node.module)
        elif kind != "Expr" or type(node.value).__name__ != "Constant":
            break
    return names


def wait_ahead():
    """Loads what can be loaded before the request is there; None if this program does not wait for it."""
    from os import environ

    file, root, workspace = (
        environ.pop(name, "") for name in ("PROCTOR_AHEAD", "PROCTOR_AHEAD_ROOT", "PROCTOR_AHEAD_WORKSPACE"))
    if not root:
        return None
    try:
        return Ahead(file or None, root, workspace)
    except BaseException as error:  # the call itself says what is wrong, when there is one
        fail(3, f"cannot be started ahead: {error!r}")


# ---------------------------------------------------------------- finding the function


def defined_names(source, file):
    """[(name, line)] of the functions, classes and methods a source defines at its top level."""
    try:
        tree = compile(source, file, "exec", 0x400, dont_inherit=True)  # PyCF_ONLY_AST, without importing ast
    except (SyntaxError, ValueError):
        return []
    names = []

    def visit(nodes, prefix):
        for node in nodes:
            kind = type(node).__name__
            if kind in ("FunctionDef", "AsyncFunctionDef"):
                if not (node.name.startswith("__") and prefix):
                    names.append((prefix + node.name, node.lineno))
            elif kind == "ClassDef":
                names.append((prefix + node.name, node.lineno))
                visit(node.body, prefix + node.name + ".")
            elif kind == "Assign" and type(node.value).__name__ == "Lambda":
                names.extend((prefix + t.id, node.lineno) for t in node.targets if type(t).__name__ == "Name")
            elif kind in ("If", "Try", "With"):
                visit(node.body, prefix)
                visit(getattr(node, "orelse", []), prefix)
                for handler in getattr(node, "handlers", []):
                    visit(handler.body, prefix)

    visit(tree.body, "")
    return names


def distance(first, second):
    """The number of changes between two names (Levenshtein)."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(second, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


def nearest(wanted, names):
    """The names like the wanted one, nearest first; a method also goes by its own name."""
    wanted = wanted[:200].lower()

    def rank(entry):
        name = entry[0].lower()
        own, wanted_own = name.rpartition(".")[2], wanted.rpartition(".")[2]
        return min(distance(wanted, name), distance(wanted_own, own) + 0.5), entry[1]

    return [{"name": name, "line": line} for name, line in sorted(names, key=rank)[:5]]


def read_names(file):
    try:
        with open(file, "rb") as stream:
            return defined_names(stream.read(), file)
    except OSError:
        return []


def find(namespace, wanted, file):
    """(the callable, None) or, for a method that needs an instance, (the function's owner, its name)."""

    def missing(message):
        raise Finished({"event": "not_found", "message": message, "near": nearest(wanted, read_names(file))})

    first, *rest = wanted.split(".")
    if first not in namespace:
        missing(f"{first} is not defined in the file")
    value, method, so_far = namespace[first], None, first
    for part in rest:
        if not isinstance(value, type):
            missing(f"{so_far} is not a class: {wanted} cannot be found")
        raw = next((vars(c)[part] for c in value.__mro__ if part in vars(c)), None)
        if raw is None:
            missing(f"the class {so_far} has no {part}")
        method = None
        if hasattr(type(raw), "__get__") and not isinstance(raw, (staticmethod, classmethod, type)):
            method = (value, part)
            value = raw
        else:
            value = getattr(value, part)
        so_far += "." + part
    if isinstance(value, property) or not callable(value) and not hasattr(type(value), "__get__"):
        missing(f"{wanted} is there but cannot be called: it is of type {type(value).__name__}")
    return method if method else (value, None)


def bind_instance(owner, name):
    """The method of an instance that is constructed without arguments."""
    try:
        instance = owner()
    except TypeError as error:
        if error.__traceback__.tb_next is not None:  # raised inside the constructor
            raise
        raise Finished(bad_arguments(
            None, None, f"{name} needs an instance, and {owner.__name__} cannot be constructed without arguments: "
            f"{error}")) from None
    function = getattr(instance, name)
    if not callable(function):
        raise Finished({"event": "not_found", "message": f"{owner.__name__}.{name} cannot be called", "near": []})
    return function


# ---------------------------------------------------------------- arguments


def bad_arguments(argument, expected, message):
    return {"event": "bad_arguments", "argument": argument, "expected": expected, "message": message[:MAX_MESSAGE]}


def check_arguments(function, args, project, known_annotations=None):
    """(positional, keyword) arguments of the request; Finished with bad_arguments if they do not fit."""
    if not isinstance(args, (list, dict)):
        raise Finished(bad_arguments(None, None, "the arguments must be an array or an object"))
    positional, keyword = (args, {}) if isinstance(args, list) else ([], args)
    plain, skip = function, 0
    if type(plain).__name__ == "method":
        plain, skip = plain.__func__, 1
    if type(plain).__name__ == "function" and not hasattr(plain, "__wrapped__") \
            and not hasattr(plain, "__signature__"):
        bound, annotations = bind_plain(plain, skip, positional, keyword)
        if known_annotations is not None:
            annotations = known_annotations.get((plain.__code__.co_name, plain.__code__.co_firstlineno), {})
    else:
        bound, annotations = bind_by_inspect(function, positional, keyword, project)
    for name, value in bound:
        try:  # an annotation may be any object
            allowed = alternatives(annotations[name])
        except Exception:
            continue
        wrong = allowed and mismatch(value, allowed, name)
        if wrong:
            path, expected, part = wrong
            raise Finished(bad_arguments(
                name, show(allowed), f"{path}: expected {show(expected)}, got {JSON_NAMES[type(part)]}"))
    return positional, keyword


def bind_plain(function, skip, positional, keyword):
    """([(name, value)], annotations): inspect.signature(f).bind of a plain function, without inspect."""
    code, defaults, kwdefaults = function.__code__, function.__defaults__ or (), function.__kwdefaults__ or {}
    count = code.co_argcount
    names = code.co_varnames[:count]
    only_positional = getattr(code, "co_posonlyargcount", 0)
    only_keyword = code.co_varnames[count : count + code.co_kwonlyargcount]
    more_positional, more_keyword = code.co_flags & 4, code.co_flags & 8

    def wrong(argument, message):
        raise Finished(bad_arguments(argument, None, message))

    taken = names[skip:]
    if len(positional) > len(taken) and not more_positional:
        expected = f"at most {len(taken)}" if defaults else str(len(taken))
        wrong(None, f"too many positional arguments: {len(positional)} given, {expected} expected")
    bound = list(zip(taken, positional))
    if len(positional) > len(taken):  # *args: the annotation is that of each
        rest_name = code.co_varnames[count + code.co_kwonlyargcount]
        bound += [(rest_name, value) for value in positional[len(taken):]]
    required = len(names) - len(defaults)
    for index, name in enumerate(names):
        if index < skip + len(positional):
            if index >= skip and name in keyword and index >= only_positional:
                wrong(name, f"multiple values for argument {name!r}")
        elif name in keyword and index >= only_positional:
            bound.append((name, keyword[name]))
        elif name in keyword and not more_keyword:
            wrong(name, f"{name!r} is positional only, but was given by name")
        elif index < required:
            wrong(name, f"missing a required argument: {name!r}")
    for name in only_keyword:
        if name in keyword:
            bound.append((name, keyword[name]))
        elif name not in kwdefaults:
            wrong(name, f"missing a required keyword-only argument: {name!r}")
    if not more_keyword:
        known = set(names[only_positional:] + only_keyword) - set(names[:skip])
        for name in keyword:
            if name not in known:
                wrong(name, f"got an unexpected keyword argument {name!r}")
    annotations = getattr(function, "__annotations__", None)
    optional = {n for n, d in [*zip(names[required:], defaults), *kwdefaults.items()] if d is None}
    bound = [(n, v) for n, v in bound if v is not None or n not in optional]  # `n: int = None` takes null
    return bound, annotations if isinstance(annotations, dict) else {}


def bind_by_inspect(function, positional, keyword, project):
    """The same for classes, decorated functions, partials and the like."""
    try:
        signature = import_own("inspect", project).signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        return [], {}  # written in C without a signature: the call itself will tell
    try:
        given = signature.bind(*positional, **keyword).arguments
    except TypeError as error:
        text = str(error)
        quoted = text.split("'")
        raise Finished(bad_arguments(quoted[1] if len(quoted) > 2 else None, None, text)) from None
    bound, annotations = [], {}
    for name, value in given.items():
        parameter = signature.parameters[name]
        annotations[name] = parameter.annotation
        several = {"VAR_POSITIONAL": lambda: value, "VAR_KEYWORD": lambda: value.values()}.get(parameter.kind.name)
        bound += [(name, v) for v in several()] if several else [(name, value)]
    return bound, annotations


JSON_NAMES = {type(None): "null", bool: "bool", int: "int", float: "float", str: "str", list: "list", dict: "dict"}

NAMED_TYPES = {"int": int, "float": float, "str": str, "bool": bool, "list": list, "List": list, "dict": dict,
               "Dict": dict, "None": None}


def alternatives(annotation):
    """[(builtin type, alternatives of its items or None)] an annotation allows; None if it is not one that is judged."""
    if annotation is None:
        return [(type(None), None)]
    if any(annotation is kind for kind in JSON_NAMES):
        return [(annotation, None)]
    if isinstance(annotation, str):  # read, never evaluated
        annotation = compile(annotation, "annotation", "eval", 0x400, dont_inherit=True).body
    if type(annotation).__module__ in ("ast", "_ast"):
        return alternatives_of_node(annotation)
    origin, parts = getattr(annotation, "__origin__", None), getattr(annotation, "__args__", ())
    is_union = type(annotation).__name__ in ("UnionType", "Union") or \
        origin is not None and origin is getattr(sys.modules.get("typing"), "Union", None)
    if is_union:
        return union_of(parts)
    if origin is list:
        return [(list, alternatives(parts[0]) if len(parts) == 1 else None)]
    if origin is dict:  # its keys are not judged: in JSON they are text whatever they stand for
        return [(dict, alternatives(parts[1]) if len(parts) == 2 else None)]
    return None


def alternatives_of_node(node):
    """The same for the syntax tree of an annotation, by the usual names of the types."""
    kind = type(node).__name__
    if kind == "Index":  # before Python 3.9
        return alternatives_of_node(node.value)
    if kind in ("Constant", "NameConstant", "Str"):
        text = getattr(node, "value", None)
        return alternatives(text) if text is None or isinstance(text, str) else None
    if kind == "BinOp" and type(node.op).__name__ == "BitOr":
        return union_of([node.left, node.right])
    if kind in ("Name", "Attribute"):
        name = node.id if kind == "Name" else node.attr
        return alternatives(NAMED_TYPES.get(name, Ellipsis))
    if kind == "Subscript":
        name = getattr(node.value, "id", None) or getattr(node.value, "attr", None)
        inner = getattr(node.slice, "value", node.slice) if type(node.slice).__name__ == "Index" else node.slice
        parts = inner.elts if type(inner).__name__ == "Tuple" else [inner]
        if name == "Union":
            return union_of(parts)
        if name == "Optional" and len(parts) == 1:
            return union_of(parts + [None])
        if name in ("list", "List") and len(parts) == 1 or name in ("dict", "Dict") and len(parts) == 2:
            return [(NAMED_TYPES[name], alternatives(parts[-1]))]
    return None


def union_of(parts):
    all_parts = [alternatives(part) for part in parts]
    return None if None in all_parts else [one for part in all_parts for one in part]


def mismatch(value, allowed, path):
    """(path, alternatives, value) of the first part of a JSON value that is none of the alternatives, or None."""
    kind, inner = type(value), None
    fitting = [items for one, items in allowed if one is kind or one is float and kind is int]
    if not fitting:
        return path, allowed, value
    for items in fitting:
        if items is None or kind not in (list, dict):
            return None
        pairs = enumerate(value) if kind is list else value.items()
        inner = next(filter(None, (mismatch(v, items, f"{path}[{k!r:.100}]") for k, v in pairs)), None)
        if inner is None:
            return None
    return inner if len(fitting) == 1 else (path, allowed, value)


def show(allowed):
    """Alternatives as they are written in Python; null for None."""
    names = [JSON_NAMES[kind] + (f"[{'str, ' if kind is dict else ''}{show(items)}]" if items else "")
             for kind, items in allowed]
    return " | ".join(dict.fromkeys(names))


# ---------------------------------------------------------------- values

NUMBER_WORDS = {"nan": '"NaN"', "inf": '"Infinity"', "-inf": '"-Infinity"'}
SCALARS = frozenset((int, str, float, bool, type(None)))


class Encoder:
    """Makes the JSON text of a value; docs/functions.md has the table of forms."""

    def __init__(self, limit, items):
        self.limit, self.items = limit, items
        self.truncated = False

    def encode(self, value):
        """The JSON text; Unserializable or TooLarge."""
        self.pieces, self.size, self.open = [], 0, set()
        sys.setrecursionlimit(max(sys.getrecursionlimit(), 3000))
        path = ["result"]
        try:
            self.walk(value, path)
        except (Unserializable, TooLarge):
            raise
        except MemoryError:
            raise
        except BaseException as error:  # from the user's own __iter__, __lt__, __fspath__ ...
            raise Unserializable(f"{show_path(path)}: {type(error).__name__} while it was read") from None
        return "".join(self.pieces)

    def put(self, text):
        self.size += len(text)
        if self.size > self.limit:
            raise TooLarge(self.size)
        self.pieces.append(text)

    def expect(self, least):
        """Stops early when at least so many bytes are still to come."""
        if self.size + least > self.limit:
            raise TooLarge(self.size + least)

    def scalar(self, value, path):
        """The text of an int, str, float, bool or None."""
        kind = type(value)
        if kind is str:
            self.expect(len(value) + 2)
            return quote(value)
        if value is None:
            return "null"
        if kind is bool:
            return "true" if value else "false"
        if kind is float:
            text = float.__repr__(value)
            return NUMBER_WORDS.get(text, text)
        self.expect(value.bit_length() * 3 // 10)
        try:
            return int.__repr__(value)
        except ValueError:  # the interpreter's limit for the digits of a number
            raise Unserializable(f"{show_path(path)}: an integer of {value.bit_length()} bits") from None

    def walk(self, value, path):
        if type(value) in SCALARS:
            return self.put(self.scalar(value, path))
        if len(path) > MAX_DEPTH:
            raise Unserializable(f"{show_path(path)}: nested more than {MAX_DEPTH} deep")
        identity = id(value)
        if identity in self.open:
            raise Unserializable(f"{show_path(path)}: contains itself")
        self.open.add(identity)
        self.walk_object(value, path)
        self.open.discard(identity)

    def walk_object(self, value, path):
        kind = type(value)
        if kind is list or kind is tuple:
            return self.array(value, path)
        if kind is dict:
            return self.object(value.items(), path, len(value))
        for base in kind.__mro__:
            form = FORMS.get((base.__module__, base.__qualname__))
            if form is not None:
                return form(self, value, path)
        fields = getattr(kind, "__dataclass_fields__", None)
        if isinstance(fields, dict):
            names = [n for n, f in fields.items() if getattr(f._field_type, "name", "") == "_FIELD"]
            return self.object(((n, getattr(value, n)) for n in names), path, len(names), ".")
        if hasattr(kind, "__next__"):
            return self.listed(value, path)
        if hasattr(kind, "__fspath__"):
            path_text = kind.__fspath__(value)
            return self.walk_next(path_text if isinstance(path_text, str) else str(value), path)
        raise Unserializable(f"{show_path(path)}: of type {kind.__name__}, which has no JSON form")

    def walk_next(self, value, path):
        """Another value in place of this one: one level deeper, for a chain of them must end."""
        path.append("")
        self.walk(value, path)
        path.pop()

    def array(self, value, path):
        self.expect(2 * len(value))
        kinds = set(map(type, value))
        if kinds == {int} or kinds == {str}:
            return self.uniform(value, path, quote if kinds == {str} else int.__repr__)
        self.put("[")
        path.append(None)
        for index, item in enumerate(value):
            path[-1] = index
            if index:
                self.put(",")
            if type(item) in SCALARS:
                self.put(self.scalar(item, path))
            else:
                self.walk(item, path)
        path.pop()
        self.put("]")

    def uniform(self, value, path, form):
        """An array of integers or of texts alone, much the commonest: at the speed of C, and in steps for the limit."""
        for start in range(0, len(value), 1000):
            part = value[start : start + 1000]
            if form is quote:
                self.expect(sum(map(len, part)))
            try:
                self.put(("," if start else "[") + ",".join(map(form, part)))
            except ValueError:  # the interpreter's limit for the digits of a number
                raise Unserializable(f"{show_path(path)}: contains an integer of too many digits") from None
        self.put("]")

    def object(self, pairs, path, count, mark=None):
        """mark "." for fields, which are shown so in a path."""
        self.expect(5 * count)
        self.put("{")
        path.append(None)
        names = set()
        for key, item in pairs:
            name = self.key(key, path)
            if name in names:
                raise Unserializable(f"{show_path(path[:-1])}: two keys have the text {name[:100]!r}")
            if names:
                self.put(",")
            names.add(name)
            path[-1] = name
            self.expect(len(name) + 3)
            self.put(quote(name) + ":")
            self.walk(item, path)
        path.pop()
        self.put("}")

    def key(self, key, path):
        kind = type(key)
        if kind is str:
            return key
        if isinstance(key, str):
            return str.__str__(key)
        if kind is not bool and isinstance(key, int):
            key = int(key)
        if isinstance(key, float):
            key = float(key)
        if type(key) in SCALARS:
            return self.scalar(key, path).strip('"')
        module = kind.__module__.partition(".")[0]
        if module == "numpy" and hasattr(kind, "item"):
            return self.key(key.item(), path)
        raise Unserializable(f"{show_path(path[:-1])}: a key of type {kind.__name__}")

    def listed(self, value, path):
        """An iterator, up to the bound of items."""
        kept, self.truncated = list_some(value, self.items, self.truncated)
        self.array(kept, path)

    def unordered(self, value, path):
        """A set: sorted, or where its items cannot be compared, by their JSON texts."""
        self.expect(2 * len(value))
        if not any(isinstance(item, (set, frozenset)) for item in value):  # of sets, `<` means something else
            try:
                return self.array(sorted(value), path)
            except TypeError:
                pass
        texts, outer = [], (self.pieces, self.size)
        path.append(None)
        for index, item in enumerate(value):
            path[-1] = index
            self.pieces = []
            self.walk(item, path)
            texts.append("".join(self.pieces))
        path.pop()
        self.pieces, self.size = outer
        self.put("[" + ",".join(sorted(texts)) + "]")

    def named_tuple_or_array(self, value, path):
        fields = getattr(type(value), "_fields", None)
        if isinstance(fields, tuple) and len(fields) == len(value):
            return self.object(zip(fields, tuple.__iter__(value)), path, len(fields))
        return self.array(tuple(value), path)

    def binary(self, value, path):
        if isinstance(value, memoryview):
            self.expect(value.nbytes * 4 // 3)
            value = value.tobytes()
        self.expect(len(value) * 4 // 3 + 13)
        self.put('{"base64":"' + b2a_base64(value, newline=False).decode() + '"}')

    def numpy_array(self, value, path):
        self.expect(2 * value.size)
        self.walk_next(value.tolist(), path)

    def numpy_scalar(self, value, path):
        plain = value.item()
        if type(plain) is type(value):  # long doubles have no Python counterpart
            plain = str(value)
        self.walk_next(plain, path)

    def frame(self, value, path):
        """A DataFrame; each column by itself, since together they may take another type."""
        self.expect(2 * value.size)
        columns = [value.iloc[:, n].tolist() for n in range(len(value.columns))]
        rows = [list(row) for row in zip(*columns)] if columns else [[] for _ in range(len(value))]
        self.table(value.columns.tolist(), value.index.tolist(), rows, path)

    def series(self, value, path):
        self.expect(2 * len(value))
        self.table([value.name], value.index.tolist(), [[item] for item in value.tolist()], path)

    def table(self, columns, index, data, path):
        self.object((("columns", columns), ("index", index), ("data", data)), path, 3)

    def no_form(self, value, path):
        what = "an exception" if isinstance(value, BaseException) else "a class" if isinstance(value, type) else \
            f"of type {type(value).__name__}, which has no JSON form"
        raise Unserializable(f"{show_path(path)}: {what}")


def as_value(convert):
    """A form that encodes another value in place of this one."""
    return lambda encoder, value, path: encoder.walk_next(convert(value), path)


def as_array(encoder, value, path):
    encoder.expect(2 * len(value))
    encoder.array(list(value), path)


def as_object(encoder, value, path):
    encoder.object(value.items(), path, len(value))


# By the module and name of a class or a base of it, so that nothing is imported to look.
FORMS = {
    ("enum", "Enum"): as_value(lambda v: v._value_),
    ("builtins", "int"): as_value(int),
    ("builtins", "float"): as_value(float),
    ("builtins", "str"): as_value(str.__str__),
    ("builtins", "list"): as_array,
    ("builtins", "tuple"): Encoder.named_tuple_or_array,
    ("builtins", "dict"): as_object,
    ("builtins", "set"): Encoder.unordered,
    ("builtins", "frozenset"): Encoder.unordered,
    ("builtins", "bytes"): Encoder.binary,
    ("builtins", "bytearray"): Encoder.binary,
    ("builtins", "memoryview"): Encoder.binary,
    ("builtins", "range"): as_array,
    ("builtins", "dict_keys"): as_array,
    ("builtins", "dict_values"): as_array,
    ("builtins", "dict_items"): as_array,
    ("builtins", "mappingproxy"): as_object,
    ("builtins", "complex"): as_value(lambda v: str(v).strip("()")),
    ("builtins", "BaseException"): Encoder.no_form,
    ("builtins", "type"): Encoder.no_form,
    ("_io", "_IOBase"): Encoder.no_form,
    ("array", "array"): as_array,
    ("collections", "deque"): as_array,
    ("collections", "UserList"): as_array,
    ("collections", "UserString"): as_value(str),
    ("collections", "UserDict"): as_object,
    ("collections", "ChainMap"): as_object,
    ("datetime", "datetime"): as_value(lambda v: v.isoformat()),
    ("datetime", "date"): as_value(lambda v: v.isoformat()),
    ("datetime", "time"): as_value(lambda v: v.isoformat()),
    ("datetime", "timedelta"): as_value(lambda v: v.total_seconds()),
    ("decimal", "Decimal"): as_value(str),
    ("fractions", "Fraction"): as_value(str),
    ("uuid", "UUID"): as_value(str),
    ("numpy", "ndarray"): Encoder.numpy_array,
    ("numpy", "generic"): Encoder.numpy_scalar,
    ("pandas", "DataFrame"): Encoder.frame,
    ("pandas", "Series"): Encoder.series,
    ("pandas.core.frame", "DataFrame"): Encoder.frame,
    ("pandas.core.series", "Series"): Encoder.series,
    ("pandas._libs.missing", "NAType"): as_value(lambda v: None),
    ("pandas._libs.tslibs.nattype", "NaTType"): as_value(lambda v: None),
}


def show_path(path):
    """result[2].x of the steps to a part."""
    text = ""
    for step in path[:8] + (["..."] if len(path) > 8 else []):
        if isinstance(step, int):
            text += f"[{step}]"
        elif step:
            text += ("." if text else "") + step if step == "..." or step.isidentifier() else f"[{step[:100]!r}]"
    return text


def short_repr(value, room=MAX_TEXT, depth=4):
    """The repr of a value, at most room characters: large containers are not written out to be cut."""
    marks = {list: "[]", tuple: "()", set: "{}", frozenset: "{}", dict: "{}"}.get(type(value))
    try:
        if marks is None:
            if isinstance(value, (str, bytes, bytearray)):
                value = value[:room]
            return repr(value)[:room]
        if depth == 0:
            return marks[0] + "..." + marks[1]
        text = marks[0]
        for item in value:
            text += (", " if len(text) > 1 else "") + short_repr(item, room, depth - 1)
            if type(value) is dict:
                text += ": " + short_repr(value[item], room, depth - 1)
            if len(text) >= room:
                return text[: room - 3] + "..."
        return text + marks[1]
    except BaseException as error:
        return f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"[:room]


# ---------------------------------------------------------------- the call


def list_some(iterator, bound, truncated=False):
    """(up to bound items of an iterator, whether there were more)."""
    kept = []
    for item in iterator:
        if len(kept) >= bound:
            if hasattr(iterator, "close"):
                iterator.close()
            return kept, True
        kept.append(item)
    return kept, truncated


async def drive(value, items):
    """(value, truncated): what a coroutine or an asynchronous iterator gives in the end."""
    result = await value if hasattr(type(value), "__await__") else value
    if not hasattr(type(result), "__anext__"):
        return result, False
    kept = []
    async for item in result:
        if len(kept) >= items:
            if hasattr(result, "aclose"):
                await result.aclose()
            return kept, True
        kept.append(item)
    return kept, False


def is_asynchronous(value):
    kind = type(value)
    return hasattr(kind, "__await__") or hasattr(kind, "__anext__")


def is_iterator(value):
    kind = type(value)
    return hasattr(kind, "__next__") and not hasattr(kind, "readline")


def complete(value, items, project):
    """(value, truncated): what a coroutine, an iterator or an asynchronous one gives in the end."""
    if is_asynchronous(value):
        value, truncated = import_own("asyncio", project).run(drive(value, items))
        if truncated:
            return value, True
    if is_iterator(value):
        return list_some(value, items)
    return value, False


# ---------------------------------------------------------------- timing

WARM_CALLS_NS = 10_000_000  # what one round of the warm-up takes
WARM_SHARE = 5  # at most this part of the time is spent on it
CLOCK_SHARE = 100  # a batch takes so many times what the clock itself does
FEWEST_SAMPLES = 20  # of a wanted number of calls, as long as there are so many
MOST_SAMPLES = 100_000
PROGRESS_NS = 50_000_000
MOST_ARGUMENTS = 4 << 20  # characters of JSON of the arguments of one batch


class Calls:
    """Batches of calls of a function, each with arguments of its own. Called with a number, gives nanoseconds."""

    collector = "off while the clock runs, on between samples"
    runtime = f"{sys.implementation.name.replace('cpython', 'CPython')} {sys.version.split()[0]}"

    def __init__(self, function, positional, keyword, items, project):
        self.function, self.items, self.project = function, items, project
        self.arguments = positional, keyword
        self.are_fixed = all(type(a) in SCALARS for a in (*positional, *keyword.values()))
        self.takes = None  # how the result is waited for; the first one shows
        self.loop = None
        self.ended = 0  # calls that returned or raised

    def fresh(self, size):
        """Arguments for so many calls, none of which another call has had if it could change them."""
        if self.are_fixed:
            return [self.arguments] * size
        positional, keyword = self.arguments
        return [([copied(a) for a in positional], {name: copied(a) for name, a in keyword.items()}) for _ in range(size)]

    def __call__(self, size):
        left = iter(self.fresh(size))
        collects = collector_runs()
        stop_collector()
        try:
            if self.takes is None:
                return self.first(left)
            if self.takes is drive:
                return self.loop.run_until_complete(self.awaited(left))
            return self.listed(left) if self.takes is list_some else self.plain(left)
        finally:
            if collects:
                start_collector()
            self.ended += size - left.__length_hint__()

    def plain(self, left):
        function, start = self.function, perf_counter_ns()
        for positional, keyword in left:
            function(*positional, **keyword)
        return perf_counter_ns() - start

    def listed(self, left):
        function, items, start = self.function, self.items, perf_counter_ns()
        for positional, keyword in left:
            list_some(function(*positional, **keyword), items)
        return perf_counter_ns() - start

    async def awaited(self, left):
        function, items, start = self.function, self.items, perf_counter_ns()
        for positional, keyword in left:
            await drive(function(*positional, **keyword), items)
        return perf_counter_ns() - start

    def first(self, left):
        positional, keyword = next(left)
        start = perf_counter_ns()
        value = self.function(*positional, **keyword)
        self.takes = drive if is_asynchronous(value) else list_some if is_iterator(value) else self.plain
        if self.takes is drive:
            asyncio = import_own("asyncio", self.project)
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)
            self.loop.run_until_complete(drive(value, self.items))
        elif self.takes is list_some:
            list_some(value, self.items)
        return perf_counter_ns() - start


def copied(value):
    """A value of JSON that shares nothing which can be changed."""
    kind = type(value)
    if kind is list:
        return [copied(item) for item in value]
    return {name: copied(item) for name, item in value.items()} if kind is dict else value


class Pace:
    """What the measurement may still take."""

    def __init__(self, timing, channel):
        self.wall, self.processor = timing["wall_ms"] * 1_000_000, timing["processor_ms"] * 1_000_000
        self.channel, self.told = channel, perf_counter_ns()
        self.began = self.spent()

    @staticmethod
    def spent():
        """(wall-clock, processor) nanoseconds of this process and its children up to now."""
        return perf_counter_ns() - STARTED, int(sum(times()[:4]) * 1e9)

    def narrow(self, share):
        """A part of what is left, as a pace of its own."""
        wall, processor = self.spent()
        part = Pace({"wall_ms": 0, "processor_ms": 0}, self.channel)
        part.wall, part.processor = wall + (self.wall - wall) // share, processor + (self.processor - processor) // share
        return part

    def fits(self, expected):
        """Whether there is time for what takes so many nanoseconds, and as much of the processor as things did so far."""
        wall, processor = self.spent()
        share = (processor - self.began[1]) / max(1, wall - self.began[0])
        return wall + expected < self.wall and processor + expected * share < self.processor

    def tell(self, ended):
        """How far it has come, now and then: nobody else could say so if the process is killed."""
        now = perf_counter_ns()
        if now - self.told > PROGRESS_NS:
            self.told = now
            self.channel.send({"event": "progress", "iteration": ended + 1})


def measure(run, timing, channel, length):
    """The measurement of a function. run(n) makes n calls and gives the nanoseconds they took.

    length: characters of the arguments' JSON.
    """
    pace, largest = Pace(timing, channel), max(1, MOST_ARGUMENTS // max(1, length))
    first = each = run(1)
    clock = sorted(run(0) for _ in range(31))[15]
    warm, warmup, last = pace.narrow(WARM_SHARE), 1, []
    is_warm = False
    while not is_warm:
        size = max(1, min(largest, WARM_CALLS_NS // max(1, int(each))))
        if not warm.fits(each * size):
            break
        each = run(size) / size
        warmup += size
        last = [*last, each][-3:]
        is_warm = len(last) == 3 and max(last) <= 1.05 * min(last)
        pace.tell(run.ended)
    batch = max(1, min(largest, int(CLOCK_SHARE * clock / max(1, each)) + 1))
    left = timing.get("iterations")
    if left is None:
        left = timing["samples"] * batch
    else:
        batch = max(min(batch, left // FEWEST_SAMPLES), left // MOST_SAMPLES, 1)
        batch = -(-left // max(1, left // batch))
    batches, calls, worst = [], 0, each * batch
    while calls < left and pace.fits(worst):
        size = min(batch, left - calls)
        batches.append(run(size))
        calls += size
        worst = max(worst, batches[-1])
        pace.tell(run.ended)
    if not batches:  # the first call took almost all there was
        batches, calls, batch, warmup = [first], 1, 1, warmup - 1
    return {"event": "measured", "measurement": {
        "batch_size": batch, "calls": calls, "warmup_calls": warmup, "warm": is_warm, "clock_ns": clock,
        "gc": run.collector, "runtime": run.runtime, "batches": batches}}


def call(request, channel, project, namespace, known_annotations=None):
    """From the loaded namespace to the final record.

    known_annotations, by a function's name and line, replace those it has.
    """
    file = request["file"]
    try:
        function, method = find(namespace, request["function"], file)
        if method:
            function = bind_instance(function, method)
        positional, keyword = check_arguments(function, request.get("args", []), project, known_annotations)
    except Finished as early:
        return early.record
    except BaseException as error:  # a property, a constructor of the user's
        return describe_error(error, project)

    channel.send({"event": "started"})
    if "timing" in request:
        return timed(Calls(function, positional, keyword, request["items"], project), request, channel, project)
    start = perf_counter_ns()
    try:
        value = function(*positional, **keyword)
        settrace(None)  # the user's code may have set it, and the host's calls are not for it
        value, truncated = complete(value, request["items"], project)
        nanoseconds = perf_counter_ns() - start
    except BaseException as error:
        settrace(None)
        setprofile(None)
        return describe_error(error, project)
    settrace(None)
    setprofile(None)

    encoder = Encoder(request["output_limit"], request["items"])
    try:
        text = encoder.encode(value)
    except TooLarge as problem:
        return {"event": "too_large", "size": problem.size}
    except Unserializable as problem:
        return {"event": "unserializable", "text": short_repr(value), "message": str(problem)[:MAX_MESSAGE]}
    except MemoryError as error:
        del encoder, value
        return describe_error(error, project)
    record = {"event": "returned", "value": Raw(text), "nanoseconds": nanoseconds}
    if truncated or encoder.truncated:
        record["truncated"] = True
    return record


def timed(run, request, channel, project):
    """The final record of a benchmark."""
    try:
        return measure(run, request["timing"], channel, len(repr(request.get("args", []))))
    except BaseException as error:
        return {**describe_error(error, project), "iteration": run.ended}
    finally:
        settrace(None)
        setprofile(None)


def prepare_output():
    """Lines leave as they are printed: what was printed is not lost when the process is killed."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(line_buffering=True)


def leave_modules():
    """Takes the host out of what the user's code can import."""
    sys.modules.pop(__name__, None)
    sys.modules["__main__"] = type(sys)("__main__")  # for what looks it up: pickle, multiprocessing


def main():
    """Reads the request, loads the file, calls, reports."""
    ahead = wait_ahead()
    prepare_output()
    leave_modules()
    request, channel = take_environment()
    if ahead is not None and ahead.is_outdated():
        channel.finish({"event": "outdated"})
    file, project = request["file"], project_folders(request["root"])
    is_known = ahead is not None and ahead.knows(file)
    if not is_known and uses_async(file):
        import_own("asyncio", project)  # while everything is as it was
    try:
        module = load(file, request["root"], ahead.code if is_known else None)
    except BaseException as error:
        channel.finish(describe_error(error, project, file))
    channel.finish(call(request, channel, project, vars(module)))


def uses_async(file):
    """Whether asyncio may be needed: a guess from the text, right in the common cases."""
    try:
        with open(file, "rb") as stream:
            return b"async " in stream.read()
    except OSError:
        return False
