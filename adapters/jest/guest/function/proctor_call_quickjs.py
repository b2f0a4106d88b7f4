"""Calls one function of a JavaScript file in a QuickJS engine that has no access to anything outside.

    PROCTOR_REQUEST=... PROCTOR_CHANNEL=... PROCTOR_NONCE=... python -I -B -X utf8 proctor_call_quickjs.py

proctor_host.py, proctor_core.cjs and proctor_vm.js must lie beside this file,
and the package quickjs-ng be installed. docs/functions.md has the request and the records.

Only strings cross between this program and the engine. The guest can print,
and nothing else: no modules, files, timers, network, processes. The engine is
native code: this program belongs inside the sandbox of the operating system.

Scripts (with module.exports, if they like) and ES modules run as they are. A
.mjs is a module, a .cjs a script; a .js is a script if it is one by its syntax.

Exit code: 0 a final record was sent; 2 no or a wrong request; 3 quickjs-ng is missing.
"""
import sys
from time import perf_counter_ns

FOLDER = __file__.rpartition("/")[0] or "."
sys.path.insert(0, FOLDER)
import proctor_host as host  # noqa: E402  (it takes the folder off the path again)

try:
    from _quickjs import Context, JSException  # not quickjs: it starts threads
except ImportError as missing:
    host.fail(3, f"the package quickjs-ng is needed to run JavaScript in a VM: {missing}")

MEMORY_LIMIT = {"event": "memory_limit"}
REPORT_BYTES = 8 << 20  # what the report of a result may take beyond the guest's memory, beside its text
FINAL_EVENTS = {"returned", "raised", "not_found", "unserializable", "too_large"}
OUT_OF_MEMORY = "out of memory"


def emit(stream, text):
    """What the guest prints, as JSON text."""
    print(host.parse_json(text), file=sys.stderr if stream == "error" else sys.stdout)


def host_source(lines):
    """The program inside the engine, its first line after so many others."""
    with open(FOLDER + "/proctor_core.cjs", encoding="utf-8") as core, \
            open(FOLDER + "/proctor_vm.js", encoding="utf-8") as vm:
        return "\n" * lines + vm.read().replace("/*CORE*/", core.read())


def error_parts(error):
    """(kind, message, lines of the stack) of an exception of the engine, which is text."""
    head, stack = [], []
    for line in str(error).rstrip("\n").split("\n"):
        (stack if line.startswith("    at ") else head).append(line)
    kind, _, message = "\n".join(head).partition(": ")
    if not kind.isidentifier() or not stack and not kind.endswith("Error"):  # what was thrown is no error
        kind, message = "Error", "\n".join(head)
    return kind, message[: host.MAX_MESSAGE], stack


def line_in(stack, lines, kind):
    """The line of the innermost frame of the user's source; not of the constructor of an error's class."""
    for frame in stack[1:] if stack and stack[0].startswith(f"    at {kind} (") else stack:
        number = frame.rpartition("<input>:")[2].partition(":")[0]
        if number.isdigit() and 0 < int(number) <= lines:
            return int(number)
    return None


def is_compile_error(error):
    """Whether nothing has run: the place of a wrong syntax stands alone and without a function's name."""
    kind, _, stack = error_parts(error)
    return kind == "SyntaxError" and len(stack) == 1 and stack[0].startswith("    at <input>:")


def address_space(name):
    """Bytes of address space: VmSize of now, VmPeak the most there were; 0 where the system does not tell."""
    try:
        with open("/proc/self/status", "rb") as status:
            return next(int(line.split()[1]) << 10 for line in status if line.startswith(name + b":"))
    except (OSError, StopIteration, ValueError, IndexError):
        return 0


