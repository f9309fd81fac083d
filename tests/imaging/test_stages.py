"""Steps of a pixel chain: what they leave in the item, which rows they return, what they refuse to show."""

from __future__ import annotations

import hashlib
import inspect

import numpy as np
import pytest

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.core.schema import schema_of, to_table
from radlake.core.stage import Context, Item
from radlake.formats.nifti import read_mask
from radlake.imaging.stages import STAGES


class Memory:
    """Objects in a dict."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def put(self, data: bytes, suffix: str) -> str:
        name = hashlib.sha256(data).hexdigest() + suffix
        self.held[name] = data
        return name

    def get(self, reference: str) -> bytes:
        return self.held[reference]


def _item(image: Image, **row: object) -> Item:
    item = Item("images", "im-test", dict(row), Context(b"k" * 32, Memory()))
    item.images["original"] = image
    return item


def _disc(*, calibrated: bool = True) -> Image:
    y, x = np.ogrid[:40, :40]
    array = np.where((y - 20) ** 2 + (x - 20) ** 2 < 100, 50, -900).astype(np.int16)
    return Image(np.stack([array] * 3), Geometry((2.0, 0.5, 0.5), calibrated=calibrated), kind="ct", unit="HU")


def test_a_filter_leaves_a_new_image_and_no_rows() -> None:
    item = _item(_disc())
    assert STAGES["filter.gaussian"].function(item, sigma_mm=1.0, to="smooth") == []
    assert item.images["smooth"].array.dtype == np.float32
    assert item.images["smooth"].geometry == item.images["original"].geometry


def test_otsu_leaves_a_region_a_row_and_an_object() -> None:
    item = _item(_disc())
    [(table, row)] = STAGES["segment.otsu"].function(item)
    [region] = item.regions["foreground"]
    assert table == "masks"
    assert row["voxels"] == int(region.mask.array.sum()) == int((item.images["original"].array > 0).sum())
    assert row["volume_mm3"] == row["voxels"] * 0.5
    assert row["mask_id"] == region.id != ""
    assert read_mask(item.context.objects.get(row["object"])).array.sum() == row["voxels"]
    to_table("masks", [row])


def test_a_mask_without_spacing_has_no_volume() -> None:
    [(_, row)] = STAGES["segment.otsu"].function(_item(_disc(calibrated=False)))
    assert row["volume_mm3"] is None


def test_two_masks_of_one_image_have_two_ids() -> None:
    item = _item(_disc())
    first, second = (STAGES["segment.otsu"].function(item, to=to)[0][1]["mask_id"] for to in ("a", "b"))
    assert first != second


def test_a_constant_image_is_set_aside_by_segmentation() -> None:
    with pytest.raises(ItemError) as problem:
        STAGES["segment.otsu"].function(_item(Image(np.zeros((4, 4)), Geometry((1.0, 1.0)))))
    assert problem.value.code == "empty_mask"


@pytest.mark.parametrize("state", ["unchecked", "unsure", None])
def test_pixels_that_may_hold_text_are_not_shown(state: str | None) -> None:
    item = _item(_disc(), pixel_text=state)
    assert STAGES["preview"].function(item) == []
    assert item.context.objects.held == {}  # type: ignore[attr-defined]


@pytest.mark.parametrize("state", ["clean", "redacted"])
def test_clean_pixels_are_shown(state: str) -> None:
    item = _item(_disc(), pixel_text=state)
    [(table, row)] = STAGES["preview"].function(item)
    assert table == "previews"
    assert (row["width"], row["height"]) == (40, 40)
    assert item.context.objects.get(row["object"]).startswith(b"\x89PNG")
    to_table("previews", [row])


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_names_parameters_and_tables_that_exist(name: str) -> None:
    stage = STAGES[name]
    assert stage.name == name
    assert inspect.getdoc(stage.function)
    parameters = stage.parameters
    for entry in (*stage.reads, *stage.adds):
        if ":" in entry:
            assert entry.split(":")[1].strip("{}") in parameters
        else:
            assert schema_of(entry) is not None


def test_morphology_leaves_a_new_image_of_the_same_dtype() -> None:
    item = _item(_disc())
    assert STAGES["morphology.dilate"].function(item, radius_mm=1.0, to="wide") == []
    wide = item.images["wide"].array
    assert wide.dtype == np.int16
    assert (wide > 0).sum() > (item.images["original"].array > 0).sum()
    # 2 mm slices: a ball of 1 mm stays within its slice
    assert np.array_equal(wide[0], wide[2])


def test_mask_steps_make_regions_with_rows_and_a_distance_image() -> None:
    ring = _disc()
    ring.array[1, 19:21, 19:21] = -900
    ring.array[:, 2, 2] = 50
    item = _item(ring)
    STAGES["segment.otsu"].function(item, largest=False)
    [(table, row)] = STAGES["morphology.fill_holes"].function(item)
    to_table(table, [row])
    [cleaned] = STAGES["morphology.remove_small"].function(item, mask="filled", least_mm=5.0)
    assert row["voxels"] - cleaned[1]["voxels"] == 3  # one voxel in each slice
    assert len({row["mask_id"], cleaned[1]["mask_id"], item.regions["foreground"][0].id}) == 3
    assert STAGES["morphology.distance_map"].function(item, mask="cleaned") == []
    deepest = item.images["distance"]
    assert (deepest.unit, deepest.array.dtype) == ("mm", np.float32)
    # the disc holds all that is less than 10 samples of 0.5 mm from its centre
    assert deepest.array[1, 20, 20] == pytest.approx(5.0)


def test_distances_need_a_mask() -> None:
    item = _item(_disc())
    item.regions["seg"] = []
    with pytest.raises(ItemError, match="holds no voxel"):
        STAGES["morphology.distance_map"].function(item, mask="seg")
