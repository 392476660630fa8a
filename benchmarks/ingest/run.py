"""Run a task on a service of its own, with as much trouble as one likes, and check its end."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
import msgspec
from imagesearch.ingest.lanes import LaneState
from imagesearch_local.folder import DataFolder

from benchmarks.ingest.job import Job
from tests.running import Service

__all__ = ["Progress", "Result", "Yard", "mistakes"]

BUCKET = "imagesearch-local-000000000000-us-east-1"
FOLDER = "imports/goods"
_ENDS = frozenset({"done", "failed", "cancelled"})


@dataclass
class Result:
    """How a run went: times in seconds, memory in MB of the largest worker.

    ``cpu`` is what the workers used of the processor from the task's start on, 0 if some ended.
    """

    task: dict[str, Any]
    seconds: float
    kills: int = 0
    restarts: int = 0
    megabytes: float = 0.0
    cpu: float = 0.0
    mistakes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the lanes of a task are."""

    lanes: list[LaneState]

    @property
    def at_work(self) -> bool:
        """Tell whether some worker has begun a lane and not ended it; it may be dead by now."""
        return any(lane.worker and not lane.finished for lane in self.lanes)

    @property
    def share(self) -> float:
        """Return how much of the work is done, from 0 to 1."""
        return sum(lane.done for lane in self.lanes) / max(sum(n.items for n in self.lanes), 1)


class Yard:
    """A service with a job's pictures in its bucket."""

    def __init__(self, data: Path, job: Job) -> None:
        self.service = Service(data)
        self.job = job

    def start(self) -> None:
        """Start the service, make the instance, put the pictures into the bucket."""
        self.service.start()
        with self.service.client() as client:
            client.put("/v1/instances/shop", json={"service": "product"}).raise_for_status()
        s3 = self.s3()
        for name, body in self.job.pictures.items():
            s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}/{name}", Body=body)
        s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}/increment.meta", Body=self.job.meta)

    def s3(self) -> Any:  # noqa: ANN401  a boto3 client
        """Return a client of the object store."""
        remembered = DataFolder(self.service.data).remembered()
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{remembered.storage_ports['s3']}",
            region_name="us-east-1",
            aws_access_key_id=remembered.access_key,
            aws_secret_access_key=remembered.secret_key,
        )

    def run(self, *, kills: int = 0, restarts: int = 0, most: float = 3600) -> Result:
        """Submit the job and wait for its end; kill workers and stop the service on the way.

        Kills and restarts are spread evenly over the work, the first of each as soon as some is
        under way; a kill ends all workers of the moment. While some are to come, the workers run
        only between looks at what they did, so that the work cannot be over before them. Every
        second restart is a SIGKILL.
        """
        with self.service.client() as client:
            body = {"bucket": BUCKET, "path": f"/{FOLDER}"}
            answer = client.post("/v1/instances/shop/increments", json=body)
            answer.raise_for_status()
        used = {pid: _cpu(pid) for pid in self.workers()}
        place, began = answer.headers["location"], time.monotonic()
        result, s3 = Result(answer.json(), 0.0), self.s3()
        while time.monotonic() - began < most:
            disturbs = result.kills < kills or result.restarts < restarts
            with self._held() if disturbs else nullcontext():
                self._look(place, result)
                if result.task["state"] in _ENDS:
                    break
                progress = self._progress(s3) if disturbs else Progress([])
                if progress.at_work and _due(result.kills, kills, progress) and self._kill():
                    result.kills += 1
                    continue
            if progress.at_work and _due(result.restarts, restarts, progress):
                self._restart(result)
            time.sleep(0.1 if disturbs else 0.5)
        if not kills and not restarts:
            result.cpu = sum(_cpu(pid) - used.get(pid, 0.0) for pid in self.workers())
        result.seconds = time.monotonic() - began
        result.mistakes = mistakes(self.service, self.job, result.task)
        return result

    def workers(self) -> list[int]:
        """Return the pids of the function processes that work on tasks."""
        return [pid for pid in self.service.function_processes() if _cwd(pid).name == "ingest"]

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Let no worker go on for the time being."""
        workers = self.workers()
        _signal(workers, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(workers, signal.SIGCONT)

    def _kill(self) -> bool:
        workers = self.workers()
        _signal(workers, signal.SIGKILL)
        return bool(workers)

    def _progress(self, s3: Any) -> Progress:  # noqa: ANN401  a boto3 client
        listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="tasks/work/shop/").get("Contents", [])
        keys = [one["Key"] for one in listed if "/lanes/" in one["Key"]]
        bodies = [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys]
        return Progress([msgspec.json.decode(body, type=LaneState) for body in bodies])

    def _restart(self, result: Result) -> None:
        result.restarts += 1
        self.service.stop(signal.SIGKILL if result.restarts % 2 == 0 else signal.SIGTERM)
        self.service.start()

    def _look(self, place: str, result: Result) -> None:
        with self.service.client() as client:
            result.task = client.get(place).json()
        result.megabytes = max([result.megabytes, *map(_peak, self.workers())])


def _due(had: int, wanted: int, progress: Progress) -> bool:
    """Tell whether the next of ``wanted`` troubles is due, when they are spread evenly."""
    return had < wanted and progress.share >= had / wanted


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _cwd(pid: int) -> Path:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return Path()


def _peak(pid: int) -> float:
    """Return the most memory (resident, MB) that a process ever had."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


def _cpu(pid: int) -> float:
    """Return the seconds that a process has used of the processor."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def mistakes(service: Service, job: Job, task: dict[str, Any]) -> list[str]:
    """Return everything that is not as it must be after the task."""
    wrong = [] if task["state"] == "done" else [f"state is {task['state']}: {task['problem']}"]
    for name, wanted in job.counts.items():
        if task["counts"][name] != wanted:
            wrong.append(f"{name} is {task['counts'][name]}, not {wanted}")
    there = {(one["product_id"], one["pic_name"]): one.get("int_attr") for one in _listed(service)}
    wrong += [f"{key} is missing" for key in job.catalogue.keys() - there.keys()]
    wrong += [f"{key} is there" for key in there.keys() - job.catalogue.keys()]
    both = job.catalogue.keys() & there.keys()
    wrong += [f"{key} is another version" for key in both if job.catalogue[key] != there[key]]
    reported = []
    if task["error_report"]:
        text = httpx.get(task["error_report"], trust_env=False).text
        reported = [json.loads(line)["line"] for line in text.splitlines()]
    if reported != list(job.failing):
        wrong.append(f"the report names {len(reported)} lines, not {len(job.failing)}")
    return wrong


def _listed(service: Service) -> Iterator[dict[str, Any]]:
    with service.client() as client:
        cursor: str | None = None
        while True:
            query = {"limit": "500", **({"cursor": cursor} if cursor else {})}
            page = client.get("/v1/instances/shop/pictures", params=query).json()
            yield from page["pictures"]
            cursor = page["next_cursor"]
            if cursor is None:
                return
