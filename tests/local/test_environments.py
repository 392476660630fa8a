"""Function processes: clean, reused, several at once, replaced when they die."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.local.toy_service import Serve, descendants, eventually, problem

pytestmark = pytest.mark.system


def test_the_environment_is_lambdas_and_nothing_leaks_in(serve: Serve) -> None:
    environment = serve.http.get("/echo/x").json()["environment"]
    assert "OUTSIDE_SECRET" not in environment
    assert environment["GREETING"] == "hello"
    assert environment["NEXT"] == "Store"
    assert environment["BUCKET"] == "imagesearch-local-000000000000"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "Echo"
    assert environment["AWS_LAMBDA_FUNCTION_TIMEOUT"] == "20"
    assert environment["LAMBDA_TASK_ROOT"].endswith("functions/echo")
    assert environment["AWS_ENDPOINT_URL_S3"].startswith("http://127.0.0.1:")
    assert Path(environment["TMPDIR"]).is_relative_to(serve.data)


def test_layer_folders_stand_in_for_opt(serve: Serve) -> None:
    assert "card of the shared layer" in serve.http.get("/echo/x").json()["card"]


def test_a_warm_process_is_used_again(serve: Serve) -> None:
    assert len({serve.act().json()["pid"] for _ in range(5)}) == 1


def test_requests_at_once_get_processes_of_their_own_up_to_the_limit(serve: Serve) -> None:
    with ThreadPoolExecutor(9) as pool:
        answers = list(pool.map(lambda _: serve.act(sleep=0.3), range(9)))
    assert {answer.status_code for answer in answers} == {200}
    assert 2 <= len({answer.json()["pid"] for answer in answers}) <= 3


def test_environments_do_not_share_their_scratch_folder(serve: Serve) -> None:
    with ThreadPoolExecutor(3) as pool:
        pool.map(lambda _: serve.act(sleep=0.3), range(3))
        answers = list(pool.map(lambda _: serve.http.get("/echo/x").json(), range(12)))
    folders = {answer["pid"]: answer["environment"]["TMPDIR"] for answer in answers}
    assert len(set(folders.values())) == len(folders)


@pytest.mark.parametrize("how", ["kill", "kill_emulator", "leave"])
def test_a_process_that_dies_costs_one_request(serve: Serve, how: str) -> None:
    before = serve.act().json()["pid"]
    assert problem(serve.act(**{how: True}))["status"] == 502
    after = serve.act()
    assert after.status_code == 200
    assert after.json()["pid"] != before


def test_a_process_killed_while_idle_is_replaced(serve: Serve) -> None:
    os.kill(serve.act().json()["pid"], signal.SIGKILL)
    assert serve.act().status_code in {200, 502}
    assert serve.act().status_code == 200


def test_an_emulator_killed_while_idle_goes_unnoticed(serve: Serve) -> None:
    emulator = serve.http.get("/echo/x").json()["emulator"]
    os.kill(emulator, signal.SIGKILL)
    assert eventually(lambda: emulator not in descendants(serve.process.pid))
    assert serve.act().status_code == 200


def test_an_exception_is_502_and_leaves_the_process_warm(serve: Serve) -> None:
    before = serve.act().json()["pid"]
    found = problem(serve.act(**{"raise": "on purpose"}))
    assert found["code"] == "FunctionFailed"
    assert "on purpose" in str(found["detail"])
    assert serve.act().json()["pid"] == before


def test_a_function_over_its_limit_is_504(serve: Serve) -> None:
    assert serve.act("/brief").status_code == 200
    assert problem(serve.act("/brief", sleep=3))["code"] == "FunctionTimedOut"
    assert serve.act("/brief").status_code == 200


def test_a_route_over_its_limit_is_504_and_the_function_runs_on(serve: Serve) -> None:
    serve.act("/impatient")
    found = problem(serve.act("/impatient", sleep=1.5, say="finished"))
    assert (found["status"], found["code"]) == (504, "FunctionTimedOut")
    assert serve.act().status_code == 200


def test_an_asynchronous_invocation_is_answered_first_and_run_then(serve: Serve) -> None:
    text = {"content-type": "text/plain"}
    answer = serve.http.post("/objects/later/soon", content=b"done", headers=text)
    assert answer.status_code == 202
    assert eventually(lambda: serve.http.get("/objects/later").content == b"done")


def test_everything_listens_on_loopback_only(serve: Serve) -> None:
    serve.act()
    sockets = {
        link.readlink().name
        for pid in descendants(serve.process.pid)
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if str(link.readlink()).startswith("socket:")
    }
    listening = [
        (line.split()[1].split(":")[0])
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and f"socket:[{line.split()[9]}]" in sockets
    ]
    assert len(listening) > 8
    assert set(listening) == {"0100007F"}


def test_output_of_functions_is_in_one_log_with_their_names(serve: Serve) -> None:
    serve.act(say="a mark in the log")
    log = serve.data / "logs" / "functions.log"
    assert eventually(lambda: "a mark in the log" in log.read_text())
    [line] = [line for line in log.read_text().splitlines() if "a mark in the log" in line]
    assert "[Echo#" in line
    assert "POST /act 200" in (serve.data / "logs" / "requests.log").read_text()
