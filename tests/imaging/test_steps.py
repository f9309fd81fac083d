"""Steps made from operations: their schema is the operation's own, masks come by name and other images by file."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path

import numpy as np
import pytest

from radlake.core.fault import ItemError
from radlake.core.image import Image, Region
from radlake.engine.parameters import describe
from radlake.formats.write import write_image
from radlake.imaging import filters, resample, segment
from radlake.imaging.stages import STAGES
from radlake.imaging.steps import Made, joined, made
from tests.imaging.test_stages import _disc, _item


def _region(array: np.ndarray, name: str = "a") -> Region:
    return Region(Image(array, _disc().geometry, kind="label", unit="label"), roi=name, source="auto", id=name)


def test_a_step_has_the_options_of_its_operation_and_names_for_input_and_result() -> None:
    step = made("filter.mine", 1, Made(filters.median, "image", "image", "median", defaults={"radius_mm": 1.0}), 3)
    assert list(step.parameters) == ["image", "radius_mm", "border", "to"]
    assert step.parameters["radius_mm"].default == 1.0
    assert describe(step.parameters["radius_mm"].annotation) == "a number or a list of numbers"
    assert (step.reads, step.adds) == (("image:{image}",), ("image:{to}",))
    assert pickle.loads(pickle.dumps(step)) == step


def test_a_length_without_a_default_can_be_given_in_both_ways() -> None:
    names = set(STAGES["segment.grow"].parameters)
    assert {"seeds_mm", "seeds_vox", "low", "high"} < names


def test_what_only_arrays_need_is_no_parameter_of_a_step() -> None:
    for name, stage in STAGES.items():
        assert not {"spacing", "channel_axis", "memory_bytes"} & set(stage.parameters), name


def test_masks_are_named_by_regions_and_taken_together() -> None:
    item = _item(_disc())
    left, right = np.zeros((3, 40, 40), bool), np.zeros((3, 40, 40), bool)
    left[:, :, :10], right[:, :, 30:] = True, True
    item.regions["seeds"] = [_region(left), _region(right, "b")]
    heights = item.images["original"]
    STAGES["segment.watershed"].function(item, markers="seeds", to="basins")
    expected = segment.watershed(heights, markers=joined(item.regions["seeds"], numbered=True))
    assert [r.roi for r in item.regions["basins"]] == ["basin_1", "basin_2"]
    assert np.array_equal(item.regions["basins"][1].mask.array, expected.array == 2)
    assert joined(item.regions["seeds"]).array.sum() == left.sum() + right.sum()
    with pytest.raises(ItemError):
        joined([])


def test_a_mask_that_is_not_named_is_not_needed() -> None:
    item = _item(_disc())
    STAGES["segment.k_means"].function(item, classes=2)
    whole = [r.mask.array.sum() for r in item.regions["classes"]]
    half = np.zeros((3, 40, 40), bool)
    half[:, :20] = True
    item.regions["half"] = [_region(half)]
    STAGES["segment.k_means"].function(item, classes=2, mask="half")
    assert sum(whole) == half.size
    assert sum(r.mask.array.sum() for r in item.regions["classes"]) == half.sum()


def test_seeds_in_millimetres_are_places_in_space() -> None:
    item = _item(_disc())
    geometry = item.images["original"].geometry
    x, y, z = (geometry.affine @ [1, 20, 20, 1])[:3]
    for seeds in ({"seeds_mm": [[x, y, z]]}, {"seeds_vox": [[1, 20, 20]]}):
        STAGES["segment.grow"].function(item, low=0.0, high=100.0, to="grown", **seeds)
        assert np.array_equal(item.regions["grown"][0].mask.array, item.images["original"].array > 0)


def test_another_image_comes_from_a_file(tmp_path: Path) -> None:
    item, path = _item(_disc()), tmp_path / "参考 grid.nii.gz"
    coarse = resample.to_spacing(_disc(), spacing_mm=1.0)
    write_image(coarse, path)
    STAGES["resample.to_grid"].function(item, reference=str(path), to="laid")
    made_image = item.images["laid"]
    assert made_image.array.shape == coarse.array.shape
    # the affine of NIfTI is float32
    assert np.allclose(made_image.array, coarse.array, atol=1e-3)


def test_an_integer_result_is_asked_for_by_name() -> None:
    item = _item(_disc())
    STAGES["filter.gaussian"].function(item, out_dtype="int16", to="rounded")
    assert item.images["rounded"].array.dtype == np.int16


def test_masks_in_masks_out_keep_their_names() -> None:
    item = _item(_disc())
    array = item.images["original"].array > 0
    item.regions["seg"] = [_region(array, "liver"), _region(~array, "rest")]
    rows = STAGES["mask.erode"].function(item, mask="seg", radius_mm=0.5, to="thin")
    assert [r.roi for r in item.regions["thin"]] == ["liver", "rest"]
    assert rows[0][1]["voxels"] < array.sum()
    assert len({row["mask_id"] for _, row in rows}) == 2


def test_components_are_regions_from_the_largest_on() -> None:
    item, array = _item(_disc()), np.zeros((3, 40, 40), bool)
    array[0, :3, :3] = array[2, 30:35, 30:35] = array[2, 0, 0] = True
    item.regions["seg"] = [_region(array)]
    STAGES["mask.components"].function(item, mask="seg", most=2)
    assert [(r.roi, r.mask.array.sum()) for r in item.regions["components"]] == [
        ("component_1", 25),
        ("component_2", 9),
    ]


def test_a_docstring_says_what_the_operation_does_and_where_options_are_explained() -> None:
    text = inspect.getdoc(STAGES["filter.median"].function) or ""
    assert text.startswith("Median over a box")
    assert "`radlake.imaging.filters.smooth.median`" in text
