"""Icons tell a category by their names, and chance colours what their lines enclose."""

from pathlib import Path

import numpy as np
import pytest

from tools.models.groups import IDS, OTHER

pytest.importorskip("cv2", reason="tools/models/requirements.txt is not installed")
from tools.models.icons import ICON_SETS, coloured, icon_category
from tools.models.sources import SOURCES

_SHOP = Path(__file__).parents[2] / "tools/models/shop.txt"


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("t-shirt", 0),
        ("dress-03", 1),
        ("clothes-pants", 2),
        ("suitcase-rolling-duotone", 3),
        ("shoe-sneaker-outline", 4),
        ("umbrella-closed", 5),
        ("ice-cream-2-flat", 6),
        ("make-up-lipstick", 7),
        ("beer-bottle-fill", 8),
        ("armchair-2-bold", 9),
        ("soccer-ball", 20),
        ("underwear", 21),
        ("game-controller", 22),
        ("hammer-bold-duotone", OTHER),
        ("arrow-left", None),
        ("camera-off", None),
    ],
)
def test_the_name_without_its_style_tells_the_category(name: str, category: int | None) -> None:
    assert icon_category(name) == category


def test_every_set_is_pinned() -> None:
    for name in ICON_SETS:
        source = SOURCES[f"@iconify-json/{name}"]
        assert len(source.sha256) == 64
        assert source.version in source.archive


def test_photographs_of_the_shop_have_known_categories() -> None:
    lines = [line for line in _SHOP.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert len(lines) > 50
    assert {int(line.split(" | ")[0]) for line in lines} <= set(IDS)


def _ring() -> np.ndarray:
    y, x = np.mgrid[-40:40, -40:40]
    distance = np.hypot(x, y)
    icon = np.full((80, 80, 4), 34, np.uint8)
    icon[..., 3] = np.where((distance > 26) & (distance < 34), 255, 0)
    return icon


def test_what_a_line_encloses_is_filled() -> None:
    drawn = [coloured(np.random.default_rng(seed), _ring()) for seed in range(20)]
    opaque = [picture[picture.shape[0] // 2, picture.shape[1] // 2, 3] == 255 for picture in drawn]
    assert sum(opaque) >= 12
    assert all(picture[0, 0, 3] == 0 for picture in drawn)


def test_an_icon_with_colours_of_its_own_keeps_its_shape() -> None:
    icon = _ring()
    icon[:40, :, 0] = 220
    drawn = [coloured(np.random.default_rng(seed), icon) for seed in range(12)]
    assert all((picture[..., 3] == icon[..., 3]).all() for picture in drawn)
    assert any((picture[..., :3] != icon[..., :3]).any() for picture in drawn)
