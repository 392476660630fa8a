"""The client whose calls are awaited."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import httpx

from imagesearch_client import answers, importing
from imagesearch_client._async_calls import AsyncCalls
from imagesearch_client.dump import dump_line
from imagesearch_client.journal import Journal
from imagesearch_client.part import Part
from imagesearch_client.refusals import InvalidInstance, PictureNotFound
from imagesearch_client.retries import pause_async
from imagesearch_client.sources import Listing, read_source
from imagesearch_client.wire import (
    Image,
    given,
    in_line,
    in_path,
    instance_path,
    picture_path,
    read_image,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from imagesearch_client.fields import (
        AddFields,
        AttributeFields,
        CombinedFields,
        CompareFields,
        ExplainFields,
        IncrementFields,
        SearchFields,
        SubjectFields,
        TextFields,
    )

__all__ = ["AsyncClient"]


class AsyncClient(AsyncCalls):
    """Calls one server; the calls are awaited. One client may be used for many calls at once.

    Every method raises a :class:`Refused` for an answer that is a problem, of the class that its
    code names, and :class:`Unreachable` when there is none. Time-outs, lost connections and
    passing failures (429, 502, 503, 504) are tried again where repeating is harmless; adds carry
    an Idempotency-Key to make it so.
    """

    async def create_instance(
        self,
        instance: str,
        service: Literal["product", "generic", "fabric", "trademark"] = "product",
    ) -> answers.Instance:
        """Create an instance, or find the same one; :class:`InstanceExists` if it is another."""
        return await self.call(
            "PUT", instance_path(instance), answers.Instance, json={"service": service}
        )

    async def instances(self) -> list[answers.Instance]:
        """Return every instance."""
        return (await self.call("GET", "/v1/instances", answers.Instances)).instances

    async def instance(self, instance: str) -> answers.Instance:
        """Return one instance with its counts."""
        return await self.call("GET", instance_path(instance), answers.Instance)

    async def delete_instance(self, instance: str) -> None:
        """Erase an instance and everything in it."""
        path = instance_path(instance)
        tries: list[httpx.Response | None] = []
        try:
            await self.call("DELETE", path, answers.Erased, query={"confirm": instance}, seen=tries)
        except InvalidInstance:
            if len(tries) < 2:  # else an earlier try has erased it and its answer was lost
                raise

    async def add(
        self,
        instance: str,
        image: Image,
        product_id: str,
        pic_name: str,
        *,
        idempotency_key: str = "",
        **fields: Unpack[AddFields],
    ) -> answers.Added:
        """Add a picture, or replace the one of the same key; it is searchable at once.

        A picture too large for one request is uploaded first. ``idempotency_key`` names the write
        if you may send it again yourself; every call has one of its own otherwise.
        """
        named = {"product_id": product_id, "pic_name": pic_name, **given(fields)}
        return await self.call(
            "POST",
            picture_path(instance),
            answers.Added,
            json={**named, **await self._picture(image)},
            headers={"idempotency-key": idempotency_key or uuid.uuid4().hex},
            harmless=named.get("if_exists") != "fail",  # a repeat would meet its own picture
        )

    async def update(
        self,
        instance: str,
        product_id: str,
        pic_name: str,
        **attributes: Unpack[AttributeFields],
    ) -> answers.Updated:
        """Change the attributes that are given; the others and the picture stay."""
        if not in_path(product_id, pic_name):
            reason = "names with / ? # cannot be updated: add the picture again instead."
            raise ValueError(f"{product_id!r}, {pic_name!r}: {reason}")
        path = picture_path(instance, product_id, pic_name)
        # Repeated, it could undo what somebody else has changed meanwhile.
        return await self.call(
            "PATCH", path, answers.Updated, json=given(attributes), harmless=False
        )

    async def search(
        self,
        instance: str,
        image: Image | None = None,
        *,
        by: tuple[str, str] | None = None,
        **fields: Unpack[SearchFields],
    ) -> answers.Found:
        """Find what looks most like ``image``, or like the picture ``by`` (product_id, pic_name).

        ``num``, ``filter``, ``region`` and the others are described in docs/http-api.md.
        """
        sought = given(fields)
        if image is not None:
            sought |= await self._picture(image)
        if by is not None:
            sought |= {"product_id": by[0], "pic_name": by[1]}
        return await self.call(
            "POST", instance_path(instance, "/search"), answers.Found, json=sought
        )

    async def search_text(
        self, instance: str, text: str, **fields: Unpack[TextFields]
    ) -> answers.Worded:
        """Find what a text in English or Chinese asks for; docs/text-search.md tells how well."""
        path = instance_path(instance, "/search")
        return await self.call("POST", path, answers.Worded, json={**given(fields), "text": text})

    async def search_combined(
        self, instance: str, parts: Sequence[Part], **fields: Unpack[CombinedFields]
    ) -> answers.Combined:
        """Find what looks like several things at once, and unlike those of negative weight."""
        sent: list[dict[str, Any]] = []
        for part in parts:
            one: dict[str, Any] = {"text": part.text, "weight": part.weight, "region": part.region}
            one |= {"crop": part.crop}
            if part.image is not None:
                one |= await self._picture(part.image)
            if part.by is not None:
                one["picture"] = {"product_id": part.by[0], "pic_name": part.by[1]}
            sent.append(given(one))
        path = instance_path(instance, "/search")
        return await self.call(
            "POST", path, answers.Combined, json={**given(fields), "query": sent}
        )

    async def search_subjects(
        self, instance: str, image: Image, **fields: Unpack[SubjectFields]
    ) -> answers.Subjects:
        """Search for every subject that is found in a picture, the main one first."""
        sought = {**given(fields), **await self._picture(image), "regions": "all"}
        path = instance_path(instance, "/search")
        return await self.call("POST", path, answers.Subjects, json=sought)

    async def explain(
        self,
        instance: str,
        image: Image,
        product_id: str,
        pic_name: str,
        **fields: Unpack[ExplainFields],
    ) -> answers.Explained:
        """Tell which parts of a query and of a hit make them alike."""
        named = {"product_id": product_id, "pic_name": pic_name, **given(fields)}
        path = instance_path(instance, "/explain")
        return await self.call(
            "POST", path, answers.Explained, json={**named, **await self._picture(image)}
        )

    async def facets(
        self,
        instance: str,
        *by: str,
        filter: str = "",
        category_id: int | None = None,
        limit: int = 20,
    ) -> dict[str, answers.Facet]:
        """Count the pictures that are selected by each of the fields ``by``."""
        query = {"by": ",".join(by), "filter": filter, "limit": str(limit)}
        query["category_id"] = "" if category_id is None else str(category_id)
        path = instance_path(instance, "/facets")
        return (await self.call("GET", path, answers.CountsAnswer, query=query)).facets

    async def duplicates(
        self,
        instance: str,
        *,
        score: float | None = None,
        page_size: int = 100,
        on_progress: Callable[[int], None] | None = None,
    ) -> AsyncIterator[answers.Twins]:
        """Yield the pictures that have duplicates, each pair once.

        ``on_progress`` is told after each page how many pictures have been compared.
        """
        query = {"limit": str(page_size), "cursor": ""}
        query["score"] = "" if score is None else str(score)
        path, looked = instance_path(instance, "/duplicates"), 0
        while True:
            page = await self.call("GET", path, answers.Duplicates, query=query)
            looked += page.looked
            if on_progress:
                on_progress(looked)
            for twins in page.groups:
                yield twins
            if not page.next_cursor:
                return
            query["cursor"] = page.next_cursor

    async def thumbnail(self, instance: str, thumbnail: str) -> bytes:
        """Return the small JPEG that a record's ``thumbnail`` names."""
        path = instance_path(instance, f"/thumbnails/{quote(thumbnail, safe='')}")
        return await self.call("GET", path, bytes)

    async def compare(
        self, instance: str, image: Image, other_image: Image, **fields: Unpack[CompareFields]
    ) -> answers.Compared:
        """Tell how alike two pictures look to an instance's service."""
        both = {
            "image": in_line(read_image(image)),
            "other_image": in_line(read_image(other_image)),
        }
        return await self.call(
            "POST",
            instance_path(instance, "/compare"),
            answers.Compared,
            json={**given(fields), **both},
        )

    async def picture(self, instance: str, product_id: str, pic_name: str) -> answers.Picture:
        """Return the record of one picture; :class:`PictureNotFound` if there is none."""
        if in_path(product_id, pic_name):
            path = picture_path(instance, product_id, pic_name)
            return await self.call("GET", path, answers.Picture)
        named = {"product_id": product_id, "pic_name": pic_name}
        page = await self.call("GET", picture_path(instance), answers.Page, query=named)
        if not page.pictures:
            detail = f"there is no picture {pic_name!r} of product {product_id!r}."
            raise PictureNotFound(404, {"code": "PictureNotFound", "detail": detail})
        return page.pictures[0]

    async def pictures(
        self, instance: str, *, filter: str = "", product_id: str = "", page_size: int = 500
    ) -> AsyncIterator[answers.Picture]:
        """Yield the records of all pictures that are selected, in the order of their keys."""
        query = {"filter": filter, "product_id": product_id, "limit": str(page_size), "cursor": ""}
        while True:
            page = await self.call("GET", picture_path(instance), answers.Page, query=query)
            for picture in page.pictures:
                yield picture
            if not page.next_cursor:
                return
            query["cursor"] = page.next_cursor

    async def delete(self, instance: str, product_id: str, pic_name: str = "") -> answers.Deleted:
        """Delete one picture, or all of a product; nothing to delete is not an error."""
        names = (product_id, pic_name) if pic_name else (product_id,)
        if in_path(*names):
            return await self.call("DELETE", picture_path(instance, *names), answers.Deleted)
        named = {"product_id": product_id, "pic_name": pic_name}
        return await self.call("DELETE", picture_path(instance), answers.Deleted, query=named)

    async def delete_selected(self, instance: str, filter: str) -> answers.Deleted:
        """Delete every picture that ``filter`` selects."""
        path = picture_path(instance)
        return await self.call("DELETE", path, answers.Deleted, query={"filter": filter})

    async def dump(self, instance: str, file: str | os.PathLike[str]) -> int:
        """Write every record as a line of increment.meta; return how many there are.

        Put beside the pictures, the file brings them into any instance again.
        """
        count = 0
        with Path(file).open("wb") as lines:
            async for picture in self.pictures(instance):
                lines.write(dump_line(picture))
                count += 1
        return count

    async def submit_increment(
        self,
        instance: str,
        bucket: str,
        path: str,
        *,
        idempotency_key: str = "",
        **fields: Unpack[IncrementFields],
    ) -> answers.Increment:
        """Queue the batch task that increment.meta below ``path`` of a bucket describes."""
        return await self.call(
            "POST",
            instance_path(instance, "/increments"),
            answers.Increment,
            json={"bucket": bucket, "path": path, **given(fields)},
            headers={"idempotency-key": idempotency_key or uuid.uuid4().hex},
        )

    async def check_increment(
        self, instance: str, bucket: str, path: str, **fields: Unpack[IncrementFields]
    ) -> answers.Check:
        """Tell what keeps a batch task from being carried out; start nothing."""
        return await self.call(
            "POST",
            instance_path(instance, "/increments/check"),
            answers.Check,
            json={"bucket": bucket, "path": path, **given(fields)},
        )

    async def increments(
        self, instance: str, *, before: int | None = None, limit: int = 20
    ) -> list[answers.Increment]:
        """Return an instance's tasks, the newest first, those before the task ``before``."""
        query = {"before": "" if before is None else str(before), "limit": str(limit)}
        path = instance_path(instance, "/increments")
        return (await self.call("GET", path, answers.Increments, query=query)).increments

    async def increment(self, instance: str, task: int) -> answers.Increment:
        """Return how far a task is."""
        return await self.call(
            "GET", instance_path(instance, f"/increments/{task}"), answers.Increment
        )

    async def cancel_increment(self, instance: str, task: int) -> answers.Increment:
        """Stop a task; what is written stays."""
        return await self.call(
            "DELETE", instance_path(instance, f"/increments/{task}"), answers.Increment
        )

    async def resume_increment(self, instance: str, task: int) -> answers.Increment:
        """Go on with a task that was cancelled or has failed."""
        return await self.call(
            "POST", instance_path(instance, f"/increments/{task}/resume"), answers.Increment
        )

    async def follow_increment(
        self, instance: str, task: int, *, every: float = 1.0
    ) -> AsyncIterator[answers.Increment]:
        """Yield a task as it is, again and again, until it has ended."""
        while True:
            found = await self.increment(instance, task)
            yield found
            if found.state in {"done", "failed", "cancelled"}:
                return
            await pause_async(every)

    async def ready(self) -> answers.Health:
        """Ask the server whether it can do its work."""
        return await self.call("GET", "/health/ready", answers.Health)

    async def import_folder(
        self,
        instance: str,
        source: str | os.PathLike[str] | Listing,
        *,
        journal: str | os.PathLike[str] | Journal | None = None,
        workers: int = 4,
        on_progress: importing.Progress | None = None,
    ) -> importing.Summary:
        """Add all pictures of a folder or manifest, ``workers`` at once; :func:`read_source`.

        ``journal`` is a file that keeps what was acknowledged, so that the same call again sends
        only what is new, has changed or has failed. ``on_progress`` is called after each picture
        with the summary so far. A picture that cannot be used is in its ``failures``; when the
        server stays silent, or would refuse everything, ``stopped`` says so.
        """
        listing = source if isinstance(source, Listing) else read_source(source)
        journal = journal if isinstance(journal, Journal) else Journal(journal)
        with journal:
            plan = importing.Plan(instance, listing.items, journal, workers, on_progress)
            return await importing.run_async(self, plan)
