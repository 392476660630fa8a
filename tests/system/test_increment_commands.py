"""``imagesearch increment …`` as a shell runs it, against the running service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.ingest.job import job
from benchmarks.ingest.run import BUCKET, Yard
from tests.pictures import as_bytes, drawn
from tests.running import ROOT, Service

pytestmark = pytest.mark.system

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(service: Service) -> Run:
    """Runs a verb of ``imagesearch increment``."""

    def call(*words: object, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "imagesearch_local.cli", "increment", *map(str, words)]
        environment = {**os.environ, "IMAGESEARCH_URL": service.url, "TERM": "xterm"}
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.run(
            command, cwd=ROOT, env=environment, text=True, timeout=120, check=False, **options
        )

    return call


@pytest.fixture
def folder(service: Service, instance: str) -> str:
    """A folder with a picture and an increment.meta of which two lines cannot be done."""
    bucket = Yard(service.data, job(0, light=True)).s3()
    given = {"Region": "0,64,0,64", "CategoryId": 5}
    lines = [
        {"OperationType": "ADD", "ProductId": f"p{n}", "PicName": "a.jpg", **given}
        for n in range(20)
    ]
    lines[7] |= {"PicName": "missing.jpg"}
    lines[11] |= {"PicName": "broken.jpg"}
    place = f"imports/{instance}"
    bucket.put_object(Bucket=BUCKET, Key=f"{place}/a.jpg", Body=as_bytes(drawn(1)))
    bucket.put_object(Bucket=BUCKET, Key=f"{place}/broken.jpg", Body=b"no picture")
    meta = "\n".join(map(json.dumps, lines)).encode()
    bucket.put_object(Bucket=BUCKET, Key=f"{place}/increment.meta", Body=meta)
    return f"/{place}"


def _all_of(screen: int) -> str:
    """Return what a terminal shows until nobody writes to it any more."""
    seen = bytearray()
    with suppress(OSError):
        while block := os.read(screen, 4096):
            seen += block
    os.close(screen)
    return seen.decode(errors="replace")


def test_a_task_from_check_to_error_report(
    run: Run, instance: str, folder: str, tmp_path: Path, client: httpx.Client
) -> None:
    assert "nothing is in the way" in run("check", instance, BUCKET, folder).stdout

    with ThreadPoolExecutor(1) as pool:
        screen, terminal = os.openpty()
        shown_there = pool.submit(_all_of, screen)
        done = run("submit", instance, f"s3://{BUCKET}", folder, "--follow", stderr=terminal)
        os.close(terminal)
        seen = shown_there.result()
    assert done.returncode == 3, done  # some lines failed, which are listed
    assert "20/20" in seen
    assert "2 failed" in seen
    assert "━" in seen  # the bar
    assert "line 8" in seen

    [task] = json.loads(run("list", instance, "--json").stdout)["increments"]
    assert task["counts"] == {"total": 20, "done": 20, "added": 18, "deleted": 0, "failed": 2}
    shown = json.loads(run("show", instance, task["id"], "--follow", "--json").stdout)
    assert (shown["state"], shown["percent"]) == ("done", 100)
    table = run("list", instance)
    assert str(task["id"]) in table.stdout

    saved = tmp_path / "errors.jsonl"
    assert run("report", instance, task["id"], saved).returncode == 0
    failures = [json.loads(line) for line in saved.read_text("utf-8").splitlines()]
    assert [(one["line"], one["code"]) for one in failures] == [
        (8, "PictureNotInBucket"),
        (12, "UnsupportedPicFormat"),
    ]

    assert json.loads(run("cancel", instance, task["id"], "--json").stdout)["state"] == "done"
    refused = run("resume", instance, task["id"])
    assert refused.returncode == 1
    assert "nothing to go on with" in refused.stderr
    listed = client.get(f"/v1/instances/{instance}/pictures", params={"limit": "50"}).json()
    assert len(listed["pictures"]) == 18


def test_what_is_in_the_way_is_said_and_nothing_begins(run: Run, instance: str) -> None:
    checked = run("check", instance, BUCKET, "/imports/nowhere")
    assert checked.returncode == 3
    assert "PathNotFound" in checked.stderr
    submitted = run("submit", instance, BUCKET, "/imports/nowhere")
    assert submitted.returncode == 1
    assert "PathNotFound" in submitted.stderr
    assert json.loads(run("list", instance, "--json").stdout) == {"increments": []}
    unknown = run("show", instance, 1)
    assert unknown.returncode == 1
    assert "has no task 1" in unknown.stderr


def test_a_cancelled_task_goes_on_where_it_stopped(run: Run, instance: str, folder: str) -> None:
    task = json.loads(run("submit", instance, BUCKET, folder, "--json").stdout)
    cancelled = json.loads(run("cancel", instance, task["id"], "--json").stdout)
    assert cancelled["state"] in {"stopping", "cancelled", "done"}
    followed = json.loads(run("show", instance, task["id"], "--follow", "--json").stdout)
    if followed["state"] == "cancelled":
        resumed = run("resume", instance, task["id"], "--follow", "--json")
        followed = json.loads(resumed.stdout.splitlines()[-1])
    assert followed["state"] == "done"
    assert followed["counts"]["added"] == 18
