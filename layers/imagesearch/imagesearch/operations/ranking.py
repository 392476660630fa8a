"""Searching a large instance by several functions: who asks them, and what each of them does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import Any, Protocol

from imagesearch.errors import FanOutUnavailable
from imagesearch.index.fanout import Ask, FanOut, Worker
from imagesearch.index.policy import Policy
from imagesearch.operations.deployment import Deployment
from imagesearch.settings import Settings

__all__ = ["Functions", "ranker", "rankers", "sharing"]

_CONNECT_SECONDS, _ANSWER_SECONDS = 1, 12
"""Twice these, for a worker is asked twice, end before the API stops waiting."""


class _Lambda(Protocol):
    """As much of boto3's Lambda client as is needed."""

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Mapping[str, Any]:  # noqa: N803
        """Run a function and wait for its answer."""
        ...


class Functions:
    """Reaches workers that are Lambda functions, by their names; thread-safe."""

    def __init__(self, names: Sequence[str], client: _Lambda | None = None) -> None:
        self._names = names
        self._given = client
        self._lock = Lock()

    def __call__(self, worker: int, event: bytes) -> bytes:
        """Return what the worker of a number answers to an event.

        Raises :class:`FanOutUnavailable` if the function fails, is throttled, or takes too long.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        name = self._names[worker]
        try:
            answer = self._connected().invoke(FunctionName=name, Payload=event)
            body: bytes = answer["Payload"].read()
        except (BotoCoreError, ClientError, OSError) as error:
            raise FanOutUnavailable(f"the function {name} did not answer: {error}.") from None
        if "FunctionError" in answer:
            said = body[:300].decode("utf-8", "replace")
            raise FanOutUnavailable(f"the function {name} failed: {said}.")
        return body

    def connect(self) -> None:
        """Be ready to ask; takes a third of a second, which a start can spare."""
        self._connected()

    def _connected(self) -> _Lambda:
        with self._lock:
            return self._given or self._client

    @cached_property
    def _client(self) -> _Lambda:
        import boto3
        from botocore.config import Config

        client: _Lambda = boto3.Session().client(
            "lambda",
            config=Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_ANSWER_SECONDS,
                retries={"total_max_attempts": 1},
                max_pool_connections=4 * len(self._names),
            ),
        )
        return client


def rankers(settings: Settings) -> Callable[[str, Policy], FanOut]:
    """Return what makes, for the index at a prefix, the ranking by the settings' functions."""
    functions = Functions(settings.rankers)
    functions.connect()
    return sharing(settings, functions)


def sharing(settings: Settings, ask: Ask) -> Callable[[str, Policy], FanOut]:
    """Return the same, with another way to reach the functions."""

    def ranking(prefix: str, policy: Policy) -> FanOut:
        return FanOut(
            prefix=prefix,
            ask=ask,
            workers=len(settings.rankers),
            rows=settings.rankers_rows,
            policy=policy,
        )

    return ranking


def ranker(deployment: Deployment) -> Worker:
    """Return what one of the functions keeps and does."""
    return Worker(deployment.store, deployment.settings.cache)