class Guest:
    """An engine with the user's source."""

    def __init__(self, file, source, limit):
        self.file, self.source, self.limit = file, source, limit
        self.lines = source.count("\n") + 1
        self.is_module = False
        self.context, self.ask = self.engine()
        self.context.set_memory_limit(limit)
        self.start = address_space(b"VmSize")

    def engine(self):
        """A new engine with the host's program, and the function that reaches it."""
        context = Context()
        context.add_callable("proctorEmit", emit)
        ask = context.eval(host_source(self.lines))
        ask("lines", str(self.lines))
        return context, ask

    def load(self):
        """Runs the source; the final record if that fails, else None."""
        if self.file.endswith((".ts", ".mts", ".cts")):
            return {"event": "refused", "message": "the VM runs JavaScript, not TypeScript", "line": None}
        try:
            if not self.file.endswith(".mjs"):
                try:
                    self.context.eval(self.source)
                    self.drain()
                    return None
                except JSException as error:
                    looks_like_module = any(
                        line.lstrip().startswith(("export", "import")) or "await" in line
                        for line in self.source.split("\n"))
                    if self.file.endswith(".cjs") or not looks_like_module or not is_compile_error(error):
                        raise
            self.is_module = True
            self.context.module(self.source)
            self.ask("settleModule")
            self.drain()
        except JSException as error:
            return self.import_error(error)
        if self.ask("state") != "done":
            self.make_room()
            return self.checked(self.ask("report", self.file, "0", "0", "0", "yes"))
        return None

    def error(self, error):
        """The final record of an exception of the engine."""
        kind, message, stack = error_parts(error)
        if self.is_memory_error(kind, message):
            return MEMORY_LIMIT
        return {"event": "raised", "kind": kind, "message": message, "file": self.file,
                "line": line_in(stack, self.lines, kind)}

    def import_error(self, error):
        """The same while the source is run at first: what it cannot import makes it refused."""
        kind, message, stack = error_parts(error)
        if self.is_module and message.startswith("could not load module") and not stack:
            name = message.partition("'")[2].rstrip("'")
            lines = [n for n, text in enumerate(self.source.split("\n"), 1)
                     if name + "'" in text or name + '"' in text]
            return {"event": "refused", "message": f"the VM has no other modules: {message}",
                    "line": lines[0] if lines else None}
        record = self.error(error)
        return record if record is MEMORY_LIMIT else {**record, "phase": "import"}

    def is_memory_error(self, kind, message):
        """Anybody can throw such an error, so it counts where the memory was used, too. At its limit the engine may
        also fail to make the error it wants to raise."""
        if kind == "InternalError" and message == OUT_OF_MEMORY:
            return self.is_full() or self.was_half_full()
        return message in ("null", OUT_OF_MEMORY) and self.is_full()

    def is_full(self):
        return self.context.memory()["malloc_size"] > self.limit * 0.9

    def was_half_full(self):
        """The engine knows only what it uses now, and what grows by doubling stops at half."""
        return self.start > 0 and address_space(b"VmPeak") - self.start > self.limit / 2

    def drain(self):
        """Runs what promises have left to do."""
        while self.context.execute_pending_job():
            pass

    def make_room(self, more=0):
        """Lets the report use memory that the guest may not."""
        self.context.set_memory_limit(self.limit + REPORT_BYTES + more)

    def checked(self, text):
        """A record the engine has made, as it is; but only if it is one."""
        try:
            record = host.parse_json(text)
            if record["event"] == "raised" and self.is_memory_error(record["kind"], record["message"]):
                return MEMORY_LIMIT
            if record["event"] in FINAL_EVENTS and text.isascii() and "\n" not in text:
                return host.Raw(text)
        except (ValueError, TypeError, KeyError, AttributeError):
            pass
        return {"event": "raised", "kind": "InternalError", "message": "the guest has spoiled the report of its result",
                "file": self.file, "line": None}

    def find(self, wanted):
        """The final record if the function cannot be had, else None."""
        first = wanted.partition(".")[0]
        plain = first.replace("$", "_")
        text = self.ask("find", wanted, first if plain.isidentifier() else "", self.file)
        if text == "":
            return None
        final = self.checked(text)
        record = host.parse_json(host.encode_record(final))
        if record["event"] == "not_found":
            _, ask = self.engine()
            return self.checked(ask("near", record["message"], wanted, "yes" if self.is_module else "no", self.source))
        return final

    def call(self, args, items, output_limit):
        """The final record of the call."""
        start = perf_counter_ns()
        try:
            if self.ask("call", args, str(items)) == "pending":
                self.drain()
            nanoseconds = perf_counter_ns() - start
            self.make_room(4 * output_limit)
            if self.ask("state") == "pending" and self.is_full():
                return MEMORY_LIMIT
            return self.checked(self.ask("report", self.file, str(output_limit), str(items), str(nanoseconds), "no"))
        except JSException as error:  # of a microtask; or there was no memory left
            return self.error(error)

    def timed(self, args, request, channel):
        """The final record of a benchmark."""
        self.ask("timed", str(request["items"]))
        run = Calls(self, args)
        try:
            return host.measure(run, request["timing"], channel, len(args))
        except host.Finished as early:
            text = early.record
        except JSException as error:
            text = host.encode_record(self.error(error))
        return host.Raw(f'{text[:-1]},"iteration":{max(1, int(self.ask("ended")))}}}')


class Calls:
    """Batches of calls in the engine; the clock is read outside of it."""

    collector = "as the engine runs it, within samples too"
    runtime = "QuickJS"

    def __init__(self, guest, args):
        self.guest, self.args = guest, args
        self.are_fixed = "no" if "[" in args[1:] or "{" in args else "yes"  # in a text they only cost time
        self.ended = 0

    def __call__(self, size):
        guest = self.guest
        guest.ask("lists", self.args, str(size), self.are_fixed)
        start = perf_counter_ns()
        if guest.ask("batch") == "pending":
            guest.drain()
        nanoseconds = perf_counter_ns() - start
        if guest.ask("state") != "done":
            full = guest.is_full()
            guest.make_room()
            failed = guest.ask("state") == "failed"
            raise host.Finished(host.encode_record(
                MEMORY_LIMIT if full and not failed
                else guest.checked(guest.ask("report", guest.file, "0", "0", "0", "no"))))
        self.ended += size
        return nanoseconds


def main():
    """Reads the request, loads the file, calls, reports."""
    request, channel = host.take_environment()
    file = request["file"]
    host.prepare_output()
    try:
        with open(file, encoding="utf-8-sig") as stream:
            source = stream.read()
        if "\0" in source:
            raise ValueError("the source contains a null character")
    except (OSError, ValueError) as error:
        channel.finish({"event": "raised", "kind": type(error).__name__, "message": str(error), "file": file,
                        "line": None, "phase": "import"})
    guest = Guest(file, source, request.get("memory_mb", 64) << 20)
    final = guest.load()
    try:
        final = final or guest.find(request["function"])
    except JSException as error:
        final = guest.error(error)
    if final is None:
        try:
            args = host.Encoder(sys.maxsize, 0).encode(request.get("args", []))
        except host.Unserializable as problem:
            channel.finish(host.bad_arguments(None, None, str(problem).replace("result", "arguments", 1)))
        channel.send({"event": "started"})
        if "timing" in request:
            channel.finish(guest.timed(args, request, channel))
        final = guest.call(args, request["items"], request["output_limit"])
    channel.finish(final)


if __name__ == "__main__":
    main()
