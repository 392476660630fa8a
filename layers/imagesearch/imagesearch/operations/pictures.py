"""Show catalogued pictures: one by its key, or page by page."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from imagesearch.catalogue import Picture, PictureKey
from imagesearch.catalogue.filter import Filter
from imagesearch.errors import InvalidField, MissingField, UnknownPicture
from imagesearch.index import Snapshot
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.fields import FilterText, OperationFields, PicName, ProductId

__all__ = [
    "ListPictures",
    "Page",
    "ShowPicture",
    "cursor_of",
    "key_of",
    "list_pictures",
    "show_picture",
]


class ShowPicture(OperationFields, frozen=True, kw_only=True):
    """Names one picture."""

    product_id: ProductId
    pic_name: PicName


class ListPictures(OperationFields, frozen=True, kw_only=True):
    """Asks for a page of pictures, in the order of their keys.

    ``product_id``, alone or with ``pic_name``, is for names that a path cannot carry. With
    ``pinned`` on the first page, all pages show the instance as it was then.
    """

    product_id: ProductId | None = None
    pic_name: PicName | None = None
    filter: FilterText | None = None
    cursor: str | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page of pictures; ``next_cursor`` is ``None`` on the last.

    ``generation`` is the one that the list is pinned to, if it is.
    """

    pictures: list[Picture]
    next_cursor: str | None
    generation: int | None = None


class _Cursor(msgspec.Struct, array_like=True, frozen=True):
    """The key after which a page begins, and the generation it is pinned to (0: none)."""

    product_id: str
    pic_name: str
    generation: int = 0


_cursors = msgspec.json.Decoder(_Cursor)


def show_picture(deployment: Deployment, request: ShowPicture) -> Picture:
    """Return one picture as it is now; :class:`UnknownPicture` if there is none."""
    entry = deployment.open(request.instance).snapshot.find(
        PictureKey(request.product_id, request.pic_name), meaning=False
    )
    if entry is None:
        raise UnknownPicture(
            f"there is no picture {request.pic_name!r} of product {request.product_id!r} "
            f"in instance {request.instance!r}."
        )
    return entry.picture


def list_pictures(deployment: Deployment, request: ListPictures) -> Page:
    """Return the pictures after the cursor that the filter selects.

    A pinned list can be gone on with for a day; after that :class:`UnknownGeneration` is raised.
    """
    selected = Filter.parse(request.filter) if request.filter is not None else None
    cursor = _read(request.cursor) if request.cursor is not None else None
    after = PictureKey(cursor.product_id, cursor.pic_name) if cursor else None
    catalogue = deployment.open(request.instance)
    if request.product_id is not None:
        found = _of_product(
            catalogue.snapshot, request.product_id, request.pic_name, selected, after
        )
        return _page(found, request.limit)
    if request.pic_name is not None:
        raise MissingField("product_id")
    generation = cursor.generation if cursor else 0
    if request.pinned and cursor is None:
        generation = catalogue.index.pin()
    if generation:
        view = catalogue.index.at(generation)
        found = view.matching(selected, after=after, limit=request.limit + 1)
        return _page(found, request.limit, generation)
    found = catalogue.snapshot.matching(selected, after=after, limit=request.limit + 1)
    return _page(found, request.limit)


def _page(found: list[Picture], limit: int, generation: int = 0) -> Page:
    page, more = found[:limit], len(found) > limit
    cursor = cursor_of(page[-1].key, generation) if more else None
    return Page(page, cursor, generation or None)


def _of_product(
    snapshot: Snapshot,
    product_id: str,
    pic_name: str | None,
    selected: Filter | None,
    after: PictureKey | None,
) -> list[Picture]:
    keys = [
        key
        for key in snapshot.of_product(product_id)
        if pic_name in (None, key.pic_name) and (after is None or key > after)
    ]
    pictures = [entry.picture for key in keys if (entry := snapshot.view.find(key, meaning=False))]
    return [p for p in pictures if selected is None or selected.matches(p.attributes)]


def cursor_of(key: PictureKey, generation: int = 0) -> str:
    """Return the cursor of the page after a key, pinned to a generation unless that is 0."""
    told = msgspec.json.encode([*key, generation] if generation else key)
    return base64.urlsafe_b64encode(told).decode().rstrip("=")


def key_of(cursor: str) -> PictureKey:
    """Return the key that a cursor of ours stands for; :class:`InvalidField` for any other."""
    found = _read(cursor)
    return PictureKey(found.product_id, found.pic_name)


def _read(cursor: str) -> _Cursor:
    try:
        return _cursors.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise InvalidField(
            "cursor",
            "cursor is not one that a page of this list gave.",
            fix="Pass next_cursor of the page before, unchanged.",
        ) from None
