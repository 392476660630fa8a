"""Make the deployment check's round trip through ``sam local``: add, search, delete, search.

``python -m tools.sam.try_local invoke -- COMMAND…`` runs ``COMMAND… FunctionName -e EVENT`` for
every step; ``python -m tools.sam.try_local http URL`` sends every step to the API.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

__all__ = ["invoke", "over_http"]

Event = dict[str, Any]


def invoke(command: list[str], function: str, event: Event) -> Event:
    """Run one function in its container and return what it answered."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(event, file)
        file.flush()
        name = f"{function.capitalize()}Function"
        done = subprocess.run(
            [*command, name, "-e", file.name], capture_output=True, text=True, check=False
        )
    try:
        answer: Event = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise SystemExit(f"{name} gave no answer:\n{done.stdout}\n{done.stderr}") from None
    return answer


def over_http(url: str, event: Event) -> Event:
    """Send what an HTTP API would have turned into ``event``, and return the answer."""
    query = f"?{event['rawQueryString']}" if event["rawQueryString"] else ""
    request = urllib.request.Request(
        url + event["rawPath"] + query,
        data=event.get("body", "").encode() or None,
        headers=event["headers"],
        method=event["requestContext"]["http"]["method"],
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return {"statusCode": answer.status, "body": answer.read().decode()}
    except urllib.error.HTTPError as error:
        return {"statusCode": error.code, "body": error.read().decode()}


def main(mode: str, *rest: str) -> None:
    """Make the round trip, printing a line for every step."""
    sys.path.insert(0, str(Path("functions/verify")))
    round_trip = importlib.import_module("round_trip")

    def call(function: str, event: Event) -> Event:
        began = time.monotonic()
        answer = (
            over_http(rest[0], event) if mode == "http" else invoke(list(rest), function, event)
        )
        spent = time.monotonic() - began
        what = f"{function:<10} {event['routeKey']}"
        print(f"{what:<75} {answer.get('statusCode')}  {spent:5.1f} s", flush=True)
        return answer

    round_trip.go(call)


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--"]
    main(*arguments)
