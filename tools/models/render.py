"""Draw a mesh from any side with its exact mask: one ray a pixel (Embree), some gloss."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from tools.models.collect import LIBRARIES, Item, catalogue_pieces, model_archive
from tools.models.mesh import Mesh, read_mesh
from tools.models.packages import Say

__all__ = ["read_views", "render", "render_library"]

_SIDE = 300
_OVERSAMPLING = 1.5
_FIELD = np.radians(28)
_LARGEST_OBJ = 2_000_000


def read_views(cache: Path) -> list[Item]:
    """Return the rendered views made before."""
    lines = (cache / "pictures" / "views.jsonl").read_text().splitlines()
    return [Item(**json.loads(line)) for line in lines]


def render_library(cache: Path, views: int, seed: int, say: Say = print) -> list[Item]:
    """Draw ``views`` views of every model unless they are there; pictures in ``pictures/view``."""
    listing = cache / "pictures" / "views.jsonl"
    if listing.exists():
        return read_views(cache)
    items: list[Item] = []
    for library in LIBRARIES:
        items += _draw_all(cache, library, views, seed, say)
        say(f"{library}: {len(items)} views so far")
    listing.write_text("".join(json.dumps(asdict(item)) + "\n" for item in items))
    return items


def _draw_all(cache: Path, library: str, views: int, seed: int, say: Say) -> Iterator[Item]:
    folder = cache / "pictures" / "view"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(model_archive(cache, library, say)) as archive:
        for number, piece in catalogue_pieces(archive):
            path = piece["model"].lstrip("/")
            if archive.getinfo(path).file_size > _LARGEST_OBJ:
                continue
            name = f"{library}-{number:03d}"
            mesh = _turned(read_mesh(archive, path), piece.get("modelRotation"))
            rng = np.random.default_rng([seed, number, len(library)])
            first = rng.uniform(-0.6, 0.6)
            for view in range(views):
                yaw = first + rng.normal(0, 0.5) * (view > 0)
                picture = render(mesh, rng, yaw, rng.uniform(0.08, 0.6))
                if picture is None:
                    continue
                file = f"view/{name}-{view}.png"
                picture.save(cache / "pictures" / file)
                label = f"{piece.get('category', '')} {piece['name']}"
                creator = piece.get("creator", library)
                yield Item(file, "view", "sweethome3d-furniture", f"model:{name}", label, creator)


def render(mesh: Mesh, rng: Generator, yaw: float, pitch: float) -> Image.Image | None:
    """Return an RGBA picture cut to the subject, or ``None`` when next to nothing is to be seen."""
    side = int(_SIDE * _OVERSAMPLING)
    origin, rays, towards = _camera(mesh, yaw, pitch, side)
    seen = mesh.materials
    solid = np.array([m.opacity for m in seen])[mesh.material] > 0.15
    corners = np.ascontiguousarray(mesh.corners[solid])
    hit, first, second = _cast(corners, origin, rays)
    alpha = hit >= 0
    if alpha.mean() < 0.02:
        return None
    triangle = np.flatnonzero(solid)[hit[alpha]]
    shares = np.stack([1 - first - second, first, second], axis=1)[alpha][..., None]
    colours, gloss = _surface(mesh, triangle, shares)
    normals = (mesh.normals[triangle] * shares).sum(axis=1)
    lit = _light(rng, colours, gloss, normals, rays[alpha], towards)
    flat = np.zeros((side * side, 4), np.float32)
    flat[alpha] = np.concatenate([lit, np.ones((len(lit), 1))], axis=1)
    return _finish(flat.reshape(side, side, 4))


def _turned(mesh: Mesh, rotation: str | None) -> Mesh:
    if not rotation:
        return mesh
    matrix = np.array([float(x) for x in rotation.split()], np.float32).reshape(3, 3).T
    corners, normals = mesh.corners @ matrix, mesh.normals @ matrix
    return Mesh(corners, normals, mesh.texture, mesh.material, mesh.materials)


def _camera(
    mesh: Mesh, yaw: float, pitch: float, side: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    points = mesh.corners.reshape(-1, 3)
    low, high = points.min(axis=0), points.max(axis=0)
    centre, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
    away = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    origin = centre + away * radius / np.sin(_FIELD / 2) * 1.02
    right = np.array([np.cos(yaw), 0, -np.sin(yaw)])
    up = np.cross(away, right)
    grid = (np.arange(side) + 0.5) / side * 2 - 1
    reach = np.tan(_FIELD / 2)
    x, y = np.meshgrid(grid * reach, -grid * reach)
    rays = -away + x[..., None] * right + y[..., None] * up
    rays = rays.reshape(-1, 3)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    return origin.astype(np.float32), rays.astype(np.float32), away.astype(np.float32)


def _cast(
    corners: NDArray[np.float32], origin: NDArray[np.float32], rays: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    from embreex import rtcore_scene
    from embreex.mesh_construction import TriangleMesh

    scene = rtcore_scene.EmbreeScene()
    TriangleMesh(scene, corners)
    origins = np.repeat(origin[None], len(rays), axis=0)
    found = scene.run(origins, rays, output=1)
    return found["primID"], found["u"], found["v"]


def _surface(
    mesh: Mesh, triangle: NDArray[np.int64], shares: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    uv = (mesh.texture[triangle] * shares).sum(axis=1)
    kinds = mesh.material[triangle]
    colours = np.stack([m.colour for m in mesh.materials])[kinds].copy()
    gloss = np.array([m.gloss for m in mesh.materials], np.float32)[kinds]
    for index, material in enumerate(mesh.materials):
        chosen = kinds == index
        if material.texture is not None and chosen.any():
            h, w = material.texture.shape[:2]
            x = (uv[chosen, 0] % 1 * (w - 1)).astype(int)
            y = ((1 - uv[chosen, 1] % 1) * (h - 1)).astype(int)
            colours[chosen] = material.texture[y, x]
    return colours, gloss


def _light(
    rng: Generator,
    colours: NDArray[np.float32],
    gloss: NDArray[np.float32],
    normals: NDArray[np.float32],
    rays: NDArray[np.float32],
    towards: NDArray[np.float32],
) -> NDArray[np.float32]:
    normals = normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9)
    normals = np.where((normals * rays).sum(axis=1, keepdims=True) > 0, -normals, normals)
    key = towards + rng.normal(0, 0.7, 3) + [0, 0.8, 0]
    key /= np.linalg.norm(key)
    sky = 0.5 + 0.5 * normals[:, 1:2]
    diffuse = np.clip(normals @ key, 0, None)[:, None]
    mirrored = rays - 2 * (normals * rays).sum(axis=1, keepdims=True) * normals
    shine = np.clip(mirrored @ key, 0, None)[:, None] ** 30 * gloss[:, None] * 0.5
    ambient = rng.uniform(0.25, 0.45)
    lit = colours * (ambient * (0.6 + 0.4 * sky) + rng.uniform(0.5, 0.75) * diffuse) + shine
    return np.clip(lit, 0, 1).astype(np.float32)


def _finish(flat: NDArray[np.float32]) -> Image.Image:
    flat[..., :3] = np.clip(flat[..., :3], 0, 1) ** (1 / 1.3)
    picture = Image.fromarray((flat * 255).astype(np.uint8), "RGBA")
    picture = picture.resize((_SIDE, _SIDE), Image.Resampling.BOX)
    return picture.crop(picture.getchannel("A").getbbox())
