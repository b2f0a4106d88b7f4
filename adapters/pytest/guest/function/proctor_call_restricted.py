"""Calls one function of a Python file compiled by RestrictedPython: like proctor_call.py, in a language filter.

    PROCTOR_REQUEST=... PROCTOR_CHANNEL=... PROCTOR_NONCE=... python -I -B -X utf8 proctor_call_restricted.py

proctor_host.py must lie beside this file; docs/functions.md has the request and the records.

RestrictedPython is a language filter, not a boundary: this program belongs
inside the sandbox of the operating system. Rules the filter does not give by
itself, each with an escape behind it:
  - a guest gets copies of a module's functions, never a module: modules hold
    others (statistics.sys, json.codecs); and the copy has no __name__, by
    which `from m import x` would fall back to sys.modules;
  - functools without update_wrapper and wraps, which write any attribute;
    string without Formatter, which walks attributes; typing without
    get_type_hints, which evaluates text;
  - no type, object, super, setattr, delattr, vars, dir;
  - annotations are read as syntax, never evaluated: text in them is source
    that the filter has not seen.

Exit code: 0 a final record was sent; 2 no or a wrong request; 3 RestrictedPython is missing.
"""
import ast
import builtins
import collections
import importlib
import operator
import sys
import types

__builtins__ = dict(vars(builtins))

sys.path.insert(0, __file__.rpartition("/")[0] or ".")
import proctor_host as host  # noqa: E402  (it takes the folder off the path again)

try:
    from RestrictedPython import compile_restricted_exec
    from RestrictedPython.Eval import default_guarded_getitem, default_guarded_getiter
    from RestrictedPython.Guards import (
        full_write_guard,
        guarded_iter_unpack_sequence,
        guarded_unpack_sequence,
        safe_builtins,
        safer_getattr_raise,
    )
except ImportError as missing:
    host.fail(3, f"RestrictedPython (8 or newer) is needed to run Python in a language filter: {missing}")

# What may be imported: the names, or None for all of the module's public functions and classes.
MODULES = {
    "math": None, "itertools": None, "statistics": None, "decimal": None, "fractions": None, "datetime": None,
    "json": ["dumps", "loads", "JSONDecodeError"],
    "re": ["compile", "search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn", "escape", "error",
           "IGNORECASE", "I", "MULTILINE", "M", "DOTALL", "S", "VERBOSE", "X", "ASCII", "A"],
    "functools": ["reduce", "partial", "cmp_to_key", "lru_cache", "cache"],
    "collections": ["Counter", "OrderedDict", "defaultdict", "deque", "namedtuple", "ChainMap"],
    "random": ["random", "randint", "randrange", "choice", "choices", "sample", "shuffle", "uniform", "gauss", "seed"],
    "string": ["ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits", "hexdigits", "octdigits", "punctuation",
               "whitespace", "printable", "capwords"],
    "typing": ["Any", "Callable", "Dict", "Iterable", "Iterator", "List", "Optional", "Sequence", "Set", "Tuple",
               "Union"],
}

# What safe_builtins lacks of the ordinary; harmless where iteration itself is not guarded.
MORE_BUILTINS = [all, any, ascii, bin, bytearray, bytes, dict, enumerate, filter, format, frozenset, iter, list, map, max,
                 min, next, property, reversed, set, sorted, staticmethod, classmethod, sum, tuple, zip, NotImplemented]

INPLACE = {"+=": operator.iadd, "-=": operator.isub, "*=": operator.imul, "/=": operator.itruediv, "%=": operator.imod,
           "**=": operator.ipow, "<<=": operator.ilshift, ">>=": operator.irshift, "|=": operator.ior,
           "^=": operator.ixor, "&=": operator.iand, "//=": operator.ifloordiv, "@=": operator.imatmul}

# Beside dict and list: containers whose items may be written (what attributes they let be written is harmless).
WRITABLE = {bytearray, collections.Counter, collections.OrderedDict, collections.defaultdict, collections.deque}


