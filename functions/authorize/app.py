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


def handler(event: dict[str, Any], _context: object) -> dict[str, bool]:
    """Answer a request authorizer's event (payload format 2.0) with a simple response."""
    scope = _scope((event.get("headers") or {}).get("x-api-key", ""))
    route = event.get("routeKey", "")
    reads = route.startswith("GET ") or route in READS
    return {"isAuthorized": scope == "write" or (scope == "read" and reads)}


def _scope(key: str) -> str | None:
    """Return what the key may do; every listed hash is compared, whichever fits."""
    given = hashlib.sha256(key.encode()).hexdigest()
    found = None
    for entry in filter(None, os.environ.get("IMAGESEARCH_API_KEYS", "").split(",")):
        scope, _, known = entry.partition(":")
        if hmac.compare_digest(given, known) and found != "write":
            found = scope
    return found
