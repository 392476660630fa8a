"""What operators see: one JSON log line a request, and metrics by deployment and instance."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

__all__ = ["logger", "measure"]


@cache
def logger() -> Logger:
    """Return the process's logger; level and service name come from ``POWERTOOLS_*``."""
    from aws_lambda_powertools import Logger

    return Logger(utc=True)


def measure(
    instance: str, counts: Mapping[str, float], stages: Mapping[str, float] | None = None
) -> None:
    """Emit metrics of one operation in CloudWatch's embedded metric format.

    ``counts`` are emitted under their names, ``stages`` (milliseconds) as ``DecodeMs`` and so on,
    for the deployment as a whole and for the instance. Nothing is emitted unless
    ``POWERTOOLS_METRICS_NAMESPACE`` is set, as the template does.
    """
    namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE")
    if not namespace:
        return
    from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
        AmazonCloudWatchEMFProvider,
    )

    service = os.environ.get("POWERTOOLS_SERVICE_NAME", "imagesearch")
    # Sets of its own: the provider's defaults are shared by all of its kind.
    metrics = AmazonCloudWatchEMFProvider(
        metric_set={},
        dimension_set={},
        metadata_set={},
        namespace=namespace,
        service=service,
        default_dimensions={"service": service},
    )
    for name, value in counts.items():
        metrics.add_metric(name, "Count", value)
    for stage, milliseconds in (stages or {}).items():
        metrics.add_metric(f"{stage.capitalize()}Ms", "Milliseconds", milliseconds)
    metrics.add_dimensions(service=service, instance=instance)
    metrics.flush_metrics()
