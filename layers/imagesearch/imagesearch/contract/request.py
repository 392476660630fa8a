"""One request as it came over the wire, with nothing lost that a signature covers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from imagesearch.errors import BadRequest, BodyTooLarge
from imagesearch.http import MAX_BODY
from imagesearch.strictjson import decode_object

__all__ = ["Pairs", "Request", "form_pairs"]

Pairs = tuple[tuple[str, str], ...]
"""Names and values in the order they were sent, decoded; a name may stand there twice."""

_MAX_PAIRS = 200


@dataclass(frozen=True)  # without slots, because a form of megabytes is read only once
class Request:
    """An HTTP request. Header names are lower-case, the query is decoded, the body is not."""

    method: str
    path: str
    query: Pairs
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Request:
        """Read an API Gateway HTTP API event (payload format 2.0)."""
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        return cls(
            method=event["requestContext"]["http"]["method"].upper(),
            path=event.get("rawPath") or "/",
            query=form_pairs(event.get("rawQueryString") or "", "query"),
            headers=headers,
            body=_body(event),
        )

    def header(self, name: str) -> str:
        """Return a header's value without blanks around it; empty if it was not sent."""
        return self.headers.get(name, "").strip()

    @property
    def content_type(self) -> str:
        """Return the media type in lower case, without parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def has_form(self) -> bool:
        """Tell whether the body is an urlencoded form."""
        return bool(self.body) and self.content_type == "application/x-www-form-urlencoded"

    @cached_property
    def form(self) -> Pairs:
        """Return the body's form fields; none if the body is not a form."""
        if not self.has_form:
            return ()
        try:
            text = self.body.decode("ascii")
        except UnicodeDecodeError:
            raise BadRequest(
                "the form has bytes outside ASCII.", fix="Percent-encode the form's values."
            ) from None
        return form_pairs(text, "form")

    @cached_property
    def json(self) -> Pairs:
        """Return the fields of a JSON body, as the text that a form would have; else none."""
        if not self.body or self.content_type != "application/json":
            return ()
        found = decode_object(self.body)
        return tuple(
            (name, _text(name, value)) for name, value in found.items() if value is not None
        )


def form_pairs(text: str, place: str) -> Pairs:
    """Decode an urlencoded query or form. Raises :class:`BadRequest` for what is not UTF-8."""
    try:
        return tuple(
            parse_qsl(
                text,
                keep_blank_values=True,
                encoding="utf-8",
                errors="strict",
                max_num_fields=_MAX_PAIRS,
            )
        )
    except UnicodeDecodeError:
        raise BadRequest(f"a value of the {place} is not UTF-8.") from None
    except ValueError:
        raise BadRequest(f"the {place} has more than {_MAX_PAIRS} fields.") from None


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return str(value)
    raise BadRequest(f"{name[:80]} must be text or a number, not {type(value).__name__}.")


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    try:
        body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    except (binascii.Error, ValueError):
        raise BadRequest("the body does not decode.") from None
    if len(body) > MAX_BODY:
        raise BodyTooLarge(
            f"the body has {len(body):,} bytes; the limit is {MAX_BODY:,}.",
            fix="Upload the picture with the SDK's Advance method, or scale it down.",
        )
    return body
