"""Write the runtime layer's requirements with the hash of the wheel of each processor."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tools.sam.runtime_layer import ARCHITECTURES, HOME, pip_platform

__all__ = ["pinned", "relock"]

LEFT_OUT = {"boto3"}
"""Dependencies that Lambda's own runtime brings."""

ALSO = ("jmespath==1.1.0", "tqdm==4.70.1", "typing-extensions==4.16.0")
"""What those need in turn; ONNX Runtime's protobuf and flatbuffers are for making models only."""

_HEAD = """\
# Made by `python -m tools.sam lock` from pyproject.toml: every package the functions import, and
# the hash of its wheel for x86_64 and for arm64. boto3 is not here: Lambda's runtime has it.
"""


def pinned() -> list[str]:
    """Return the requirements of the layer, ``name==version`` each."""
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    own = [line for line in project["dependencies"] if line.partition("==")[0] not in LEFT_OUT]
    return sorted([*own, *ALSO])


def relock() -> None:
    """Fetch every wheel once for each processor and write ``requirements.txt``."""
    hashes: dict[str, set[str]] = {}
    for requirement in pinned():
        for architecture in ARCHITECTURES:
            hashes.setdefault(requirement, set()).add(_hash(requirement, architecture))
    lines = [" \\\n    ".join([name, *sorted(found)]) for name, found in hashes.items()]
    (HOME / "requirements.txt").write_text(_HEAD + "\n".join(lines) + "\n", "utf-8")


def _hash(requirement: str, architecture: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", f"--dest={folder}"]
        subprocess.run([*command, *pip_platform(architecture), requirement], check=True)
        (wheel,) = Path(folder).iterdir()
        return "--hash=sha256:" + hashlib.sha256(wheel.read_bytes()).hexdigest()
