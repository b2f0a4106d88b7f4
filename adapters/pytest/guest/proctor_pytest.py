"""Reports what pytest does over proctor's own channel. Standard library only.

Runs inside the user's test process: everything it needs later is taken at import, so that tests
which patch, close, fork or change directories do not disturb it, and it changes nothing that tests
can see but its own presence.
"""

import fcntl
import functools
import inspect
import json
import linecache
import os
import re
import sys

import pytest

_FRAME = 4096
_MESSAGE = 20_000
_OUTPUT = 64 * 1024
_FRAMES = 20

_encode = json.JSONEncoder(ensure_ascii=True, default=repr).encode
_write, _open, _getpid, _fcntl = os.write, os.open, os.getpid, fcntl.fcntl
_DEFINITION = re.compile(r"\s*(async\s+)?def\s")


def _clean(text, limit):
    """Text without lone surrogates, its middle cut beyond `limit` characters."""
    text = str(text).encode("utf-8", "backslashreplace").decode("utf-8")
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters cut ...]\n{text[-half:]}"


class _Channel:
    def __init__(self, path, nonce):
        self.path, self.nonce, self.pid = path, nonce, _getpid()
        self.head = f"P1 {nonce} {self.pid}".encode("ascii")
        self.sequence = 0
        self.descriptor = self._opened()

    def _opened(self):
        low = _open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            high = _fcntl(low, fcntl.F_DUPFD_CLOEXEC, 600)
        except OSError:
            return low
        os.close(low)
        return high

    def send(self, **record):
        if _getpid() != self.pid:  # a test forked: its child is not the reporter
            return
        payload = _encode(record).encode("ascii")
        while True:
            start = b"%b %d " % (self.head, self.sequence)
            room = _FRAME - len(start) - 3
            self.sequence += 1
            if len(payload) <= room:
                return self._put(b"%b. %b\n" % (start, payload))
            self._put(b"%b+ %b\n" % (start, payload[:room]))
            payload = payload[room:]

    def _put(self, line):
        try:
            _write(self.descriptor, line)
        except OSError:  # a test closed every descriptor
            self.descriptor = self._opened()
            _write(self.descriptor, line)


class _Address:
    path = os.environ.pop("PROCTOR_CHANNEL", None)
    nonce = os.environ.pop("PROCTOR_NONCE", None)
    selection = os.environ.pop("PROCTOR_SELECTION", None)
    ordered = os.environ.pop("PROCTOR_ORDERED", None) is not None


def _restore_environment():
    own = os.path.dirname(os.path.abspath(__file__))
    rest = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p and p != own]
    if rest:
        os.environ["PYTHONPATH"] = os.pathsep.join(rest)
    else:
        os.environ.pop("PYTHONPATH", None)
    os.environ.pop("PYTHONPYCACHEPREFIX", None)


_restore_environment()


def _selection(path):
    if path is None:
        return None
    with open(path, encoding="utf-8") as file:
        return {(name, occurrence): place for place, (name, occurrence) in enumerate(json.load(file))}


def _definition_line(item):
    """The line of `def`, 1-based; decorators stand above it."""
    function = getattr(item, "function", None) or getattr(item, "obj", None)
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    if code is None:
        line = item.location[1] if item.location else None
        return None if line is None else line + 1
    for line in range(code.co_firstlineno, code.co_firstlineno + 200):
        if _DEFINITION.match(linecache.getline(code.co_filename, line)):
            return line
    return code.co_firstlineno


def _path(item):
    return str(getattr(item, "path", None) or item.fspath)


