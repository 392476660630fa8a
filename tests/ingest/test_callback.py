"""A callback is signed, tried again, and cannot be made to call inside."""

from __future__ import annotations

import hashlib
import hmac
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import msgspec
import pytest
from imagesearch.errors import InvalidCallback
from imagesearch.ingest.callback import check_address, deliver

from tests.ingest.yard import Yard, add


class Listener(HTTPServer):
    """Answers with the statuses it was given, then 204; keeps what was sent."""

    statuses: list[int]
    got: list[tuple[dict[str, str], bytes]]


class Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((dict(self.headers.items()), body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.send_header("location", "http://127.0.0.1:1/")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener(("127.0.0.1", 0), Handler)
    server.statuses, server.got = [], []
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def url(listener: Listener) -> str:
    return f"http://127.0.0.1:{listener.server_port}/done?x=1"


def test_it_is_signed_and_tried_again(listener: Listener) -> None:
    listener.statuses = [500, 302]
    reason = deliver(url(listener), b"{}", key="k", delivery="7", private=True, pauses=(0, 0))
    assert reason == ""
    assert len(listener.got) == 3
    headers, body = listener.got[-1]
    signed = headers["x-imagesearch-timestamp"].encode() + b"." + body
    wanted = hmac.new(b"k", signed, hashlib.sha256).hexdigest()
    assert headers["x-imagesearch-signature"] == f"v1={wanted}"
    assert headers["x-imagesearch-delivery"] == "7"


def test_a_redirection_is_not_followed_and_it_is_given_up(listener: Listener) -> None:
    listener.statuses = [302, 302]
    reason = deliver(url(listener), b"{}", key="k", delivery="7", private=True, pauses=(0,))
    assert reason == "it answered 302"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fd00:ec2::254",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
    ],
)
def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    kind = socket.AF_INET6 if ":" in address else socket.AF_INET
    answers = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443)),
        (kind, socket.SOCK_STREAM, 6, "", (address, 443)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(InvalidCallback):
        check_address("https://harmless.example/")


def test_the_address_that_was_checked_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    """The name means another address when it is asked for the second time."""
    asked: list[str] = []

    def resolve(host: str, port: int, *_: object, **__: object) -> list[object]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    place = f"http://shop.example:{listener.server_port}/"
    connected: list[str] = []
    create = socket.create_connection

    def connect(address: tuple[str, int], *_: object) -> socket.socket:
        connected.append(address[0])
        return create(("127.0.0.1", address[1]))

    monkeypatch.setattr(socket, "create_connection", connect)
    assert deliver(place, b"{}", key="k", delivery="1", private=True, pauses=()) == ""
    assert asked[0] == "shop.example"
    assert connected == ["127.0.0.1"]


@pytest.mark.parametrize(
    "address",
    ["ftp://e.example/", "https://", "https://user@e.example/", "https://e.example/\n", "nonsense"],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(InvalidCallback):
        check_address(address, private=True)


def test_an_ended_task_calls_back_once(listener: Listener, yard: Yard) -> None:
    submitted = yard.submit([add("p")], callback_url=url(listener))
    yard.run()
    yard.sweep()
    [(_, body)] = listener.got
    said = msgspec.json.decode(body)
    assert said["id"] == submitted.task.id
    assert (said["state"], said["counts"]["added"]) == ("done", 1)
