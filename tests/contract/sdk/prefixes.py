"""The vendor's SDKs, each generation in a folder of its own, because their pins exclude each other.

Folders are made at first use under ``.cache/sdks`` by pip and npm, and kept.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CACHE = Path(__file__).parents[3] / ".cache/sdks"

PYTHON = {
    "2020-12-14 current": ["alibabacloud-imagesearch20201214==4.4.0"],
    # A fresh install of 3.1.1 takes a newer core, with which every call fails.
    "2020-12-14 of 2023": [
        "alibabacloud-imagesearch20201214==3.1.1",
        "alibabacloud-tea-openapi==0.3.8",
    ],
    "2019-03-25 current": ["alibabacloud-imagesearch20190325==2.0.2"],
    "2020-02-12": ["alibabacloud-imagesearch20200212==1.0.1"],
    "2018-03-19": ["alibabacloud-imagesearch20180319==1.0.0"],
    "2019-03-25 legacy": ["aliyun-python-sdk-imagesearch==2.0.0"],
}
NODE = [
    "@alicloud/imagesearch20201214@4.4.0",
    "@alicloud/imagesearch-2019-03-25@1.0.0",
    "@alicloud/imagesearch-2018-01-20@1.0.0",
]


def python_prefix(name: str) -> Path:
    """Return the folder with a Python SDK, or skip the test if it cannot be installed."""
    pins = PYTHON[name]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return _made(["python", sys.version, *pins], [*command, "--target", ".", *pins])


def node_prefix() -> Path:
    """Return the folder with the Node SDKs, or skip the test if they cannot be installed."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        pytest.skip("node and npm are not installed")
    return _made(
        ["node", *NODE], [npm, "install", "--no-audit", "--no-fund", "--prefix", ".", *NODE]
    )


def _made(about: list[str], command: list[str]) -> Path:
    place = CACHE / hashlib.sha256("\n".join(about).encode()).hexdigest()[:16]
    place.mkdir(parents=True, exist_ok=True)
    done = place / "installed.txt"
    with (place / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            found = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=300)
            if found.returncode:
                pytest.skip(f"cannot install {about[-1]}: {found.stderr.strip()[-300:]}")
            done.write_text("\n".join(about))
    return place
