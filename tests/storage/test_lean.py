"""Reading without boto3: the same signatures, credentials that run out, answers that break off."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imagesearch.errors import NoSuchObject, StorageError, StorageUnavailable
from imagesearch.storage import lean
from imagesearch.storage.lean import LeanS3ObjectStore
from imagesearch.storage.signing import Credentials, Keys, sign

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF), min_size=1, max_size=20)


@settings(max_examples=50, deadline=None)
@given(key=TEXT, after=TEXT, token=st.sampled_from(["", "session"]), body=st.binary(max_size=9))
def test_signatures_are_those_that_botocore_makes(
    key: str, after: str, token: str, body: bytes
) -> None:
    keys = Keys("AKIDEXAMPLE", "secret", token)
    query = {"list-type": "2", "start-after": after}
    now = time.time()
    target, headers = sign(
        "GET",
        "b.s3.eu-west-1.amazonaws.com",
        f"/{key}",
        query,
        keys=keys,
        region="eu-west-1",
        now=now,
        body=body,
    )
    assert headers["x-amz-content-sha256"] == hashlib.sha256(body).hexdigest()
    request = AWSRequest("GET", f"https://b.s3.eu-west-1.amazonaws.com{target}")
    request.context["timestamp"] = headers["x-amz-date"]
    request.headers["X-Amz-Date"] = headers["x-amz-date"]
    request.headers["X-Amz-Content-SHA256"] = headers["x-amz-content-sha256"]
    if token:
        request.headers["X-Amz-Security-Token"] = token
    auth = S3SigV4Auth(BotoCredentials(keys.id, keys.secret, token or None), "s3", "eu-west-1")
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    assert headers["authorization"].endswith(f"Signature={signature}")


class _Server(ThreadingHTTPServer):
    """Answers each request with the next of a list: (status, headers, body, what is sent of it)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, dict[str, str], bytes, int]] = []
        self.asked: list[str] = []
        self.put: list[bytes] = []


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, headers, body, sent = self.server.answers.pop(0)
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:sent])
        self.close_connection = sent < len(body) or status == 503

    def do_PUT(self) -> None:
        self.server.put.append(self.rfile.read(int(self.headers["content-length"] or 0)))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def store(server: _Server, monkeypatch: pytest.MonkeyPatch) -> LeanS3ObjectStore:
    monkeypatch.setattr(lean, "_PAUSE", 0.001)
    given_keys = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}
    return LeanS3ObjectStore(
        "bucket",
        endpoint=f"http://127.0.0.1:{server.server_port}",
        region="us-east-1",
        credentials=Credentials(given_keys),
    )


OK = (200, {"etag": '"e"'}, b"body", 4)
BROKEN = (200, {"etag": '"e"'}, b"body", 2)
BUSY = (503, {}, b"<Error><Code>SlowDown</Code></Error>", 99)


@pytest.mark.parametrize("trouble", [BROKEN, BUSY])
def test_what_passes_is_tried_again(
    server: _Server, store: LeanS3ObjectStore, trouble: tuple[int, dict[str, str], bytes, int]
) -> None:
    server.answers = [trouble, trouble, OK]
    assert store.get("key").body == b"body"


def test_what_stays_is_given_up(server: _Server, store: LeanS3ObjectStore) -> None:
    server.answers = [BUSY] * 4
    with pytest.raises(StorageUnavailable, match="SlowDown"):
        store.get("key")


def test_a_refusal_is_not_tried_again_and_not_taken_for_absence(
    server: _Server, store: LeanS3ObjectStore
) -> None:
    server.answers = [
        (403, {}, b"<Error><Code>AccessDenied</Code></Error>", 99),
        (404, {}, b"<Error><Code>NoSuchBucket</Code></Error>", 99),
    ]
    for code in ("AccessDenied", "NoSuchBucket"):
        with pytest.raises(StorageError, match=code) as raised:
            store.get("key")
        assert not isinstance(raised.value, NoSuchObject)


def test_a_connection_is_used_again_and_replaced_when_it_was_closed(
    server: _Server, store: LeanS3ObjectStore
) -> None:
    server.answers = [OK, OK, OK]
    store.get("a")
    (line,) = store._idle
    store.get("b")
    assert store._idle == [line]
    assert line.sock
    line.sock.close()  # as after a snapshot: ours, but dead
    assert store.get("c").body == b"body"


