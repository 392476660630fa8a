"""The real service: SeaweedFS, the Lambda runtime emulator, the functions of the template."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Service:
    """A service on a data folder that can be stopped, killed and started again."""

    data: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *options: str) -> str:
        """Start and return the first line printed, which must come once it answers."""
        command = [sys.executable, "-m", "imagesearch_local.cli", "serve"]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), "--data", str(self.data), *options],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self.process.stdout
        line = self.process.stdout.readline().strip()
        if line != f"ready {self.url}":
            self.stop()
            raise AssertionError(f"the service did not start: {line!r}")
        return line

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process
        self.process.send_signal(how)
        code = self.process.wait(timeout=30)
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None
        return code

    def function_processes(self) -> list[int]:
        """Return the pids of the running function processes of this service."""
        assert self.process
        return [
            pid
            for pid in descendants(self.process.pid)
            if "awslambdaric" in command_line(pid) and "rie" not in command_line(pid).split()[0]
        ]

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60)


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def descendants(root: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        todo += (children := parents.get(todo.pop(), []))
        found += children
    return found
