"""The data folder of a local run: objects, logs, and what is remembered between runs."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from imagesearch_local.problems import LocalFailure

__all__ = ["DataFolder", "Remembered"]


@dataclass(slots=True)
class Remembered:
    """What a data folder keeps between runs: the object store's keys and ports."""

    access_key: str = field(default_factory=lambda: "local" + secrets.token_hex(6))
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(30))
    storage_ports: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where a local run keeps everything. One run at a time may hold it."""

    path: Path

    @property
    def objects(self) -> Path:
        """Return the folder of the object store."""
        return self.path / "objects"

    @property
    def logs(self) -> Path:
        """Return the folder of the logs."""
        return self.path / "logs"

    @property
    def scratch(self) -> Path:
        """Return the folder of what does not outlive a run."""
        return self.path / "run"

    @contextmanager
    def held(self, url: str) -> Iterator[None]:
        """Hold the folder for this process; :class:`LocalFailure` if another one holds it.

        The lock is the kernel's: it ends with the process, however that ends.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path / "serve.lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise LocalFailure(
                f"cannot write to {self.path}: {error.strerror}. Choose another folder with --data."
            ) from None
        try:
            self._take(lock)
            os.ftruncate(lock, 0)
            os.pwrite(lock, json.dumps({"pid": os.getpid(), "url": url}).encode(), 0)
            self._clean_scratch()
            yield
            self._clean_scratch()
        finally:
            os.close(lock)

    @property
    def engine(self) -> dict[str, str]:
        """Return the settings of the vector engine that the run which holds the folder has."""
        try:
            return msgspec.json.decode(self._engine.read_bytes(), type=dict[str, str])
        except FileNotFoundError:
            return {}

    def tell_engine(self, variables: Mapping[str, str]) -> None:
        """Write down what the command line needs to find the engine of this run."""
        found = {n: v for n, v in variables.items() if n.startswith("IMAGESEARCH_ENGINE")}
        self._engine.write_bytes(msgspec.json.encode(found))

    @property
    def _engine(self) -> Path:
        return self.scratch / "engine.json"

    def holder(self) -> str:
        """Say who holds the folder; empty if nobody does."""
        place = self.path / "serve.lock"
        if not place.exists():
            return ""
        with place.open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _describe(lock.read(1000))
        return ""

    def remembered(self) -> Remembered:
        """Return what was remembered, or a fresh beginning."""
        try:
            return msgspec.json.decode(self._memory.read_bytes(), type=Remembered)
        except FileNotFoundError:
            return Remembered()
        except msgspec.MsgspecError as error:
            raise LocalFailure(f"{self._memory} cannot be read: {error}. Restore it.") from None

    def remember(self, remembered: Remembered) -> None:
        """Write down what is to be kept; only this user may read it."""
        draft = self._memory.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(remembered)))
        draft.replace(self._memory)

    @property
    def _memory(self) -> Path:
        return self.path / "local.json"

    def _take(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _describe(os.pread(lock, 1000, 0))
            raise LocalFailure(f"{self.path} is in use by {holder}; stop that first.") from None

    def _clean_scratch(self) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()


def _describe(holder: bytes) -> str:
    try:
        found = json.loads(holder)
        return f"another imagesearch serve (process {found['pid']}, {found['url']})"
    except (ValueError, KeyError, TypeError):
        return "another imagesearch serve"