def test_keys_of_a_snapshot_are_asked_for_and_renewed(server: _Server) -> None:
    def issued(number: int, seconds: int) -> tuple[int, dict[str, str], bytes, int]:
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
        body = {"AccessKeyId": f"id{number}", "SecretAccessKey": "s", "Token": "t"}
        sent = json.dumps({**body, "Expiration": until}).encode()
        return 200, {}, sent, len(sent)

    server.answers = [issued(1, 60), issued(2, 3600)]
    found = Credentials(
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{server.server_port}/keys"}
    )
    assert found.known
    assert [found.current().id for _ in range(3)] == ["id1", "id2", "id2"]


def test_a_few_bytes_are_written_without_boto3(server: _Server, store: LeanS3ObjectStore) -> None:
    server.answers = [BUSY, (200, {"etag": '"1"'}, b"", 0), (200, {"etag": '"2"'}, b"", 0)]
    assert store.put("queries/1", b"row") == '"1"'
    assert store.put("PULSE", b"") == '"2"'
    assert server.put == [b"row", b"row", b""]
    assert "_s3" not in store.__dict__
    server.answers = [(403, {}, b"<Error><Code>AccessDenied</Code></Error>", 99)]
    with pytest.raises(StorageError, match="AccessDenied"):
        store.put("queries/1", b"row")


def test_nothing_of_boto3_is_imported_for_reading() -> None:
    program = (
        "import sys; from imagesearch.storage.lean import LeanS3ObjectStore as S;"
        "from imagesearch.storage.signing import Credentials as C;"
        "S('b', endpoint=None, region='us-east-1', credentials=C({}));"
        "sys.exit(any(name.startswith('boto') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def _listing(keys: list[str], order: list[str], token: str = "") -> bytes:
    """Write a page of a listing as servers do: fields in any order, and others among them."""
    page = ET.Element("ListBucketResult", xmlns="http://s3.amazonaws.com/doc/2006-03-01/")
    ET.SubElement(page, "Prefix").text = "logs/"
    ET.SubElement(page, "KeyCount").text = str(len(keys))
    for number, key in enumerate(keys):
        item = ET.SubElement(page, "Contents")
        fields = {
            "Key": key,
            "LastModified": f"2026-11-23T10:13:02.{number:03}Z",
            "ETag": f'"{number:032x}"',
            "Size": str(number),
            "Owner": "",
            "StorageClass": "STANDARD",
        }
        for name in order:
            ET.SubElement(item, name).text = fields[name]
        if "Owner" in order:
            ET.SubElement(item[order.index("Owner")], "ID").text = "Key"
    if token:
        ET.SubElement(page, "NextContinuationToken").text = token
    return ET.tostring(page, encoding="utf-8", xml_declaration=True)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    keys=st.lists(TEXT, max_size=5),
    order=st.permutations(["Key", "LastModified", "ETag", "Size", "Owner", "StorageClass"]),
    token=TEXT,
)
def test_listings_are_read_page_by_page(
    server: _Server, store: LeanS3ObjectStore, keys: list[str], order: list[str], token: str
) -> None:
    pages = [_listing(keys, order, token), _listing(keys, order[::-1])]
    server.answers = [(200, {}, page, len(page)) for page in pages]
    server.asked.clear()
    found = list(store.list("logs/", after="logs/a"))
    assert [info.key for info in found] == keys * 2
    assert [info.size for info in found] == [*range(len(keys))] * 2
    assert {info.etag for info in found} == {f'"{number:032x}"' for number in range(len(keys))}
    assert {info.modified % 1_000_000 for info in found} == {n * 1000 for n in range(len(keys))}
    assert parse_qs(urlsplit(server.asked[1]).query)["continuation-token"] == [token]


@pytest.mark.parametrize(
    "page",
    [
        _listing(["a", "b"], ["Key", "Size", "ETag"]),
        _listing(["a", "b"], ["Key", "Size", "ETag", "LastModified"])[:-10],
        b"<html>Sign in to this network</html>",
        b"\xff" * 20,
        b"",
    ],
)
def test_a_listing_that_is_something_else_is_refused(
    server: _Server, store: LeanS3ObjectStore, page: bytes
) -> None:
    server.answers = [(200, {}, page, len(page))]
    with pytest.raises(StorageError, match="listing"):
        list(store.list("logs/"))


def test_what_was_listed_before_is_told_as_it_is_now(
    server: _Server, store: LeanS3ObjectStore
) -> None:
    every = ["Key", "Size", "ETag", "LastModified"]
    first, then = _listing(["a", "b"], every), _listing(["b", "a", "c"], every)
    server.answers = [(200, {}, page, len(page)) for page in (first, first, then)]
    for expected in ("ab", "ab", "bac"):
        found = list(store.list("logs/"))
        assert [(info.key, info.size) for info in found] == [*zip(expected, range(3), strict=False)]
