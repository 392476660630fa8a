"""What `sam build` makes, run as Lambda runs it, on the events in events/."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from imagesearch_local.problems import LocalFailure
from imagesearch_local.rie import emulator

from tests.pictures import as_bytes, drawn
from tests.template.conftest import ROOT, SAM, Tree
from tools.sam import bytecode, interpreter, sizes
from tools.sam.emulated import Environment, storage

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(interpreter.find() is None, reason=interpreter.ADVICE),
    pytest.mark.skipif(os.uname().machine != "x86_64", reason="the build is for x86_64"),
    pytest.mark.skipif(not SAM.exists(), reason="needs .venv-sam: run tools/sam/setup.sh"),
]

Invoke = Callable[..., Any]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables with which a function finds an S3 server of our own."""
    try:
        emulator()
    except LocalFailure as failure:
        pytest.skip(str(failure))
    folder = tmp_path_factory.mktemp("store")
    with storage(folder, "built-functions") as variables:
        yield variables | {"IMAGESEARCH_CACHE": str(folder / "cache")}


@pytest.fixture(scope="module")
def invoke(build: Path, aws: dict[str, str]) -> Iterator[Invoke]:
    """Invoke a built function, by logical name, with an event of events/, by file name."""
    running: dict[str, Environment] = {}
    more = {"IMAGESEARCH_KEYS": "file:/nowhere", "IMAGESEARCH_COMPACT_FUNCTION": ""}
    with ExitStack() as stack:

        def call(function: str, event: str, swap: dict[str, str] | None = None) -> Any:
            if function not in running:
                environment = Environment(build, function, aws | more)
                running[function] = stack.enter_context(environment)
            text = (ROOT / "events" / f"{event}.json").read_text("utf-8")
            for old, new in (swap or {}).items():
                assert old in text, old
                text = text.replace(old, new)
            return running[function].invoke(json.loads(text))

        yield call


def test_a_function_and_its_layers_stay_within_the_budget(build: Path) -> None:
    assert sizes.weigh(build).heaviest <= sizes.BUDGET


def test_everything_is_compiled_for_lambda(build: Path) -> None:
    assert bytecode.uncompiled(build) == []


# In this order: each event finds what those before it have left.
STORY = [
    ("CatalogueFunction", "health-live", 200),
    ("CatalogueFunction", "create-instance", 201),
    ("CatalogueFunction", "list-instances", 200),
    ("AddFunction", "add-picture", 201),
    ("AddFunction", "add-picture-as-bytes", 201),
    ("AddFunction", "start-upload", 201),
    ("AddFunction", "change-picture", 200),
    ("CatalogueFunction", "show-picture", 200),
    ("CatalogueFunction", "list-pictures", 200),
    ("CatalogueFunction", "show-thumbnail", 404),  # its name differs from run to run
    ("CatalogueFunction", "page-file", 200),
    ("CatalogueFunction", "count-pictures", 200),
    ("CatalogueFunction", "find-duplicates", 200),
    ("SearchFunction", "search", 200),
    ("SearchFunction", "search-as-bytes", 200),
    ("SearchFunction", "search-combined", 200),
    ("SearchFunction", "search-subjects", 200),
    ("SearchFunction", "search-text", 200),
    ("SearchFunction", "explain", 200),
    ("SearchFunction", "compare", 200),
    ("DeleteFunction", "delete-picture", 200),
    ("DeleteFunction", "delete-product", 200),
    ("DeleteFunction", "delete-pictures", 200),
    ("CatalogueFunction", "show-instance", 200),
    ("CatalogueFunction", "health-ready", 200),
    ("CatalogueFunction", "openapi", 200),
]


def test_every_event_is_answered_by_the_built_functions(invoke: Invoke) -> None:
    answers = {}
    for function, event, status in STORY:
        answer = invoke(function, event)
        assert answer.get("statusCode") == status, (event, answer)
        answers[event] = answer if event == "page-file" else json.loads(answer["body"])
    first = answers["search"]["hits"][0]
    assert (first["product_id"], first["sort_expr_values"]) == ("lamp-1", "7.33136443711219e+24;0")
    assert answers["search-as-bytes"]["hits"] == answers["search"]["hits"]
    assert answers["search-text"]["query"]["meaning"]  # the layer of words is where it should be
    assert answers["delete-picture"]["deleted"] == ["front.png"]
    assert invoke("CompactFunction", "compact-instance") is not None
    assert invoke("CompactFunction", "compact-daily") is not None
    assert invoke("CatalogueFunction", "erase-instance")["statusCode"] == 202


@pytest.mark.parametrize("number", [1, 4])
def test_a_ranker_runs_and_does_nothing_for_what_is_no_task(
    build: Path, aws: dict[str, str], number: int
) -> None:
    with Environment(build, f"Rank{number}Function", aws) as ranker:
        answer = ranker.invoke({"routeKey": "GET /"})
    assert answer["errorType"] == "Unreadable"
    assert "this is no task" in answer["errorMessage"]


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("list", 404),
        ("show", 404),
        ("check", 404),
        ("submit", 404),
        ("cancel", 404),
        ("resume", 404),
    ],
)
def test_batch_tasks_of_an_instance_that_is_not_there(
    invoke: Invoke, event: str, status: int
) -> None:
    answer = invoke("IncrementFunction", f"{event}-increment{'s' if event == 'list' else ''}")
    assert answer.get("statusCode") == status, answer


