"""Segment files on this machine: fetched in parts, checked before their first use, then mapped."""

from __future__ import annotations

import hashlib
import mmap
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from imagesearch.errors import CorruptObject, NoRoom, NoSuchObject
from imagesearch.index.manifest import FileInfo
from imagesearch.index.parallel import each
from imagesearch.storage import ObjectStore

__all__ = ["File", "Files", "check_file"]

_PART = 8 << 20
_SUFFIXES = (".meta", ".b1", ".i8", ".usearch")
_PAUSE = 0.5
"""Time (s) that is left to the answer under way before files are fetched for later ones."""
_ABANDONED = 3600.0
"""Age (s) of a file that is no longer being fetched."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a segment: where it is stored, and what its bytes must be."""

    key: str
    info: FileInfo


class Files:
    """Segment files by key, in the folder ``cache``, or in memory if that is ``None``.

    A file found in the folder may be from an earlier process, so it is checked like a fresh one.
    """

    def __init__(self, store: ObjectStore, cache: Path | None, *, parallel: int) -> None:
        self._store = store
        self._cache = cache
        self._parallel = parallel
        self._open: dict[str, memoryview] = {}
        self._coming: dict[str, Future[None]] = {}
        self._later: deque[File] = deque()
        self._busy = False
        self._hurry = threading.Event()
        self._lock = threading.Lock()
        self.downloads = 0
        """Files that had to be fetched from the store."""

    @property
    def persistent(self) -> bool:
        """Tell whether files are kept in a folder."""
        return self._cache is not None

    def has(self, file: File) -> bool:
        """Tell whether a file can be used at once."""
        return file.key in self._open

    def open(self, file: File) -> memoryview:
        """Return a file's bytes, checked; :class:`CorruptObject` names one that is not whole."""
        while True:
            self.fetch([file])
            found = self._open.get(file.key)
            if found is not None:  # else it was dropped again meanwhile
                return found

    def fetch(self, files: Iterable[File]) -> None:
        """Make several files usable, in parallel; wait for those that are on their way."""
        mine, others = [], []
        with self._lock:
            for file in files:
                if file.key in self._open:
                    continue
                if file.key in self._coming:
                    others.append(self._coming[file.key])
                else:
                    self._coming[file.key] = Future()
                    mine.append(file)
        if others:
            self._hurry.set()
        self._bring(mine)
        for coming in others:
            coming.result()

    def fetch_soon(self, file: File) -> None:
        """Have a file made usable on another thread. If that fails, nobody hears of it."""
        with self._lock:
            if file.key in self._open or file.key in self._coming:
                return
            self._coming[file.key] = Future()
            self._later.append(file)
            if self._busy:
                return
            self._busy = True
        threading.Thread(target=self._bring_later, daemon=True).start()

    def linger(self, files: Iterable[File], seconds: float) -> None:
        """Wait so long at most for those files that an earlier call wanted soon.

        A function's threads stand still between its calls, so what is to come for later ones
        comes only while one of them waits.
        """
        with self._lock:
            coming = [self._coming[file.key] for file in files if file.key in self._coming]
        if coming:
            self._hurry.set()
            wait(coming, seconds)

    def read(self, file: File, start: int, length: int) -> bytes:
        """Read some bytes of a file from the store, unchecked."""
        try:
            return self._store.get_range(file.key, start, length)
        except NoSuchObject:
            raise CorruptObject(f"{file.key} is missing.") from None

    def keep_only(self, wanted: Iterable[str]) -> None:
        """Drop all files but those of these keys, also those of an earlier process."""
        keys = set(wanted)
        with self._lock:
            for key in self._open.keys() - keys:
                del self._open[key]
        if self._cache and self._cache.is_dir():
            names = {self._path(key).name for key in keys}
            for path in self._cache.iterdir():
                abandoned = path.stem.endswith(_SUFFIXES) and _age(path) > _ABANDONED
                if abandoned or (path.suffix in _SUFFIXES and path.name not in names):
                    path.unlink(missing_ok=True)

    def _bring_later(self) -> None:
        """Fetch what was asked for later, one file after the other to bound the memory."""
        self._hurry.wait(_PAUSE)
        while True:
            with self._lock:
                if not self._later:
                    self._busy = False
                    return
                file = self._later.popleft()
            with suppress(Exception):  # whoever needs the file will meet the error itself
                self._bring([file])

    def _bring(self, files: Sequence[File]) -> None:
        """Make files usable that are noted as coming, and tell who waits for them."""
        try:
            old = [(file, self._from_folder(file)) for file in files]
            new = [file for file, found in old if found is None]
            brought = {file.key: found for file, found in old if found is not None}
            brought |= self._download(new)
        except BaseException as error:
            for file in files:
                self._settle(file.key, error)
            raise
        with self._lock:
            self._open |= brought
            self.downloads += len(new)
        for file in files:
            self._settle(file.key, None)

    def _settle(self, key: str, error: BaseException | None) -> None:
        with self._lock:
            coming = self._coming.pop(key)
        if error is None:
            coming.set_result(None)
        else:
            coming.set_exception(error)

    def _from_folder(self, file: File) -> memoryview | None:
        """Return a file that is in the folder already, unless it is damaged."""
        if not self._cache:
            return None
        try:
            with self._path(file.key).open("rb") as found:
                size = os.fstat(found.fileno()).st_size
                content = mmap.mmap(found.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        except FileNotFoundError:
            return None
        try:
            check_file(file.key, memoryview(content), file.info)
        except CorruptObject:
            return None
        return _untouched(memoryview(content))

    def _download(self, files: Sequence[File]) -> dict[str, memoryview]:
        targets = {file.key: self._target(file) for file in files}
        parts = [
            (file, start) for file in files for start in range(0, file.info.size, _PART) or [0]
        ]

        def fetch(part: tuple[File, int]) -> None:
            file, start = part
            data = self.read(file, start, min(_PART, file.info.size - start))
            if len(data) != min(_PART, file.info.size - start):
                raise CorruptObject(f"{file.key} has fewer than the {file.info.size} bytes due.")
            targets[file.key][1][start : start + len(data)] = data

        def finish(file: File) -> memoryview:
            path, content = targets[file.key]
            check_file(file.key, content, file.info)
            if path:
                path.rename(self._path(file.key))
            return _untouched(content)

        try:
            each(fetch, parts, self._parallel)
            found = each(finish, files, self._parallel)
        except BaseException:
            for path, _ in targets.values():
                if path:
                    path.unlink(missing_ok=True)
            raise
        return {file.key: content for file, content in zip(files, found, strict=True)}

    def _target(self, file: File) -> tuple[Path | None, memoryview]:
        """Return where to put a file that is being fetched."""
        if not self._cache or not file.info.size:
            return None, memoryview(bytearray(file.info.size))
        path = self._cache / f"{self._path(file.key).name}.{secrets.token_hex(8)}"
        try:
            self._cache.mkdir(parents=True, exist_ok=True)
            with path.open("x+b") as target:
                # A hole that the disk cannot fill would end the process when it is written to.
                os.posix_fallocate(target.fileno(), 0, file.info.size)
                return path, memoryview(mmap.mmap(target.fileno(), file.info.size))
        except OSError as error:
            path.unlink(missing_ok=True)
            raise NoRoom(
                f"there is no room for {file.info.size} bytes in {self._cache}: {error.strerror}.",
                fix="Give the function more ephemeral storage; docs/index-format.md says how much.",
            ) from error

    def _path(self, key: str) -> Path:
        if not self._cache:
            raise ValueError("files are kept in memory")
        return self._cache / key.rpartition("/")[2]


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _untouched(content: memoryview) -> memoryview:
    """Return a mapped file, read-only, after having read all of it.

    Its pages are given back: those that searches touch come again from the system's cache.
    """
    if isinstance(content.obj, mmap.mmap):
        content.obj.madvise(mmap.MADV_DONTNEED)
    return content.toreadonly()


def check_file(key: str, data: bytes | memoryview, info: FileInfo) -> None:
    """Raise :class:`CorruptObject` unless these are the bytes that the manifest means."""
    if len(data) != info.size:
        raise CorruptObject(f"{key} has {len(data)} bytes where {info.size} are due.")
    if hashlib.sha256(data).hexdigest() != info.sha256:
        raise CorruptObject(f"{key} has altered bytes: its SHA-256 does not match.")
