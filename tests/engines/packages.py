"""The packages that tools/engines/setup.sh puts beside .venv, and milvus-lite as a server."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ROOT = Path(__file__).parents[2]
WHY_NOT = "needs .venv-engines: run tools/engines/setup.sh"
_START_SECONDS = 60


def there(package: str) -> bool:
    """Tell whether a package can be imported, from .venv-engines if it is not in .venv."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    beside = str(_ROOT / ".venv-engines/lib" / version / "site-packages")
    if Path(beside).is_dir() and beside not in sys.path:
        sys.path.append(beside)
    return importlib.util.find_spec(package) is not None


@contextmanager
def milvus_server(folder: Path) -> Iterator[str]:
    """Run milvus-lite as a process of its own, as a cluster would be; yield its address."""
    beside = _ROOT / ".venv-engines/bin/python"
    python = str(beside) if beside.exists() else sys.executable
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [python, "-m", "milvus_lite", "server", "--data-dir", str(folder / "data")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([*command, "--port", port], stdout=log, stderr=log)
        try:
            _wait_for(int(port), server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("milvus-lite did not start")
