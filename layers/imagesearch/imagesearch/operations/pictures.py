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

    ``product_id``, alone or with ``pic_name``, is for names that a path cannot carry.
    """

    product_id: ProductId | None = None
    pic_name: PicName | None = None
    filter: FilterText | None = None
    cursor: str | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


@dataclass(frozen=True, slots=True)
class Page:
    """A page of pictures; ``next_cursor`` is ``None`` on the last."""

    pictures: list[Picture]
    next_cursor: str | None


def show_picture(deployment: Deployment, request: ShowPicture) -> Picture:
    """Return one picture as it is now; :class:`UnknownPicture` if there is none."""
    entry = deployment.open(request.instance).snapshot.find(
        PictureKey(request.product_id, request.pic_name)
    )
    if entry is None:
        raise UnknownPicture(
            f"there is no picture {request.pic_name!r} of product {request.product_id!r} "
            f"in instance {request.instance!r}."
        )
    return entry.picture


def list_pictures(deployment: Deployment, request: ListPictures) -> Page:
    """Return the pictures after the cursor that the filter selects."""
    selected = Filter.parse(request.filter) if request.filter is not None else None
    after = key_of(request.cursor) if request.cursor is not None else None
    snapshot = deployment.open(request.instance).snapshot
    if request.product_id is None:
        if request.pic_name is not None:
            raise MissingField("product_id")
        found = snapshot.matching(selected, after=after, limit=request.limit + 1)
    else:
        found = _of_product(snapshot, request.product_id, request.pic_name, selected, after)
    more = len(found) > request.limit
    page = found[: request.limit]
    return Page(page, cursor_of(page[-1].key) if more else None)


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
    pictures = [entry.picture for key in keys if (entry := snapshot.find(key))]
    return [p for p in pictures if selected is None or selected.matches(p.attributes)]


def cursor_of(key: PictureKey) -> str:
    """Return the cursor of the page after a key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def key_of(cursor: str) -> PictureKey:
    """Return the key that a cursor of ours stands for; :class:`InvalidField` for any other."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(text, type=PictureKey)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise InvalidField(
            "cursor",
            "cursor is not one that a page of this list gave.",
            fix="Pass next_cursor of the page before, unchanged.",
        ) from None
