"""The pictures of the manual: drawn from images that pydicom ships, one tile for every step, no file large."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import cv2
import pytest

from radlake.imaging.stages import STAGES

DOCS = Path(__file__).parents[2] / "docs"
# numbers, not pictures; a step that needs a chest; and what a cohort is needed for, drawn as enhance.nyul
NOT_DRAWN = {"mask.agreement", "preview", "segment.lungs", "nyul.landmarks", "nyul.scale", "nyul.apply"}


@pytest.fixture(scope="module")
def pictures() -> Iterator[ModuleType]:
    specification = importlib.util.spec_from_file_location("pictures", DOCS / "pictures.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["pictures"] = module
    specification.loader.exec_module(module)
    yield module
    del sys.modules["pictures"]


def test_every_step_has_a_tile(pictures: ModuleType) -> None:
    tiles = [tile for sheet in pictures.sheets(pictures.originals()).values() for tile in sheet]
    assert sorted(tile.step for tile in tiles) == sorted(set(STAGES) - NOT_DRAWN)


def test_the_script_draws_the_sheets_that_the_manual_shows(pictures: ModuleType, tmp_path: Path) -> None:
    pictures.main(tmp_path)
    manual = (DOCS / "imaging.md").read_text(encoding="utf-8")
    drawn = sorted(tmp_path.iterdir())
    assert len(drawn) == len(pictures.sheets(pictures.originals()))
    for path in drawn:
        shipped = DOCS / "pictures" / path.name
        assert f"pictures/{path.name}" in manual
        assert cv2.imread(str(path)).shape == cv2.imread(str(shipped)).shape
        assert shipped.stat().st_size < 130_000
        # enough contrast that something is to be seen in every row of tiles
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        rows = picture.reshape(-1, pictures.SIDE + pictures.LABEL, picture.shape[1])
        assert all(row[: pictures.SIDE, : pictures.SIDE].std() > 10 for row in rows)
