"""Every signature that a real SDK made is accepted; any change to what it covers is not."""

import base64
import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imagesearch.contract.refusals import (
    AccessRefused,
    InactiveAccessKey,
    StaleRequest,
    UnknownAccessKey,
    UnknownSignatureMethod,
    UnreadableTime,
    WrongDigest,
    WrongSignature,
    WrongToken,
)
from imagesearch.contract.request import Request
from imagesearch.contract.signature import WINDOW, authenticate
from imagesearch.contract.signature.encoding import encode
from imagesearch.errors import BadRequest

from tests.contract.wire import KEY_ID, SIGNED, VECTORS, Vector, ring

UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
V3, RPC, ROA = (
    "py20201214-4.4.0.SearchImageByPic",
    "py20201214-3.1.1.AddImage",
    "pylegacy-2.0.0.AddImage",
)


def proved(vector: Vector, request: Request | None = None, **key: Any) -> Any:
    return authenticate(request or vector.request(), ring(vector, **key), vector.time)


@pytest.mark.parametrize("vector", SIGNED, ids=lambda v: v.name)
def test_a_real_request_is_accepted(vector: Vector) -> None:
    if "sm3" in vector.name and "sm3" not in hashlib.algorithms_available:
        pytest.skip("this OpenSSL has no SM3")
    claim, key = proved(vector)
    assert (claim.key_id, key.id) == (KEY_ID, KEY_ID)
    assert claim.time == vector.time


@pytest.mark.parametrize("vector", SIGNED, ids=lambda v: v.name)
def test_another_secret_is_refused(vector: Vector) -> None:
    with pytest.raises(WrongSignature):
        proved(vector, secret="fakeSecretKey0123456789abcdeF")


def _covered_headers(vector: Vector) -> list[str]:
    authorization = vector.headers.get("authorization", "")
    if authorization.startswith("ACS3"):
        return authorization.split("SignedHeaders=")[1].split(",")[0].split(";")
    if authorization:
        named = {"accept", "content-md5", "content-type", "date"}
        return [n for n in vector.headers if n.startswith("x-acs-") or n in named]
    return []


def _covers_body(vector: Vector) -> bool:
    roa = vector.headers.get("authorization", "").startswith("acs ")
    return bool(vector.body) and (not roa or "content-md5" in vector.headers)


def _flipped(data: bytes, draw: Any) -> bytes:
    place = draw(st.integers(0, len(data) - 1))
    return data[:place] + bytes([data[place] ^ draw(st.integers(1, 255))]) + data[place + 1 :]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_one_flipped_byte_in_a_signed_part_is_refused(data: Any) -> None:
    vector = data.draw(st.sampled_from([v for v in SIGNED if "sm3" not in v.name]))
    parts = ["target", *_covered_headers(vector), *(["body"] if _covers_body(vector) else [])]
    part = data.draw(st.sampled_from(parts))
    if part == "body":
        changed = replace(vector, body=_flipped(vector.body, data.draw))
    elif part == "target":
        target = _flipped(vector.target.encode(), data.draw).decode("latin-1")
        changed = replace(vector, target=target)
    else:
        value = _flipped(vector.headers[part].encode(), data.draw).decode("latin-1")
        changed = replace(vector, headers={**vector.headers, part: value})
    try:
        before, after = vector.request(), changed.request()
        same_meaning = (
            before.path == after.path
            and sorted(before.query) == sorted(after.query)
            and all(before.header(n) == after.header(n) for n in _covered_headers(vector))
            and (before.body == after.body or sorted(before.form) == sorted(after.form))
        )
    except BadRequest:
        return
    if same_meaning and part != "body":
        return
    if same_meaning and vector.headers.get("authorization") is None:
        return
    with pytest.raises((AccessRefused, BadRequest)):
        authenticate(after, ring(vector), vector.time)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_one_flipped_byte_in_the_signature_is_refused(data: Any) -> None:
    vector = data.draw(st.sampled_from([v for v in SIGNED if v.headers.get("authorization")]))
    authorization = vector.headers["authorization"]
    place = data.draw(
        st.integers(
            authorization.index("acs") if "acs " in authorization else 0, len(authorization) - 1
        )
    )
    byte = data.draw(st.characters(codec="ascii", exclude_categories=["Cc"]))
    changed = authorization[:place] + byte + authorization[place + 1 :]
    if changed.strip().lower() == authorization.lower():
        return
    with pytest.raises(AccessRefused):
        proved(
            vector, replace(vector, headers={**vector.headers, "authorization": changed}).request()
        )


@pytest.mark.parametrize("name", [V3, RPC, ROA])
@pytest.mark.parametrize("offset", [-WINDOW - 1, WINDOW + 1])
def test_outside_the_window_is_refused(name: str, offset: int) -> None:
    vector = VECTORS[name]
    with pytest.raises(StaleRequest, match=r"901 s .*limit is 900 s"):
        authenticate(vector.request(), ring(vector), vector.time + offset)


@pytest.mark.parametrize("name", [V3, RPC, ROA])
@pytest.mark.parametrize("offset", [-WINDOW, WINDOW])
def test_the_edge_of_the_window_is_inside(name: str, offset: int) -> None:
    vector = VECTORS[name]
    authenticate(vector.request(), ring(vector), vector.time + offset)


@pytest.mark.parametrize("name", [V3, RPC, ROA])
def test_unknown_revoked_and_expired_keys_are_refused(name: str) -> None:
    vector = VECTORS[name]
    with pytest.raises(UnknownAccessKey):
        proved(vector, id="LTAIsomebodyElse")
    with pytest.raises(InactiveAccessKey):
        proved(vector, active=False)
    with pytest.raises(InactiveAccessKey):
        proved(vector, expires=int(vector.time))
    proved(vector, expires=int(vector.time) + 1)


