"""The parts of a local run by themselves: folder, ports, emulator file, background work."""

import asyncio
import hashlib
import io
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from imagesearch_local import ports, rie
from imagesearch_local.emulator import FunctionPool, Limits
from imagesearch_local.folder import DataFolder
from imagesearch_local.lambda_api import Background, LambdaApi
from imagesearch_local.problems import FunctionBusy, FunctionFailed, LocalFailure
from imagesearch_local.serving import listen
from imagesearch_local.template import Template

TOY = Path(__file__).parent / "toy" / "template.yaml"


class FakePool(FunctionPool):
    """Runs nothing; fails as often as it is told to, then answers."""

    def __init__(self, failures: int = 0) -> None:
        self.function = Template.read(TOY).functions[0]
        self.failures = failures
        self.events: list[bytes] = []

    async def invoke(self, event: bytes) -> bytes:
        self.events.append(event)
        if len(self.events) <= self.failures:
            raise FunctionFailed("on purpose.")
        return b'{"done": true}'


def test_a_folder_is_held_by_one_and_free_afterwards(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "new" / "data")
    with folder.held("http://one"):
        assert "http://one" in folder.holder()
        (folder.scratch / "left").touch()
        with pytest.raises(LocalFailure, match="http://one"), folder.held("http://two"):
            pass
        assert (folder.scratch / "left").exists()
    assert folder.holder() == ""
    with folder.held("http://two"):
        assert not (folder.scratch / "left").exists()


def test_a_folder_that_cannot_be_made_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(LocalFailure, match="--data"),
        DataFolder(tmp_path / "file" / "data").held("http://one"),
    ):
        pass


