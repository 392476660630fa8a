"""How calls are made that block: sending, repeating, uploading.

Written by ``python tools/write_client.py``; do not edit by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec

from imagesearch_client import answers
from imagesearch_client._version import __version__
from imagesearch_client.errors import Unreachable
from imagesearch_client.retries import Retries, may_repeat, pause
from imagesearch_client.wire import (
    LARGEST_IN_LINE,
    Image,
    decoded,
    in_line,
    media_type,
    read_image,
    refusal,
)

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["DEFAULT_URL", "Calls"]

DEFAULT_URL = "http://127.0.0.1:3000"
Answer = TypeVar("Answer")


class Calls:
    """Calls the routes of one server; :class:`Client` has a method for each."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: str = "",
        auth: httpx.Auth | None = None,
        retries: Retries | None = None,
        timeout: float = 60.0,
        connections: int = 64,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Call the server at ``url``.

        ``api_key`` is sent as x-api-key; ``auth`` may be an :class:`AwsSignature`. ``timeout`` is
        in seconds, for each try. ``transport`` takes the place of the network.
        """
        self.url = url.rstrip("/")
        self._retries = retries or Retries()
        self._headers = {"x-api-key": api_key} if api_key else {}
        self._auth = auth
        self._http = httpx.Client(
            headers={"user-agent": f"serverless-image-search-client/{__version__}"},
            timeout=httpx.Timeout(timeout, connect=5.0),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            transport=transport,
        )

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def upload(self, image: bytes) -> str:
        """Send a picture of up to 20 MB ahead; return the upload_id that stands in for it."""
        wanted = {"content_type": media_type(image), "size": len(image)}
        upload = self.call("POST", "/v1/uploads", answers.Upload, json=wanted)
        # The address is signed already; the key is none of the bucket's business.
        request = self._http.build_request(
            upload.method, upload.url, headers=upload.headers, content=image
        )
        answer = self._send(request, auth=None)
        if not answer.is_success:
            raise refusal(answer)
        return upload.upload_id

    def call(
        self,
        method: str,
        path: str,
        kind: type[Answer],
        *,
        query: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        harmless: bool = True,
        seen: list[httpx.Response | None] | None = None,
    ) -> Answer:
        """Call any route; the methods above are made of this.

        ``query`` loses its empty values. ``harmless`` says that doing it twice is the same as
        once. ``seen`` gets the answer of each try, or ``None``.
        """
        given = {name: value for name, value in (query or {}).items() if value}
        address = self.url + path + ("?" + urlencode(given, quote_via=quote) if given else "")
        sent = {**self._headers, **(headers or {})}
        content = None if json is None else msgspec.json.encode(json)
        if content is not None:
            sent["content-type"] = "application/json"
        try:
            request = self._http.build_request(method, address, headers=sent, content=content)
        except httpx.InvalidURL as error:
            raise Unreachable(f"{self.url} is not an address: {error}.") from None
        answer = self._send(request, auth=self._auth, harmless=harmless, seen=seen)
        return decoded(answer, kind)

    def _picture(self, image: Image) -> dict[str, str]:
        """Return the field that carries a picture: its bytes, or the name of its upload."""
        content = read_image(image)
        if len(content) <= LARGEST_IN_LINE:
            return {"image": in_line(content)}
        return {"upload_id": self.upload(content)}

    def _send(
        self,
        request: httpx.Request,
        *,
        auth: httpx.Auth | None,
        harmless: bool = True,
        seen: list[httpx.Response | None] | None = None,
    ) -> httpx.Response:
        """Send a request until it is answered for good or the tries are used up."""
        failures = 0
        while True:
            answer: httpx.Response | None = None
            outcome: httpx.Response | httpx.TransportError
            try:
                outcome = answer = self._http.send(request, auth=auth)
            except httpx.TransportError as error:
                outcome = error
            if seen is not None:
                seen.append(answer)
            failures += 1
            if failures >= self._retries.attempts or not may_repeat(outcome, harmless=harmless):
                break
            pause(self._retries.seconds(failures, answer))
        if answer is not None:
            return answer
        reason = str(outcome) or type(outcome).__name__
        raise Unreachable(f"{self.url} does not answer: {reason}.")
