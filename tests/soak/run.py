"""One soak: start, work under trouble, end in peace, look at everything once more."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from imagesearch_local.folder import DataFolder

from tests.faults.proxy import Fault, StoreProxy
from tests.running import ROOT, Service
from tests.soak.batcher import Batcher
from tests.soak.caller import Caller
from tests.soak.chaos import Chaos
from tests.soak.figures import Figures
from tests.soak.ledger import Key, Ledger, Row
from tests.soak.worker import INSTANCE, Pause, Worker, row_of

__all__ = ["Report", "Settings", "soak"]

BUCKET = "imagesearch-local-000000000000-us-east-1"
_PATIENCE = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How long and how hard."""

    minutes: float = 20.0
    workers: int = 5
    pause: float = 6.0
    seed: int = 1
    audit_every: float = 60.0


@dataclass(slots=True)
class Report:
    """What came of it."""

    seconds: float
    pictures: int
    ledger: Ledger
    figures: Figures
    store: dict[str, int]
    upkeep: dict[str, Any] = field(default_factory=dict)
    megabytes: float = 0.0
    audits: int = 0
    tasks: int = 0


def soak(data: Path, settings: Settings) -> Report:
    """Run a soak on a data folder of its own."""
    with StoreProxy(lambda: _store_port(data)) as proxy, _environment(proxy.url):
        run = _Run(data, settings, proxy)
        try:
            return run.all()
        finally:
            if run.service.process:
                run.service.stop(signal.SIGKILL)


class _Run:
    def __init__(self, data: Path, settings: Settings, proxy: StoreProxy) -> None:
        self.settings = settings
        self.proxy = proxy
        self.service = Service(data)
        self.ledger = Ledger(data / "soak-journal.jsonl")
        self.figures = Figures()
        self.pause = Pause()
        self.audits = 0
        chance = random.Random(settings.seed)
        self.workers = [
            Worker(n, self._caller(), self.ledger, self.pause, random.Random(chance.random()))
            for n in range(settings.workers)
        ]
        self.batcher = Batcher(
            self._caller(),
            self.ledger,
            random.Random(chance.random()),
            BUCKET,
            lambda: _client(data),
        )
        options = ("--environments", "3")
        self.chaos = Chaos(self.service, proxy, self.figures, chance, settings.pause, options)

    def all(self) -> Report:
        began = time.monotonic()
        self.service.start(*self.chaos.options)
        with self.service.client() as client:
            made = client.put(f"/v1/instances/{INSTANCE}", json={"service": "product"})
            made.raise_for_status()
        self._work()
        _say("trouble is over; one more kill of everything, then every promise is checked")
        self.service.stop(signal.SIGKILL)
        self.service.start(*self.chaos.options)
        self._audit("before upkeep")
        upkeep = {"compact": self._command("compact")}
        self._audit("after upkeep")
        upkeep["scrub"] = self._command("scrub")
        if upkeep["scrub"].get("problems"):
            self.ledger.wrong("lost", f"scrub: {upkeep['scrub']['problems']}")
        pictures = len(self._listed())
        self.service.stop()
        return Report(
            time.monotonic() - began,
            pictures,
            self.ledger,
            self.figures,
            {"requests": self.proxy.seen["requests"], **{f: self.proxy.seen[f] for f in Fault}},
            upkeep,
            self.chaos.largest,
            self.audits,
            self.batcher.tasks,
        )

    def _work(self) -> None:
        """Let everybody work and make trouble until time is up; then in peace to the end."""
        stop, calm = threading.Event(), threading.Event()
        end = time.monotonic() + self.settings.minutes * 60
        with ThreadPoolExecutor(len(self.workers) + 2) as pool:
            chaos = pool.submit(self.chaos.run, calm)
            work: list[Future[None]] = [pool.submit(w.run, stop) for w in self.workers]
            work.append(pool.submit(self.batcher.run, stop, _PATIENCE))
            try:
                while time.monotonic() < end and not any(f.done() for f in [*work, chaos]):
                    time.sleep(min(self.settings.audit_every, max(0.1, end - time.monotonic())))
                    self._audit("under way")
                    _say(
                        f"{self.ledger.acknowledged} acknowledged, {len(self.ledger.wrongs)} wrong"
                    )
            except KeyboardInterrupt:
                _say("told to end: checking what there is")
            finally:
                calm.set()
                chaos.result()
                stop.set()
                for done in work:
                    done.result()

    def _audit(self, when: str) -> None:
        """Hold all workers and compare the whole list with the ledger."""
        self.pause.hold()
        try:
            listed = self._listed()
            self.ledger.saw_list(listed, self.ledger.keys(), f"audit {when}")
            self.audits += 1
        finally:
            self.pause.release()

    def _listed(self) -> list[tuple[Key, Row]]:
        rows: list[tuple[Key, Row]] = []
        cursor: str | None = None
        caller = self._caller()
        while True:
            query = {"limit": "500", **({"cursor": cursor} if cursor else {})}
            path = f"/v1/instances/{INSTANCE}/pictures"
            reply = caller.ask("audit", "GET", path, params=query)
            if not reply.clear:
                continue
            rows += map(row_of, reply.json()["pictures"])
            cursor = reply.json()["next_cursor"]
            if cursor is None:
                caller.close()
                return rows

    def _caller(self) -> Caller:
        return Caller(self.service.url, self.ledger, self.figures)

    def _command(self, name: str) -> dict[str, Any]:
        """Run a command of upkeep and return what it says."""
        words = [name, INSTANCE, "--data", str(self.service.data), "--json"]
        command = [sys.executable, "-m", "imagesearch_local.cli", *words]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        try:
            return dict(json.loads(done.stdout))
        except ValueError:
            self.ledger.wrong("unclear", f"{name} ended with {done.returncode}: {done.stderr}")
            return {}


def _store_port(data: Path) -> int:
    return DataFolder(data).remembered().storage_ports["s3"]


def _client(data: Path) -> Any:
    remembered = DataFolder(data).remembered()
    return boto3.Session().client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{remembered.storage_ports['s3']}",
        region_name="us-east-1",
        aws_access_key_id=remembered.access_key,
        aws_secret_access_key=remembered.secret_key,
    )


@contextmanager
def _environment(proxy: str) -> Iterator[None]:
    """Have services that are started meanwhile use the proxy, and lose and double events."""
    given = {
        "IMAGESEARCH_STORE_PROXY": proxy,
        "IMAGESEARCH_EVENT_TROUBLE": "lost=0.1,duplicate=0.3,delay=2,wait=20,seed=1",
    }
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()
