"""ACS3 signatures: the ``Authorization`` header of the current SDKs.

https://help.aliyun.com/en/sdk/product-overview/v3-request-structure-and-signature
"""

from __future__ import annotations

import hashlib
import hmac
import re

from imagesearch.contract.refusals import (
    AccessRefused,
    UnknownSignatureMethod,
    WrongSignature,
)
from imagesearch.contract.request import Pairs, Request
from imagesearch.contract.signature.claim import Claim, iso_time, needed
from imagesearch.contract.signature.encoding import encode, same

__all__ = ["claim_of", "sign", "verify"]

_HASHES = {"ACS3-HMAC-SHA256": "sha256", "ACS3-HMAC-SM3": "sm3"}
_AUTHORIZATION = re.compile(
    r"(ACS3-[A-Z0-9-]+) Credential=([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9A-Fa-f]+)"
)


def claim_of(request: Request) -> Claim:
    """Read what the request claims. Raises an :class:`AccessRefused` leaf for what is missing."""
    _, key_id, _, signature = _authorization(request)
    stated = request.header("x-acs-accesskey-id")
    if stated and stated != key_id:
        raise AccessRefused("x-acs-accesskey-id is not the Credential that signed.")
    date = needed(request.header("x-acs-date"), "x-acs-date")
    return Claim(
        style="v3",
        key_id=key_id,
        signature=signature.lower(),
        time=iso_time(date, "x-acs-date"),
        nonce=needed(request.header("x-acs-signature-nonce"), "x-acs-signature-nonce"),
        token=request.header("x-acs-security-token"),
    )


def verify(request: Request, claim: Claim, secret: str) -> None:
    """Raise :class:`WrongSignature` unless ``secret`` signed exactly this request."""
    method, _, names, _ = _authorization(request)
    signed = names.split(";")
    _check_cover(request, signed)
    payload = _digest(method, request.body)
    if not same(payload, request.header("x-acs-content-sha256").lower()):
        raise WrongSignature("x-acs-content-sha256 is not the digest of the body.")
    if not same(sign(request, method, signed, secret), claim.signature):
        raise WrongSignature(
            "the signature does not match the request; it covers the method, the address, "
            f"the body and the headers {', '.join(signed)}."
        )


def sign(request: Request, method: str, signed: list[str], secret: str) -> str:
    """Return the signature of a request, in hexadecimal."""
    headers = "".join(f"{name}:{request.header(name)}\n" for name in signed)
    canonical = "\n".join(
        (
            request.method,
            request.path,
            _canonical_query(request.query),
            headers,
            ";".join(signed),
            _digest(method, request.body),
        )
    )
    text = f"{method}\n{_digest(method, canonical.encode())}"
    return hmac.new(secret.encode(), text.encode(), _HASHES[method]).hexdigest()


def _authorization(request: Request) -> tuple[str, str, str, str]:
    found = _AUTHORIZATION.fullmatch(request.header("authorization"))
    if not found:
        raise AccessRefused(
            "the Authorization header is not ACS3-… Credential=…,SignedHeaders=…,Signature=….",
            field="Authorization",
        )
    method = found[1]
    if _HASHES.get(method) not in hashlib.algorithms_available:
        raise UnknownSignatureMethod(f"signature method {method!r} is not supported here.")
    return method, found[2], found[3], found[4]


def _check_cover(request: Request, signed: list[str]) -> None:
    """Refuse a signature that leaves out a header by which the request is understood."""
    understood = {name for name in request.headers if name.startswith("x-acs-")} | {"host"}
    if request.body:
        understood.add("content-type")
    if missing := sorted(understood & request.headers.keys() - set(signed)):
        raise AccessRefused(
            f"SignedHeaders leaves out {', '.join(missing)}.", field="Authorization"
        )
    if absent := sorted(set(signed) - request.headers.keys()):
        raise AccessRefused(f"a signed header did not arrive: {', '.join(absent)}.")
    if signed != sorted(set(signed)):
        raise AccessRefused("SignedHeaders are not in order.", field="Authorization")


def _canonical_query(query: Pairs) -> str:
    return "&".join(f"{encode(name)}={encode(value)}" for name, value in sorted(query))


def _digest(method: str, data: bytes) -> str:
    return hashlib.new(_HASHES[method], data).hexdigest()
