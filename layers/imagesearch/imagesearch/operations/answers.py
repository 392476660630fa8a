"""What the HTTP API answers: one struct an answer, written as JSON and described in OpenAPI."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from imagesearch.catalogue import Picture, Region
from imagesearch.index import Hit

if TYPE_CHECKING:
    from imagesearch.operations.add import Added
    from imagesearch.operations.delete import Deleted
    from imagesearch.operations.instances import Described
    from imagesearch.operations.pictures import Page
    from imagesearch.operations.search import Found
    from imagesearch.operations.update import Updated
    from imagesearch.operations.uploads import Upload

__all__ = [
    "AddedAnswer",
    "ComparedAnswer",
    "DeletedAnswer",
    "ErasedAnswer",
    "Exact",
    "FoundAnswer",
    "HealthAnswer",
    "HitRecord",
    "InstanceRecord",
    "InstancesAnswer",
    "PageAnswer",
    "PictureRecord",
    "UpdatedAnswer",
    "UploadAnswer",
]

Corners = Annotated[
    list[int],
    Meta(min_length=4, max_length=4, description="x1, x2, y1, y2 in pixels; x2, y2 exclusive."),
]
Sequence = Annotated[int, Meta(description="Logical time of the newest write that is visible.")]
Exact = Annotated[
    bool, Meta(description="Present only as false: total is then what is known, not counted.")
]


class PictureRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A picture as it is catalogued; attributes that were not given are left out."""

    product_id: str
    pic_name: str
    category_id: int
    region: Corners
    int_attr: int | None = None
    int_attr2: int | None = None
    int_attr3: int | None = None
    int_attr4: int | None = None
    str_attr: str | None = None
    str_attr2: str | None = None
    str_attr3: str | None = None
    str_attr4: str | None = None
    custom_content: str | None = None
    thumbnail: Annotated[str | None, Meta(description="Name of a small copy, if there is one.")] = (
        None
    )

    @classmethod
    def of(cls, picture: Picture) -> PictureRecord:
        """Describe a picture."""
        return cls(
            product_id=picture.key.product_id,
            pic_name=picture.key.pic_name,
            category_id=picture.category_id,
            region=picture.region.as_list(),
            thumbnail=picture.thumbnail or None,
            **picture.attributes.given(),  # type: ignore[arg-type]  # names and types are the same
        )


class SeenPicture(PictureRecord, frozen=True, kw_only=True, omit_defaults=True):
    """A picture that was just looked at, with every subject found in it, the main one first."""

    regions: list[Corners]


class HitRecord(PictureRecord, frozen=True, kw_only=True, omit_defaults=True):
    """A picture that was found, and how alike it looks."""

    score: Annotated[float, Meta(ge=0, le=1, description="Cosine, 0 where negative.")]
    relevance: Annotated[
        float,
        Meta(
            ge=0,
            le=7.33136443711219e24,
            description="What hits are ordered by; the maximum for identical pictures only.",
        ),
    ]
    hamming: Annotated[int, Meta(ge=0, le=512, description="Differing bits of the codes.")]
    sort_expr_values: Annotated[str, Meta(description="relevance;hamming")]
    probability: Annotated[
        float | None,
        Meta(description="How likely it shows the same thing, 0 to 1, as calibrated."),
    ] = None

    @classmethod
    def of_hit(cls, hit: Hit, probability: float | None = None) -> HitRecord:
        """Describe a hit."""
        likeness = hit.likeness
        return cls(
            product_id=hit.picture.key.product_id,
            pic_name=hit.picture.key.pic_name,
            category_id=hit.picture.category_id,
            region=hit.picture.region.as_list(),
            thumbnail=hit.picture.thumbnail or None,
            score=likeness.score,
            # A float32, to the digits that sort_expr_values prints: both then read alike.
            relevance=float(f"{likeness.relevance:.15g}"),
            hamming=likeness.hamming,
            sort_expr_values=likeness.sort_expr_values,
            probability=None if probability is None else round(probability, 4),
            **hit.picture.attributes.given(),  # type: ignore[arg-type]  # as in PictureRecord.of
        )


class AddedAnswer(Struct, frozen=True, omit_defaults=True):
    """What an add did; ``duplicates`` only if they were asked for and there are any."""

    picture: SeenPicture
    sequence: Sequence
    duplicates: list[HitRecord] = []

    @classmethod
    def of(cls, added: Added) -> AddedAnswer:
        """Describe an add."""
        record = PictureRecord.of(added.picture)
        named = {name: getattr(record, name) for name in record.__struct_fields__}
        return cls(
            SeenPicture(**named, regions=_corners(added.regions)),
            added.sequence,
            [HitRecord.of_hit(hit) for hit in added.duplicates],
        )


