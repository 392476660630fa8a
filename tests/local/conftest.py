"""Services that run the toy template."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from tests.local.toy_service import Serve, start


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """One service for all tests that leave it as it was."""
    running = start(
        tmp_path_factory.mktemp("serve") / "data",
        *("--environments", "3"),
        OUTSIDE_SECRET="not for functions",
    )
    yield running
    assert running.stop() == 0


@pytest.fixture
def serving() -> Iterator[Callable[..., Serve]]:
    """Starts services of a test's own and stops what it left running."""
    begun: list[Serve] = []

    def begin(*args: object, **options: object) -> Serve:
        running = start(*args, **options)  # type: ignore[arg-type]
        begun.append(running)
        return running

    yield begin
    for running in begun:
        running.stop(signal.SIGKILL)
