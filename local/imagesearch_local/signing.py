"""Requests signed for AWS (SigV4), for a deployment whose callers are IAM principals."""

from __future__ import annotations

from collections.abc import Generator
from urllib.parse import urlsplit

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.session import Session

from imagesearch_local.problems import LocalFailure

__all__ = ["AwsSignature"]


class AwsSignature(httpx.Auth):
    """Signs each request for API Gateway (service ``execute-api``)."""

    requires_request_body = True

    def __init__(self, credentials: Credentials, region: str) -> None:
        """Sign with ``credentials`` for ``region``."""
        self._signer = SigV4Auth(credentials, "execute-api", region)

    @classmethod
    def from_environment(cls, url: str) -> AwsSignature:
        """Take credentials from where the AWS tools do; the region from the address.

        An address looks like ``https://ID.execute-api.REGION.amazonaws.com``.
        """
        credentials = Session().get_credentials()
        if credentials is None:
            raise LocalFailure(
                f"{url} asks for signed requests and there are no AWS credentials; "
                "set AWS_PROFILE, or give --api-key."
            )
        parts = (urlsplit(url).hostname or "").split(".")
        if len(parts) < 5 or parts[1] != "execute-api":
            raise LocalFailure(f"{url} is not the address of an API: ID.execute-api.REGION.….")
        return cls(credentials, parts[2])

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the signature's headers."""
        unsigned = AWSRequest(
            request.method,
            str(request.url),
            data=request.content,
            headers={"content-type": request.headers.get("content-type", "")},
        )
        self._signer.add_auth(unsigned)
        request.headers.update(dict(unsigned.headers.items()))
        yield request
