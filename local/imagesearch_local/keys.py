"""The access keys of a local run: one file in the data folder, with a key made at first start."""

from __future__ import annotations

import time
from pathlib import Path

from imagesearch.contract.key_sources import KeyFile
from imagesearch.contract.keys import AccessKey

from imagesearch_local.folder import DataFolder

__all__ = ["DEFAULT", "default_key", "keys_place"]

DEFAULT = "default"
"""Name of the key that a local run makes by itself."""


def keys_place(folder: DataFolder) -> str:
    """Return where the folder's keys are kept, as ``IMAGESEARCH_KEYS`` has it."""
    return f"file:{_file(folder)}"


def default_key(folder: DataFolder) -> tuple[AccessKey, bool]:
    """Return the key that a local run makes at first start; the flag tells whether it is new."""
    source = KeyFile(_file(folder))
    keys = source.load().values()
    found = [key for key in keys if key.name == DEFAULT and key.usable(time.time())]
    if found:
        return max(found, key=lambda key: (key.created, key.expires is None)), False
    key, _ = AccessKey.new(name=DEFAULT, now=int(time.time()))
    source.save(key)
    return key, True


def _file(folder: DataFolder) -> Path:
    return folder.path.resolve() / "keys.json"
