"""What holds for every test."""

from __future__ import annotations

import boto3
import pytest

from tests.promises import Promises


def pytest_configure(config: pytest.Config) -> None:
    """Watch whether the tests behind our promises run."""
    config.pluginmanager.register(Promises.of(config), "promises")


@pytest.fixture(autouse=True)
def _no_credentials_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3's default session be made anew: it would keep what an earlier test set."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
