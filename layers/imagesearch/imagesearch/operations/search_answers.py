"""What the HTTP API answers to searches by words, for subjects, by several things, and to why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from imagesearch.operations.answers import Corners, Exact, HitRecord, IndexRecord, PictureRecord

if TYPE_CHECKING:
    from imagesearch.index.wording import Worded
    from imagesearch.operations.combined import CombinedHit, FoundTogether
    from imagesearch.operations.explain import Explained
    from imagesearch.operations.search_text import FoundByText
    from imagesearch.operations.several import FoundSubjects
    from imagesearch.vision import Reasons

__all__ = ["CombinedAnswer", "ExplainedAnswer", "SubjectsAnswer", "WordedAnswer"]


class CombinedHitRecord(PictureRecord, frozen=True, kw_only=True, omit_defaults=True):
    """A picture that was found by a combined query."""

    score: Annotated[float, Meta(ge=0, le=1, description="Weighted mean of cosines; order.")]
    parts: Annotated[
        list[float | None],
        Meta(description="Cosine with each part of the query; null where it cannot be told."),
    ]

    @classmethod
    def of_combined(cls, hit: CombinedHit) -> CombinedHitRecord:
        """Describe a hit."""
        record = PictureRecord.of(hit.picture)
        named = {name: getattr(record, name) for name in record.__struct_fields__}
        parts = [None if part is None else round(part, 6) for part in hit.parts]
        return cls(score=hit.score, parts=parts, **named)


class CombinedAnswer(Struct, frozen=True, omit_defaults=True):
    """Hits of a combined query, best first. ``total`` counts all that pass."""

    hits: list[CombinedHitRecord]
    total: int
    index: IndexRecord
    took_ms: dict[str, float]
    total_exact: Exact = True

    @classmethod
    def of(cls, found: FoundTogether) -> CombinedAnswer:
        """Describe what was found."""
        return cls(
            [CombinedHitRecord.of_combined(hit) for hit in found.hits],
            found.total,
            IndexRecord(found.generation, found.sequence),
            _rounded(found.took_ms),
            found.exact,
        )


class WordedHitRecord(PictureRecord, frozen=True, kw_only=True, omit_defaults=True):
    """A picture that was found by words."""

    score: Annotated[
        float, Meta(ge=0, le=1, description="1 - (1 - words)(1 - meaning): order, not probability.")
    ]
    words: Annotated[
        float, Meta(ge=0, le=1, description="Part of the query's words known of the picture.")
    ]
    meaning: Annotated[
        float | None,
        Meta(description="Cosine with the text's meaning; absent where it is not known."),
    ] = None

    @classmethod
    def of_worded(cls, hit: Worded) -> WordedHitRecord:
        """Describe a hit."""
        record = PictureRecord.of(hit.picture)
        named = {name: getattr(record, name) for name in record.__struct_fields__}
        meaning = None if hit.cosine is None else round(hit.cosine, 6)
        score, words = (min(1.0, round(part, 6)) for part in (hit.score, hit.words))
        return cls(score=score, words=words, meaning=meaning, **named)


class WordedQueryRecord(Struct, frozen=True):
    """The text that was searched for, and whether meanings were compared too."""

    text: str
    meaning: bool


class WordedAnswer(Struct, frozen=True):
    """Hits of a search by words, best first. ``total`` counts them all."""

    hits: list[WordedHitRecord]
    query: WordedQueryRecord
    total: int
    index: IndexRecord
    took_ms: dict[str, float]

    @classmethod
    def of(cls, found: FoundByText) -> WordedAnswer:
        """Describe what was found."""
        return cls(
            [WordedHitRecord.of_worded(hit) for hit in found.hits],
            WordedQueryRecord(found.text, found.by_meaning),
            found.total,
            IndexRecord(found.generation, found.sequence),
            _rounded(found.took_ms),
        )


class SubjectRecord(Struct, frozen=True, omit_defaults=True):
    """One subject of the picture, and what looks like it."""

    region: Corners
    category_id: int
    hits: list[HitRecord]
    total: int
    total_exact: Exact = True


class SubjectsAnswer(Struct, frozen=True):
    """What was found for each subject of a picture, the main one first."""

    regions: list[SubjectRecord]
    index: IndexRecord
    took_ms: dict[str, float]

    @classmethod
    def of(
        cls, found: FoundSubjects, probabilities: Iterable[Sequence[float | None]]
    ) -> SubjectsAnswer:
        """Describe what was found, and how likely each hit is the same thing."""
        return cls(
            [
                SubjectRecord(
                    subject.region.as_list(),
                    subject.category_id,
                    [
                        HitRecord.of_hit(*pair)
                        for pair in zip(subject.answer.hits, chances, strict=True)
                    ],
                    subject.answer.total,
                    subject.answer.exact,
                )
                for subject, chances in zip(found.subjects, probabilities, strict=True)
            ],
            IndexRecord(found.generation, found.sequence),
            _rounded(found.took_ms),
        )


class ReasonsRecord(Struct, frozen=True):
    """Where a likeness rests: shares of the region's cells, row by row from the top left."""

    region: Corners
    cells: list[list[float]]

    @classmethod
    def of(cls, reasons: Reasons) -> ReasonsRecord:
        """Describe reasons."""
        cells = [[round(share, 4) for share in row] for row in reasons.cells.tolist()]
        return cls(reasons.region.as_list(), cells)


class ExplainedAnswer(Struct, frozen=True):
    """Why a picture was found. ``result`` is in its thumbnail's pixels, null without one."""

    picture: PictureRecord
    score: Annotated[float, Meta(ge=0, le=1)]
    query: ReasonsRecord
    result: ReasonsRecord | None

    @classmethod
    def of(cls, found: Explained) -> ExplainedAnswer:
        """Describe what was found out."""
        return cls(
            PictureRecord.of(found.picture),
            found.score,
            ReasonsRecord.of(found.query),
            ReasonsRecord.of(found.result) if found.result else None,
        )


def _rounded(took_ms: Mapping[str, float]) -> dict[str, float]:
    return {stage: round(ms, 2) for stage, ms in took_ms.items()}
