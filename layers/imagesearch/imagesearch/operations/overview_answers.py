"""What the HTTP API answers to counts of pictures and to duplicates among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from imagesearch.operations.answers import HitRecord, PictureRecord

if TYPE_CHECKING:
    from imagesearch.index.facets import Facet
    from imagesearch.operations.duplicates import DuplicatePage

__all__ = ["CountsAnswer", "DuplicatesAnswer"]


class ValueRecord(Struct, frozen=True):
    """A value and how many pictures have it."""

    value: int | str
    count: int


class FacetRecord(Struct, frozen=True):
    """The most frequent values of a field.

    ``others`` counts the pictures with another value, ``missing`` those without any.
    """

    values: list[ValueRecord]
    others: int
    missing: int


class CountsAnswer(Struct, frozen=True):
    """How many pictures have each value, by field."""

    facets: dict[str, FacetRecord]

    @classmethod
    def of(cls, found: Mapping[str, Facet]) -> CountsAnswer:
        """Describe the counts."""
        return cls(
            {
                field: FacetRecord(
                    [ValueRecord(value, count) for value, count in facet.counts],
                    facet.others,
                    facet.missing,
                )
                for field, facet in found.items()
            }
        )


class TwinsRecord(Struct, frozen=True):
    """A picture and those later in the order of keys that look the same."""

    picture: PictureRecord
    duplicates: list[HitRecord]


class DuplicatesAnswer(Struct, frozen=True):
    """Pictures that have duplicates; ``next_cursor`` is null on the last page.

    ``looked`` counts the pictures that were compared with all others.
    """

    groups: list[TwinsRecord]
    looked: int
    next_cursor: str | None

    @classmethod
    def of(
        cls, page: DuplicatePage, probabilities: Iterable[Sequence[float | None]]
    ) -> DuplicatesAnswer:
        """Describe a page, with how likely each duplicate shows the same thing."""
        return cls(
            [
                TwinsRecord(
                    PictureRecord.of(twins.picture),
                    [
                        HitRecord.of_hit(*pair)
                        for pair in zip(twins.duplicates, chances, strict=True)
                    ],
                )
                for twins, chances in zip(page.twins, probabilities, strict=True)
            ],
            page.looked,
            page.next_cursor,
        )
