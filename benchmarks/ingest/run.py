"""Run a task on a service of its own, with as much trouble as one likes, and check its end."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
from imagesearch_local.folder import DataFolder

from benchmarks.ingest.job import Job
from tests.running import Service

__all__ = ["Result", "Yard", "mistakes"]

BUCKET = "imagesearch-local-000000000000-us-east-1"
FOLDER = "imports/goods"


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


class Yard:
    """A service with a job's pictures in its bucket."""

    def __init__(self, data: Path, job: Job) -> None:
        self.service = Service(data)
        self.job = job
        self._chance = random.Random(7)

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

        Kills and restarts are spread evenly over the work. Every second restart is a SIGKILL.
        """
        with self.service.client() as client:
            body = {"bucket": BUCKET, "path": f"/{FOLDER}"}
            answer = client.post("/v1/instances/shop/increments", json=body)
            answer.raise_for_status()
        used = {pid: _cpu(pid) for pid in self.workers()}
        place, began = answer.headers["location"], time.monotonic()
        result = Result(answer.json(), 0.0)
        kill_at = [100 * (n + 1) / (kills + 1) for n in range(kills)]
        restart_at = [100 * (n + 1) / (restarts + 1) for n in range(restarts)]
        while time.monotonic() - began < most:
            result.task = self._show(place)
            result.megabytes = max([result.megabytes, *map(_peak, self.workers())])
            if result.task["state"] in {"done", "failed", "cancelled"}:
                break
            done = 100 * result.task["counts"]["done"] / max(result.task["counts"]["total"], 1)
            if kill_at and done >= kill_at[0] and self._kill():
                kill_at.pop(0)
                result.kills += 1
            if restart_at and done >= restart_at[0]:
                restart_at.pop(0)
                result.restarts += 1
                self.service.stop(signal.SIGKILL if result.restarts % 2 == 0 else signal.SIGTERM)
                self.service.start()
            time.sleep(0.5)
        if not kills and not restarts:
            result.cpu = sum(_cpu(pid) - used.get(pid, 0.0) for pid in self.workers())
        result.seconds = time.monotonic() - began
        result.mistakes = mistakes(self.service, self.job, result.task)
        return result

    def workers(self) -> list[int]:
        """Return the pids of the function processes that work on tasks."""
        return [pid for pid in self.service.function_processes() if _cwd(pid).name == "ingest"]

    def _kill(self) -> bool:
        workers = self.workers()
        if workers:
            os.kill(self._chance.choice(workers), signal.SIGKILL)
        return bool(workers)

    def _show(self, place: str) -> dict[str, Any]:
        with self.service.client() as client:
            found: dict[str, Any] = client.get(place).json()
            return found


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
