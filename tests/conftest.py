"""What holds for every test."""

from __future__ import annotations

import boto3
import pytest


@pytest.fixture(autouse=True)
def _no_credentials_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3's default session be made anew: it would keep what an earlier test set."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
