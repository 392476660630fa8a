"""Requests signed for AWS (Signature Version 4), for deployments whose callers are IAM principals.

As "Create a signed AWS API request" of the IAM User Guide has it; the tests hold it against
botocore's signer.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from imagesearch_client.errors import ImageSearchError

__all__ = ["AwsSignature", "Credentials", "NoCredentials", "aws_credentials", "sign"]

_ADDRESS = re.compile(r"[^.]+\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?")


class NoCredentials(ImageSearchError):
    """There are no AWS credentials to sign with, or no region to sign for."""


@dataclass(frozen=True)
class Credentials:
    """An access key of AWS; ``token`` goes with temporary ones."""

    access_key: str
    secret_key: str
    token: str = ""


class AwsSignature(httpx.Auth):
    """Signs each request, each try anew, for API Gateway (service ``execute-api``).

    ``credentials`` may be a function that returns current ones; it is called for each request.
    """

    requires_request_body = True

    def __init__(self, credentials: Credentials | Callable[[], Credentials], region: str) -> None:
        """Sign with ``credentials`` for ``region``."""
        self._credentials = credentials
        self._region = region

    @classmethod
    def of_address(cls, url: str, region: str = "") -> AwsSignature:
        """Sign with the credentials of the environment, for the region in the address.

        An address looks like ``https://ID.execute-api.REGION.amazonaws.com``; for a domain of
        your own give ``region``, or set AWS_REGION.
        """
        found = _ADDRESS.fullmatch(httpx.URL(url).host)
        region = region or (found[1] if found else os.environ.get("AWS_REGION", ""))
        if not region:
            raise NoCredentials(f"the region of {url} is not known; set AWS_REGION.")
        return cls(aws_credentials(), region)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the signature's headers."""
        given = self._credentials
        headers = sign(
            request.method,
            request.url,
            request.content,
            content_type=request.headers.get("content-type", ""),
            credentials=given() if callable(given) else given,
            region=self._region,
            now=time.time(),
        )
        request.headers.update(headers)
        yield request


def aws_credentials() -> Credentials | Callable[[], Credentials]:
    """Return the credentials of the environment's variables, else those botocore finds.

    botocore, if it is installed, knows profiles, sign-on, roles and containers, and renews what
    expires.
    """
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if key and secret:
        return Credentials(key, secret, os.environ.get("AWS_SESSION_TOKEN", ""))
    try:
        from botocore.session import Session
    except ImportError:
        raise NoCredentials(
            "there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; "
            "for profiles and roles: pip install 'serverless-image-search-client[aws]'."
        ) from None
    held = Session().get_credentials()
    if held is None:
        raise NoCredentials("there are no AWS credentials; set AWS_PROFILE, or give an API key.")

    def current() -> Credentials:
        frozen = held.get_frozen_credentials()
        key, secret = frozen.access_key or "", frozen.secret_key or ""
        return Credentials(key, secret, frozen.token or "")

    return current


def sign(
    method: str,
    url: httpx.URL,
    body: bytes,
    *,
    content_type: str,
    credentials: Credentials,
    region: str,
    now: float,
) -> dict[str, str]:
    """Return the headers that prove who sends a request; ``now`` is in seconds since 1970."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    scope = f"{stamp[:8]}/{region}/execute-api/aws4_request"
    signed = {"host": url.netloc.decode(), "x-amz-date": stamp}
    signed |= {"content-type": content_type} if content_type else {}
    signed |= {"x-amz-security-token": credentials.token} if credentials.token else {}
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, _canonical(method, url, body, signed)))
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    proof = hmac.digest(key, text.encode(), "sha256").hex()
    added = {name: value for name, value in signed.items() if name.startswith("x-amz-")}
    added["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={';'.join(sorted(signed))}, Signature={proof}"
    )
    return added


def _canonical(method: str, url: httpx.URL, body: bytes, headers: Mapping[str, str]) -> str:
    """Return the digest of the request's canonical form."""
    path, _, query = url.raw_path.decode().partition("?")
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    pairs = sorted(pair.partition("=")[::2] for pair in query.split("&") if pair)
    parts = (
        method.upper(),
        quote(path or "/", safe="/~"),  # escapes are escaped again, as every service but S3 wants
        "&".join(f"{name}={value}" for name, value in pairs),
        lines,
        ";".join(sorted(headers)),
        hashlib.sha256(body).hexdigest(),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
