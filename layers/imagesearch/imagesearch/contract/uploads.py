"""The upload leg of the SDKs' Advance methods: a signed form, and one file that it lets in.

The SDK asks AuthorizeFileUpload for a form, posts it to ``https://<Bucket>.<Endpoint>/`` and then
passes ``http://<Bucket>.<Endpoint>/<ObjectKey>`` as the picture. Bucket and endpoint are our own
host name cut at its first dot. The address carries a code that only the key that asked can make,
so an address is ours, or it is nothing; none is ever fetched.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from imagesearch.contract.keys import AccessKey, KeyRing
from imagesearch.contract.multipart import Form
from imagesearch.contract.refusals import ForeignPicture, UploadRefused, UploadSize
from imagesearch.contract.signature.encoding import same
from imagesearch.errors import BadRequest

__all__ = ["LIFETIME", "MAX_PICTURE", "Accepted", "accept", "authorize", "upload_id_of"]

MAX_PICTURE = 4 * 1024 * 1024
"""Longest picture in bytes, the vendor's limit."""

LIFETIME = 15 * 60
"""For how long a form may be posted, in seconds."""

_KEY = re.compile(r"contract/([0-9a-f]{32})-([0-9a-f]{32})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A file that its form lets in."""

    upload_id: str
    object_key: str
    file: bytes


class _Policy(msgspec.Struct, frozen=True):
    """What a form permits. ``expiration`` is an ISO time, ``conditions`` are OSS's."""

    expiration: str
    conditions: list[Any]


def authorize(key: AccessKey, host: str, now: float) -> dict[str, Any]:
    """Return a form for one picture, as AuthorizeFileUpload answers it."""
    bucket, endpoint = _cut(host)
    upload_id = secrets.token_hex(16)
    object_key = f"contract/{upload_id}-{_code(key, upload_id, host)}"
    policy = _Policy(
        datetime.fromtimestamp(now + LIFETIME, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        [["content-length-range", 1, MAX_PICTURE], ["eq", "$key", object_key]],
    )
    encoded = base64.b64encode(msgspec.json.encode(policy)).decode()
    return {
        "AccessKeyId": key.id,
        "Bucket": bucket,
        "EncodedPolicy": encoded,
        "Endpoint": endpoint,
        "ObjectKey": object_key,
        "Signature": _sign(key, encoded),
        "UseAccelerate": False,
    }


def accept(form: Form, keys: KeyRing, now: float) -> Accepted:
    """Return the form's file if its policy lets it in, else raise :class:`UploadRefused`."""
    fields = form.fields
    policy_text, object_key = fields.get("policy", ""), fields.get("key", "")
    key = keys.find(fields.get("OSSAccessKeyId", ""))
    if key is None or not key.usable(now):
        raise UploadRefused("there is no such access key.", code="InvalidAccessKeyId")
    if not same(_sign(key, policy_text), fields.get("Signature", "").strip()):
        raise UploadRefused("the policy's signature is wrong.", code="SignatureDoesNotMatch")
    policy = _policy(policy_text)
    if now > datetime.fromisoformat(policy.expiration).timestamp():
        raise UploadRefused(f"the form expired at {policy.expiration}.")
    _check(policy, object_key, len(form.file))
    found = _KEY.fullmatch(object_key)
    if not found:
        raise UploadRefused("the key is not one that was handed out.")
    return Accepted(found[1], object_key, form.file)


def upload_id_of(url: str, key: AccessKey) -> str:
    """Return the upload that an address of ours leads to; else raise :class:`ForeignPicture`."""
    try:
        parts = urlsplit(url)
        found = _KEY.fullmatch(parts.path.removeprefix("/"))
    except ValueError:
        found = None
    if (
        found
        and not parts.query
        and not parts.fragment
        and hmac.compare_digest(_code(key, found[1], parts.netloc), found[2])
    ):
        return found[1]
    raise ForeignPicture(f"{url[:80]!r} is not an address that this service gave out.")


def _cut(host: str) -> tuple[str, str]:
    bucket, dot, endpoint = host.partition(".")
    if not (bucket and dot and endpoint):
        raise BadRequest(
            f"pictures cannot be uploaded to {host[:80]!r}: its name has no dot.",
            fix="Call the service by a full host name, or by 127.0.0.1.",
        )
    return bucket, endpoint


def _code(key: AccessKey, upload_id: str, host: str) -> str:
    text = f"upload\n{upload_id}\n{host.lower()}"
    return hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]


def _sign(key: AccessKey, policy: str) -> str:
    digest = hmac.new(key.secret.encode(), f"policy\n{policy}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _policy(text: str) -> _Policy:
    try:
        return msgspec.json.decode(base64.b64decode(text), type=_Policy)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise UploadRefused("the policy cannot be read.", code="InvalidPolicyDocument") from None


def _check(policy: _Policy, object_key: str, size: int) -> None:
    for condition in policy.conditions:
        match condition:
            case ["eq", "$key", wanted]:
                if wanted != object_key:
                    raise UploadRefused("the key is not the policy's.")
            case ["content-length-range", least, most]:
                if size < least:
                    raise UploadSize(f"the file has {size} bytes.", code="EntityTooSmall")
                if size > most:
                    raise UploadSize(f"the file has {size:,} bytes; the limit is {most:,}.")
            case _:
                raise UploadRefused("the policy has an unknown condition.")
