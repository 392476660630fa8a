"""Find out before a task begins whether it can be carried out, and if not, exactly why."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from imagesearch.errors import (
    IncrementRefused,
    InvalidBucketName,
    NoMetaFile,
    PathEndsWithSlash,
    PathNotAbsolute,
    PathReserved,
    UnknownPath,
)
from imagesearch.ingest.callback import check_address
from imagesearch.ingest.lines import Flaw, read_lines
from imagesearch.ingest.problems import Flaws
from imagesearch.ingest.roles import account_of
from imagesearch.ingest.source import Source
from imagesearch.storage import ObjectInfo

__all__ = ["IMPORTS", "META", "Checked", "Wanted", "faults", "folder_of", "inspect"]

META = "increment.meta"
IMPORTS = "imports"
"""The one folder of the deployment's own bucket that tasks may read."""

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a submission asks for."""

    bucket: str
    path: str
    role_arn: str = ""
    bucket_owner: str = ""
    callback_url: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """The increment.meta that was found, and what its lines are like.

    ``read`` counts the lines that were checked; if not ``whole`` the rest is checked when the
    task is planned. ``lines`` is their number, or an estimate of it.
    """

    meta: ObjectInfo
    read: int
    whole: bool
    flaws: Flaws = field(default_factory=Flaws)
    lines: int = 0


def folder_of(path: str) -> str:
    """Return the folder that a path names, without slashes around it; the root is empty.

    The vendor's pages leave open whether the path names the folder or the file: both are taken.
    """
    folder = path.strip("/")
    return "" if folder == META else folder.removesuffix(f"/{META}")


def faults(wanted: Wanted, *, own_bucket: str, private: bool) -> Iterator[IncrementRefused]:
    """Yield what is wrong with a submission as such, without asking anybody."""
    checks: list[Callable[[], object]] = [
        lambda: _check_bucket(wanted.bucket),
        lambda: _check_path(wanted.path),
        lambda: _check_not_ours(wanted, own_bucket),
        lambda: account_of(wanted.role_arn) if wanted.role_arn else None,
        lambda: (
            check_address(wanted.callback_url, private=private) if wanted.callback_url else None
        ),
    ]
    for check in checks:
        try:
            check()
        except IncrementRefused as error:
            yield error


def _check_bucket(bucket: str) -> None:
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise InvalidBucketName(
            f"bucket {bucket[:100]!r} is not a bucket's name.",
            f"bucket {bucket[:100]!r} 不是有效的存储桶名称。",
        )


def _check_path(path: str) -> None:
    if not path.startswith("/"):
        raise PathNotAbsolute(
            f"path {path[:100]!r} does not begin with /.", f"path {path[:100]!r} 不以 / 开头。"
        )
    if path != "/" and path.endswith("/"):
        raise PathEndsWithSlash(
            f"path {path[:100]!r} ends with /.", f"path {path[:100]!r} 以 / 结尾。"
        )


def _check_not_ours(wanted: Wanted, own_bucket: str) -> None:
    if wanted.bucket == own_bucket and not is_open(folder_of(wanted.path) + "/"):
        raise PathReserved(
            f"path {wanted.path[:100]!r} of this deployment's own bucket is not below /{IMPORTS}.",
            f"path {wanted.path[:100]!r} 在本服务自己的存储桶中，但不在 /{IMPORTS} 之下。",
        )


def is_open(key: str) -> bool:
    """Tell whether tasks may read a key of the deployment's own bucket."""
    return key.startswith(f"{IMPORTS}/")


def inspect(source: Source, path: str, *, seconds: float) -> Checked:
    """Look at the bucket, the path, and for ``seconds`` at the lines of increment.meta.

    Raises the ``IncrementRefused`` leaf of the first thing that is wrong; lines that are wrong
    are in the answer.
    """
    folder = folder_of(path)
    prefix = f"{folder}/" if folder else ""
    if not source.check(prefix):
        raise UnknownPath(f"there is no object below {path!r}.", f"{path!r} 之下没有任何对象。")
    meta = source.find(f"{prefix}{META}")
    if meta is None:
        raise NoMetaFile(f"there is no {prefix}{META}.", f"{prefix}{META} 不存在。")
    return _read(source, meta, time.monotonic() + seconds)


def _read(source: Source, meta: ObjectInfo, deadline: float) -> Checked:
    flaws, lines, taken = Flaws(), 0, 0

    def blocks() -> Iterator[bytes]:
        nonlocal taken
        for block in source.stream(meta):
            taken += len(block)
            yield block

    for item in read_lines(blocks()):
        lines += 1
        if isinstance(item, Flaw):
            flaws.add(item.error, item.number)
        if lines % 500 == 0 and time.monotonic() > deadline:
            estimate = lines * max(meta.size, 1) // max(taken, 1)
            return Checked(meta, lines, False, flaws, max(estimate, lines))
    return Checked(meta, lines, True, flaws, lines)
