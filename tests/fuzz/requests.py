"""Requests: the clean API's, the vendor's, their signatures, bodies and forms."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

from imagesearch.contract.dispatch import read_call
from imagesearch.contract.item_body import parse_item_body
from imagesearch.contract.multipart import parse_form
from imagesearch.contract.request import Request as VendorRequest
from imagesearch.contract.signature import Claim, authenticate
from imagesearch.contract.uploads import accept, authorize
from imagesearch.errors import ImageSearchError
from imagesearch.http import Request
from imagesearch.operations import fields
from imagesearch.operations.add import AddPicture
from imagesearch.operations.compare import Compare
from imagesearch.operations.delete import DeleteSelected
from imagesearch.operations.increments import ListIncrements, SubmitIncrement
from imagesearch.operations.instances import CreateInstance
from imagesearch.operations.pictures import ListPictures
from imagesearch.operations.search import Search
from imagesearch.operations.update import UpdatePicture
from imagesearch.operations.uploads import BeginUpload

from tests.contract.wire import KEY_ID, SIGNED, event, ring
from tests.fuzz.harness import Harness, words

__all__ = ["HARNESSES"]

_KINDS = (
    AddPicture,
    Search,
    Compare,
    DeleteSelected,
    ListPictures,
    UpdatePicture,
    SubmitIncrement,
    ListIncrements,
    CreateInstance,
    BeginUpload,
)
_NOW = 1_795_408_000.0


def _refused(error: ImageSearchError) -> None:
    assert 400 <= error.status < 500, f"{error.code} has status {error.status}"
    assert error.detail
    assert len(error.detail) < 2000, "an error that repeats its input"


def _fields(data: bytes) -> None:
    """A JSON body and a query, read as the fields of every operation."""
    query, _, body = data.partition(b"\n")
    given = {
        "routeKey": "POST /v1/instances/{instance}/pictures",
        "rawQueryString": query.decode("latin-1"),
        "headers": {"content-type": "application/json"},
        "pathParameters": {"instance": "shop"},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    try:
        found = Request.from_event(given).fields()
    except ImageSearchError as error:
        _refused(error)
        return
    for kind in _KINDS:
        try:
            fields.read(kind, found)
        except ImageSearchError as error:
            _refused(error)


def _bodies() -> Iterable[bytes]:
    picture = {"product_id": "p", "pic_name": "a.jpg", "image": "AAAA", "region": [0, 9, 0, 9]}
    bodies: list[dict[str, Any]] = [
        {**picture, "crop": False, "category_id": 5, "int_attr": 1, "str_attr": "é"},
        {"image": "AAAA", "num": 3, "start": 2, "filter": "int_attr > 3", "score_threshold": 0.5},
        {"bucket": "b", "path": "/x", "role_arn": "arn:aws:iam::123456789012:role/r"},
        {"service": "product"},
        {"content_type": "image/png", "size": 100},
    ]
    yield from (b"\n" + json.dumps(body).encode() for body in bodies)
    yield b"\n" + b"[" * 3000
    yield b"\n" + b'{"a":' * 700
    yield b"num=3&filter=int_attr%20%3D%201&limit=5\n"
    yield b"product_id=%E6%9D%AF&pic_name=a%2Bb\n{}"


def _written(data: bytes) -> VendorRequest:
    """Read a request written as over the wire: a line, headers, an empty line, a body."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    method, _, target = first.partition(" ")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip(): value.strip() for name, _, value in pairs}
    return VendorRequest.from_event(event(method, target, headers, body))


def _signature(data: bytes) -> None:
    try:
        claim, key = authenticate(_written(data), ring(), _NOW)
    except ImageSearchError as error:
        _refused(error)
    else:
        assert key.id == KEY_ID == claim.key_id


def _call(data: bytes) -> None:
    """What is asked for, had the signature been right."""
    for style in ("v3", "rpc", "roa"):
        claim = Claim(style, KEY_ID, "", _NOW, "", "")  # type: ignore[arg-type]
        try:
            read_call(_written(data), claim)
        except ImageSearchError as error:
            _refused(error)


def _vendor() -> Iterable[bytes]:
    for vector in SIGNED[::4]:
        head = "\n".join(f"{name}: {value}" for name, value in vector.headers.items())
        line = f"{vector.method} {vector.target}\n{head}\n\n".encode("latin-1", "replace")
        yield line + vector.body[:2000]
    yield b"POST /v2/image/add\ncontent-type: application/json\n\n" + b"[" * 3000


def _item_body(data: bytes) -> None:
    try:
        found = parse_item_body(data)
    except ImageSearchError as error:
        _refused(error)
    else:
        assert found


def _items() -> Iterable[bytes]:
    yield b"item_id,0,3#cat_id,3,4#pic_list,4,8^1001YWJj"
    yield "item_id,0,6#cust_content,6,12^货号商品".encode()
    yield "item_id,0,2#cust_content,2,4^货号商品".encode()


def _form(data: bytes) -> None:
    """A form, and whether the policy in it lets its file in."""
    try:
        accept(parse_form("multipart/form-data; boundary=b", data), ring(), _NOW)
    except ImageSearchError as error:
        _refused(error)


def _forms() -> Iterable[bytes]:
    key = ring().find(KEY_ID)
    assert key
    given = authorize(key, "pictures.example.com", _NOW)
    names = {
        "OSSAccessKeyId": "AccessKeyId",
        "policy": "EncodedPolicy",
        "Signature": "Signature",
        "key": "ObjectKey",
    }
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{given[of]}\r\n'
        for name, of in names.items()
    ]
    file = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nxyz\r\n--b--'
    yield ("".join(parts) + file).encode()
    yield file.encode()


HARNESSES = (
    Harness(
        "fields",
        _fields,
        _bodies,
        words(
            r'"image" "region" "filter" "num" "upload_id" "int_attr" "category_id" null NaN '
            r"1e999 -1 9223372036854775808 [] \\ud800"
        ),
    ),
    Harness(
        "signature",
        _signature,
        _vendor,
        words(
            r"ACS3-HMAC-SHA256 SignedHeaders= Credential= Signature= \nauthorization: x-acs-date: "
            r"acs\x20 AccessKeyId= SignatureMethod= Timestamp= %00"
        ),
    ),
    Harness("call", _call, _vendor, words("InstanceName= instanceName= Action= Version=")),
    Harness("item-body", _item_body, _items, words(r"^ # , ,0, item_id \xe6\x9d")),
    Harness("form", _form, _forms, words(r'--b --b-- \r\n\r\n name=" policy key')),
)