def public_part(name):
    """The allowed part of a module, as a namespace without a __name__."""
    module = importlib.import_module(name)
    names = MODULES[name] or getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]
    values = {n: getattr(module, n) for n in names if hasattr(module, n)}
    return types.SimpleNamespace(**{n: v for n, v in values.items() if not isinstance(v, types.ModuleType)})


def guarded_import(name, globals=None, locals=None, fromlist=(), level=0):
    if level or type(name) is not str or name not in MODULES:
        raise ImportError(f"import of {name!r} is not allowed; allowed are {', '.join(sorted(MODULES))}")
    return public_part(name)


def guarded_hasattr(ob, name):
    try:
        safer_getattr_raise(ob, name)
    except (AttributeError, NotImplementedError):
        return False
    return True


def guarded_write(ob):
    """Item writes go to the ordinary containers, attribute writes only to instances of the guest's own classes."""
    return ob if type(ob) in WRITABLE else full_write_guard(ob)


def guarded_class(name, bases, namespace):
    """The metaclass: instances of the guest's own classes may be written to."""
    return type(name, bases, {**namespace, "_guarded_writes": True})


class Printer:
    """What print() is compiled to: `_print_(_getattr_)` once for a scope, `_call_print` for each call."""

    def __init__(self, stream):
        self._stream = stream

    def __call__(self, _getattr_=None):
        return self

    def _call_print(self, *objects, sep=" ", end="\n", file=None, flush=False):
        print(*objects, sep=sep, end=end, file=self._stream)


def refusal(errors):
    """The record of a source the filter refuses."""
    words = errors[0].split(":", 1)[0].split()
    line = int(words[1]) if len(words) == 2 and words[1].isdigit() else None
    return {"event": "refused", "message": "\n".join(errors)[: host.MAX_MESSAGE], "line": line}


def written_annotations(source, file):
    """{(name, first line): {parameter: syntax tree}}: compiled by the filter, functions have none."""
    found = {}
    for node in ast.walk(compile(source, file, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)):
        if isinstance(node, ast.FunctionDef):
            rules = node.args
            parameters = [*rules.posonlyargs, *rules.args, *rules.kwonlyargs, rules.vararg, rules.kwarg]
            line = min([node.lineno] + [d.lineno for d in node.decorator_list])
            found[node.name, line] = {p.arg: p.annotation for p in parameters if p and p.annotation}
    return found


def guest_namespace():
    """The globals of the guest: what names and operations mean to it."""
    allowed = {**safe_builtins, **{getattr(b, "__name__", "NotImplemented"): b for b in MORE_BUILTINS}}
    allowed.update(__import__=guarded_import, getattr=safer_getattr_raise, hasattr=guarded_hasattr)
    del allowed["setattr"], allowed["delattr"]
    return {
        "__builtins__": allowed, "__name__": "function", "__metaclass__": guarded_class,
        "_getattr_": safer_getattr_raise, "_getitem_": default_guarded_getitem, "_getiter_": default_guarded_getiter,
        "_write_": guarded_write, "_inplacevar_": lambda op, x, y: INPLACE[op](x, y), "_print_": Printer(sys.stdout),
        "_unpack_sequence_": guarded_unpack_sequence, "_iter_unpack_sequence_": guarded_iter_unpack_sequence,
    }


def main():
    """Reads the request, compiles, loads the file, calls, reports."""
    request, channel = host.take_environment()
    file, project = request["file"], host.project_folders(request["root"])
    host.prepare_output()
    host.leave_modules()
    guest = guest_namespace()
    hidden = set(guest)
    try:
        with open(file, "rb") as stream:
            source = stream.read()
        compile(source, file, "exec", dont_inherit=True)  # a wrong syntax is the user's error, not a refusal
        annotations = written_annotations(source, file)
        compiled = compile_restricted_exec(source, filename=file)
        if compiled.errors:
            channel.finish(refusal(compiled.errors))
        exec(compiled.code, guest)
    except BaseException as error:  # SystemExit and KeyboardInterrupt of the guest are its errors, too
        channel.finish(host.describe_error(error, project, file))
    names = {name: value for name, value in guest.items() if name not in hidden}
    channel.finish(host.call(request, channel, project, names, annotations))


if __name__ == "__main__":
    main()
