"""A client of the HTTP API: typed calls, retries where they are safe, errors as exceptions."""

from __future__ import annotations

import base64
import random
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

__all__ = ["DEFAULT_URL", "Client", "Refused", "Retries", "Unreachable"]

DEFAULT_URL = "http://127.0.0.1:3000"
LARGEST_IN_LINE = 4_500_000
"""Longest picture in bytes that fits into one request; a larger one is uploaded first."""

_PASSING = {429, 502, 503, 504}
_LONGEST_PAUSE = 60.0


class Unreachable(Exception):
    """The server does not answer."""


class Refused(Exception):
    """The server answered with a problem."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        """Keep the problem's fields (RFC 9457, with ``code``, ``fix`` and ``request_id``)."""
        self.status = status
        self.problem = {"status": status, **problem}
        self.code = str(problem.get("code") or status)
        self.detail = str(problem.get("detail") or problem.get("title") or "no reason was given")
        self.fix = str(problem.get("fix") or "")
        super().__init__(f"{self.code}: {self.detail}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a request is tried in all, and the seconds that pauses begin and stop at."""

    attempts: int = 6
    first_pause: float = 0.2
    longest_pause: float = 10.0

    def pause(self, failures: int, retry_after: str | None) -> float:
        """Return the seconds to wait after ``failures`` tries.

        The server's Retry-After is the least; on top comes an even draw from an interval that
        doubles (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
        """
        asked = float(retry_after) if retry_after and retry_after.isdigit() else 0.0
        widest = min(self.longest_pause, self.first_pause * 2 ** (failures - 1))
        return min(asked, _LONGEST_PAUSE) + random.uniform(0, widest)


class Client:
    """Calls one server. Methods may be called by several threads at once.

    Every method raises :class:`Refused` for an answer that is a problem and
    :class:`Unreachable` when there is none. All calls are safe to repeat, so time-outs, lost
    connections and passing failures (429, 502, 503, 504) are retried.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: str = "",
        retries: Retries | None = None,
        auth: httpx.Auth | None = None,
        timeout: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Call the server at ``url``; ``transport`` takes the place of the network in tests."""
        self.url = url.rstrip("/")
        self._retries = retries or Retries()
        self._headers = {"x-api-key": api_key} if api_key else {}
        self._auth = auth
        self._http = httpx.Client(
            base_url=self.url,
            timeout=httpx.Timeout(timeout, connect=5.0),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=64),
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
        self._http.close()

    def create_instance(self, name: str, service: str) -> dict[str, Any]:
        """Create an instance, or find the same one."""
        return self._call("PUT", _instance(name), json={"service": service})

    def instances(self) -> list[dict[str, Any]]:
        """Return every instance."""
        return list(self._call("GET", "/v1/instances")["instances"])

    def instance(self, name: str) -> dict[str, Any]:
        """Return one instance with its counts."""
        return self._call("GET", _instance(name))

    def delete_instance(self, name: str) -> dict[str, Any]:
        """Erase an instance and everything in it."""
        return self._call("DELETE", _instance(name), params={"confirm": name})

    def add(self, instance: str, image: bytes, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Add a picture. ``fields`` has product_id, pic_name and any other of the API's fields."""
        return self._call(
            "POST",
            f"{_instance(instance)}/pictures",
            json={**fields, **self._picture(image)},
            headers={"idempotency-key": uuid.uuid4().hex},
        )

    def search(
        self, instance: str, image: bytes | None, fields: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Search by ``image``, or by the product_id and pic_name in ``fields``."""
        picture = {} if image is None else self._picture(image)
        return self._call("POST", f"{_instance(instance)}/search", json={**fields, **picture})

    def picture(self, instance: str, product_id: str, pic_name: str) -> dict[str, Any]:
        """Return the record of one picture."""
        return self._call("GET", _pictures(instance, product_id, pic_name))

    def pictures(self, instance: str, filter: str = "") -> Iterator[dict[str, Any]]:
        """Yield the records of all pictures that ``filter`` selects, by key."""
        params = {"filter": filter} if filter else {}
        while True:
            page = self._call("GET", _pictures(instance), params=params)
            yield from page["pictures"]
            if not page.get("next_cursor"):
                return
            params["cursor"] = page["next_cursor"]

    def delete(self, instance: str, product_id: str, pic_name: str = "") -> dict[str, Any]:
        """Delete one picture, or all of a product."""
        names = (product_id, pic_name) if pic_name else (product_id,)
        return self._call("DELETE", _pictures(instance, *names))

    def delete_selected(self, instance: str, filter: str) -> dict[str, Any]:
        """Delete every picture that ``filter`` selects."""
        return self._call("DELETE", _pictures(instance), params={"filter": filter})

    def ready(self) -> dict[str, Any]:
        """Ask the server whether it can do its work."""
        return self._call("GET", "/health/ready")

    def call(
        self, method: str, instance: str, path: str, json: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Call a route below an instance's address, such as ``/increments``."""
        headers = {"idempotency-key": uuid.uuid4().hex} if method == "POST" else {}
        options = {} if json is None else {"json": json}
        return self._call(method, _instance(instance) + path, headers=headers, **options)

    def _picture(self, image: bytes) -> dict[str, str]:
        """Return the fields that carry a picture: its bytes, or the name of its upload."""
        if len(image) <= LARGEST_IN_LINE:
            return {"image": base64.b64encode(image).decode()}
        kind = {"content_type": "application/octet-stream", "size": len(image)}
        upload = self._call("POST", "/v1/uploads", json=kind)
        answer = self._send(
            upload.get("method", "PUT"),
            upload["url"],
            content=image,
            headers=upload.get("headers") or {},
        )
        if not answer.is_success:
            raise Refused(answer.status_code, {"detail": f"the upload failed: {answer.text[:300]}"})
        return {"upload_id": upload["upload_id"]}

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401
        headers = {**self._headers, **options.pop("headers", {})}
        answer = self._send(method, path, headers=headers, auth=self._auth, **options)
        body = _json(answer)
        if answer.is_success:
            return body
        raise Refused(answer.status_code, body or {"detail": answer.text[:300]})

    def _send(self, method: str, url: str, **options: Any) -> httpx.Response:  # noqa: ANN401
        """Send a request until it is answered for good or the tries are used up."""
        failures = 0
        while True:
            answer, reason = None, ""
            try:
                answer = self._http.request(method, url, **options)
            except httpx.InvalidURL as error:
                raise Unreachable(f"{self.url} is not an address: {error}") from None
            except httpx.TransportError as error:
                reason = str(error) or type(error).__name__
            if answer is not None and not _is_passing(answer):
                return answer
            failures += 1
            if failures >= self._retries.attempts:
                break
            retry_after = answer.headers.get("retry-after") if answer is not None else None
            time.sleep(self._retries.pause(failures, retry_after))
        if answer is not None:
            return answer
        raise Unreachable(f"{self.url} does not answer: {reason}")


def _is_passing(answer: httpx.Response) -> bool:
    """Tell whether a failure may be gone soon; a bare 500 is API Gateway's word for a crash."""
    bare = answer.status_code == 500 and "problem" not in answer.headers.get("content-type", "")
    return answer.status_code in _PASSING or bare


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _instance(name: str) -> str:
    return f"/v1/instances/{quote(name, safe='')}"


def _pictures(instance: str, *names: str) -> str:
    return "/".join([_instance(instance), "pictures", *(quote(name, safe="") for name in names)])