class UpdatedAnswer(Struct, frozen=True):
    """The picture after an update."""

    picture: PictureRecord
    sequence: Sequence

    @classmethod
    def of(cls, updated: Updated) -> UpdatedAnswer:
        """Describe an update."""
        return cls(PictureRecord.of(updated.picture), updated.sequence)


class DeletedAnswer(Struct, frozen=True):
    """The names of the pictures that were deleted."""

    deleted: list[str]
    sequence: Sequence

    @classmethod
    def of(cls, done: Deleted) -> DeletedAnswer:
        """Describe a deletion."""
        return cls([key.pic_name for key in done.keys], done.sequence)


class PageAnswer(Struct, frozen=True):
    """A page of pictures; ``next_cursor`` is null on the last.

    ``generation`` is the one that the list is pinned to, null if it is not.
    """

    pictures: list[PictureRecord]
    next_cursor: str | None
    generation: int | None = None

    @classmethod
    def of(cls, page: Page) -> PageAnswer:
        """Describe a page."""
        pictures = [PictureRecord.of(one) for one in page.pictures]
        return cls(pictures, page.next_cursor, page.generation)


class QueryRecord(Struct, frozen=True):
    """What was understood of the query: the subject used, and all that were found."""

    category_id: int
    region: Corners
    regions: list[Corners]


class IndexRecord(Struct, frozen=True):
    """The state of the index that was searched."""

    generation: int
    sequence: Sequence


class FoundAnswer(Struct, frozen=True, omit_defaults=True):
    """Hits, best first. ``total`` counts all that pass; ``took_ms`` is by stage."""

    hits: list[HitRecord]
    query: QueryRecord
    total: int
    index: IndexRecord
    took_ms: dict[str, float]
    total_exact: Exact = True

    @classmethod
    def of(cls, found: Found, probabilities: Iterable[float | None]) -> FoundAnswer:
        """Describe what a search found, and how likely each hit is the same thing."""
        return cls(
            [
                HitRecord.of_hit(*pair)
                for pair in zip(found.answer.hits, probabilities, strict=True)
            ],
            QueryRecord(found.category_id, found.region.as_list(), _corners(found.regions)),
            found.answer.total,
            IndexRecord(found.generation, found.sequence),
            {stage: round(ms, 2) for stage, ms in found.took_ms.items()},
            found.answer.exact,
        )


class ComparedAnswer(Struct, frozen=True):
    """How alike two pictures look."""

    score: Annotated[float, Meta(ge=0, le=1)]
    hamming: Annotated[int, Meta(ge=0, le=512)]


class InstanceRecord(Struct, frozen=True):
    """An instance and what it holds."""

    name: str
    service: Literal["product", "generic", "fabric", "trademark"]
    model: str
    pictures: int
    products: int
    generation: int
    sequence: Sequence
    log_length: int
    created: Annotated[str, Meta(description="ISO 8601, UTC.")]

    @classmethod
    def of(cls, described: Described) -> InstanceRecord:
        """Describe an instance."""
        instance = described.instance
        created = datetime.fromtimestamp(instance.created / 1_000_000, UTC)
        return cls(
            instance.name,
            instance.service.value,
            instance.model,
            described.pictures,
            described.products,
            described.generation,
            described.sequence,
            described.log_length,
            created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        )


class InstancesAnswer(Struct, frozen=True):
    """Every instance."""

    instances: list[InstanceRecord]


class ErasedAnswer(Struct, frozen=True):
    """The name of the instance that was erased."""

    deleted: str


class UploadAnswer(Struct, frozen=True):
    """Where and how to send a picture, for ``expires_in`` seconds."""

    upload_id: str
    method: Literal["PUT"]
    url: str
    headers: dict[str, str]
    expires_in: int

    @classmethod
    def of(cls, begun: Upload) -> UploadAnswer:
        """Describe an upload."""
        return cls(begun.upload_id, "PUT", begun.url, begun.headers, begun.expires_in)


class HealthAnswer(Struct, frozen=True, omit_defaults=True):
    """All is well; ``model`` where the models were loaded."""

    status: Literal["ok"]
    model: str | None = None


def _corners(regions: Iterable[Region]) -> list[list[int]]:
    return [region.as_list() for region in regions]
