"""Ask the advisory database about pinned packages; say so, and pass, where it cannot be reached.

``audit.py LOCK …``. Ends with status 1 if any package has a known vulnerability that
``accepted.txt`` does not list (an identifier a line, and why).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
UNREACHABLE = (
    "ConnectionError",
    "Max retries exceeded",
    "Failed to resolve",
    "timed out",
    "SSLError",
)


def main(locks: list[str]) -> int:
    """Audit every lock and return the exit status."""
    status = 0
    for lock in locks:
        done = _audit(lock)
        said = done.stdout + done.stderr
        if done.returncode and any(word in said for word in UNREACHABLE):
            print(f"SKIPPED: the advisory database cannot be reached to audit {lock}")
        elif done.returncode:
            print(said)
            status = 1
        else:
            print(f"{lock}: {done.stderr.strip() or 'no known vulnerabilities'}")
    return status


def _audit(lock: str) -> subprocess.CompletedProcess[str]:
    accepted = [line.split()[0] for line in _lines(HERE / "accepted.txt")]
    command = [
        str(Path(sys.executable).with_name("pip-audit")),
        "--disable-pip",
        "--require-hashes",
    ]
    command += ["--progress-spinner", "off", "--timeout", "15", "--requirement", lock]
    for identifier in accepted:
        command += ["--ignore-vuln", identifier]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _lines(path: Path) -> list[str]:
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [line for line in lines if line.strip() and not line.startswith("#")]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