class _Locator:
    """Where an exception comes from, read off the live exception: independent of --tb."""

    def __init__(self, config):
        self.root = str(getattr(config, "rootpath", None) or config.rootdir) + os.sep

    def describe(self, info, item=None):
        error = info.value
        cause = error
        name = type(error).__name__
        if name == "CollectError" and error.__cause__ is not None:
            cause = error.__cause__
        elif name == "ConftestImportFailure":
            cause = getattr(error, "cause", None) or error.excinfo[1]
        result = {"type": type(cause).__name__, "message": self._message(info, cause)}
        if hasattr(cause, "example") and hasattr(cause, "test"):  # a doctest
            return self._doctest(cause, result)
        frames = self._frames(cause.__traceback__)
        user = [f for f in frames if self._is_user(f[0])]
        if isinstance(cause, SyntaxError) and cause.filename and cause.lineno:
            # Raised while a test ran, the syntax error's own place is not the test's.
            if item is None:
                result["place"] = [cause.filename, cause.lineno, cause.offset]
        own = [f for f in user if item is not None and f[0] == _path(item)]
        if "place" not in result and (own or user):
            result["place"] = (own or user)[-1][:2]
        result["frames"] = [list(f) for f in reversed(user[-_FRAMES:])]
        return result

    @staticmethod
    def _doctest(failure, result):
        test, example = failure.test, failure.example
        if hasattr(failure, "got"):
            result["message"] = _clean(f"Expected:\n{example.want}Got:\n{failure.got}".rstrip(), _MESSAGE)
        else:
            kind, value = failure.exc_info[:2]
            result["message"] = _clean(f"{kind.__name__}: {value}", _MESSAGE)
        if test.filename and test.lineno is not None:
            result["place"] = [test.filename, test.lineno + example.lineno + 1]
        result["frames"] = []
        return result

    def _is_user(self, path):
        return path.startswith(self.root) and not re.search(
            r"[/\\](site-packages|dist-packages|\.venv|venv|\.tox|\.nox)[/\\]", path
        )

    @staticmethod
    def _message(info, cause):
        try:
            if cause is info.value and type(cause).__name__ == "Failed":
                return _clean(cause, _MESSAGE)
            if cause is info.value:
                return _clean(info.exconly(), _MESSAGE)
            return _clean(f"{type(cause).__name__}: {cause}", _MESSAGE)
        except Exception as broken:  # an exception whose own __str__ raises
            return f"{type(cause).__name__} (its text cannot be had: {type(broken).__name__})"

    @staticmethod
    def _frames(trace):
        frames = []
        while trace is not None:
            code = trace.tb_frame.f_code
            frames.append((os.path.abspath(code.co_filename), trace.tb_lineno, code.co_name))
            trace = trace.tb_next
        return frames


class _Witness:
    """Sees the test function itself, whatever the hooks around it say about it."""

    def __init__(self, function):
        self.function = function
        self.called, self.raised, self.returned = False, None, None

    def watched(self):
        @functools.wraps(self.function)
        def proctor_witness(*values, **names):
            __tracebackhide__ = True
            self.called, self.raised = True, None
            try:
                self.returned = self.function(*values, **names)
            except BaseException as error:
                self.raised = error
                raise
            return self.returned

        return proctor_witness

    def contradiction(self):
        if not self.called:
            return "it was reported as passed, but its function was never called"
        if self.raised is not None and not isinstance(self.raised, pytest.skip.Exception):
            return "it raised an exception that was swallowed, and was reported as passed"
        if self.returned is False:
            return "it returned False instead of asserting anything"
        return None


class _Attach:
    """Puts what only the running process knows onto reports; it travels with them from workers."""

    def __init__(self, config):
        self.locator = _Locator(config)
        self.witnesses = {}

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem):
        function = pyfuncitem.obj
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            yield  # plugins call these in ways of their own
            return
        witness = self.witnesses[pyfuncitem.nodeid] = _Witness(function)
        pyfuncitem.obj = witness.watched()
        try:
            yield
        finally:
            pyfuncitem.obj = function

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item, call):
        outcome = yield
        report = outcome.get_result()
        witness = self.witnesses.pop(item.nodeid, None) if call.when == "call" else None
        info = call.excinfo
        if info is not None:
            # Hooks may still change the report; this stays with it.
            report.proctor_failed = not isinstance(info.value, (pytest.skip.Exception, pytest.xfail.Exception))
        if info is None and witness is not None and _is_plain_pass(report):
            report.proctor_lie = witness.contradiction()
            if witness.raised is not None:
                error = witness.raised
                info = pytest.ExceptionInfo.from_exc_info((type(error), error, error.__traceback__))
        if info is not None and (report.failed or _is_plain_pass(report)):
            report.proctor = self.locator.describe(info, item)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector):
        outcome = yield
        report = outcome.get_result()
        info = getattr(getattr(report, "call", None), "excinfo", None)
        if report.failed and info is not None:
            report.proctor = self.locator.describe(info)


