"""Keep indexes in shape: asked for by a writer for one instance, by schedule for all."""

from collections.abc import Mapping
from typing import Any

from imagesearch.observe import logger
from imagesearch.operations.compact import compact, compact_all
from imagesearch.operations.deployment import Deployment

deployment = Deployment.from_environment()


def handler(event: Mapping[str, Any], _context: object) -> dict[str, bool]:
    """Fold the log of ``{"instance": name}``, or of every instance."""
    name = event.get("instance")
    done = {name: compact(deployment, name)} if name else compact_all(deployment)
    logger().info("compacted", extra={"done": done})
    return done