def test_a_batch_task_is_carried_out_by_the_built_functions(
    invoke: Invoke, aws: dict[str, str]
) -> None:
    """Submitted, planned, worked off event by event, followed, resumed in vain; then the inbox."""
    bucket = aws["IMAGESEARCH_BUCKET"]
    s3 = boto3.client(
        "s3",
        endpoint_url=aws["AWS_ENDPOINT_URL_S3"],
        region_name="us-east-1",
        aws_access_key_id=aws["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=aws["AWS_SECRET_ACCESS_KEY"],
    )
    there = {"events": "batch"}
    assert invoke("CatalogueFunction", "create-instance", there)["statusCode"] == 201
    lines = [
        {"OperationType": "ADD", "ProductId": f"p{n}", "PicName": name}
        for n, name in enumerate(["a.jpg", "missing.jpg", "a.jpg"])
    ]
    s3.put_object(Bucket=bucket, Key="imports/goods/a.jpg", Body=as_bytes(drawn(1)))
    meta = "".join(json.dumps(line) + "\n" for line in lines)
    s3.put_object(Bucket=bucket, Key="imports/goods/increment.meta", Body=meta.encode())
    asked = there | {"my-catalogue-pictures": bucket, "/goods": "/imports/goods"}
    checked = invoke("IncrementFunction", "check-increment", asked)
    assert json.loads(checked["body"]) == {"ok": True, "problems": []}
    submitted = invoke("IncrementFunction", "submit-increment", asked)
    assert submitted["statusCode"] == 202, submitted
    task = str(json.loads(submitted["body"])["id"])

    work = "tasks/work/events/1795410000000000a1b2c3d4/1795420000000000/todo/begin-submitted.todo"
    done: set[str] = set()
    while todo := [
        one["Key"]
        for one in s3.list_objects_v2(Bucket=bucket, Prefix="tasks/work/batch/").get("Contents", [])
        if one["Key"].endswith(".todo") and one["Key"] not in done
    ]:
        for key in todo:
            assert "errorType" not in invoke("IngestFunction", "ingest-work", {work: key})
        done.update(todo)
    named = there | {"1795420000000000": task}
    shown = json.loads(invoke("IncrementFunction", "show-increment", named)["body"])
    assert (shown["state"], shown["counts"]["added"], shown["counts"]["failed"]) == ("done", 2, 1)
    [listed] = json.loads(invoke("IncrementFunction", "list-increments", there)["body"])[
        "increments"
    ]
    assert listed["id"] == shown["id"]
    assert invoke("IncrementFunction", "resume-increment", named)["statusCode"] == 409
    found = json.loads(invoke("CatalogueFunction", "list-pictures", there)["body"])
    assert len(found["pictures"]) == 2


@pytest.mark.parametrize("event", ["ingest-work", "ingest-inbox", "ingest-sweep"])
def test_the_bucket_s_events_and_the_sweep_are_worked_off(invoke: Invoke, event: str) -> None:
    assert "errorType" not in invoke("IngestFunction", event)


def test_every_event_there_is_was_tried() -> None:
    tried = {event for _, event, _ in STORY} | {"erase-instance", "change-picture", "authorize"}
    source = Path(__file__).read_text("utf-8")
    for path in (ROOT / "events").glob("*.json"):
        family, _, _ = path.stem.rpartition("-")
        named = path.stem in tried or f'"{path.stem}"' in source or "increment" in path.stem
        assert named or family == "contract" or path.stem == "verify", path.stem


@pytest.mark.parametrize("event", ["get", "rpc", "2019", "2018"])
def test_unsigned_vendor_calls_are_refused_in_the_vendors_form(invoke: Invoke, event: str) -> None:
    answer = invoke("ContractFunction", f"contract-{event}")
    assert 400 <= answer["statusCode"] < 500
    assert {"RequestId", "Code", "Message"} <= json.loads(answer["body"]).keys()


def test_the_built_authorizer_turns_strangers_away(invoke: Invoke) -> None:
    assert invoke("AuthorizeFunction", "authorize") == {"isAuthorized": False}


class _Aws(ThreadingHTTPServer):
    """Lambda's and CodeDeploy's own addresses: invokes built functions, takes a hook's verdict."""

    def __init__(self, environments: dict[str, Environment]) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.environments = environments
        self.verdicts: list[Tree] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answering(BaseHTTPRequestHandler):
    server: _Aws

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.headers.get("x-amz-target", "").endswith("PutLifecycleEventHookExecutionStatus"):
            self.server.verdicts.append(body)
            answer = {"lifecycleEventHookExecutionId": body["lifecycleEventHookExecutionId"]}
        else:
            name = unquote(self.path).split("/functions/")[1].partition("/")[0]
            answer = self.server.environments[name].invoke(body)
        payload = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("broken", [None, "search"])
def test_new_versions_are_tried_before_they_get_traffic(
    build: Path, aws: dict[str, str], broken: str | None
) -> None:
    """The hook's round trip goes through the built functions; one that fails is noticed."""
    names = ("add", "catalogue", "delete", "search")
    with ExitStack() as stack:
        environments = {}
        for name in names:
            wrong = {"IMAGESEARCH_MODELS": "/nowhere"} if name == broken else {}
            function = f"{name.capitalize()}Function"
            environment = Environment(build, function, aws | wrong)
            environments[name] = stack.enter_context(environment)
        server = _Aws(environments)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        addresses = {
            "AWS_ENDPOINT_URL_LAMBDA": server.url,
            "AWS_ENDPOINT_URL_CODEDEPLOY": server.url,
            **{f"NEW_{name.upper()}": name for name in names},
        }
        verify = stack.enter_context(Environment(build, "VerifyFunction", aws | addresses))
        event = json.loads((ROOT / "events/verify.json").read_text("utf-8"))
        told = verify.invoke(event)
        server.shutdown()
        server.server_close()
        thread.join()
    wanted = "Failed" if broken else "Succeeded"
    assert told == {"status": wanted}
    assert [verdict["status"] for verdict in server.verdicts] == [wanted]
    assert server.verdicts[0]["deploymentId"] == event["DeploymentId"]
