"""Answer the bucket's events, and look after what has lost its event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from imagesearch.ingest.events import handle, keys_of
from imagesearch.ingest.house import Workshop
from imagesearch.ingest.sweep import Swept, sweep
from imagesearch.observe import logger
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.workshop import workshop

__all__ = ["ingest"]

_shop: Callable[[Deployment], Workshop] = cache(workshop)
_WAIT_SECONDS = 600


def ingest(
    deployment: Deployment, event: Mapping[str, Any], worker: str, time_left: Callable[[], float]
) -> Swept | None:
    """Do what an S3 event or a schedule asks for.

    ``worker`` names this event, the same when it is tried again; ``time_left`` gives seconds. A
    schedule sends ``{"sweep": {"wait": seconds, "inbox": true}}``.
    """
    shop = _shop(deployment)
    if "sweep" in event:
        asked = event["sweep"]
        wait = int(asked.get("wait", _WAIT_SECONDS)) * 1_000_000
        swept = sweep(shop, worker, time_left, wait=wait, inbox=bool(asked.get("inbox")))
        logger().info("swept", extra={"open": swept.open, "inbox": swept.inbox})
        return swept
    for key in keys_of(event):
        handle(shop, key, worker, time_left)
    return None
