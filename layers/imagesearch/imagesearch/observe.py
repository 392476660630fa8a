"""Structured logs: one JSON line a request, with the request id on every line."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

__all__ = ["logger"]


@cache
def logger() -> Logger:
    """Return the process's logger; level and service name come from ``POWERTOOLS_*``."""
    from aws_lambda_powertools import Logger

    return Logger(service="imagesearch", utc=True)
