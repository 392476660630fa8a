"""The deployment's own store, opened from the command line: for upkeep, past the HTTP API."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from imagesearch.operations.deployment import Deployment

from imagesearch_local.folder import DataFolder
from imagesearch_local.intrinsics import REGION
from imagesearch_local.ports import LOOPBACK
from imagesearch_local.problems import LocalFailure
from imagesearch_local.template import Template

__all__ = ["open_deployment"]


def open_deployment(
    folder: DataFolder, template: Path, environment: MutableMapping[str, str] = os.environ
) -> Deployment:
    """Open what ``IMAGESEARCH_BUCKET`` names, else the local run that holds ``folder``.

    The local run's keys and address are put into ``environment``, where the AWS SDK looks, and so
    is the folder of the shipped models unless ``IMAGESEARCH_MODELS`` names another.
    Raises :class:`LocalFailure` when there is neither.
    """
    if "IMAGESEARCH_BUCKET" not in environment:
        environment.update(_of_local_run(folder, Template.read(template)))
    environment.setdefault("IMAGESEARCH_MODELS", str(Path(__file__).parents[2] / "layers/models"))
    return Deployment.from_environment()


def _of_local_run(folder: DataFolder, template: Template) -> Mapping[str, str]:
    if not folder.holder():
        raise LocalFailure(
            f"nothing runs on {folder.path}: start imagesearch serve --data {folder.path}, or set "
            "IMAGESEARCH_BUCKET (and AWS_PROFILE) to work on a deployment."
        )
    if not template.buckets:
        raise LocalFailure(f"{template.path} has no bucket.")
    remembered = folder.remembered()
    return {
        **folder.engine,
        "IMAGESEARCH_BUCKET": template.buckets[0],
        "IMAGESEARCH_CACHE": str((folder.scratch / "command-line").resolve()),
        "AWS_ENDPOINT_URL_S3": f"http://{LOOPBACK}:{remembered.storage_ports['s3']}",
        "AWS_ACCESS_KEY_ID": remembered.access_key,
        "AWS_SECRET_ACCESS_KEY": remembered.secret_key,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