def test_a_revoked_key_is_not_told_apart_without_its_secret() -> None:
    with pytest.raises(WrongSignature):
        proved(VECTORS[V3], active=False, secret="guess")


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        (V3, "x-acs-date"),
        (V3, "x-acs-signature-nonce"),
        (V3, "host"),
        (V3, "user-agent"),
        (ROA, "date"),
    ],
)
def test_a_missing_header_is_refused(name: str, missing: str) -> None:
    vector = VECTORS[name]
    headers = {k: v for k, v in vector.headers.items() if k != missing}
    with pytest.raises(AccessRefused) as refused:
        proved(vector, replace(vector, headers=headers).request())
    assert refused.value.code == "IncompleteSignature"


@pytest.mark.parametrize("missing", ["Timestamp", "SignatureNonce", "AccessKeyId"])
def test_a_missing_parameter_is_refused(missing: str) -> None:
    vector = VECTORS[RPC]
    request = vector.request()
    query = tuple(pair for pair in request.query if pair[0] != missing)
    with pytest.raises(AccessRefused, match=missing):
        proved(vector, replace(request, query=query))


def test_a_header_that_matters_must_be_signed() -> None:
    vector = VECTORS[V3]
    with pytest.raises(AccessRefused, match="leaves out x-acs-extra"):
        proved(vector, replace(vector, headers={**vector.headers, "x-acs-extra": "1"}).request())


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text("ab+/=%&~ -_.", max_size=40))
def test_everything_but_unreserved_characters_is_encoded(text: str) -> None:
    wanted = "".join(
        chr(byte) if chr(byte) in UNRESERVED else f"%{byte:02X}" for byte in text.encode()
    )
    assert encode(text) == wanted


def test_unsigned_requests_are_refused() -> None:
    with pytest.raises(AccessRefused, match="not signed"):
        proved(VECTORS[V3], Request("POST", "/", (), {}, b""))


@pytest.mark.parametrize(
    "headers",
    [
        {"x-acs-bearer-token": "t"},
        {"authorization": "Bearer t"},
        {"authorization": "ACS3-RSA-SHA256 Credential=a,SignedHeaders=host,Signature=ab"},
    ],
)
def test_other_ways_to_sign_are_refused_by_name(headers: dict[str, str]) -> None:
    with pytest.raises(UnknownSignatureMethod):
        proved(VECTORS[V3], Request("POST", "/", (), headers, b""))


def test_an_rpc_signature_does_not_cover_a_body_that_is_no_form() -> None:
    request = VECTORS[RPC].request()
    json = replace(request, headers={**request.headers, "content-type": "application/json"})
    with pytest.raises(AccessRefused, match="no form"):
        proved(VECTORS[RPC], json)


def test_a_changed_body_is_told_from_another_mismatch() -> None:
    request = VECTORS[V3].request()
    with pytest.raises(WrongSignature, match="not the digest of the body"):
        proved(VECTORS[V3], replace(request, body=request.body + b"&Num=1"))


def test_content_md5_is_checked() -> None:
    request = VECTORS[ROA].request()
    with pytest.raises(WrongDigest):
        proved(VECTORS[ROA], replace(request, body=request.body + b"&Crop=true"))


def test_a_path_parameter_cannot_be_read_as_two() -> None:
    request = VECTORS[ROA].request()
    split = replace(request, query=(("RegionId", "cn-shanghai&a=b"),))
    with pytest.raises(AccessRefused, match="'&'"):
        proved(VECTORS[ROA], split)


@pytest.mark.parametrize("name", [V3, ROA])
def test_an_unreadable_time_says_which_form_is_wanted(name: str) -> None:
    vector = VECTORS[name]
    headers = {**vector.headers, "date": "yesterday", "x-acs-date": "yesterday"}
    with pytest.raises(UnreadableTime, match="yesterday"):
        proved(vector, replace(vector, headers=headers).request())


def test_a_temporary_key_needs_its_own_token() -> None:
    vector = VECTORS["py20201214-4.4.0.Detail.sts"]
    with pytest.raises(WrongToken) as refused:
        proved(vector, token_digest=hashlib.sha256(b"another").hexdigest())
    assert refused.value.code == "InvalidSecurityToken.MismatchWithAccessKey"
    with pytest.raises(WrongToken):
        proved(vector, token_digest="")
    plain = VECTORS["py20201214-4.4.0.Detail"]
    with pytest.raises(WrongToken) as missing:
        proved(plain, token_digest=hashlib.sha256(b"fakeStsToken").hexdigest())
    assert missing.value.code == "MissingSecurityToken"


def test_rpc_parameters_may_all_come_in_the_form() -> None:
    vector = VECTORS[RPC]
    query = vector.target.partition("?")[2]
    moved = replace(vector, target="/", body=vector.body + b"&" + query.encode())
    claim, _ = authenticate(moved.request(), ring(vector), vector.time)
    assert claim.style == "rpc"


def test_node_writes_an_equals_sign_after_an_empty_path_parameter() -> None:
    from imagesearch.contract.signature import roa

    headers = {"accept": "application/json", "date": VECTORS[ROA].headers["date"]}
    request = Request("POST", "/v2/image/add", (("RegionId", ""),), headers, b"")
    for mark in ("", "="):
        signature = roa.sign(request, "fakeSecretKey0123456789abcdef", mark)
        signed = {**headers, "authorization": f"acs {KEY_ID}:{signature}"}
        authenticate(replace(request, headers=signed), ring(), VECTORS[ROA].time)
    assert base64.b64decode(signature)
