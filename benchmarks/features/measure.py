"""Start the search function in this very process, search, and print the figures as JSON.

``python measure.py TREE INSTANCE PICTURES WARM``, with the tree's modules on the path. Requests and
bytes are counted where they leave the process, so this fits a tree of any age.
"""

from __future__ import annotations

import copy
import json
import statistics
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

_COUNTED = {"requests": 0, "bytes": 0}
_FEW = 5
"""Searches before the warm ones that count: what is fetched after the first answer is there."""


def count_requests() -> None:
    """Count what goes to the store and what comes back."""
    put_request, read = HTTPConnection.putrequest, HTTPResponse.read

    def counted_request(self: HTTPConnection, *given: Any, **named: Any) -> None:  # noqa: ANN401
        _COUNTED["requests"] += 1
        put_request(self, *given, **named)

    def counted_read(self: HTTPResponse, amt: int | None = None) -> bytes:
        body = read(self, amt)
        _COUNTED["bytes"] += len(body)
        return body

    HTTPConnection.putrequest = counted_request  # type: ignore[method-assign]
    HTTPResponse.read = counted_read  # type: ignore[method-assign]


def memory() -> float:
    """Return the resident memory in MB, files that are mapped included."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def events(tree: Path, instance: str, pictures: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a request with a picture, and requests with indexed pictures."""
    given = json.loads((tree / "events/search.json").read_text("utf-8"))
    given["rawPath"] = f"/v1/instances/{instance}/search"
    given["pathParameters"] = {"instance": instance}

    def with_body(body: dict[str, Any]) -> dict[str, Any]:
        event = copy.deepcopy(given)
        event["body"] = json.dumps(body)
        return event

    body = json.loads(given["body"])
    named = [
        with_body({"product_id": f"product-{pictures * n // 50}", "pic_name": "front.jpg"})
        for n in range(50)
    ]
    return with_body({"image": body["image"]}), named


def searched(handler: Callable[..., Any], event: dict[str, Any]) -> float:
    """Search; return the processor time of all threads in ms."""
    began = time.process_time()
    answer = handler(event, None)
    spent = (time.process_time() - began) * 1000
    if answer["statusCode"] != 200:
        raise SystemExit(f"search answered {json.dumps(answer)[:500]}")
    return spent


def settle() -> None:
    """Wait until nothing of this process uses the processor any more."""
    before = -1.0
    while (now := time.process_time()) - before > 0.002:
        before = now
        time.sleep(0.05)


def main() -> None:
    """Measure a cold start, then warm searches."""
    tree, instance, pictures = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    picture, named = events(tree, instance, pictures)
    began, before = time.process_time(), set(sys.modules)
    count_requests()
    sys.path.insert(0, str(tree / "functions/search"))
    import app  # type: ignore[import-not-found]

    figures: dict[str, float] = {"init": (time.process_time() - began) * 1000}
    searched(app.handler, picture)
    figures["first"] = (time.process_time() - began) * 1000
    settle()
    figures |= {f"cold_{name}": value for name, value in _COUNTED.items()}
    figures["modules"] = len(set(sys.modules) - before)
    for event in (picture, *named[:_FEW]):
        searched(app.handler, event)
    settle()
    for name, requests in {"picture": [picture], "named": named}.items():
        _COUNTED.update(requests=0, bytes=0)
        count = int(sys.argv[4]) * (1 if name == "picture" else 4)
        spent = [searched(app.handler, requests[n % len(requests)]) for n in range(count)]
        figures[name] = statistics.median(spent)
        figures |= {f"{name}_{n}": value / count for n, value in _COUNTED.items()}
    figures["memory"] = memory()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
