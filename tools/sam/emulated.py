"""Run built functions as Lambda does: AWS's runtime emulator, Python 3.13, the built layers.

Nothing needs root: the layers are put on the path rather than mounted at ``/opt``.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

from imagesearch_local.folder import DataFolder
from imagesearch_local.rie import emulator
from imagesearch_local.seaweed import Seaweed

from tools.sam import interpreter
from tools.sam.sizes import LAYERS

__all__ = ["Environment", "runtime_client", "storage"]

_CLIENT = ("awslambdaric==4.2.2", "boto3==1.44.5")
_INVOKE = "/2015-03-31/functions/function/invocations"

Result = TypeVar("Result")


def runtime_client() -> Path:
    """Return a folder with what Lambda's own runtime brings: its client, and boto3."""
    place = Path(".cache/sam") / f"runtime-{interpreter.VERSION}"
    if not place.exists():
        draft = place.with_name(f".{place.name}-{os.getpid()}")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary=:all:"]
        command += ["--disable-pip-version-check", f"--python-version={interpreter.VERSION}"]
        machine = os.uname().machine
        command += [f"--platform=manylinux_2_28_{machine}", f"--platform=manylinux2014_{machine}"]
        subprocess.run([*command, "--implementation=cp", f"--target={draft}", *_CLIENT], check=True)
        python = [str(interpreter.find()), "-I", "-m", "compileall", "-q", str(draft)]
        subprocess.run(python, check=True)
        try:
            draft.rename(place)
        except OSError:  # somebody else was quicker
            shutil.rmtree(draft)
    return place.resolve()


@contextmanager
def storage(folder: Path, bucket: str) -> Iterator[dict[str, str]]:
    """Run an S3 server on ``folder``; yield the environment variables with which it is found."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def wait(work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, loop).result(timeout=120)

    data = DataFolder(folder)
    for part in (data.objects, data.logs, data.scratch):
        part.mkdir(parents=True, exist_ok=True)
    seaweed = wait(Seaweed.start(data, [bucket]))
    try:
        yield seaweed.variables | {"IMAGESEARCH_BUCKET": bucket}
    finally:
        wait(seaweed.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()


class Environment:
    """One environment of one built function; a context manager."""

    def __init__(self, build: Path, function: str, variables: Mapping[str, str]) -> None:
        """Prepare to run ``function``, its logical name, from a finished build."""
        self._build, self._function = build.resolve(), function
        self._variables = variables
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def variables(self) -> dict[str, str]:
        """Return the whole environment of the function's process."""
        return self._environment(self._build / self._function)

    def __enter__(self) -> Self:
        self._port, runtime = _free_port(), _free_port()
        task = self._build / self._function
        python = str(interpreter.find())
        self._process = subprocess.Popen(
            [
                str(emulator()),
                *("--log-level", "warn"),
                *("--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"),
                *("--runtime-api-address", f"127.0.0.1:{runtime}"),
                *(python, "-m", "awslambdaric", "app.handler"),
            ],
            cwd=task,
            env=self.variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._wait_until_it_listens()
        return self

    def __exit__(self, *error: object) -> None:
        if self._process:
            for member, _ in [*self._members()]:
                with suppress(ProcessLookupError):
                    os.kill(member, signal.SIGKILL)
            self._process.kill()
            self._process.wait()

    def invoke(self, event: object) -> dict[str, Any]:
        """Run the function on an event and return its answer; the first call starts it."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{_INVOKE}", data=json.dumps(event).encode()
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=120) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found

    def cpu(self) -> float:
        """Return the CPU seconds that the function's process has taken so far."""
        ticks = [int(found[11]) + int(found[12]) for _, found in self._members()]
        return sum(ticks) / os.sysconf("SC_CLK_TCK")

    def _members(self) -> Iterator[tuple[int, list[str]]]:
        """Yield number and state of the processes that the emulator started."""
        for entry in Path("/proc").iterdir():
            if self._process and entry.name.isdigit() and int(entry.name) != self._process.pid:
                with suppress(OSError):
                    found = (entry / "stat").read_text("utf-8").rpartition(")")[2].split()
                    if int(found[3]) == self._process.pid:  # of the session that we began
                        yield int(entry.name), found

    def _environment(self, task: Path) -> dict[str, str]:
        paths = [task, *(self._build / layer / "python" for layer in LAYERS), runtime_client()]
        return {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAMBDA_TASK_ROOT": str(task),
            "AWS_LAMBDA_FUNCTION_NAME": self._function,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": "60",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "IMAGESEARCH_MODELS": str(self._build / "ModelsLayer/models"),
            "IMAGESEARCH_WORDS": str(self._build / "WordsLayer/words"),
            "POWERTOOLS_SERVICE_NAME": "imagesearch",
            "POWERTOOLS_LOG_LEVEL": "INFO",
            **self._variables,
        }

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise TimeoutError(f"the emulator of {self._function} does not listen")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
