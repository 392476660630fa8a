"""Let a build be deployed only for the processor it was made for."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["pin"]

_PARAMETER = re.compile(
    r"(?P<head>^  Architecture:\n    Type: String\n)"
    r"    Default: \w+\n    AllowedValues:\n(?:    - \w+\n)+",
    re.MULTILINE,
)


def pin(folder: Path, architecture: str) -> None:
    """Make ``architecture`` the only value of the built template's parameter.

    CloudFormation then refuses any other by itself, before it touches anything.
    """
    template = folder / "template.yaml"
    text, count = _PARAMETER.subn(
        rf"\g<head>    Default: {architecture}\n    AllowedValues:\n    - {architecture}\n",
        template.read_text("utf-8"),
    )
    if count != 1:
        raise SystemExit(f"{template} has {count} parameters Architecture where one is due.")
    template.write_text(text, "utf-8")
