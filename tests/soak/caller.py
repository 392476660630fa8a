"""Requests of the soak: timed, and with one of three outcomes."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx

from tests.soak.figures import Figures
from tests.soak.ledger import Ledger

__all__ = ["Caller", "Gate", "Reply"]

_UNHEARD = 504
"""The front gave up, but the function may run on, and write after what comes later."""


class Reply:
    """An answer, or that there was none.

    ``clear`` tells a success. ``unheard`` tells that the request may be carried out even after
    later ones.
    """

    def __init__(self, answer: httpx.Response | None) -> None:
        self.status = answer.status_code if answer else 0
        self.clear = 200 <= self.status < 300
        self.refused = 400 <= self.status < 500
        self.unheard = self.status == _UNHEARD
        self._answer = answer

    def json(self) -> Any:
        """Return the body."""
        assert self._answer is not None
        return self._answer.json()

    @property
    def code(self) -> str:
        """Return the problem's code; empty if there was no answer."""
        return str(self.json().get("code", "")) if self._answer is not None else ""

    def complaint(self) -> str:
        """Say what is unclear about a failure; empty if nothing is."""
        answer = self._answer
        if answer is None or self.clear:
            return ""
        if answer.headers.get("content-type") != "application/problem+json":
            return f"{self.status} is no problem document: {answer.text[:100]}"
        if self.status == 503 and "retry-after" not in answer.headers:
            return "503 without Retry-After"
        if self.status == 500:
            return f"500: {answer.text[:300]}"
        return ""


class Gate:
    """Lets requests through while the service is up; whoever stops it closes the gate first."""

    def __init__(self) -> None:
        self.up = threading.Event()
        self.up.set()


class Caller:
    """One client of the service."""

    def __init__(self, url: str, ledger: Ledger, figures: Figures) -> None:
        self._http = httpx.Client(base_url=url, timeout=90, trust_env=False)
        self._ledger = ledger
        self._figures = figures

    def ask(self, kind: str, method: str, path: str, **options: Any) -> Reply:
        """Send a request; a service that does not listen is given a moment to come back."""
        began = time.monotonic()
        try:
            answer = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            self._figures.answered(kind, type(error).__name__, 0)
            time.sleep(0.5)
            return Reply(None)
        reply = Reply(answer)
        self._figures.answered(kind, str(reply.status), time.monotonic() - began)
        if complaint := reply.complaint():
            self._ledger.wrong("unclear", f"{method} {path}: {complaint}")
        return reply

    def close(self) -> None:
        """Close its connections."""
        self._http.close()
