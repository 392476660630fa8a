"""Two ways to find inputs: led by coverage (atheris), or by mutation alone."""

from __future__ import annotations

import hashlib
import importlib.util
import random
import sys
import time
import traceback
from pathlib import Path

from tests.fuzz.harness import FOUND, Harness
from tests.fuzz.learnt import learnt

__all__ = ["atheris_there", "fuzz_by_coverage", "fuzz_by_mutation", "mutated"]

_SLOW_SECONDS = 20
_MEGABYTES = 2500


def atheris_there() -> bool:
    """Tell whether atheris is installed."""
    return importlib.util.find_spec("atheris") is not None


def fuzz_by_coverage(
    harness: Harness, seconds: float, corpus: Path, *, seed: int = 0, most: int = 0
) -> None:
    """Hand over to libFuzzer, which does not return: it ends the process, with 77 on a finding.

    With a ``seed`` and a number of inputs (0: neither) a run is as good as repeatable. An input
    that takes 20 s or 2.5 GB is a finding too.
    """
    import atheris

    place = corpus / harness.name
    place.mkdir(parents=True, exist_ok=True)
    for known in [*harness.seeds(), *learnt(harness.name)]:
        (place / hashlib.sha1(known).hexdigest()).write_bytes(known)
    found = FOUND / harness.name
    found.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds:.0f}",
        f"-max_len={harness.longest}",
        f"-timeout={_SLOW_SECONDS}",
        f"-rss_limit_mb={_MEGABYTES}",
        f"-artifact_prefix={found}/",
        f"-seed={seed}",
        *([f"-atheris_runs={most}"] if most else []),
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    if harness.words:
        words = corpus / f"{harness.name}.dict"
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in harness.words))
        options.append(f"-dict={words}")
    atheris.Setup([sys.argv[0], *options, str(place)], harness.run)
    atheris.Fuzz()


def fuzz_by_mutation(harness: Harness, seconds: float, *, seed: int = 0, most: int = 10**9) -> int:
    """Mutate seeds for some seconds, or ``most`` times; return how many inputs were tried.

    A finding is kept in :data:`FOUND` and raised.
    """
    chance = random.Random(f"{harness.name} {seed}")
    seeds = [*harness.seeds(), *learnt(harness.name)]
    deadline, tried = time.monotonic() + seconds, 0
    while tried < most and time.monotonic() < deadline:
        data = mutated(chance, seeds, harness)
        try:
            harness.run(data)
        except Exception:
            place = FOUND / harness.name / f"crash-{hashlib.sha1(data).hexdigest()}"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            sys.stderr.write(f"{traceback.format_exc()}kept as {place}\n")
            raise
        tried += 1
    return tried


def mutated(chance: random.Random, seeds: list[bytes], harness: Harness) -> bytes:
    """Return a seed with a few changes: bits, pieces cut, doubled, moved, words, other seeds."""
    data = bytearray(chance.choice(seeds))
    for _ in range(1 << chance.randrange(5)):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + (1 << chance.randrange(8)))
        match chance.randrange(7):
            case 0 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 1 if at < len(data):
                data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, 0x30, 0x22))
            case 2:
                del data[at:end]
            case 3:
                data[at:at] = data[at:end]
            case 4 if harness.words:
                word = chance.choice(harness.words)
                data[at : at + chance.choice((0, len(word)))] = word
            case 5:
                other = chance.choice(seeds)
                start = chance.randrange(len(other) + 1)
                data[at:end] = other[start : start + (end - at)]
            case _:
                data[at:at] = chance.randbytes(chance.randrange(1, 9))
    return bytes(data[: harness.longest])


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)
