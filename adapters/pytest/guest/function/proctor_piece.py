"""What proctor_code.py does: runs a piece of Python as a notebook would, and reports how it ended.

The value of the last expression is the result; `await` may stand outside functions; figures of
matplotlib are saved when they are shown, and at the end. The piece runs in the same interpreter as
this program: nothing here is a boundary. See proctor_host.py for what is done all the same.
"""
import _ast
import builtins
import sys

__builtins__ = dict(vars(builtins))

import proctor_host as host
from sys import setprofile, settrace
from time import perf_counter_ns

ONLY_TREE = 0x400  # PyCF_ONLY_AST, without importing ast
TOP_LEVEL_AWAIT = 0x2000  # PyCF_ALLOW_TOP_LEVEL_AWAIT
COROUTINE = 0x80  # CO_COROUTINE
BACKEND = "proctor_matplotlib"


# ---------------------------------------------------------------- pictures


class Pictures:
    """Saves the figures of matplotlib; finds proctor's backend for it."""

    def __init__(self, folder, fonts):
        self.folder, self.fonts, self.count = folder, fonts, 0

    def save(self):
        """Saves every open figure, and closes it."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        for number in pyplot.get_fignums():
            self.count += 1
            figure = pyplot.figure(number)
            try:
                figure.savefig(f"{self.folder}/figure-{self.count:03}.png", format="png")
            finally:
                pyplot.close(figure)

    def find_spec(self, name, path=None, target=None):
        """An import hook: the first of sys.meta_path."""
        if name == "matplotlib":
            self.take_fonts()
        if name == "matplotlib.pyplot":
            self.choose()
        if name != BACKEND:
            return None
        from importlib._bootstrap_external import SourceFileLoader, spec_from_file_location

        class Loader(SourceFileLoader):
            def exec_module(loader, module):
                super().exec_module(module)
                module.save = self.save

        file = f"{host.HOST_FOLDER}/{BACKEND}.py"
        return spec_from_file_location(name, file, loader=Loader(name, file))

    def take_fonts(self):
        """Gives matplotlib the list of fonts that it made before, in the folder where it looks for one."""
        from os import environ, listdir, makedirs

        try:
            names = [name for name in listdir(self.fonts) if name.startswith("fontlist")]
            folder = environ["MPLCONFIGDIR"]
            makedirs(folder, exist_ok=True)
            for name in names:
                with open(f"{self.fonts}/{name}", "rb") as source, open(f"{folder}/{name}", "wb") as target:
                    target.write(source.read())
        except (OSError, KeyError, TypeError):  # it makes its own
            pass

    @staticmethod
    def choose():
        """Puts proctor's backend in the place of the one without a screen."""
        settings = getattr(sys.modules.get("matplotlib"), "rcParams", None)
        if settings is not None and str(dict.get(settings, "backend", "")).lower() == "agg":
            settings["backend"] = "module://" + BACKEND


# ---------------------------------------------------------------- the piece


def take_variable(name):
    from os import environ

    return environ.pop(name, None)


def compile_piece(source, name):
    """The code objects to evaluate in turn; the value of the last is the result."""
    tree = compile(source, name, "exec", ONLY_TREE | TOP_LEVEL_AWAIT, dont_inherit=True)
    last = tree.body.pop() if tree.body and type(tree.body[-1]) is _ast.Expr else None
    codes = [compile(tree, name, "exec", TOP_LEVEL_AWAIT, dont_inherit=True)]
    if last is not None:
        future = codes[0].co_flags & 0x1FE0000  # what the piece has imported of __future__
        codes.append(compile(_ast.Expression(last.value), name, "eval", TOP_LEVEL_AWAIT | future, dont_inherit=True))
    return codes


def run(codes, namespace, project):
    """Evaluates the piece; in an event loop when it awaits something itself."""
    if not any(code.co_flags & COROUTINE for code in codes):
        for code in codes:
            value = eval(code, namespace)
        return value

    async def drive():
        for code in codes:
            value = eval(code, namespace)
            if code.co_flags & COROUTINE:
                value = await value
        return value

    return host.import_own("asyncio", project).run(drive())


def exit_status(error):
    """What a SystemExit means, as the interpreter has it; a text is printed."""
    code = error.code
    if code is None:
        return 0
    if isinstance(code, int):
        return int(code) & 0xFF
    print(code, file=sys.stderr)
    return 1


def show_traceback(error, name, source, own):
    """Prints the traceback, from the piece's own first line on; by the piece's own hook if it has one."""
    trace = error.__traceback__
    while trace is not None and not host.is_project_file(trace.tb_frame.f_code.co_filename, own):
        trace = trace.tb_next
    error = error.with_traceback(trace)
    if sys.excepthook is not sys.__excepthook__:
        return sys.excepthook(type(error), error, trace)
    host.import_own("traceback", own).print_exception(type(error), error, trace)


def remember_lines(name, source, own):
    """Lets tracebacks show lines of the piece, whatever its name."""
    lines = source.decode("utf-8", "replace").splitlines(True)
    host.import_own("linecache", own).cache[name] = (len(source), None, lines, name)


def wind_up(pictures):
    """What an interpreter does at its end, and the last pictures."""
    steps = [pictures.save]
    threading, atexit = sys.modules.get("threading"), sys.modules.get("atexit")
    if threading is not None:
        steps.append(threading._shutdown)
    if atexit is not None:
        steps.append(atexit._run_exitfuncs)
    for step in steps:
        try:
            step()
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)


def result_record(value, request, nanoseconds):
    """The final record of a piece that came to its end."""
    record = {"event": "returned", "nanoseconds": nanoseconds}
    if value is None:
        return record
    encoder = host.Encoder(request["output_limit"], request["items"])
    try:
        record["value"] = host.Raw(encoder.encode(value))
    except host.TooLarge as problem:
        return {"event": "too_large", "size": problem.size}
    except host.Unserializable:
        record["value"], record["form"] = host.short_repr(value), "repr"
    if encoder.truncated:
        record["truncated"] = True
    return record


def main():
    """Reads the request, runs the piece, reports."""
    request, channel = host.take_environment()
    file, name, work = request["file"], request["name"], request["work"]
    own = (name, work + "/") + host.project_folders(request["root"])
    host.prepare_output()
    host.leave_modules()
    sys.modules.pop(__name__, None)
    pictures = Pictures(request["pictures"], take_variable("PROCTOR_FONTS"))
    sys.meta_path.insert(0, pictures)
    sys.path[:0] = [work, request["root"] + "/src", request["root"]]
    sys.argv[:] = [file]
    namespace = vars(sys.modules["__main__"])
    namespace.update(__file__=file, __builtins__=builtins)
    with open(file, "rb") as stream:
        source = stream.read()
    remember_lines(name, source, own)
    try:
        codes = compile_piece(source, name)
    except BaseException as error:
        show_traceback(error, name, source, own)
        channel.finish(host.describe_error(error, own, name), 1)

    channel.send({"event": "started"})
    start, status = perf_counter_ns(), 0
    try:
        value = run(codes, namespace, own)
        settrace(None)
        setprofile(None)
        record = result_record(value, request, perf_counter_ns() - start)
        del value
    except SystemExit as error:
        status = exit_status(error)
        record = {**host.describe_error(error, own), "event": "exited", "code": status}
    except BaseException as error:
        settrace(None)
        setprofile(None)
        status, record = 1, host.describe_error(error, own)
        try:
            show_traceback(error, name, source, own)
        except BaseException:  # of the piece's own hook, or there is no memory left
            pass
    wind_up(pictures)
    channel.finish(record, status)
