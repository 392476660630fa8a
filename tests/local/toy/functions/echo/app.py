"""Tells what it got, or does what it is told: sleep, die, raise, answer oddly."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any


def handler(event: dict[str, Any], context: Any) -> Any:
    route = event["routeKey"]
    if route == "POST /answer":
        return json.loads(event["body"])
    if "/act" in route or "/brief" in route or "/impatient" in route:
        return act(json.loads(event["body"]))
    return {
        "pid": os.getpid(),
        "emulator": os.getppid(),
        "event": event,
        "environment": dict(os.environ),
        "card": Path(os.environ["CARD"]).read_text(),
        "remaining": context.get_remaining_time_in_millis(),
    }


def act(wanted: dict[str, Any]) -> dict[str, Any]:
    sys.stdout.write(f"told to {json.dumps(wanted)[:200]}\n")
    time.sleep(wanted.get("sleep", 0))
    if wanted.get("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    if wanted.get("kill_emulator"):
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(5)
    if wanted.get("leave"):
        os._exit(3)
    if wanted.get("raise"):
        raise ValueError(wanted["raise"])
    return {"pid": os.getpid(), "big": "x" * wanted.get("big", 0)}
