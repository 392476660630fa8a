"""Add a picture, find it, delete it, and find it no more, in an instance made for that."""

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any

from picture import shaded_square

__all__ = ["Call", "Failed", "go"]

Call = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Invokes the function of a name (add, catalogue, delete, search) with an event."""

IDENTICAL = "7.33136443711219e+24;0"
"""What a search prints for the very picture that was sent."""


class Failed(Exception):
    """A step did not answer as it must."""


def go(call: Call) -> None:
    """Make the round trip; :class:`Failed` says which step went wrong and what it answered."""
    name = f"verify-{uuid.uuid4().hex[:12]}"
    instance = {"instance": name}
    picture = {"product_id": "verify", "pic_name": "square.png"}
    image = {"image": base64.b64encode(shaded_square()).decode()}
    pictures = "/v1/instances/{instance}/pictures"
    _step(call, "catalogue", "PUT /v1/instances/{instance}", instance, {"service": "product"})
    try:
        _step(call, "add", f"POST {pictures}", instance, {**picture, **image})
        _expect(_search(call, instance, image), [("verify", IDENTICAL)])
        _step(call, "delete", f"DELETE {pictures}/{{product_id}}/{{pic_name}}", instance | picture)
        _expect(_search(call, instance, image), [])
    finally:
        query = f"confirm={name}"
        _step(call, "catalogue", "DELETE /v1/instances/{instance}", instance, query=query)


def _search(call: Call, instance: dict[str, str], image: dict[str, str]) -> list[tuple[str, str]]:
    route = "POST /v1/instances/{instance}/search"
    hits = _step(call, "search", route, instance, image)["hits"]
    return [(hit["product_id"], hit["sort_expr_values"]) for hit in hits]


def _expect(found: list[tuple[str, str]], wanted: list[tuple[str, str]]) -> None:
    if found != wanted:
        raise Failed(f"search found {found}, not {wanted}")


def _step(
    call: Call,
    function: str,
    route: str,
    parameters: dict[str, str],
    body: dict[str, str] | None = None,
    query: str = "",
) -> dict[str, Any]:
    method, _, path = route.partition(" ")
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path.format(**parameters),
        "rawQueryString": query,
        "headers": {"content-type": "application/json"},
        "pathParameters": parameters,
        "requestContext": {"http": {"method": method}, "requestId": uuid.uuid4().hex},
        "isBase64Encoded": False,
        **({"body": json.dumps(body)} if body else {}),
    }
    answer = call(function, event)
    if not 200 <= answer.get("statusCode", 0) < 300:
        raise Failed(f"{route}: {json.dumps(answer)[:1000]}")
    found: dict[str, Any] = json.loads(answer["body"])
    return found
