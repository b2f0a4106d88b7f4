"""A running `proctor serve`, for tests of what it answers."""

import collections
import http.client
import json
import os
import re
import subprocess
import threading

TOKEN = "a-token-of-the-tests"
CONFIRMS = "a-confirmation-token"

Answer = collections.namedtuple("Answer", "status headers body")


class Service:
    """A running `proctor serve`."""

    def __init__(self, *arguments, token=None, program=None):
        environment = {**os.environ, "PROCTOR_CONFIRMATION_TOKEN": CONFIRMS}
        if token:
            environment["PROCTOR_TOKEN"] = token
        self.token = token
        self.process = subprocess.Popen(
            [*(program or [os.environ["PROCTOR"]]), "serve", "--port", "0", *map(str, arguments)],
            stderr=subprocess.PIPE, env=environment)
        self.log = []
        first = self.process.stderr.readline().decode()
        found = re.search(r"http://(.*):(\d+)", first)
        if not found:
            raise AssertionError(first + self.process.stderr.read().decode())
        self.host, self.port = found[1], int(found[2])
        self.url = f"http://{self.host}:{self.port}"
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.log.append(line.decode())

    def stop(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()
            self.reader.join(5)
            self.process.stderr.close()

    def connect(self, timeout=60):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None, raw=None):
        """One request on a connection of its own."""
        headers = dict(headers or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            raw = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = self.connect()
        try:
            connection.request(method, path, raw, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def confirm(self, token, allow):
        return self.request(
            "POST", f"/confirmations/{token}", {"allow": allow},
            {"Authorization": f"Bearer {CONFIRMS}"})
