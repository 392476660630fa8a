"""Child processes: tied to our life, their output in our logs, ended as a group."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["Child", "Log", "tethered"]

Log = Callable[[str], None]
"""Takes one line of output."""

_TETHER = Path(__file__).with_name("tether.py")
_LONGEST_LINE = 16 * 1024


def tethered(command: Sequence[str]) -> list[str]:
    """Return a command line that runs ``command`` for as long as its parent lives."""
    return [sys.executable, "-I", "-S", str(_TETHER), *command]


class Child:
    """A running child process, leader of its own process group."""

    def __init__(self, process: asyncio.subprocess.Process, log: Log) -> None:
        self._process = process
        self._copying = asyncio.create_task(_copy(process.stdout, log))

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        log: Log,
    ) -> Child:
        """Start ``command`` with exactly the environment ``env``; each output line goes to ``log``.

        Must be called on the main thread: the kernel ties the child to the thread that forks it.
        """
        process = await asyncio.create_subprocess_exec(
            *tethered(command),
            cwd=cwd,
            env=dict(env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        return cls(process, log)

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Tell whether the process still runs."""
        return self._process.returncode is None

    async def wait(self) -> int:
        """Wait for the end and return the exit status (negative: the signal)."""
        return await self._process.wait()

    async def stop(self, *, grace: float) -> None:
        """End the process and its group: politely, and after ``grace`` seconds by force."""
        if self.alive and grace > 0:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), grace)
        if self.alive:
            self._signal(signal.SIGKILL)
            await self._process.wait()
        await self._finish_copying()

    def kill(self) -> None:
        """End the process and its group at once, without waiting."""
        if self.alive:
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    async def _finish_copying(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._copying, 1.0)


async def _copy(stream: asyncio.StreamReader | None, log: Log) -> None:
    """Log every line of ``stream``; an endless line is cut into pieces."""
    rest = b""
    while stream and (chunk := await stream.read(65536)):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            lines.append(rest)
            rest = b""
        for line in lines:
            _log(line, log)
    _log(rest, log)


def _log(line: bytes, log: Log) -> None:
    if text := line.decode(errors="replace").strip():
        log(text)
