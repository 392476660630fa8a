"""ROA signatures: ``Authorization: acs KEY:SIGNATURE`` of the older path-style SDKs.

https://help.aliyun.com/en/sdk/product-overview/roa-mechanism
"""

from __future__ import annotations

import base64
import hashlib
import re

from imagesearch.contract.refusals import (
    AccessRefused,
    UnknownSignatureMethod,
    WrongDigest,
    WrongSignature,
)
from imagesearch.contract.request import Request
from imagesearch.contract.signature.claim import Claim, http_time, needed
from imagesearch.contract.signature.encoding import hmac_sha1, same

__all__ = ["claim_of", "sign", "verify"]

_AUTHORIZATION = re.compile(r"acs ([^:\s]+):([A-Za-z0-9+/=]+)")


def claim_of(request: Request) -> Claim:
    """Read what the request claims. Raises an :class:`AccessRefused` leaf for what is missing."""
    found = _AUTHORIZATION.fullmatch(request.header("authorization"))
    if not found:
        raise AccessRefused("the Authorization header is not acs KEY:SIGNATURE.")
    method = request.header("x-acs-signature-method") or "HMAC-SHA1"
    if method != "HMAC-SHA1":
        raise UnknownSignatureMethod(f"x-acs-signature-method is {method[:40]!r}.")
    stated = request.header("x-acs-accesskey-id")
    if stated and stated != found[1]:
        raise AccessRefused("x-acs-accesskey-id is not the key that signed.")
    return Claim(
        style="roa",
        key_id=found[1],
        signature=found[2],
        time=http_time(needed(request.header("date"), "Date")),
        nonce=request.header("x-acs-signature-nonce"),
        token=request.header("x-acs-security-token"),
    )


def verify(request: Request, claim: Claim, secret: str) -> None:
    """Raise :class:`WrongSignature` unless ``secret`` signed this request.

    The body is covered only through ``Content-MD5``, which some SDKs leave out.
    """
    for name, value in request.query:
        # Unescaped in the signed text, such a parameter could be read as two.
        if "&" in name + value or "=" in name:
            raise AccessRefused(f"query parameter {name[:40]!r} has a '&' or '=' in it.")
    digest = request.header("content-md5")
    if digest and not same(_md5(request.body), digest):
        raise WrongDigest("Content-MD5 is not the MD5 of the body.")
    if not any(same(sign(request, secret, mark), claim.signature) for mark in ("", "=")):
        raise WrongSignature(
            "the signature does not match; it covers the method, the address, Accept, "
            "Content-MD5, Content-Type, Date and every x-acs- header."
        )


def sign(request: Request, secret: str, mark: str = "") -> str:
    """Return the signature of a request, in Base64.

    ``mark`` follows the name of an empty query parameter: nothing in most SDKs, ``=`` in Node's.
    """
    lines = [
        request.method,
        *(request.header(name) for name in ("accept", "content-md5", "content-type", "date")),
        *(
            f"{name}:{request.header(name)}"
            for name in sorted(request.headers)
            if name.startswith("x-acs-")
        ),
    ]
    query = "&".join(
        f"{name}={value}" if value else name + mark for name, value in sorted(request.query)
    )
    resource = f"{request.path}?{query}" if query else request.path
    return hmac_sha1(secret, "\n".join([*lines, resource]))


def _md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
