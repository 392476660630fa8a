"""How many more pictures a task may bring, where the key that submitted it has a limit."""

from __future__ import annotations

from collections.abc import Sequence

from imagesearch.catalogue import PictureKey
from imagesearch.errors import InstanceFull
from imagesearch.index import Snapshot
from imagesearch.ingest.lines import Line

__all__ = ["Room"]


class Room:
    """What is left of the limit while some lines in a row are carried out.

    ``there`` are the pictures in the instance that the lines are about; adding one of them
    again takes no room, and deleting one makes some.
    """

    def __init__(self, there: set[PictureKey], left: int, most: int) -> None:
        self._there, self._left, self._most = there, left, most

    @classmethod
    def of_lines(cls, lines: Sequence[Line], snapshot: Snapshot, most: int) -> Room | None:
        """Measure the room for lines; ``None`` if all of them fit, whatever is there."""
        left = most - snapshot.pictures
        if sum(line.adds for line in lines) <= left:
            return None
        there = set(snapshot.find_all([line.key for line in lines if line.pic_name], meaning=False))
        for product_id in {line.product_id for line in lines if not line.pic_name}:
            there.update(snapshot.of_product(product_id))
        return cls(there, left, most)

    def check(self, key: PictureKey) -> None:
        """Raise :class:`InstanceFull` if a picture does not fit any more."""
        if key not in self._there and self._left <= 0:
            raise InstanceFull(
                f"the instance holds as many pictures as the key that submitted the task may fill "
                f"it up to: {self._most:,}."
            )

    def take(self, key: PictureKey) -> None:
        """Count a picture that was added."""
        if key not in self._there:
            self._there.add(key)
            self._left -= 1

    def free(self, line: Line) -> None:
        """Count what a line deletes: one picture, or those of a product."""
        gone = {
            key
            for key in self._there
            if (key == line.key if line.pic_name else key.product_id == line.product_id)
        }
        self._there -= gone
        self._left += len(gone)
