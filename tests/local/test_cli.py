"""The command line: what it prints, what it ends with, and that nothing shows a traceback."""

import json
import runpy
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from imagesearch import __version__
from imagesearch_client import retries
from imagesearch_local import cli

from tests.local.fake_api import FakeApi, problem

PICTURE = b"\xff\xd8 a picture"


@dataclass
class Outcome:
    """How one call of the command line ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        [line] = self.out.splitlines()
        return json.loads(line)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeApi:
    """A server behind every address, and a folder of this test's own for journals."""
    api = FakeApi()

    def handle(_self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        request.read()
        return api.answer(request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)
    monkeypatch.setattr(retries.time, "sleep", lambda _: None)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("IMAGESEARCH_URL", "IMAGESEARCH_API_KEY", "IMAGESEARCH_BUCKET"):
        monkeypatch.delenv(name, raising=False)
    return api


Call = Callable[..., Outcome]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls the command line as a shell would."""

    def run(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["imagesearch", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Outcome(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "shoe.jpg"
    path.write_bytes(PICTURE)
    return path


def test_instances_are_created_listed_shown_and_erased(call: Call, api: FakeApi) -> None:
    assert call("instance", "create", "shop", "fabric", "--json").json["service"] == "fabric"
    listed = call("instance", "list", "--json").json
    assert [instance["name"] for instance in listed["instances"]] == ["shop"]
    assert "shop" in call("instance", "list").out
    assert "fabric" in call("instance", "show", "shop").out
    assert call("instance", "delete", "shop", "--yes").status == 0
    assert not api.instances


def test_erasing_asks_first(call: Call, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    call("instance", "create", "shop")
    monkeypatch.setattr("builtins.input", lambda *_: "n")
    monkeypatch.setattr("typer.confirm", lambda *_args, **_options: sys.exit(1))
    assert call("instance", "delete", "shop").status == 1
    assert "shop" in api.instances


def test_a_picture_is_added_found_shown_and_deleted(
    call: Call, api: FakeApi, picture: Path
) -> None:
    call("instance", "create", "i")
    added = call("add", "i", picture, "--set", "int_attr=5", "--set", "str_attr=a=b", "--json").json
    assert added["picture"] == {
        "product_id": "shoe",
        "pic_name": "shoe.jpg",
        "category_id": 88888888,
        "region": [0, 9, 0, 9],
        "regions": [[0, 9, 0, 9]],
        "int_attr": 5,
        "str_attr": "a=b",
    }
    assert call("show", "i", "shoe", "shoe.jpg", "--json").json["int_attr"] == 5
    assert call("search", "i", picture, "--json").json["hits"][0]["product_id"] == "shoe"
    found = call("search", "i", "--by", "shoe", "shoe.jpg")
    assert "shoe.jpg" in found.out
    assert "1 of 1" in found.err
    assert call("delete", "i", "shoe", "--json").json["deleted"] == ["shoe.jpg"]
    assert not api.pictures


def test_options_become_fields(call: Call, api: FakeApi, picture: Path) -> None:
    call("instance", "create", "i")
    options = (
        "--num 3 --start 7 --category 4 --min-score 0.5 --distinct --whole --filter int_attr=1"
    )
    call("search", "i", picture, *options.split(), "--region", "1,2,3,4")
    sent = json.loads(api.requests[-1].content)
    del sent["image"]
    assert sent == {
        "num": 3,
        "start": 7,
        "category_id": 4,
        "score_threshold": 0.5,
        "distinct_product": True,
        "crop": False,
        "region": "1,2,3,4",
        "filter": "int_attr=1",
    }


def test_words_find_pictures(call: Call, api: FakeApi, picture: Path) -> None:
    call("instance", "create", "i")
    call("add", "i", picture)
    found = call("search", "i", "--text", "红色的鞋", "--category", "4", "--num", "2")
    assert "shoe.jpg" in found.out
    assert "1 of 1" in found.err
    sent = json.loads(api.requests[-1].content)
    assert (sent["text"], sent["category_id"], sent["num"]) == ("红色的鞋", 4, 2)
    assert not {"image", "crop", "region"} & sent.keys()
    asked = call("search", "i", "--text", "shoe", "--json").json
    assert asked["query"] == {"text": "shoe", "meaning": True}


def test_deleting_by_filter(call: Call, api: FakeApi) -> None:
    call("delete", "i", "--filter", "int_attr = 1")
    assert api.requests[-1].url.params["filter"] == "int_attr = 1"


@pytest.mark.parametrize(
    "words",
    [
        ["search", "i"],
        ["search", "i", "nowhere.jpg"],
        ["search", "i", "PICTURE", "--text", "shoe"],
        ["search", "i", "--by", "p", "n", "--text", "shoe"],
        ["search", "i", "--text", "shoe", "--region", "1,2,3,4"],
        ["delete", "i"],
        ["delete", "i", "p", "--filter", "x"],
        ["add", "i", "PICTURE", "--set", "colour=red"],
        ["add", "i", "PICTURE", "--set", "int_attr=red"],
        ["add", "i", "PICTURE", "--set", "int_attr"],
        ["instance", "create", "i", "fish"],
        ["serve", "--parameter", "x", "--template", "TEMPLATE"],
        ["import", "i", "nowhere"],
        ["nonsense"],
    ],
)
@pytest.mark.usefixtures("api")
def test_wrong_usage_is_status_2(call: Call, picture: Path, words: list[str]) -> None:
    places = {"PICTURE": picture, "TEMPLATE": Path(__file__).parent / "toy" / "template.yaml"}
    outcome = call(*(places.get(word, word) for word in words))
    assert outcome.status == 2
    assert outcome.err


@pytest.mark.usefixtures("api")
def test_a_refusal_is_status_1_with_reason_and_advice(call: Call) -> None:
    outcome = call("instance", "show", "none")
    assert outcome.status == 1
    assert "InvalidInstance" in outcome.err
    assert "Do otherwise." in outcome.err
    outcome = call("instance", "show", "none", "--json")
    assert (outcome.status, outcome.json["code"]) == (1, "InvalidInstance")


def test_no_server_is_status_4(call: Call, api: FakeApi) -> None:
    api.failures = [httpx.ConnectError("refused")] * 20
    outcome = call("instance", "list", "--url", "http://127.0.0.1:9")
    assert outcome.status == 4
    assert "http://127.0.0.1:9" in outcome.err
    assert "imagesearch serve" in outcome.err


def test_url_and_key_come_from_options_or_environment(
    call: Call, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("instance", "list")
    assert str(api.requests[-1].url) == "http://127.0.0.1:3000/v1/instances"
    monkeypatch.setenv("IMAGESEARCH_URL", "http://one:1")
    monkeypatch.setenv("IMAGESEARCH_API_KEY", "k1")
    call("instance", "list")
    assert api.requests[-1].url.host == "one"
    assert api.requests[-1].headers["x-api-key"] == "k1"
    call("instance", "list", "--url", "http://two/", "--api-key", "k2")
    assert api.requests[-1].url.host == "two"
    assert api.requests[-1].headers["x-api-key"] == "k2"


def test_requests_to_aws_are_signed(
    call: Call, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    url = "https://abc.execute-api.eu-west-1.amazonaws.com"
    call("instance", "create", "i", "--url", url)
    signature = api.requests[-1].headers["authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/execute-api/aws4_request" in signature
    call("instance", "list", "--url", url, "--api-key", "k")
    assert "authorization" not in api.requests[-1].headers


@pytest.mark.usefixtures("api")
def test_an_import_reports_and_can_be_repeated(call: Call, tmp_path: Path) -> None:
    call("instance", "create", "i")
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("one", "two", "bad"):
        (folder / f"{name}.jpg").write_bytes(name.encode())
    first = call("import", "i", folder, "--json")
    assert first.status == 3
    found = first.json
    assert (found["total"], found["added"], found["known"]) == (3, 2, 0)
    assert found["failures"] == [
        {
            "origin": "bad.jpg",
            "product_id": "bad",
            "pic_name": "bad.jpg",
            "code": "UnsupportedPicFormat",
            "detail": "not a picture.",
        }
    ]
    second = call("import", "i", folder)
    assert second.status == 3
    assert "bad.jpg: UnsupportedPicFormat" in second.err
    assert "0 added, 2 known from before, 1 failed, of 3" in second.err
    (folder / "bad.jpg").write_bytes(b"good")
    assert call("import", "i", folder, "--json").json["added"] == 1
    assert call("import", "i", folder, "--again", "--json").json["added"] == 3
    call("instance", "delete", "i", "--yes")
    call("instance", "create", "i")
    assert call("import", "i", folder, "--json").json["added"] == 3


def test_an_import_into_nothing_is_refused(call: Call, api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "x.jpg").touch()
    assert call("import", "none", tmp_path).status == 1
    assert not api.pictures


def test_an_import_that_is_stopped_says_so(call: Call, api: FakeApi, picture: Path) -> None:
    call("instance", "create", "i")
    api.add = lambda *_args, **_fields: problem(404, "InvalidInstance", "gone.")  # type: ignore[method-assign]
    outcome = call("import", "i", picture.parent)
    assert outcome.status == 3
    assert "stopped early" in outcome.err


def test_doctor_tells_what_is_wrong(call: Call, api: FakeApi, tmp_path: Path) -> None:
    toy = Path(__file__).parent / "toy" / "template.yaml"
    api.failures = [httpx.ConnectError("refused")] * 20
    outcome = call("doctor", "--data", tmp_path / "data", "--template", toy, "--json")
    checks = {check["check"]: check for check in outcome.json["checks"]}
    assert outcome.status == 3
    assert checks["template"]["ok"]
    assert "3 functions" in checks["template"]["detail"]
    assert not checks["server"]["ok"]
    assert not checks["models"]["ok"]
    outcome = call("doctor", "--template", tmp_path / "none.yaml")
    assert "cannot read" in outcome.out.replace("\n", " ")


def test_upkeep_without_a_local_run_says_what_to_start(
    call: Call, api: FakeApi, tmp_path: Path
) -> None:
    for words in (["compact", "i"], ["generations", "i"], ["rollback", "i", "--to", "1", "--yes"]):
        outcome = call(*words, "--data", tmp_path / "data")
        assert outcome.status == 5
        assert "imagesearch serve --data" in outcome.err
    assert not api.requests


@pytest.mark.parametrize(
    "verb",
    ["", *("serve", "add", "import", "search", "show", "delete", "eval", "doctor"), "instance"],
)
def test_help_is_there(call: Call, verb: str) -> None:
    outcome = call(*verb.split(), "--help")
    assert outcome.status == 0
    assert "Usage:" in outcome.out


@pytest.mark.parametrize(
    "verb",
    [
        *("add", "import", "search", "show", "delete", "eval", "doctor", "compact", "generations"),
        "rollback",
        *("instance create", "instance list", "instance show", "instance delete"),
    ],
)
def test_every_verb_that_answers_can_answer_in_json(call: Call, verb: str) -> None:
    assert "--json" in call(*verb.split(), "--help").out


def test_the_page_of_commands_is_what_the_command_line_says() -> None:
    root = Path(__file__).parents[2]
    written = runpy.run_path(str(root / "tools/write_commands.py"))["page"]()
    committed = (root / "docs/commands.md").read_text()
    assert committed == written, "run python tools/write_commands.py"


@pytest.mark.usefixtures("api")
def test_attributes_are_updated_pictures_compared_and_records_dumped(
    call: Call, picture: Path, tmp_path: Path
) -> None:
    call("instance", "create", "i")
    call("add", "i", picture, "--set", "int_attr=5")
    assert call("update", "i", "shoe", "shoe.jpg", "--set", "int_attr=6").status == 0
    assert call("show", "i", "shoe", "shoe.jpg", "--json").json["int_attr"] == 6
    assert call("compare", "i", picture, picture, "--json").json == {"score": 1.0, "hamming": 0}
    file = tmp_path / "increment.meta"
    assert "1 pictures" in call("dump", "i", file).err
    assert json.loads(file.read_text())["IntAttr"] == 6
    assert call("update", "i", "shoe", "shoe.jpg").status == 2


def test_the_version_is_told(call: Call) -> None:
    assert call("--version").out == f"imagesearch {__version__}\n"


@pytest.mark.usefixtures("api")
def test_a_row_that_is_piped_stays_on_one_line(call: Call, picture: Path) -> None:
    call("instance", "create", "i")
    call("add", "i", picture, "--set", f"custom_content={'long ' * 60}")
    [_, row] = call("search", "i", picture).out.splitlines()
    assert row.startswith("1.0000  shoe")
