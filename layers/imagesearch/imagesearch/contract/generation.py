"""The API versions that are spoken here, and how their answers differ."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GENERATIONS", "PLATFORM", "V2018", "V2019", "V2020", "V2020_12", "Generation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One API version.

    ``attributes`` is how many integer and string attributes its answers carry, ``complete``
    that its SDK wants every field of a hit even where nothing was stored, ``status_error`` the
    HTTP status of InstanceStatusError.
    """

    version: str
    attributes: int = 1
    scores: bool = True
    several_regions: bool = True
    tells_deleted: bool = False
    tells_subjects_of_adds: bool = False
    complete: bool = False
    status_error: int = 409


V2018 = Generation(version="2018-01-20", scores=False, several_regions=False)
V2019 = Generation(version="2019-03-25")
V2020 = Generation(version="2020-02-12", scores=False, several_regions=False, complete=True)
V2020_12 = Generation(
    version="2020-12-14",
    attributes=4,
    tells_deleted=True,
    tells_subjects_of_adds=True,
    status_error=400,
)
PLATFORM = Generation(version="2019-12-19")
"""OpenPlatform, of which the SDKs ask an upload form."""

GENERATIONS = {g.version: g for g in (V2018, V2019, V2020, V2020_12, PLATFORM)}
"""Every version by its name."""
