"""Work off batch tasks and the inbox: called by the bucket's events, and by a schedule."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from imagesearch.operations.deployment import Deployment
from imagesearch.operations.ingest import ingest

deployment = Deployment.from_environment()


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  Lambda's
    """Do what the event asks for, within the time that the function has."""

    def time_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    swept = ingest(deployment, event, context.aws_request_id, time_left)
    return asdict(swept) if swept else {}
