"""Starting, stopping, dying and coming back."""

import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.local.toy_service import Ended, Serve, alive, descendants, eventually, holder, start

pytestmark = pytest.mark.system

Serving = Callable[..., Serve]
TEXT = {"content-type": "text/plain"}


def test_it_says_ready_once_and_how_to_try_it(serve: Serve) -> None:
    assert eventually(lambda: len(serve.output) >= 2)
    assert serve.output[0] == f"ready {serve.url}\n"
    assert serve.output[1].startswith("try: curl ")
    assert sum("ready" in line for line in serve.output) == 1


def test_it_stops_cleanly_and_starts_again_where_it_was(serving: Serving, tmp_path: Path) -> None:
    first = serving(tmp_path / "data")
    first.http.put("/objects/k", content=b"kept", headers=TEXT)
    family = descendants(first.process.pid)
    assert len(family) >= 4
    assert first.stop(signal.SIGTERM) == 0
    assert not alive(family)
    assert list((tmp_path / "data" / "run").iterdir()) == []
    memory = json.loads((tmp_path / "data" / "local.json").read_text())

    second = serving(tmp_path / "data")
    assert second.http.get("/objects/k").content == b"kept"
    assert json.loads((tmp_path / "data" / "local.json").read_text()) == memory
    assert second.stop(signal.SIGINT) == 0

    with socket.create_server(("127.0.0.1", memory["storage_ports"]["volume"])):
        third = serving(tmp_path / "data")
        assert third.http.get("/objects/k").content == b"kept"


def test_kill_9_leaves_no_orphan_and_loses_nothing(serving: Serving, tmp_path: Path) -> None:
    first = serving(tmp_path / "data")
    for number in range(20):
        key = f"/objects/k{number}"
        assert first.http.put(key, content=b"%d" % number, headers=TEXT).status_code == 201
    family = descendants(first.process.pid)
    first.stop(signal.SIGKILL)
    assert eventually(lambda: not alive(family))

    second = serving(tmp_path / "data")
    for number in range(20):
        assert second.http.get(f"/objects/k{number}").content == b"%d" % number


def test_a_second_signal_ends_everything_at_once(serving: Serving, tmp_path: Path) -> None:
    running = serving(tmp_path / "data")
    running.act()
    family = descendants(running.process.pid)
    running.process.send_signal(signal.SIGINT)
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(30) != -signal.SIGKILL
    assert eventually(lambda: not alive(family))


def test_a_data_folder_is_served_once_at_a_time(serve: Serve) -> None:
    with pytest.raises(Ended) as ended:
        start(serve.data)
    assert ended.value.status == 5
    assert f"process {serve.process.pid}" in ended.value.said
    assert serve.url in ended.value.said
    assert "Traceback" not in ended.value.said
    assert holder(serve.data)["pid"] == serve.process.pid


def test_a_port_in_use_is_said_plainly(serve: Serve, tmp_path: Path) -> None:
    with pytest.raises(Ended) as ended:
        start(tmp_path / "data", "--port", serve.url.rpartition(":")[2])
    assert ended.value.status == 5
    assert "--port" in ended.value.said
    assert "Traceback" not in ended.value.said


def test_it_ends_when_its_object_store_does(serving: Serving, tmp_path: Path) -> None:
    running = serving(tmp_path / "data")
    [store] = [
        pid
        for pid in descendants(running.process.pid)
        if b"mini" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    ]
    os.kill(store, signal.SIGKILL)
    assert running.process.wait(60) == 5
    assert "object store ended" in (tmp_path / "data.stderr").read_text()


def test_the_keys_are_for_this_user_only(serve: Serve) -> None:
    assert (serve.data / "local.json").stat().st_mode & 0o077 == 0