def _is_plain_pass(report):
    return report.outcome == "passed" and not hasattr(report, "wasxfail")


class _Lister:
    """Announces every collected test before anybody else sees the list."""

    def __init__(self, channel, selection):
        self.channel = channel
        self.selection = _selection(selection)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session, config, items):
        seen, chosen = {}, []
        for item in items:
            occurrence = seen[item.nodeid] = seen.get(item.nodeid, 0) + 1
            key = (_clean(item.nodeid, _MESSAGE), occurrence)
            if self.selection is not None and key not in self.selection:
                continue
            chosen.append(item)
            if self.channel is not None:
                self.channel.send(
                    event="item",
                    id=_clean(item.nodeid, _MESSAGE),
                    occurrence=occurrence,
                    name=_clean(item.name, _MESSAGE),
                    suite=_clean(getattr(item.parent, "nodeid", "") or "", _MESSAGE),
                    file=_path(item),
                    line=_definition_line(item),
                )
        if self.selection is not None:
            items[:] = chosen

    def pytest_collectreport(self, report):
        # Said where it is seen: from several files that are skipped at one place, xdist's controller hears of one.
        if report.skipped and self.channel is not None:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            self.channel.send(
                event="collect_skip", id=_clean(report.nodeid, _MESSAGE), reason=_clean(reason or "", _MESSAGE)
            )

    def pytest_deselected(self, items):
        if self.channel is not None:
            for item in items:
                self.channel.send(event="deselected", id=_clean(item.nodeid, _MESSAGE))


class _Orderer:
    """Puts tests into the order of the selection, after everybody else had a say in it."""

    def __init__(self, selection):
        self.places = _selection(selection)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items):
        seen, place = {}, {}
        for item in items:
            occurrence = seen[item.nodeid] = seen.get(item.nodeid, 0) + 1
            place[item] = self.places.get((_clean(item.nodeid, _MESSAGE), occurrence), len(self.places))
        yield
        items.sort(key=lambda item: place.get(item, len(self.places)))


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_cmdline_main(config):
    if _Address.ordered and getattr(config.option, "numprocesses", None):
        config.option.numprocesses = 0  # an order is one process's
    yield


