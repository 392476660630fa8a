"""Write docs/openapi.json from the code's own types: ``python tools/write_openapi.py``.

Its examples come from events/, by way of ``imagesearch/openapi_examples.json``, which is deployed.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from imagesearch.openapi import document
from imagesearch.routes import ROUTES

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/openapi.json"
EXAMPLES = ROOT / "layers/imagesearch/imagesearch/openapi_examples.json"


def examples() -> str:
    """Return what the events of the described routes carry, by route key."""
    keys = {route.key for route in ROUTES}
    found: dict[str, dict[str, Any]] = {}
    for file in sorted((ROOT / "events").glob("*.json")):
        event = json.loads(file.read_text(encoding="utf-8"))
        key = event.get("routeKey")
        if key not in keys or event.get("type") == "REQUEST":  # the authorizer's
            continue
        shown = found.setdefault(key, {"path": {}, "query": {}, "bodies": {}})
        shown["path"] |= event.get("pathParameters") or {}
        shown["query"] |= dict(parse_qsl(event.get("rawQueryString", "")))
        if event.get("body") and not event.get("isBase64Encoded"):
            shown["bodies"][file.stem] = json.loads(event["body"])
    return json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def page() -> str:
    """Return the document's text."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    EXAMPLES.write_text(examples(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.name}: {len(document()['paths'])} paths")
