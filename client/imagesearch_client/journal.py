"""What an import has had acknowledged, so that the next run sends only the rest."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Journal", "journal_folder"]


def journal_folder() -> Path:
    """Return the folder of this user's journals."""
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local/state") / "imagesearch" / "imports"


class Journal:
    """A file with one line per acknowledged picture; safe to use from several threads.

    A line that a crash cut short is passed over: its picture is sent again, which is harmless.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """Open the journal at ``path``, which need not exist; without one nothing is kept."""
        place = Path(path or os.devnull)
        place.parent.mkdir(parents=True, exist_ok=True)
        self._known = _read(place)
        self._file = place.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    @classmethod
    def of_import(cls, folder: Path, *parts: object) -> Journal:
        """Open the journal in ``folder`` that belongs to ``parts``: server, instance, source."""
        return cls(_place(folder, parts))

    @staticmethod
    def forget(folder: Path, *parts: object) -> None:
        """Remove the journal that :meth:`of_import` would open."""
        _place(folder, parts).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """Return the journal."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()

    def __contains__(self, entry: object) -> bool:
        """Tell whether the picture, exactly as it is now, has been acknowledged."""
        return entry in self._known

    def add(self, key: tuple[str, str], fingerprint: str) -> None:
        """Note that the picture with this key and content has been acknowledged."""
        line = json.dumps([*key, fingerprint], ensure_ascii=False)
        with self._lock:
            self._file.write(f"\n{line}")
            self._file.flush()
            self._known.add((*key, fingerprint))


def _place(folder: Path, parts: tuple[object, ...]) -> Path:
    name = hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()
    return folder / f"{name[:32]}.jsonl"


def _read(path: Path) -> set[tuple[str, str, str]]:
    known = set()
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                product_id, pic_name, fingerprint = json.loads(line)
            except ValueError:
                continue
            known.add((product_id, pic_name, fingerprint))
    return known
