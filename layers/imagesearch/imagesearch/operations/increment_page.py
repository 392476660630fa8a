"""List batch tasks by numbered pages, as the vendor does, with their total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from imagesearch.ingest.tasks import Tasks
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.fields import OperationFields
from imagesearch.operations.increments import Increment, NamedIncrement, show_increment

__all__ = ["IncrementPage", "PageIncrements", "page_increments"]


class PageIncrements(OperationFields, frozen=True, kw_only=True):
    """Asks for a page of an instance's tasks, newest first; each field given narrows them."""

    id: int | None = None
    bucket: str | None = None
    path: str | None = None
    page: Annotated[int, Meta(ge=1)] = 1
    size: Annotated[int, Meta(ge=1, le=500)] = 10


@dataclass(frozen=True, slots=True)
class IncrementPage:
    """The tasks of one page, and how many there are on all pages."""

    increments: Sequence[Increment]
    total: int


def page_increments(deployment: Deployment, request: PageIncrements) -> IncrementPage:
    """Return one page of tasks; only the tasks on it are looked at closely."""
    deployment.instances.doubt(request.instance)
    tasks = Tasks.of(deployment.store, deployment.instances.get(request.instance))
    ids = [number for number in tasks.ids() if request.id in (None, number)]
    if request.bucket is not None or request.path is not None:
        asked = [tasks.get(number) for number in ids]
        ids = [
            task.id
            for task in asked
            if request.bucket in (None, task.bucket) and request.path in (None, task.path)
        ]
    first = (request.page - 1) * request.size
    shown = [
        show_increment(deployment, NamedIncrement(instance=request.instance, id=number))
        for number in ids[first : first + request.size]
    ]
    return IncrementPage(shown, len(ids))
