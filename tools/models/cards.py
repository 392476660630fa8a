"""The model cards: one section per file of the bundle, from what the build and the fits know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tools.models.class_names import CLASS_NAMES
from tools.models.packages import LITE0, U2NETP, Package
from tools.models.photographs import by_source
from tools.models.sources import SOURCES

__all__ = ["write_cards"]

Settings = Mapping[str, Any]

_CONVERSION = (
    "batch norms folded, TensorFlow's SAME padding, weights of 512 values and more stored as "
    "float16 and cast once at loading"
)
_INPUT = "`image` uint8 RGB [n, height, width, 3], sides of 224 (for vectors) or 256"
_STATISTICS = (
    "a PCA 1280 → 512 (half whitened) and five block means, on 6,000 of the views listed below"
)
_SUBJECT = (
    "PCA and means of their own, on 6,000 views of the kinds that the maps `product` and "
    "`trademark` are fitted on. The mask of the crop weighs the places of each map before means "
    "and deviations are taken"
)
_LAYOUT = (
    "for each of three grids (s16 in 4 × 4 cells, s32 in 2 × 2, s8 in 4 × 4) a half whitened PCA "
    "of the channels (to 32, 96 and 16) and a mean, on the same views"
)
_CATEGORY = (
    "a linear layer on vector, logits and grouped ImageNet shares (`groups.py`), mixed with the "
    "votes of a gallery: one `int8` vector of 256 values for each known thing and kind of picture "
    "(views of renders, emoji, clip-art, icons, shop photographs and our own drawings, "
    "`drawings.txt`); labels are read off "
    "the pictures' names (`labels.py`); labelled views by category"
)
_MASK = (
    "float32 [n, height / 4, width / 4], 0…1, at 256 × 256, from two decoders on s8, s16, "
    "s32 and the map behind them (1,280 channels), the mean of both; at 224 × 224 the subject's "
    "outputs are made with it"
)
_LIMITS = (
    "ImageNet's classes know clothes, bags and cosmetics only coarsely, and nearly all labelled "
    "pictures are drawings, icons and renders; the terms of the ImageNet pictures are not the "
    "weights' licence (see NOTICE)"
)
_RELIABILITY = (
    "The probability says how likely one of the first 20 hits is right, in a catalogue of a "
    "thousand pictures (of four thousand marks or cloths), for a query whose thing is in it: "
    "measured on the trials, composed pictures of things kept out of the maps (of products, "
    "renders alone), all seen as the service sees them, but in the boxes of a second look that was "
    "not kept. The curve of cloth is of `lite0-4`, whose vectors of cloth are the same; its rivals "
    "were seen in one view. A larger "
    "catalogue, or one of things much alike, makes it too sure. Each half of the things is judged "
    "by a curve fitted on the other; few trials, so rough. No curve was fitted on open queries, "
    "but renders alone for products, four thousand pictures for marks and cloths, and how "
    "rivals are seen were chosen after seeing how earlier curves did on the open sets. "
    "`evaluation/` has the curves on them."
)


def write_cards(
    path: Path, bundle: Mapping[str, Any], settings: Settings, meaning: Settings | None = None
) -> None:
    """Write ``cards.md`` for the bundle; ``meaning`` tells how the map to meanings was fitted."""
    parts = [
        f"# Model cards of bundle `{bundle['id']}`",
        "Written by `python -m tools.models build`; `README.md` explains `bundle.json`.",
        _card("embedder.onnx", bundle, _embedder(bundle, settings)),
    ]
    if "subject.onnx" in bundle["files"]:
        parts.append(_card("subject.onnx", bundle, _subject(bundle)))
    parts.append(_card("maps.npz", bundle, _maps(settings)))
    if meaning:
        parts.append(_card("meaning.npz", bundle, _meaning(meaning)))
    parts += [
        "## Pictures used for fitting\n\n" + "\n\n".join(_pictures(settings["views"])),
        "**mask**: photographs listed in `tools/models/photographs.txt`\n\n" + _list(by_source()),
        "## Measured\n\n" + "\n".join(settings["measured"]),
        "## Calibration\n\n" + _reliability(settings["reliability"]),
        "## Tried and not kept\n\n" + _list(settings["not_kept"]),
    ]
    path.write_text("\n\n".join(parts) + "\n")


def _meaning(about: Settings) -> list[str]:
    """Describe the map to meanings."""
    listed = "; ".join(
        f"{name} {SOURCES[name].version}, {SOURCES[name].licence}: {count} pictures"
        for name, count in about["sources"].items()
    )
    alone, mixed = (about["figures"][name] for name in ("classes alone", "mixed"))
    return [
        "our own; licence as the rest of the project",
        (
            "what it does: tells where a picture lies among the vectors that the text encoder "
            "gives to names; it holds no text encoder"
        ),
        f"text encoder: {about['encoder']}, see `layers/words/README.md`",
        f"class names: PyPI `{CLASS_NAMES.name}=={CLASS_NAMES.version}`, {CLASS_NAMES.licence}",
        (
            f"fitted on {about['pictures']:,} named pictures, {about['labels']:,} names, on white: "
            f"{listed}; no query of an evaluation set is among them (`tools/models/kept_aside.txt`)"
        ),
        (
            "how: kernel ridge regression from the first 256 axes of the embedder's outputs to the "
            "vector of the name, mixed half and half with ConSE over the ten likeliest classes"
        ),
        (
            "checked, each fifth of the names left out of the fit in turn, share of names whose "
            "first right picture is the first / among the first ten: "
            f"{mixed['R@1']} / {mixed['R@10']} %; "
            f"ConSE alone {alone['R@1']} / {alone['R@10']} %"
        ),
        (
            "limits: finds kinds of things; no colours, numbers, brands or relations were taught; "
            "nearly all named pictures are drawings and renders"
        ),
    ]


def _card(name: str, bundle: Mapping[str, Any], lines: list[str]) -> str:
    file = bundle["files"][name]
    head = f"file: {file['bytes']:,} bytes, SHA-256 `{file['sha256']}`"
    return f"## `{name}`\n\n{_list([head, *lines])}"


def _embedder(bundle: Mapping[str, Any], settings: Settings) -> list[str]:
    outputs = ", ".join(f"`{n}` float32 [n, {w}]" for n, w in bundle["embedder"]["outputs"].items())
    own = "subject.onnx" not in bundle["files"]
    labelled = ", ".join(f"{id_}: {count}" for id_, count in settings["labelled"].items())
    return [
        f"weights: EfficientNet-Lite0, {_package(LITE0)}",
        "trained by: Google on ImageNet-1k; ported to PyTorch by ML Illustrated, Apache-2.0",
        f"conversion: {_CONVERSION}",
        f"input: {_INPUT}",
        f"outputs: {outputs}; inner values `s8`, `s16`, `s32` are the feature maps",
        f"fitted inside, `embedding` and `mid`: {_STATISTICS}",
        f"fitted inside, `subject_embedding` and `subject_mid`: {_SUBJECT}",
        f"fitted inside, `layout`: {_LAYOUT}",
        f"fitted inside, `category`: {_CATEGORY}: {labelled}",
        *(_decoder(settings) if own else []),
        f"limits: {_LIMITS}",
    ]


def _decoder(settings: Settings) -> list[str]:
    decoder = settings["decoder"]
    return [
        f"output `mask`: {_MASK}, {decoder['parameters']:,} parameters",
        f"fitted inside, `mask`: {decoder['data']}",
        f"teacher of the photographs' masks, not part of the bundle: U²-Netp, {_package(U2NETP)}",
    ]


def _subject(bundle: Mapping[str, Any]) -> list[str]:
    side = bundle["subject"]["side"]
    return [
        f"weights: U²-Netp (Qin et al. 2020), {_package(U2NETP)}",
        "trained by: the authors on DUTS-TR (terms of its pictures: see NOTICE)",
        "conversion: cut down to the finest of seven masks, preprocessing put inside, float32",
        f"input: `image` uint8 RGB [1, {side}, {side}, 3], the whole picture stretched",
        f"output: `mask` float32 [1, {side}, {side}], 0…1",
        "fitted inside: nothing",
    ]


def _maps(settings: Settings) -> list[str]:
    names = sorted({recipe["map"]["matrix"] for recipe in settings["services"].values()})
    maps = ", ".join(f"`{name.removesuffix('.matrix')}`" for name in names)
    return [
        "our own; licence as the rest of the project",
        f"arrays, float16: `<map>.mean` [width of parts], `<map>.matrix` [that, 512] for {maps}",
        *settings["maps"],
    ]


def _pictures(views: Mapping[str, Any]) -> Iterable[str]:
    for kind, about in views.items():
        yield (
            f"**{kind}**: {about['views']:,} views of {about['things']:,} things\n\n"
            + _list(about["pictures"])
        )


def _reliability(curves: Mapping[str, Any]) -> str:
    rows = [
        _RELIABILITY,
        "",
        "| service | things | probability → share right (hits) |",
        "| --- | --- | --- |",
    ]
    for service, curve in curves.items():
        bins = "; ".join(f"{p:.2f} → {right:.2f} ({count})" for p, right, count in curve["bins"])
        rows.append(f"| {service} | {curve['things']} | {bins} |")
    return "\n".join(rows)


def _package(package: Package) -> str:
    return (
        f"PyPI `{package.name}=={package.version}`, `{package.file}`, SHA-256 "
        f"`{package.file_sha256}`, {package.licence}"
    )


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
