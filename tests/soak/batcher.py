"""A worker that writes by increment tasks only."""

from __future__ import annotations

import json
import random
import threading
import time
from dataclasses import dataclass
from typing import Any

from tests.pictures import as_bytes, drawn
from tests.soak.caller import Caller
from tests.soak.ledger import Key, Ledger, Row, States
from tests.soak.worker import INSTANCE

__all__ = ["Batcher"]

_PRODUCTS = 30
_ENDED = frozenset({"done", "failed", "cancelled"})


@dataclass(slots=True)
class Batcher:
    """Runs one task after the other over products of its own, ``b-p0`` and so on."""

    caller: Caller
    ledger: Ledger
    chance: random.Random
    bucket: str
    store: Any
    tasks: int = 0

    def run(self, stop: threading.Event, patience: float) -> None:
        """Run tasks until told to stop; the last one has ``patience`` seconds from then on."""
        while not stop.is_set():
            self._task(stop, patience)

    def _task(self, stop: threading.Event, patience: float) -> None:
        folder = f"imports/soak-{self.tasks}"
        outcome, lines = self._lines()
        self._deliver(f"{folder}/look.jpg", as_bytes(drawn(self.tasks, size=(64, 64))))
        self._deliver(f"{folder}/increment.meta", "\n".join(map(json.dumps, lines)).encode())
        self.ledger.doubt(f"task {self.tasks}", outcome)
        place = self._submit({"bucket": self.bucket, "path": f"/{folder}"}, stop)
        if place and (task := self._end(place, stop, patience)):
            if task["state"] == "done" and not task["counts"]["failed"]:
                self.ledger.done(f"task {self.tasks}", outcome)
            else:
                self.ledger.wrong("lost", f"task {task['id']} ended as {task}")
        self.tasks += 1

    def _lines(self) -> tuple[dict[Key, States], list[dict[str, Any]]]:
        """Return the lines of a task and what they make of their keys."""
        outcome: dict[Key, States] = {}
        lines: list[dict[str, Any]] = []
        for product in self.chance.sample(range(_PRODUCTS), 20):
            key = (f"b-p{product}", "look.jpg")
            if self.chance.random() < 0.3:
                outcome[key] = frozenset({None})
                lines.append({"OperationType": "DELETE", "ProductId": key[0], "PicName": key[1]})
                continue
            row = Row(self.ledger.version())
            outcome[key] = frozenset({row})
            lines.append(
                {
                    "OperationType": "ADD",
                    "ProductId": key[0],
                    "PicName": key[1],
                    "IntAttr": row.version,
                    "StrAttr": "b",
                    "CategoryId": 5,
                    "Region": "0,64,0,64",
                }
            )
        return outcome, lines

    def _deliver(self, key: str, body: bytes) -> None:
        """Put an object past the proxy; the store may be down for a while."""
        while True:
            try:
                self.store().put_object(Bucket=self.bucket, Key=key, Body=body)
            except Exception:
                time.sleep(0.5)
            else:
                return

    def _submit(self, body: dict[str, str], stop: threading.Event) -> str:
        path = f"/v1/instances/{INSTANCE}/increments"
        while True:
            reply = self.caller.ask("submit task", "POST", path, json=body)
            if reply.clear:
                return f"{path}/{reply.json()['id']}"
            if stop.is_set():
                return ""
            time.sleep(0.5)

    def _end(self, place: str, stop: threading.Event, patience: float) -> dict[str, Any] | None:
        """Wait for a task's end, however long it takes while there is trouble."""
        deadline = None
        while deadline is None or time.monotonic() < deadline:
            if deadline is None and stop.is_set():
                deadline = time.monotonic() + patience
            reply = self.caller.ask("show task", "GET", place)
            if reply.clear and reply.json()["state"] in _ENDED:
                return dict(reply.json())
            time.sleep(0.5)
        self.ledger.wrong("lost", f"{place} has not ended {patience:g} s after the trouble did")
        return None
