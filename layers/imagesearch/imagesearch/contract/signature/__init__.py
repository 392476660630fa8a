"""Who signed a request: every way of signing that the vendor's SDKs have."""

from __future__ import annotations

from typing import Protocol

from imagesearch.contract.keys import AccessKey, KeyRing
from imagesearch.contract.refusals import (
    AccessRefused,
    InactiveAccessKey,
    StaleRequest,
    UnknownAccessKey,
    UnknownSignatureMethod,
    WrongToken,
)
from imagesearch.contract.request import Request
from imagesearch.contract.signature import roa, rpc, v3
from imagesearch.contract.signature.claim import Claim

__all__ = ["WINDOW", "Claim", "authenticate"]

WINDOW = 15 * 60
"""How far a request's time may be from ours, in seconds, either way."""


class _Scheme(Protocol):
    """One way of signing."""

    def claim_of(self, request: Request) -> Claim:
        """Read what the request claims."""
        ...

    def verify(self, request: Request, claim: Claim, secret: str) -> None:
        """Raise unless ``secret`` signed the request."""
        ...


def authenticate(request: Request, keys: KeyRing, now: float) -> tuple[Claim, AccessKey]:
    """Return the request's claim, which is then proved, and the key that proved it.

    Raises an :class:`AccessRefused` leaf. Whether the request was seen before is not checked
    here; see :class:`~imagesearch.contract.nonces.Nonces`.
    """
    scheme = _scheme(request)
    claim = scheme.claim_of(request)
    if abs(now - claim.time) > WINDOW:
        raise StaleRequest(
            f"the request was signed {abs(now - claim.time):.0f} s "
            f"{'ago' if claim.time < now else 'in the future'}; the limit is {WINDOW} s."
        )
    key = keys.find(claim.key_id)
    if key is None:
        raise UnknownAccessKey(f"there is no access key {claim.key_id[:80]!r}.")
    scheme.verify(request, claim, key.secret)
    if not key.usable(now):
        raise InactiveAccessKey(f"access key {key.id!r} has expired or was revoked.")
    _check_token(key, claim.token)
    return claim, key


def _scheme(request: Request) -> _Scheme:
    authorization = request.header("authorization")
    names = {name for name, _ in request.query}
    bearer = "x-acs-bearer-token" in request.headers or "BearerToken" in names
    if bearer or authorization.lower().startswith("bearer "):
        raise UnknownSignatureMethod("bearer tokens are not supported.")
    if authorization.startswith("ACS3-"):
        return v3
    if authorization.startswith("acs "):
        return roa
    if names & {"Signature", "AccessKeyId"} or (
        request.has_form and any(name == "Signature" for name, _ in request.form)
    ):
        return rpc
    raise AccessRefused("the request is not signed.")


def _check_token(key: AccessKey, token: str) -> None:
    if key.token_digest and not token:
        raise WrongToken(
            f"access key {key.id!r} is temporary and was sent without its security token.",
            code="MissingSecurityToken",
        )
    if not key.accepts_token(token):
        raise WrongToken(f"the security token was not issued with access key {key.id!r}.")
