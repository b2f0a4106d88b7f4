"""A client of `proctor mcp` that looks at every line: each is validated against the models of the protocol's version."""

import json
import os
import queue
import subprocess
import threading
import time

import jsonschema
from mcp_types import methods
from mcp_types.jsonrpc import JSONRPCError, jsonrpc_message_adapter

PREFIX = "io.modelcontextprotocol/"
MODERN = "2026-07-28"
HANDSHAKE = "2025-11-25"


def envelope(elicits=False, version=MODERN, token=None):
    """What a stateless request carries."""
    meta = {
        PREFIX + "protocolVersion": version,
        PREFIX + "clientCapabilities": {"elicitation": {"form": {}}} if elicits else {},
        PREFIX + "clientInfo": {"name": "test", "version": "1"},
    }
    if token is not None:
        meta["progressToken"] = token
    return meta


class Wire:
    """A session, its lines as they are."""

    def __init__(self, workspace, *arguments, version=MODERN, reads=True):
        self.version = version
        self.workspace = workspace
        self.process = subprocess.Popen(
            [os.environ["PROCTOR"], "mcp", str(workspace), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.lines = queue.Queue()
        self.methods = {}
        self.schemas = {}
        self.number = 0
        if reads:
            threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            self.process.wait(60)
        finally:
            self.process.kill()
            self.process.stdout.close()
            self.process.stderr.close()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def send_bytes(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message):
        if "id" in message and "method" in message:
            self.methods[json.dumps(message["id"])] = message["method"]
        self.send_bytes(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def line(self, timeout=90):
        """The next line; None at the end. Raises queue.Empty when none comes."""
        return self.lines.get(timeout=timeout)

    def frame(self, timeout=90):
        """The next message, validated."""
        line = self.line(timeout)
        assert line is not None, "the output ended: " + self.process.stderr.read().decode()
        assert line.endswith(b"\n") and b"\r" not in line, line[-80:]
        message = json.loads(line)
        self.validate(message)
        return message

    def validate(self, message):
        parsed = jsonrpc_message_adapter.validate_python(message)
        if isinstance(parsed, JSONRPCError):
            return
        if "method" in message:
            table = methods.SERVER_REQUESTS if "id" in message else methods.SERVER_NOTIFICATIONS
            table[message["method"], self.version].model_validate(message, by_name=False)
            return
        method = self.methods[json.dumps(message["id"])]
        methods.validate_server_result(method, self.version, message["result"])

    def quiet(self, seconds):
        """Whether nothing is said for so long."""
        try:
            line = self.line(timeout=seconds)
            return line is None
        except queue.Empty:
            return True

    # MARK: requests

    def initialize(self, version=HANDSHAKE, elicits=False):
        self.version = version
        answer = self.request("initialize", {
            "protocolVersion": version,
            "capabilities": {"elicitation": {}} if elicits else {},
            "clientInfo": {"name": "test", "version": "1"},
        }, bare=True)
        self.send({"method": "notifications/initialized"})
        return answer

    def post(self, method, params=None, bare=None, identifier=None, **of_envelope):
        """Sends a request and gives its id."""
        self.number += 1
        identifier = self.number if identifier is None else identifier
        params = dict(params or {})
        if not (self.version != MODERN if bare is None else bare):
            params["_meta"] = {**envelope(**of_envelope), **params.get("_meta", {})}
        elif of_envelope.get("token") is not None:
            params["_meta"] = {"progressToken": of_envelope["token"]}
        self.send({"id": identifier, "method": method, "params": params})
        return identifier

    def response(self, identifier, timeout=120, others=None):
        """The response to a request; what comes before it goes to `others`."""
        end = time.monotonic() + timeout
        while True:
            message = self.frame(max(0.1, end - time.monotonic()))
            if message.get("id") == identifier and "method" not in message:
                return message
            assert others is not None, f"not asked for: {message}"
            others.append(message)

    def request(self, method, params=None, timeout=120, others=None, **more):
        return self.response(self.post(method, params, **more), timeout, others)

    def call(self, tool, timeout=120, others=None, extra=None, **arguments):
        """The result of a tool, its structured content validated against the schema that the tool has."""
        of_envelope = {k: arguments.pop(k) for k in ("elicits", "token") if k in arguments}
        message = self.request(
            "tools/call", {"name": tool, "arguments": arguments, **(extra or {})}, timeout, others,
            **of_envelope)
        assert "result" in message, message
        result = message["result"]
        if result.get("resultType") != "input_required":
            self.conform(tool, result)
        return result

    def conform(self, tool, result):
        if "structuredContent" in result:
            jsonschema.Draft202012Validator(self.schema(tool)).validate(result["structuredContent"])
        else:
            assert result["isError"], result

    def schema(self, tool):
        if not self.schemas:
            listed = self.request("tools/list", {})["result"]["tools"]
            self.schemas = {entry["name"]: entry["outputSchema"] for entry in listed}
        return self.schemas[tool]


def text(result):
    return result["content"][0]["text"]
