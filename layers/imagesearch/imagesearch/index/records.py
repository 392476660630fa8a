"""A picture as MessagePack carries it, in the log and between functions."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from imagesearch.catalogue import Attributes, Picture, PictureKey, Region

__all__ = ["Record"]


class Record(msgspec.Struct, array_like=True, frozen=True):
    """A picture; ``region`` is x1, x2, y1, y2."""

    product_id: str
    pic_name: str
    category_id: int
    region: tuple[int, int, int, int]
    attributes: dict[str, int | str]
    thumbnail: str
    classes: tuple[int, ...]

    @classmethod
    def of(cls, picture: Picture) -> Record:
        """Describe a picture."""
        region = picture.region
        return cls(
            *picture.key,
            picture.category_id,
            (region.x1, region.x2, region.y1, region.y2),
            picture.attributes.given(),
            picture.thumbnail,
            picture.classes,
        )

    def picture(self) -> Picture:
        """Return the picture; :class:`msgspec.ValidationError` for attributes of other types."""
        return Picture(
            PictureKey(self.product_id, self.pic_name),
            self.category_id,
            Region(*self.region),
            _attributes(self.attributes),
            self.thumbnail,
            self.classes,
        )


def _attributes(given: Mapping[str, int | str]) -> Attributes:
    return msgspec.convert(given, Attributes) if given else Attributes()
