"""The vector engines that a deployment may hand instances over to: their names, how they open."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from imagesearch.catalogue import Instance
from imagesearch.errors import EngineUnavailable, InvalidField
from imagesearch.index.manifest import Manifest
from imagesearch.settings import Settings

if TYPE_CHECKING:
    from botocore.config import Config

    from imagesearch.index.engine import Engine

__all__ = ["Engines", "collection", "place_of"]

_FORMS = "Name s3vectors:BUCKET, s3vectors:BUCKET/INDEX, milvus or milvus:COLLECTION."
_DIGITS = 12


class Engines:
    """Opens engines by name and index, each once; thread-safe.

    ``opened`` does so in place of what settings say.
    """

    def __init__(self, settings: Settings, opened: Callable[[str], Engine] | None = None) -> None:
        self._settings = settings
        self._given = opened
        self._engines: dict[tuple[str, str], Engine] = {}
        self._lock = Lock()

    def of(self, prefix: str) -> Callable[[str], Engine]:
        """Return what opens engines for the index below ``prefix``, by the names in manifests.

        Nothing is asked of an engine yet. Opening raises :class:`InvalidField` if there is none of
        such a name and :class:`EngineUnavailable` if the token cannot be read.
        """
        return partial(self._engine, prefix)

    def _engine(self, prefix: str, name: str) -> Engine:
        with self._lock:
            if (name, prefix) not in self._engines:
                opened = self._given(name) if self._given else self._opened(name, prefix)
                self._engines[name, prefix] = opened
            return self._engines[name, prefix]

    def _opened(self, name: str, prefix: str) -> Engine:
        from imagesearch.engines import open_engine  # searches without an engine do not pay for it

        settings = self._settings
        milvus = name.startswith("milvus:")
        if milvus and not settings.engine_uri:
            raise EngineUnavailable(
                f"this deployment does not know where {name} is.",
                fix="Set IMAGESEARCH_ENGINE_URI (parameter EngineUri) to the address of Milvus.",
            )
        token = _secret(settings.engine_token) if milvus and settings.engine_token else ""
        try:
            return open_engine(
                name,
                uri=settings.engine_uri,
                token=token,
                region=settings.region,
                owner=f"s3://{settings.bucket}/{prefix}",
            )
        except ValueError as error:
            raise InvalidField(
                "to", f"{name[:80]!r} names no engine: {error}", fix=_FORMS
            ) from None


def collection(settings: Settings, instance: Instance, manifest: Manifest, to: str = "") -> str:
    """Return the engine's name for what ``to`` asks for, else for the deployment's own engine.

    Unless ``to`` names a collection, one is named after instance and index, so that every index
    has its own and erasing it takes nothing from another. Raises :class:`InvalidField` when there
    is no such engine.
    """
    kind, colon, rest = (to or settings.engine).partition(":")
    own_kind, _, own_place = settings.engine.partition(":")
    digits = manifest.index[:_DIGITS]
    if kind == "milvus":
        plain = f"imagesearch_{instance.name}_{digits}".replace("-", "_")
        return f"milvus:{rest or plain}"
    place = rest if colon else own_place if kind == own_kind else ""
    if kind == "s3vectors" and place:
        plain = f"{instance.name}-{digits}".replace("_", "-").lstrip("-")
        return f"s3vectors:{place}" if "/" in place else f"s3vectors:{place}/{plain}"
    what = f"{to[:80]!r} names no engine." if to else "this deployment has no engine."
    raise InvalidField("to", what, fix=f"{_FORMS} Without --to it is the setting Engine.")


def place_of(name: str) -> str:
    """Return an engine's name without its collection: where another one may be made."""
    return name.partition("/" if name.startswith("s3vectors:") else ":")[0]


def _secret(place: str) -> str:
    """Read the token from ``file:PATH``, ``ssm:NAME`` or ``secretsmanager:NAME``."""
    kind, _, name = place.partition(":")
    if kind == "file" and name:
        return _from_file(Path(name))
    if kind == "ssm" and name:
        return _parameter(name)
    if kind == "secretsmanager" and name:
        return _managed(name)
    raise EngineUnavailable(
        "IMAGESEARCH_ENGINE_TOKEN says not where the token is.",
        fix="Set it to file:PATH, ssm:NAME or secretsmanager:NAME: a place, never the token.",
    )


def _from_file(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _no_token(error) from error


def _parameter(name: str) -> str:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        ssm = boto3.client("ssm", config=_patience())
        found = ssm.get_parameter(Name=name, WithDecryption=True)
    except (BotoCoreError, ClientError) as error:
        raise _no_token(error) from error
    return str(found["Parameter"]["Value"]).strip()


def _managed(name: str) -> str:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        manager = boto3.client("secretsmanager", config=_patience())
        found = manager.get_secret_value(SecretId=name)
    except (BotoCoreError, ClientError) as error:
        raise _no_token(error) from error
    return str(found["SecretString"]).strip()


def _no_token(error: Exception) -> EngineUnavailable:
    return EngineUnavailable(
        f"the token of the vector engine cannot be read: {type(error).__name__}.",
        fix="Put it where IMAGESEARCH_ENGINE_TOKEN says, and let the function read it.",
    )


def _patience() -> Config:
    from botocore.config import Config

    return Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 3})
