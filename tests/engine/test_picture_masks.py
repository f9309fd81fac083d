"""Outlines find their pictures by name or by place in an archive, and a missing one is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radlake.core.errors import UsageError
from radlake.engine.picture_masks import LakeMasks, masks_of, with_text
from radlake.engine.pictures import pictures
from radlake.imaging.preview import png_bytes
from tests.engine.conftest import Place


def test_masks_of_a_folder_belong_by_path_whatever_the_suffix(tmp_path: Path) -> None:
    shades = np.random.default_rng(0).integers(0, 255, (2, 8, 9)).astype(np.uint8)
    for place, suffix in (("scans", "png"), ("outlines", "png")):
        (tmp_path / place / "ward 1").mkdir(parents=True)
        for i, shade in enumerate(shades):
            if place == "scans" or i == 1:
                region = shade if place == "scans" else np.where(np.arange(9) > 5, 200, 0).repeat(8).reshape(9, 8).T
                (tmp_path / place / "ward 1" / f"{i} 图.{suffix}").write_bytes(png_bytes(region.astype(np.uint8)))
    found = masks_of(tmp_path / "scans", tmp_path / "outlines")
    assert list(found) == [str(pictures(tmp_path / "scans").ids[1])]
    assert found["picture 2"].sum() == 3 * 8
    single = masks_of(tmp_path / "scans/ward 1/1 图.png", tmp_path / "outlines/ward 1/1 图.png")
    assert single["picture 1"].sum() == 3 * 8


def test_an_archive_holds_masks_itself_or_beside(tmp_path: Path) -> None:
    regions = np.eye(8, dtype=np.uint8)[None].repeat(3, axis=0)
    np.savez(tmp_path / "a.npz", test_images=regions, test_labels=np.arange(3), test_masks=regions)
    np.savez(tmp_path / "bare.npz", test_images=regions, test_labels=np.arange(3))
    assert [m.sum() for m in masks_of(tmp_path / "a.npz").values()] == [8, 8, 8]
    assert masks_of(tmp_path / "bare.npz") == {}
    assert "test 000003" in masks_of(tmp_path / "bare.npz", tmp_path / "a.npz")


def test_masks_that_belong_to_nothing_are_told(tmp_path: Path) -> None:
    for place, name in (("scans", "a.png"), ("outlines", "b.png")):
        (tmp_path / place).mkdir()
        (tmp_path / place / name).write_bytes(png_bytes(np.zeros((8, 8), np.uint8)))
    with pytest.raises(UsageError, match="no mask belongs to a picture"):
        masks_of(tmp_path / "scans", tmp_path / "outlines")
    assert masks_of(tmp_path / "scans") == {}


def test_masks_of_a_lake_are_put_back_on_the_grid_of_their_image(done: Place) -> None:
    lake = done.lake()
    drawn = [row for row in lake.read("masks").to_pylist() if row["source"] == "label"]
    found = LakeMasks(lake, memory_bytes=1 << 30)
    assert set(found) == {row["image_id"] for row in drawn}
    image_id = drawn[0]["image_id"]
    (size,) = lake.sql(f"SELECT slices, rows, columns FROM images WHERE image_id = '{image_id}'").to_pylist()
    assert found[image_id].shape == tuple(size.values())
    assert found[image_id].sum() == sum(row["voxels"] for row in drawn if row["image_id"] == image_id)
    automatic = {row["image_id"] for row in lake.read("masks").to_pylist()} - set(found)
    assert automatic
    assert found.get(min(automatic)) is None
    states = lake.sql("SELECT image_id, pixel_text FROM images").to_pylist()
    looked_at = {row["image_id"] for row in lake.sql("SELECT image_id FROM pixel_texts").to_pylist()}
    clean = {row["image_id"] for row in states if row["pixel_text"] == "clean"} - looked_at
    assert clean
    assert with_text(lake) >= {row["image_id"] for row in states if row["pixel_text"] == "unchecked"} - looked_at
    assert not with_text(lake) & clean
