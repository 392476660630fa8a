"""A small HTTP or HTTPS server in front of the contract, or of a whole service."""

from __future__ import annotations

import base64
import http.client
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

Backend = Callable[[dict[str, Any]], dict[str, Any]]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        path, _, query = self.path.partition("?")
        event = {
            "rawPath": path,
            "rawQueryString": query,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "requestContext": {"http": {"method": self.command, "path": path}},
            "body": base64.b64encode(self._body()).decode(),
            "isBase64Encoded": True,
        }
        answer = self.server.backend(event)
        body = answer["body"].encode()
        self.send_response(answer["statusCode"])
        for name, value in answer["headers"].items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, backend: Backend) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.backend = backend

    def handle_error(self, *_: object) -> None:
        """Keep quiet about clients that hang up."""


@contextmanager
def serving(backend: Backend, certificate: Path | None = None) -> Iterator[int]:
    """Serve on a free port, which is yielded; over TLS if there is a certificate with its key."""
    server = _Server(backend)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield int(server.socket.getsockname()[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def forwarding(port: int) -> Backend:
    """Return a backend that passes requests on to a service on this machine, headers and all."""

    def forward(event: dict[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        query = event["rawQueryString"]
        target = event["rawPath"] + (f"?{query}" if query else "")
        body = base64.b64decode(event["body"])
        connection.putrequest(
            event["requestContext"]["http"]["method"],
            target,
            skip_host=True,
            skip_accept_encoding=True,
        )
        for name, value in event["headers"].items():
            if name not in {"transfer-encoding", "content-length", "connection"}:
                connection.putheader(name, value)
        connection.putheader("content-length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        text = answer.read().decode()
        headers = {n: v for n, v in answer.getheaders() if n.lower() == "content-type"}
        connection.close()
        return {"statusCode": answer.status, "headers": headers, "body": text}

    return forward


def make_certificate(folder: Path) -> Path:
    """Make a certificate for this machine that is its own authority; skip without openssl."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("openssl is not installed")
    place = folder / "certificate.pem"
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=127.0.0.1",
            "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
            "-keyout", str(folder / "key.pem"), "-out", str(place),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    place.write_text(place.read_text() + (folder / "key.pem").read_text())
    return place
