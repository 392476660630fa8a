"""Runs ``imagesearch serve`` with the toy template, as a user would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

TOY = Path(__file__).parent / "toy"
PATIENCE = 90.0


@dataclass
class Serve:
    """A running ``imagesearch serve``."""

    process: subprocess.Popen[str]
    url: str
    data: Path
    http: httpx.Client
    output: list[str]

    def act(self, route: str = "/act", **wanted: object) -> httpx.Response:
        """Have the toy function do something."""
        return self.http.post(route, json=wanted)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it and return its exit status."""
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        if self.process.stdout:
            self.process.stdout.close()
        return status


class Ended(Exception):
    """``serve`` ended before it was ready: its status and what it said."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"status {status}: {said}")
        self.status = status
        self.said = said


def start(data: Path, *options: str, template: Path = TOY / "template.yaml", **env: str) -> Serve:
    """Start ``serve`` on a free port and wait until it is ready."""
    command = [sys.executable, "-m", "imagesearch_local.cli", "serve", "--data", str(data)]
    options = options if "--port" in options else ("--port", "0", *options)
    with (data.parent / f"{data.name}.stderr").open("w+") as errors:
        process = subprocess.Popen(
            [*command, "--template", str(template), *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **env},
        )
        assert process.stdout
        first = process.stdout.readline()
        if not first.startswith("ready "):
            process.stdout.close()
            status = process.wait(PATIENCE)
            errors.seek(0)
            raise Ended(status, first + errors.read())
    output = [first]
    threading.Thread(target=_collect, args=(process, output), daemon=True).start()
    url = first.split()[1]
    return Serve(process, url, data, httpx.Client(base_url=url, timeout=PATIENCE), output)


def _collect(process: subprocess.Popen[str], output: list[str]) -> None:
    try:
        output.extend(process.stdout or ())
    except ValueError:  # closed meanwhile
        return


def descendants(pid: int) -> set[int]:
    """Return the processes below ``pid``, itself too."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            state, parent = stat.rpartition(")")[2].split()[:2]
            if state != "Z":
                parents[int(entry.name)] = int(parent)
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def alive(pids: set[int]) -> set[int]:
    """Return those of ``pids`` that still run."""
    found = set()
    for pid in pids:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        if stat.rpartition(")")[2].split()[0] != "Z":
            found.add(pid)
    return found


def eventually(condition: Callable[[], object]) -> bool:
    """Wait until ``condition`` holds; tell whether it ever did."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def problem(answer: httpx.Response) -> dict[str, object]:
    """Return an answer's problem after checking that it is a whole one."""
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == answer.status_code
    assert found["request_id"] == answer.headers["x-request-id"]
    assert all(found[name] for name in ("type", "title", "detail", "code", "fix", "instance"))
    return dict(found)


def holder(data: Path) -> dict[str, object]:
    """Return what the lock of a data folder says."""
    return dict(json.loads((data / "serve.lock").read_text()))
