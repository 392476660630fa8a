"""Keep indexes in shape: asked for by a writer for one instance, by schedule for all."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from imagesearch.observe import logger
from imagesearch.operations.compact import compact, compact_all
from imagesearch.operations.deployment import Deployment

deployment = Deployment.from_environment()


def handler(event: Mapping[str, Any], _context: object) -> dict[str, dict[str, Any]]:
    """Do what is due for ``{"instance": name}``, or for every instance."""
    name = event.get("instance")
    found = {name: compact(deployment, name)} if name else compact_all(deployment)
    done = {name: asdict(maintained) for name, maintained in found.items()}
    logger().info("compacted", extra={"done": done})
    return done
