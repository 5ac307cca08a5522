"""The process that serves a run's page of progress: `python live_server.py HOST PORT TOKEN`.

It reads JSON lines: the page, then one status after another, the last of which is served; at their end it ends too. It tells on its
standard output the port, or why there is none. Those who look at the page must name the token, where that is not empty.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from hmac import compare_digest
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import TextIOWrapper
from math import inf
from threading import Thread
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

_SECONDS = 1.5  # in which a page that is open asks at least once
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, token: str) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.token, self.hosts = token, {host, "localhost", "127.0.0.1", "::1"}
        self.page, self.status, self.asked = "", "{}", -inf
        super().__init__((host, port), _Answer)

    def server_bind(self) -> None:
        """Bind the port; the base class would look up this computer's name, which takes long without a name server."""
        socket.socket.bind(self.socket, self.server_address)
        self.server_address = self.socket.getsockname()


class _Answer(BaseHTTPRequestHandler):
    """An answer to a browser."""

    timeout = 10  # seconds for a request that is begun

    def do_GET(self) -> None:
        """Send the page, or the status."""
        server, address = cast("_Server", self.server), urlsplit(self.path)
        if not self._may_look(server, address.query):
            self.send_error(HTTPStatus.FORBIDDEN)
        elif address.path == "/":
            self._send("text/html", server.page)
        elif address.path == "/status.json":
            server.asked = time.monotonic()
            self._send("application/json", server.status)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _may_look(self, server: _Server, query: str) -> bool:
        """Whether the token is named; without one, only by a name of this computer, which no page from elsewhere can take."""
        if server.token:
            return compare_digest("".join(parse_qs(query).get("token", [])).encode(), server.token.encode())
        return urlsplit(f"//{self.headers.get('Host', '')}").hostname in server.hosts

    def _send(self, kind: str, text: str) -> None:
        content = text.encode()
        self.send_response(HTTPStatus.OK)
        for name, value in {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            "Content-Security-Policy": _POLICY,
            "Referrer-Policy": "no-referrer",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 as in http.server
        """Say nothing of requests."""


def _listen(server: _Server) -> None:
    """Take the page and the statuses; once the run has ended, leave those who look a moment to see it."""
    server.page, status = json.loads(next(sys.stdin)), {"ended": False}
    for line in sys.stdin:
        if not line.endswith("\n"):  # of a run that was killed
            break
        server.status, status = line, json.loads(line)
        if status["ended"]:  # its workers may keep the pipe for a while
            break
    if not status["ended"]:
        server.status = json.dumps({**status, "ended": True, "state": "killed; --resume goes on"})
    if server.asked > time.monotonic() - 2 * _SECONDS:
        time.sleep(_SECONDS)
    server.shutdown()


def main() -> None:
    """Serve until the run has ended."""
    host, port, token = sys.argv[1:]
    cast("TextIOWrapper", sys.stdin).reconfigure(encoding="utf-8")
    try:
        server = _Server(host, int(port), token)
    except OSError as error:
        sys.stdout.write(json.dumps({"error": error.strerror or str(error)}) + "\n")
        return
    sys.stdout.write(json.dumps({"port": server.server_address[1]}) + "\n")
    sys.stdout.flush()
    Thread(target=_listen, args=(server,), daemon=True).start()
    server.serve_forever(0.1)


if __name__ == "__main__":
    main()
