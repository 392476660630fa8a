"""What a request claims of itself, before and after its signature was checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from imagesearch.contract.refusals import AccessRefused, UnreadableTime

__all__ = ["Claim", "http_time", "iso_time", "needed"]

Style = Literal["v3", "rpc", "roa"]


@dataclass(frozen=True, slots=True)
class Claim:
    """Who says to have signed what, when. ``time`` is in seconds since 1970.

    ``nonce`` is empty where the SDK sends none (aliyun-python-sdk-core signs path calls so).
    """

    style: Style
    key_id: str
    signature: str
    time: float
    nonce: str
    token: str


def needed(value: str, name: str) -> str:
    """Return the value unless it is empty; else refuse the request as incompletely signed."""
    if not value:
        raise AccessRefused(f"the request is signed, but {name} is missing.", field=name)
    return value


def iso_time(text: str, name: str) -> float:
    """Read ``2026-11-23T04:20:19Z``."""
    return _time(text, "%Y-%m-%dT%H:%M:%SZ", name, "as YYYY-MM-DDThh:mm:ssZ, in UTC")


def http_time(text: str) -> float:
    """Read ``Mon, 23 Nov 2026 04:26:40 GMT``."""
    like = "as an HTTP date: Mon, 23 Nov 2026 04:26:40 GMT"
    return _time(text, "%a, %d %b %Y %H:%M:%S GMT", "Date", like)


def _time(text: str, form: str, name: str, like: str) -> float:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise UnreadableTime(
            f"{name} is {text[:40]!r}.", fix=f"Send it {like}.", field=name
        ) from None
