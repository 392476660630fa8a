"""What a deployment tells its functions through the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that differs between deployments; docs/settings.md describes each.

    Each field is read from the environment variable named beside it.
    """

    bucket: str  # IMAGESEARCH_BUCKET
    models: Path = Path("/opt/models")  # IMAGESEARCH_MODELS
    bundle: str = ""  # IMAGESEARCH_BUNDLE
    words: Path = Path("/opt/words")  # IMAGESEARCH_WORDS
    cache: Path = Path("/tmp/imagesearch")  # noqa: S108  IMAGESEARCH_CACHE
    compact_function: str = ""  # IMAGESEARCH_COMPACT_FUNCTION
    ingest_lanes: int = 64  # IMAGESEARCH_INGEST_LANES
    rankers: tuple[str, ...] = ()  # IMAGESEARCH_RANKERS
    rankers_rows: int = 1_000_000  # IMAGESEARCH_RANKERS_ROWS
    private_callbacks: bool = False  # IMAGESEARCH_PRIVATE_CALLBACKS
    thumbnails: bool = True  # IMAGESEARCH_THUMBNAILS
    page: bool = True  # IMAGESEARCH_PAGE
    authorization: str = "none"  # IMAGESEARCH_AUTHORIZATION
    engine: str = ""  # IMAGESEARCH_ENGINE
    engine_uri: str = ""  # IMAGESEARCH_ENGINE_URI
    engine_token: str = ""  # IMAGESEARCH_ENGINE_TOKEN
    query_share: float = 0.05  # IMAGESEARCH_QUERY_SHARE
    region: str = ""  # AWS_REGION
    endpoint: str | None = None  # AWS_ENDPOINT_URL_S3, else AWS_ENDPOINT_URL

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings; :class:`KeyError` names a variable that is required and missing."""
        return cls(
            bucket=environment["IMAGESEARCH_BUCKET"],
            models=Path(environment.get("IMAGESEARCH_MODELS", "/opt/models")),
            bundle=environment.get("IMAGESEARCH_BUNDLE", ""),
            words=Path(environment.get("IMAGESEARCH_WORDS", "/opt/words")),
            cache=Path(environment.get("IMAGESEARCH_CACHE", "/tmp/imagesearch")),  # noqa: S108
            compact_function=environment.get("IMAGESEARCH_COMPACT_FUNCTION", ""),
            ingest_lanes=int(environment.get("IMAGESEARCH_INGEST_LANES", "64")),
            rankers=_names(environment.get("IMAGESEARCH_RANKERS", "")),
            rankers_rows=int(environment.get("IMAGESEARCH_RANKERS_ROWS", "1000000")),
            private_callbacks=environment.get("IMAGESEARCH_PRIVATE_CALLBACKS", "") == "true",
            thumbnails=environment.get("IMAGESEARCH_THUMBNAILS", "enabled") == "enabled",
            page=environment.get("IMAGESEARCH_PAGE", "enabled") == "enabled",
            authorization=environment.get("IMAGESEARCH_AUTHORIZATION", "none"),
            engine=_engine(environment.get("IMAGESEARCH_ENGINE", "")),
            engine_uri=environment.get("IMAGESEARCH_ENGINE_URI", ""),
            engine_token=environment.get("IMAGESEARCH_ENGINE_TOKEN", ""),
            query_share=float(environment.get("IMAGESEARCH_QUERY_SHARE", "0.05")),
            region=environment.get("AWS_REGION", ""),
            endpoint=environment.get("AWS_ENDPOINT_URL_S3")
            or environment.get("AWS_ENDPOINT_URL")
            or None,
        )


def _engine(text: str) -> str:
    return "" if text == "none" else text


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)
