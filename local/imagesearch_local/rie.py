"""AWS's Lambda Runtime Interface Emulator: one pinned binary, taken out of a pinned wheel.

The wheel of ``aws-sam-cli`` carries the emulator for two architectures. Only the file for this
machine is kept; nothing of the package is installed and its dependencies are not downloaded.
``python -m imagesearch_local.rie`` fetches it ahead of the first run and prints where it is.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from imagesearch_local.problems import LocalFailure

__all__ = ["emulator"]

_PACKAGE = "aws-sam-cli==1.170.0"
_SHA256 = {
    "arm64": "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21",
    "x86_64": "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5",
}
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def emulator() -> Path:
    """Return the path of the emulator, fetching it the first time.

    Raises :class:`LocalFailure` on another system than Linux on x86-64 or arm64, when the
    package cannot be downloaded, or when the file is not the pinned one.
    """
    architecture = _architecture()
    name = f"aws-lambda-rie-{architecture}"
    place = _cache() / f"{name}-{_SHA256[architecture][:12]}"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        _install(_download(name), place, _SHA256[architecture])
    return place


def _architecture() -> str:
    system, machine = platform.system(), platform.machine().lower()
    if system != "Linux" or machine not in _MACHINES:
        raise LocalFailure(
            f"the Lambda emulator runs on Linux (x86-64 or arm64), not on {system} {machine}; "
            "use a Linux virtual machine or container."
        )
    return _MACHINES[machine]


def _cache() -> Path:
    """Return a folder of this virtual environment, else of this user."""
    if sys.prefix != sys.base_prefix and os.access(sys.prefix, os.W_OK):
        return Path(sys.prefix) / "share" / "imagesearch"
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "imagesearch"


def _download(name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--quiet"]
        command = [sys.executable, "-m", "pip", "download", *options, "-d", folder, _PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode != 0 or not wheels:
            raise LocalFailure(
                f"cannot download the Lambda emulator. This command must work:\n"
                f"  {shlex.join(command[:4])} --no-deps {_PACKAGE}\n{done.stderr.strip()}"
            )
        with zipfile.ZipFile(wheels[0]) as wheel:
            return wheel.read(f"samcli/local/rapid/{name}")


def _install(binary: bytes, place: Path, sha256: str) -> None:
    found = hashlib.sha256(binary).hexdigest()
    if found != sha256:
        raise LocalFailure(f"the emulator in {_PACKAGE} has sha256 {found}, expected {sha256}.")
    draft = place.with_name(f".{place.name}-{os.getpid()}")
    draft.write_bytes(binary)
    draft.chmod(0o755)
    draft.replace(place)


if __name__ == "__main__":
    try:
        print(emulator())
    except LocalFailure as failure:
        sys.exit(str(failure))
