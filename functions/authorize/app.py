"""Tell API Gateway whether a request's API key may call its route."""

import hashlib
import hmac
import logging
import os
import re
from typing import Any

READS = frozenset(
    {
        "POST /v1/instances/{instance}/search",
        "POST /v1/instances/{instance}/compare",
        "POST /v1/instances/{instance}/explain",
        "POST /v1/uploads",
    }
)
"""Routes that a read key may call besides every GET."""
ENTRY = re.compile(
    r"(read|write):([0-9a-f]{64})"
    r"((?::(?:searches|adds|pictures)=[1-9][0-9]{0,8}|:instance=[a-z0-9*_-]{1,20})*)",
    re.ASCII,
)
"""A key's scope, its hash, and what limits it; the template takes nothing else."""

log = logging.getLogger("authorize")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer a request authorizer's event (payload format 2.0) with a simple response.

    What the key is called (by its hash), its limits and its instances go to the function in the
    context. Which instance a request names is judged there: an answer given here is remembered
    by key and route, and stands for every instance.
    """
    scope, context = _known((event.get("headers") or {}).get("x-api-key", ""))
    route = event.get("routeKey", "")
    reads = route.startswith("GET ") or route in READS
    if scope == "write" or (scope == "read" and reads):
        return {"isAuthorized": True, "context": context}
    return {"isAuthorized": False}


def _known(key: str) -> tuple[str | None, dict[str, str]]:
    """Return what the key may do and how much; every listed hash is compared, whichever fits.

    An entry that is not understood lets nobody in: what it leaves out might be a limit.
    """
    given = hashlib.sha256(key.encode()).hexdigest()
    found, context = None, {}
    entries = filter(None, os.environ.get("IMAGESEARCH_API_KEYS", "").split(","))
    for number, entry in enumerate(entries, 1):
        read = ENTRY.fullmatch(entry)
        if read is None:
            log.error("entry %d of IMAGESEARCH_API_KEYS is not understood", number)
        elif hmac.compare_digest(given, read[2]) and found != "write":
            found, context = read[1], _context(read[2], read[3])
    return found, context


def _context(known: str, limits: str) -> dict[str, str]:
    """Return what the function is told of a key."""
    pairs = [limit.partition("=") for limit in limits.split(":") if limit]
    told = {"key": known[:12]} | {name: value for name, _, value in pairs if name != "instance"}
    if instances := [value for name, _, value in pairs if name == "instance"]:
        told["instances"] = ",".join(instances)
    return told
