"""RPC signatures: the ``Signature`` parameter of the older SDKs.

https://help.aliyun.com/en/sdk/product-overview/rpc-mechanism
"""

from __future__ import annotations

from imagesearch.contract.refusals import AccessRefused, UnknownSignatureMethod, WrongSignature
from imagesearch.contract.request import Pairs, Request
from imagesearch.contract.signature.claim import Claim, iso_time, needed
from imagesearch.contract.signature.encoding import encode, hmac_sha1, same

__all__ = ["claim_of", "sign", "verify"]


def claim_of(request: Request) -> Claim:
    """Read what the request claims. Raises an :class:`AccessRefused` leaf for what is missing."""
    given = dict(_parameters(request))
    method = given.get("SignatureMethod", "HMAC-SHA1")
    if method != "HMAC-SHA1":
        raise UnknownSignatureMethod(f"SignatureMethod is {method[:40]!r}.")
    return Claim(
        style="rpc",
        key_id=needed(given.get("AccessKeyId", ""), "AccessKeyId"),
        signature=needed(given.get("Signature", ""), "Signature"),
        time=iso_time(needed(given.get("Timestamp", ""), "Timestamp"), "Timestamp"),
        nonce=needed(given.get("SignatureNonce", ""), "SignatureNonce"),
        token=given.get("SecurityToken", ""),
    )


def verify(request: Request, claim: Claim, secret: str) -> None:
    """Raise :class:`WrongSignature` unless ``secret`` signed exactly these parameters."""
    if request.body and not request.has_form:
        raise AccessRefused(
            "this signature covers form fields only, but the body is no form.",
            fix="Send the parameters as application/x-www-form-urlencoded.",
        )
    if not same(sign(request, secret), claim.signature):
        raise WrongSignature(
            "the Signature does not match; it covers the method and all query and form parameters."
        )


def sign(request: Request, secret: str) -> str:
    """Return the signature of a request, in Base64."""
    signed = sorted(pair for pair in _parameters(request) if pair[0] != "Signature")
    text = "&".join(f"{encode(name)}={encode(value)}" for name, value in signed)
    return hmac_sha1(f"{secret}&", f"{request.method}&{encode(request.path)}&{encode(text)}")


def _parameters(request: Request) -> Pairs:
    return request.query + request.form
