"""``imagesearch tune``: a map of the owner's own, judged on what it has not seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import pytest
from imagesearch.catalogue import Region, Service
from imagesearch.vision import Vision
from imagesearch.vision.manifest import Manifest
from imagesearch.vision.picture import Original
from imagesearch_client import UnusableSource
from imagesearch_local.cli import app
from imagesearch_local.commands import tuning
from imagesearch_local.tuning import Owned, tune
from imagesearch_local.tuning.again import shown_again, taken_again
from imagesearch_local.tuning.fitting import CANDIDATES, Candidate, adapted, choose, figures, unit
from typer.testing import CliRunner

from tests.pictures import as_bytes, drawn
from tests.vision.conftest import description, network, write


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "bundle"
    return write(folder, {"tiny.onnx": network().SerializeToString()}, description())


@pytest.fixture(scope="module")
def pictures() -> list[Owned]:
    made = [as_bytes(drawn(seed), "PNG") for seed in range(45)]
    return [Owned(f"p{number}", lambda image=image: image) for number, image in enumerate(made)]  # type: ignore[misc]


def noisy(things: int, views: int, *, seed: int = 0) -> tuple[Any, Any]:
    """Return rows of things that differ in some directions and whose views differ in others."""
    rng = np.random.default_rng(seed)
    own = rng.standard_normal((things, 16)).repeat(views, axis=0)
    rows = np.hstack([own, 6 * rng.standard_normal((things * views, 16))]).astype(np.float32)
    return rows, np.arange(things).repeat(views)


def test_whitening_finds_things_whose_views_differ_loudly() -> None:
    rows, thing = noisy(60, 5)
    chosen = choose(rows, thing)
    assert chosen.ridge is not None
    shift, matrix = adapted(rows, thing, chosen)
    fresh, numbers = noisy(60, 5, seed=1)
    before = figures(fresh, numbers, range(60))
    after = figures((fresh - shift) @ matrix, numbers, range(60))
    assert after.recall_at_1 > 2 * before.recall_at_1
    assert before.queries == 240


def test_where_nothing_can_be_gained_the_map_stays() -> None:
    rng = np.random.default_rng(3)
    rows = unit(rng.standard_normal((50, 32)).repeat(4, axis=0).astype(np.float32))
    assert choose(rows, np.arange(50).repeat(4)) == CANDIDATES[0] == Candidate()


@pytest.mark.parametrize("service", list(Service))
def test_a_picture_shown_again_is_the_same_for_the_same_seed(tiny: Path, service: Service) -> None:
    spec = Manifest.read(tiny / "bundle.json").embedder
    original = Original.open(as_bytes(drawn(3), "PNG"))
    region = Region(20, 60, 10, 50)
    one, same = (
        shown_again(np.random.default_rng(5), original, region, service, spec) for _ in range(2)
    )
    other = shown_again(np.random.default_rng(6), original, region, service, spec)
    assert one.shape == (spec.side, spec.side, 3)
    assert (one == same).all()
    assert (one != other).any()
    assert Vision.load(tiny).look(taken_again(np.random.default_rng(5), original, service), service)


def test_it_writes_a_bundle_and_leaves_its_base_alone(
    tiny: Path, pictures: list[Owned], tmp_path: Path
) -> None:
    before = {path.name: path.read_bytes() for path in tiny.iterdir()}
    tuned = tune(tiny, Service.GENERIC, pictures, tmp_path / "out", name="shop")
    assert {path.name: path.read_bytes() for path in tiny.iterdir()} == before
    manifest = Manifest.read(tmp_path / "out" / "bundle.json")
    assert manifest.id == tuned.id
    assert tuned.id.startswith("tiny-1-shop-")
    assert (tuned.pictures, tuned.things, tuned.refused) == (45, 45, 0)
    assert tuned.after.recall_at_1 + tuned.after.map >= tuned.before.recall_at_1 + tuned.before.map
    assert manifest.services[Service.GENERIC].map is not None
    assert manifest.services[Service.PRODUCT].map is None
    again = tune(tiny, Service.GENERIC, pictures, tmp_path / "again", name="shop")
    assert again == tuned
    other = tune(tiny, Service.GENERIC, pictures[:41], tmp_path / "other", name="shop")
    assert other.id != tuned.id


def test_too_few_things_are_refused(tiny: Path, pictures: list[Owned], tmp_path: Path) -> None:
    torn = [*pictures[:39], Owned("torn", lambda: b"no picture")]
    with pytest.raises(UnusableSource, match="39 things; 40 are needed"):
        tune(tiny, Service.GENERIC, torn, tmp_path / "out", name="shop")


@pytest.fixture
def call(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    source = tmp_path / "pictures"
    source.mkdir()
    for number in range(42):
        (source / f"p{number}.png").write_bytes(as_bytes(drawn(number), "PNG"))

    class Client:
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def instance(self, _name: str) -> SimpleNamespace:
            return SimpleNamespace(service="generic", model="tiny-1")

    monkeypatch.setattr(tuning, "connect", lambda *_: Client())

    def called(*arguments: str, base: Path = tiny) -> Any:
        place = [str(tmp_path / "out"), "--from", str(source), "--base", str(base)]
        return CliRunner().invoke(app, ["tune", "shop", *place, *arguments])

    return called


def test_the_command_tells_the_figures_and_what_to_do_next(call: Callable[..., Any]) -> None:
    told = json.loads(call("--json").stdout)
    assert told["things"] == 42
    assert set(told["before"]) == {"recall_at_1", "recall_at_10", "map", "queries"}


def test_pairs_join_products(call: Callable[..., Any], tmp_path: Path) -> None:
    pairs = tmp_path / "pictures" / "pairs.csv"
    pairs.write_text("p1.png,p2.png\np2.png, p3.png\n")
    told = json.loads(call("--pairs", str(pairs), "--json").stdout)
    assert (told["pictures"], told["things"]) == (42, 40)
    pairs.write_text("p1.png,nowhere.png\n")
    done = call("--pairs", str(pairs))
    assert isinstance(done.exception, UnusableSource)
    assert "line 1" in str(done.exception)


def test_a_base_that_is_not_the_instances_is_refused(
    call: Callable[..., Any], tmp_path: Path
) -> None:
    files = {"tiny.onnx": network().SerializeToString()}
    other = write(tmp_path / "other", files, {**description(), "id": "tiny-2"})
    done = call(base=other)
    assert isinstance(done.exception, UnusableSource)
    assert "tiny-2" in str(done.exception)
