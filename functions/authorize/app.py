"""Tell API Gateway whether a request's API key may call its route."""

import hashlib
import hmac
import os
from typing import Any

READS = frozenset(
    {
        "POST /v1/instances/{instance}/search",
        "POST /v1/instances/{instance}/compare",
        "POST /v1/uploads",
    }
)
"""Routes that a read key may call besides every GET."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer a request authorizer's event (payload format 2.0) with a simple response.

    What the key is called (by its hash) and its limits go to the function in the context.
    """
    scope, context = _known((event.get("headers") or {}).get("x-api-key", ""))
    route = event.get("routeKey", "")
    reads = route.startswith("GET ") or route in READS
    if scope == "write" or (scope == "read" and reads):
        return {"isAuthorized": True, "context": context}
    return {"isAuthorized": False}


def _known(key: str) -> tuple[str | None, dict[str, str]]:
    """Return what the key may do and how much; every listed hash is compared, whichever fits."""
    given = hashlib.sha256(key.encode()).hexdigest()
    found, context = None, {}
    for entry in filter(None, os.environ.get("IMAGESEARCH_API_KEYS", "").split(",")):
        scope, known, *limits = entry.split(":")
        if hmac.compare_digest(given, known) and found != "write":
            found = scope
            context = {"key": known[:12], **dict(limit.split("=") for limit in limits)}
    return found, context
