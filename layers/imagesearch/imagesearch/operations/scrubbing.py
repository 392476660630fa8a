"""Check every stored object of an instance: its index, and the packs of its thumbnails."""

from __future__ import annotations

from dataclasses import replace

from imagesearch.index.scrub import Problem, Scrubbed
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.thumbnails import missing_packs

__all__ = ["scrub_instance"]

_FIX = (
    "Restore the object from the bucket's versions. Searches do without it; only the page shows "
    "these pictures as blanks."
)


def scrub_instance(deployment: Deployment, name: str) -> Scrubbed:
    """Read and check the index of an instance, and look whether thumbnails are there.

    Raises :class:`~imagesearch.errors.CorruptObject` when the index cannot be opened at all.
    """
    deployment.instances.doubt(name)
    instance = deployment.instances.get(name)
    found = deployment.index(instance).scrub()
    if found.problems:  # an index that is damaged may not be able to list its pictures
        return found
    lost = tuple(
        Problem(key, "it is missing; thumbnails of pictures are in it.", _FIX)
        for key in missing_packs(deployment, instance)
    )
    return replace(found, problems=lost)
