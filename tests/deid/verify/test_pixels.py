from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from radlake.core.image import Geometry
from radlake.core.image import Image as Picture
from radlake.deid.verify import pixels, verify

pytest.importorskip("rapidocr")


def picture(path: Path, text: str) -> None:
    """A text on a smooth ground."""
    canvas = np.tile(np.linspace(20, 90, 320), (96, 1)).astype(np.uint8)
    cv2.putText(canvas, text, (12, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 250, 2)
    Image.fromarray(canvas).save(path)


def test_a_picture_with_a_name_is_set_aside_and_one_with_a_mark_stays(tmp_path: Path) -> None:
    dest = tmp_path / "out"
    dest.mkdir()
    picture(dest / "a.png", "QUUXBERG 1947")
    picture(dest / "b.png", "L")
    report = verify(dest)
    assert report.pictures == 2
    assert [(name, leak.kind) for name, leak in report.leaks] == [("a.png", "text in pixels")]
    assert [p.name for p in dest.glob("*.png")] == ["b.png"]


def test_first_middle_and_last_plane_and_the_extremes_of_all_are_looked_at() -> None:
    array = np.arange(5 * 8 * 8, dtype=np.int16).reshape(5, 8, 8)
    image = Picture(array, Geometry((1.0, 1.0, 1.0)), kind="mr", unit="a.u.")
    extremes = {"highest of all planes", "lowest of all planes"}
    assert {place for place, _ in pixels.planes(image)} == {"plane 0", "plane 2", "plane 4"} | extremes
    short = image.with_array(array[:2])
    assert {place for place, _ in pixels.planes(short)} == {"plane 0", "plane 1"}


def test_a_name_in_one_plane_of_many_is_read(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", "QUUXBERG 1947")
    named = np.asarray(Image.open(tmp_path / "a.png"))
    plain = np.tile(np.linspace(20, 90, 320), (96, 1)).astype(np.uint8)
    film = [Image.fromarray(named if number == 7 else plain) for number in range(20)]
    (tmp_path / "out").mkdir()
    film[0].save(tmp_path / "out" / "a.tif", save_all=True, append_images=film[1:])
    assert {leak.place for _, leak in verify(tmp_path / "out", set_aside=False).leaks} == {"highest of all planes"}