def test_memory_is_kept_and_damage_is_told(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    first = folder.remembered()
    first.storage_ports = {"s3": 1}
    folder.remember(first)
    assert folder.remembered() == first
    assert DataFolder(tmp_path / "other").remembered().secret_key != first.secret_key
    (tmp_path / "local.json").write_text("{")
    with pytest.raises(LocalFailure, match="cannot be read"):
        folder.remembered()


def test_ports_are_free_and_different() -> None:
    found = ports.free_ports(20)
    assert len(set(found)) == 20
    assert ports.all_free(found)
    with socket.create_server((ports.LOOPBACK, found[0])):
        assert not ports.all_free(found)


def wheel(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("samcli/local/rapid/aws-lambda-rie-x86_64", content)
    return buffer.getvalue()


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """A package installer that downloads a small wheel, and a cache of this test's own."""
    calls: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        folder = Path(command[command.index("-d") + 1])
        (folder / "x.whl").write_bytes(wheel(b"emulator"))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(rie.subprocess, "run", run)
    monkeypatch.setattr(rie, "_cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(rie.platform, "system", lambda: "Linux")
    monkeypatch.setattr(rie.platform, "machine", lambda: "x86_64")
    pinned = {"x86_64": hashlib.sha256(b"emulator").hexdigest()}
    monkeypatch.setattr(rie, "_SHA256", pinned)
    return calls


def test_the_emulator_is_fetched_once(pip: list[list[str]]) -> None:
    first = rie.emulator()
    assert first.read_bytes() == b"emulator"
    assert first.stat().st_mode & 0o111
    assert rie.emulator() == first
    assert len(pip) == 1
    assert "--no-deps" in pip[0]
    assert pip[0][-1].startswith("aws-sam-cli==")


def test_another_emulator_than_the_pinned_one_is_refused(
    pip: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rie, "_SHA256", {"x86_64": "0" * 64})
    with pytest.raises(LocalFailure, match="sha256"):
        rie.emulator()
    assert len(pip) == 1
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_failed_download_names_the_command(
    pip: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        pip.append(command)
        return subprocess.CompletedProcess(command, 1, "", "no network")

    monkeypatch.setattr(rie.subprocess, "run", fail)
    with pytest.raises(LocalFailure, match="no network") as failure:
        rie.emulator()
    assert "pip download --no-deps aws-sam-cli==" in str(failure.value)


@pytest.mark.usefixtures("pip")
@pytest.mark.parametrize(("system", "machine"), [("Darwin", "arm64"), ("Linux", "riscv64")])
def test_another_system_is_said_plainly(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    monkeypatch.setattr(rie.platform, "system", lambda: system)
    monkeypatch.setattr(rie.platform, "machine", lambda: machine)
    with pytest.raises(LocalFailure, match=f"{system} {machine}"):
        rie.emulator()


@pytest.mark.parametrize(("failures", "tries"), [(0, 1), (2, 3), (9, 3)])
def test_an_asynchronous_invocation_is_tried_three_times(failures: int, tries: int) -> None:
    async def run() -> list[bytes]:
        pool, background = FakePool(failures), Background(pauses=(0, 0))
        background.invoke(pool, b"{}")
        for _ in range(20):
            await asyncio.sleep(0)
        await background.close()
        return pool.events

    assert asyncio.run(run()) == [b"{}"] * tries


def test_background_work_is_limited_and_dropped_at_the_end() -> None:
    async def run() -> int:
        pool, background = FakePool(9), Background(pauses=(60, 60), waiting=2)
        background.invoke(pool, b"1")
        background.invoke(pool, b"2")
        with pytest.raises(FunctionBusy):
            background.invoke(pool, b"3")
        await asyncio.sleep(0)
        await background.close()
        return len(pool.events)

    assert asyncio.run(run()) == 2


def test_the_lambda_api_answers_like_lambda() -> None:
    import httpx

    async def run() -> None:
        pool, background = FakePool(failures=1), Background(pauses=(0, 0))
        api = LambdaApi({"stack-work": pool}, background)
        http = httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://lambda")
        async with http:
            root = "/2015-03-31/functions"
            arn = "arn:aws:lambda:us-east-1:0:function:stack-work:live"
            failed = await http.post(f"{root}/stack-work/invocations", content=b"{}")
            assert failed.headers["x-amz-function-error"] == "Unhandled"
            assert failed.json()["errorType"] == "FunctionFailed"
            done = await http.post(f"{root}/{arn}/invocations")
            assert done.json() == {"done": True}
            unknown = await http.post(f"{root}/other/invocations")
            assert unknown.status_code == 404
            assert unknown.headers["x-amzn-errortype"] == "ResourceNotFoundException"
            later = {"x-amz-invocation-type": "Event"}
            soon = await http.post(f"{root}/stack-work/invocations", headers=later, content=b"[]")
            assert (soon.status_code, soon.content) == (202, b"")
            large = await http.post(
                f"{root}/stack-work/invocations", headers=later, content=b"x" * 1_048_577
            )
            assert large.status_code == 413
            await asyncio.sleep(0)
        await background.close()
        assert pool.events == [b"{}", b"{}", b"[]"]

    asyncio.run(run())


def test_too_many_waiting_requests_are_turned_away(tmp_path: Path) -> None:
    async def run() -> None:
        pool = FunctionPool(
            Template.read(TOY).functions[0],
            emulator=Path("/bin/false"),
            scratch=tmp_path,
            variables={},
            limits=Limits(environments=1, waiting=0),
        )
        await pool._slots.acquire()
        with pytest.raises(FunctionBusy, match="wait for Echo"):
            await pool.invoke(b"{}")

    asyncio.run(run())


def test_a_request_that_would_wait_too_long_is_told_so_and_never_run(tmp_path: Path) -> None:
    async def run() -> None:
        pool = FunctionPool(
            Template.read(TOY).functions[0],
            emulator=Path("/bin/false"),
            scratch=tmp_path,
            variables={},
            limits=Limits(environments=1),
        )
        await pool._slots.acquire()
        with pytest.raises(FunctionBusy, match="became free within"):
            await pool.invoke(b"{}", patience=0.01)
        pool._slots.release()
        assert not pool._slots.locked()
        assert pool._waiting == 0

    asyncio.run(run())


def test_an_emulator_that_does_not_start_is_a_failure_of_the_function(tmp_path: Path) -> None:
    async def run() -> None:
        pool = FunctionPool(
            Template.read(TOY).functions[0],
            emulator=Path("/bin/false"),
            scratch=tmp_path,
            variables={},
            limits=Limits(environments=1),
        )
        with pytest.raises(FunctionFailed, match="could be started"):
            await pool.invoke(b"{}")
        await pool.close()

    asyncio.run(run())
    assert list(tmp_path.iterdir()) == []


def test_small_answers_are_not_held_back_by_nagle() -> None:
    async def run() -> int:
        accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            wire = writer.get_extra_info("socket")
            accepted.set_result(wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with listen(0) as wire:
            server = await asyncio.start_server(connected, sock=wire)
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            found = await accepted
            writer.close()
            server.close()
            await server.wait_closed()
        return found

    assert asyncio.run(run()) == 1


def test_a_reader_that_has_gone_does_not_end_the_speaker() -> None:
    code = (
        "import sys\n"
        "from imagesearch_local.commands.running import _say\n"
        "sys.stdin.read()\n"
        "_say('one')\n"
        "_say('two')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as speaker:
        assert speaker.stdin
        assert speaker.stdout
        speaker.stdout.close()
        speaker.stdin.close()
        assert speaker.wait(60) == 0
