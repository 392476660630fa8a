"""Where each object of an index is, below the index's prefix."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Keys"]


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one index's objects. ``prefix`` ends in ``/``."""

    prefix: str

    @property
    def manifest(self) -> str:
        """Return the manifest's key."""
        return f"{self.prefix}MANIFEST"

    @property
    def pulse(self) -> str:
        """Return the key of the object that is written to read the store's clock."""
        return f"{self.prefix}PULSE"

    @property
    def logs(self) -> str:
        """Return what every log object's key begins with."""
        return f"{self.prefix}wal/"

    @property
    def histories(self) -> str:
        """Return what every earlier manifest's key begins with."""
        return f"{self.prefix}history/"

    @property
    def segments(self) -> str:
        """Return what every segment file's key begins with."""
        return f"{self.prefix}seg/"

    @property
    def all_tombs(self) -> str:
        """Return what every tombstone object's key begins with."""
        return f"{self.prefix}tomb/"

    @property
    def queries(self) -> str:
        """Return what the key of every kept search begins with."""
        return f"{self.prefix}queries/"

    def query(self, number: int) -> str:
        """Return the key of a kept search, 0 to 999."""
        return f"{self.queries}{number:03d}"

    def log(self, name: str) -> str:
        """Return the key of the log object ``name``."""
        return f"{self.logs}{name}"

    def logs_after(self, clock: int) -> str:
        """Return a key between the log objects of at most this clock and all later ones."""
        return f"{self.logs}{clock:020d}-~" if clock else ""

    def history(self, generation: int) -> str:
        """Return the key of an earlier manifest."""
        return f"{self.histories}{generation:012d}"

    def segment(self, id: str, file: str) -> str:
        """Return the key of one file of a segment."""
        return f"{self.segments}{id}.{file}"

    def tombs(self, id: str) -> str:
        """Return the key of a tombstone object."""
        return f"{self.all_tombs}{id}"