class _Reporter:
    """Says what happens to each test; one process only, the controller's when there are workers."""

    def __init__(self, config, channel):
        self.config, self.channel = config, channel
        # Durations of phases that passed and have nothing more to say, by test: they travel together.
        self.plain = {}
        # The worker of each test on its way, where there are workers.
        self.workers = {}

    def pytest_sessionstart(self, session):
        self.channel.send(event="begin", pytest=pytest.__version__)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node):
        node.workerinput["proctor"] = [self.channel.path, self.channel.nonce, _Address.selection]

    def pytest_runtest_logstart(self, nodeid, location):
        self.channel.send(event="start", id=_clean(nodeid, _MESSAGE))

    def pytest_runtest_logfinish(self, nodeid, location):
        plain = self.plain.pop(nodeid, None)
        record = {"event": "finish", "id": _clean(nodeid, _MESSAGE), "plain": plain}
        worker = self.workers.pop(nodeid, None)
        if worker is not None:
            record["worker"] = worker
        self.channel.send(**record)

    def pytest_runtest_logreport(self, report):
        worker = self._worker(report)
        if worker is not None:
            self.workers[report.nodeid] = worker
        if self._is_silent(report):
            durations = self.plain.setdefault(report.nodeid, {})
            durations[report.when] = durations.get(report.when, 0) + report.duration
            return
        if report.when == "???":  # its worker died: there will be nothing more
            self.plain.pop(report.nodeid, None)
        record = {
            "event": "phase",
            "id": _clean(report.nodeid, _MESSAGE),
            "when": report.when,
            "outcome": report.outcome,
            "duration": getattr(report, "duration", None),
        }
        if hasattr(report, "wasxfail"):
            record["xfail"] = _clean(report.wasxfail, _MESSAGE)
        lie = getattr(report, "proctor_lie", None)
        if lie is None and getattr(report, "proctor_failed", False) and _is_plain_pass(report):
            lie = "it failed, and its report was changed to passed"
        if lie is not None:
            record["lie"] = lie
        context = getattr(report, "context", None)
        if context is not None:
            values = " ".join(f"{k}={v!r}" for k, v in dict(context.kwargs).items())
            record["subtest"] = _clean(f"{context.msg or ''} {values}".strip(), _MESSAGE)
        record.update(self._explanation(report))
        sections = self._sections(report)
        if sections:
            record["output"] = sections
        if report.when == "???" and worker is not None:
            record["worker"] = worker
        self.channel.send(**record)

    @staticmethod
    def _worker(report):
        """xdist's name of the process that ran it: gw0."""
        name = getattr(report, "worker_id", None)
        if name is None:
            name = getattr(getattr(getattr(report, "node", None), "gateway", None), "id", None)
        return _clean(name, 64) if isinstance(name, str) else None

    @staticmethod
    def _is_silent(report):
        return (
            _is_plain_pass(report)
            and report.longrepr is None
            and not report.sections
            and getattr(report, "proctor_lie", None) is None
            and not getattr(report, "proctor_failed", False)
            and getattr(report, "context", None) is None
            and report.when in ("setup", "call", "teardown")
        )

    @staticmethod
    def _explanation(report):
        longrepr = report.longrepr
        result = {}
        if isinstance(longrepr, tuple):
            result["reason"] = _clean(longrepr[2], _MESSAGE)
        elif longrepr is not None:
            result["text"] = _clean(longrepr, _MESSAGE)
        if hasattr(report, "proctor"):
            result["error"] = report.proctor
        return result

    @staticmethod
    def _sections(report):
        result = {}
        for title, text in getattr(report, "sections", []):
            kind = next((k for k in ("stdout", "stderr", "log") if f"Captured {k}" in title), None)
            if kind and text:
                result[kind] = result.get(kind, "") + text
        return {kind: _clean(text, _OUTPUT) for kind, text in result.items()}

    def pytest_collectreport(self, report):
        if report.failed:
            self.channel.send(
                event="collect_error", id=_clean(report.nodeid, _MESSAGE), **self._explanation(report)
            )

    @pytest.hookimpl(optionalhook=True)
    def pytest_warning_recorded(self, warning_message, nodeid):
        if warning_message.category.__name__ != "PytestUnhandledThreadExceptionWarning":
            return
        lines = str(warning_message.message).rstrip().split("\n")
        # Other exceptions may well be what a thread is to end with; an assertion is not.
        errors = [line for line in lines if re.match(r"AssertionError\b|(_pytest\.outcomes\.)?Failed:", line)]
        if not errors:
            return
        places = re.findall(r'File "([^"]+)", line (\d+)', "\n".join(lines))
        root = str(getattr(self.config, "rootpath", None) or self.config.rootdir) + os.sep
        own = [(path, int(line)) for path, line in places if path.startswith(root)]
        self.channel.send(
            event="thread_error",
            id=_clean(nodeid, _MESSAGE),
            text=_clean(errors[-1], _MESSAGE),
            error={"place": own[-1] if own else None, "type": "", "message": "", "frames": []},
        )

    def pytest_internalerror(self, excrepr):
        self.channel.send(event="internal_error", text=_clean(excrepr, _MESSAGE))

    def pytest_keyboard_interrupt(self, excinfo):
        self.channel.send(event="interrupted", text=_clean(excinfo.exconly(), _MESSAGE))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session, exitstatus):
        for nodeid in list(self.plain):
            self.pytest_runtest_logfinish(nodeid, None)
        self.channel.send(event="end", exit=int(exitstatus))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    manager = config.pluginmanager
    manager.register(_Attach(config), "proctor-attach")
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        # All workers collect the same; the first one lists, the controller reports.
        path, nonce, selection = worker.get("proctor") or (None, None, None)
        first = worker.get("workerid") == "gw0" and path is not None
        manager.register(_Lister(_Channel(path, nonce) if first else None, selection), "proctor-lister")
        return
    if _Address.path is None:
        return
    channel = _Channel(_Address.path, _Address.nonce)
    manager.register(_Lister(channel, _Address.selection), "proctor-lister")
    if _Address.ordered:
        manager.register(_Orderer(_Address.selection), "proctor-orderer")
    manager.register(_Reporter(config, channel), "proctor-reporter")
