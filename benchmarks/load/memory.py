"""The memory of a running service's processes, over time."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path

from tests.running import Service, command_line, descendants

__all__ = ["Memory"]

_MB = 2**20


@dataclass(slots=True)
class Memory:
    """Resident memory (MB) of each process, by what it is, at even intervals."""

    service: Service
    seen: dict[str, list[float]] = field(default_factory=dict)

    async def watch(self, every: float) -> None:
        """Look every so many seconds until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(every)

    def look(self) -> None:
        """Note what every process holds now."""
        assert self.service.process
        root = self.service.process.pid
        for pid in [root, *descendants(root)]:
            if name := _name(pid, root):
                self.seen.setdefault(f"{name} {pid}", []).append(_resident(pid))

    def table(self) -> str:
        """Return the memory of each process in the first and the last fifth of the time."""
        lines = [
            "| process | first fifth, MB | last fifth, MB | most, MB |",
            "|---|---:|---:|---:|",
        ]
        for name, values in sorted(self.seen.items()):
            fifth = max(1, len(values) // 5)
            first, last = values[:fifth], values[-fifth:]
            cells = [sum(first) / len(first), sum(last) / len(last), max(values)]
            lines.append(
                f"| {name.rsplit(' ', 1)[0]} | " + " | ".join(f"{c:.0f}" for c in cells) + " |"
            )
        return "\n".join(lines)


def _name(pid: int, root: int) -> str:
    line = command_line(pid)
    if pid == root:
        return "front"
    if "weed" in line.split(" ")[0]:
        return "object store"
    if "awslambdaric" in line and "rie" not in line.split(" ")[0]:
        try:
            return f"function {Path(f'/proc/{pid}/cwd').readlink().name}"
        except OSError:
            return ""
    return ""


def _resident(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / _MB
