"""Rank a share of a large instance's segments for a search; only other functions call it."""

from collections.abc import Mapping
from typing import Any

from imagesearch.operations.deployment import Deployment
from imagesearch.operations.ranking import ranker

worker = ranker(Deployment.from_environment())


def handler(event: Mapping[str, Any], _context: object) -> dict[str, str]:
    """Answer the best hits of the segments that the event names."""
    return worker.answer(event)
