"""Look at a picture for an instance while the instance is being opened."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from imagesearch.catalogue import Instance
from imagesearch.operations.deployment import Catalogue, Deployment

if TYPE_CHECKING:
    from imagesearch.vision import Vision

__all__ = ["look_while_opening"]

T = TypeVar("T")


def look_while_opening(
    deployment: Deployment,
    name: str,
    opening: Future[Catalogue],
    look: Callable[[Vision, Instance], T],
) -> tuple[T, Catalogue]:
    """Return what ``look`` sees with the instance's bundle, and the instance as it was opened.

    The look begins with what this environment remembers of the instance. If the instance proves
    to be another by now, moved to another bundle or made anew, the look is repeated with that
    one's: vectors of two bundles never meet.
    """
    instance = deployment.instances.get(name)
    seen = look(deployment.vision_of(instance), instance)
    catalogue = opening.result()
    if (catalogue.instance.model, catalogue.instance.service) != (instance.model, instance.service):
        seen = look(deployment.vision_of(catalogue.instance), catalogue.instance)
    return seen, catalogue
