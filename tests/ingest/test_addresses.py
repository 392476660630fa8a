"""Every place that takes an address, a bucket or a role: none leads to where it should not."""

from __future__ import annotations

import importlib
import pkgutil
import re
import socket
from typing import Any

import imagesearch.operations
import msgspec
import pytest
from imagesearch.errors import (
    ImageSearchError,
    InvalidBucketName,
    InvalidCallback,
    InvalidRoleArn,
    PathReserved,
)
from imagesearch.ingest.callback import check_address
from imagesearch.ingest.preflight import Wanted, faults
from imagesearch.ingest.roles import session_policy
from imagesearch.operations.fields import OperationFields

from tests.contract.caller import World

INSIDE = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001",
    "0", "0.0.0.0", "localhost", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1",
    "169.254.169.254", "2852039166", "0xa9fea9fe", "169.254.170.2", "198.18.0.1", "224.0.0.1",
    "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]",
    "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fd00:ec2::254]", "[fe80::1]", "[ff02::1]",
]  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
def test_no_way_of_writing_an_address_inside_is_called(host: str) -> None:
    with pytest.raises(InvalidCallback):
        check_address(f"https://{host}/done")


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.215.14/", "ftp://93.184.215.14/", "file:///etc/passwd", "gopher://x/",
        "//93.184.215.14/", "https:/93.184.215.14", "https:93.184.215.14", "https://", "https:///x",
        "https://user@93.184.215.14/", "https://user:pw@93.184.215.14/",
        "https://93.184.215.14@127.0.0.1/", "https://@93.184.215.14/",
        "https://93.184.215.14\\@127.0.0.1/", "https://127.0.0.1#@93.184.215.14/",
        "https://127.0.0.1?@93.184.215.14/", "https://93.184.215.14 .evil.example/",
        "https://93.184.215.14/\r\nhost: inside", "https://93.184.215.14\t/", "https://ⓛocalhost/",
        "https://93.184.215.14:22/", "https://93.184.215.14:25/", "https://93.184.215.14:0/",
        "https://93.184.215.14:99999/", "https://93.184.215.14:x/", "https://[::1/",
        "https://93.184.215.14/" + "x" * 2000,
    ],
)  # fmt: skip
def test_tricks_of_spelling_are_refused(url: str) -> None:
    with pytest.raises(InvalidCallback):
        check_address(url)


@pytest.mark.parametrize(
    ("url", "port"),
    [("https://93.184.215.14/x?y=1", 443), ("https://93.184.215.14:8443/", 8443)],
)
def test_an_address_on_the_internet_is_taken_as_it_is(url: str, port: int) -> None:
    found = check_address(url)
    assert (found.addresses, found.port, found.tls) == (("93.184.215.14",), port, True)


@pytest.mark.parametrize(
    "bucket",
    [
        "", "a", "A-bucket", "a" * 64, "s3://goods", "goods/../own", "goods?x", "goods#x",
        "169.254.169.254/latest", "user@169.254.169.254", "goods.evil.example:80", "[::1]",
        "goods\\own", "goods%2e", "goods\r\nhost: x", "..", "a..b", "bücket", "arn:aws:s3:::goods",
    ],
)  # fmt: skip
def test_a_bucket_is_a_name_and_nothing_that_changes_the_host(bucket: str) -> None:
    wanted = Wanted(bucket=bucket, path="/x")
    [fault] = faults(wanted, own_bucket="own", private=False)
    assert isinstance(fault, InvalidBucketName)


@pytest.mark.parametrize(
    "path", ["/", "/index", "/instances/shop", "/imports/..", "/imports/../index", "/uploads",
             "/imports-not", "/tasks/trust", "/dumps", "/inbox/shop"],
)  # fmt: skip
def test_of_our_own_bucket_only_imports_can_be_read(path: str) -> None:
    found = list(faults(Wanted(bucket="own", path=path), own_bucket="own", private=False))
    inside = path.startswith("/imports/")  # S3 knows no "..": that is a folder of this name
    assert ([type(fault) for fault in found] == [PathReserved]) is not inside


@pytest.mark.parametrize(
    "role",
    [
        "me", "arn:aws:iam::1:role/x", "arn:aws:iam::123456789012:user/x",
        "arn:aws:iam::123456789012:root", "arn:aws:sts::123456789012:assumed-role/x/y",
        "arn:aws:iam::123456789012:role/", "arn:aws:iam::123456789012:role/x\n",
        "arn:aws:iam::１２３４５６７８９０１２:role/x", "arn:evil:iam::123456789012:role/x",
        "arn:aws:iam::123456789012:role/" + "x" * 600, 'arn:aws:iam::123456789012:role/"*"',
    ],
)  # fmt: skip
def test_a_role_is_a_roles_arn(role: str) -> None:
    wanted = Wanted(bucket="goods", path="/x", role_arn=role)
    assert [type(f) for f in faults(wanted, own_bucket="own", private=False)] == [InvalidRoleArn]


def test_a_session_cannot_be_widened_by_a_folders_name() -> None:
    role = "arn:aws:iam::123456789012:role/x"
    policy = msgspec.json.decode(session_policy(role, "goods", 'x","Resource":"*', whole=False))
    listing, reading, _ = policy["Statement"]
    assert listing["Resource"] == "arn:aws:s3:::goods"
    assert reading["Resource"] == 'arn:aws:s3:::goods/x","Resource":"**'


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Notes whoever asks for a name or a connection, and gives none."""
    asked: list[Any] = []

    def refuse(*given: Any, **_: Any) -> None:
        asked.append(given)
        raise OSError("no network")

    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return asked


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::1]", "evil.example"])
@pytest.mark.parametrize("action", ["SearchImageByPic", "AddImage"])
def test_a_pictures_address_is_never_fetched(
    tmp_path: Any, no_network: list[Any], host: str, action: str
) -> None:
    world = World(tmp_path)
    names = {"InstanceName": "shop", "ProductId": "p", "PicName": "a"}
    for url in (f"http://{host}/a.jpg", f"HTTPS://{host}:6379/", f"http://x@{host}/latest/"):
        answer = world.call(action, {**names, "PicContent": url})
        assert (answer.status, answer.code) == (400, "InvalidPicUrl")
    assert no_network == []


def test_no_other_request_takes_an_address() -> None:
    """A new field that names a place must be added here, with tests of its own above."""
    for module in pkgutil.iter_modules(imagesearch.operations.__path__):
        importlib.import_module(f"imagesearch.operations.{module.name}")
    suspicious = re.compile("url|uri|host|arn|bucket|endpoint|address|link|server")
    found = {
        f"{kind.__name__}.{name}"
        for kind in _kinds(OperationFields)
        for name in kind.__struct_fields__
        if suspicious.search(name)
    }
    submit = "SubmitIncrement."
    assert found == {
        "PageIncrements.bucket",  # selects tasks by the bucket they were submitted with
        submit + "bucket",
        submit + "bucket_owner",
        submit + "callback_url",
        submit + "role_arn",
    }


def _kinds(kind: type[msgspec.Struct]) -> set[type[msgspec.Struct]]:
    return {kind}.union(*(_kinds(below) for below in kind.__subclasses__()))


def test_the_refusals_are_of_the_callers_making() -> None:
    for kind in (InvalidBucketName, InvalidCallback, InvalidRoleArn, PathReserved):
        assert issubclass(kind, ImageSearchError)
        assert kind.status == 400
