"""Single images without a lake."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radlake.core.errors import UsageError
from radlake.core.image import Geometry, Image
from radlake.engine.one import (
    Unfit,
    agreement,
    apply,
    apply_by_slabs,
    consensus,
    landmarks,
    parse,
    read,
    saved,
    steps_of,
    usage,
)
from radlake.engine.parameters import BadParameter
from radlake.engine.registry import UnknownName
from radlake.formats.write import write_image
from radlake.imaging import filters, segment

IMAGE = Image(
    np.random.default_rng(3).integers(0, 900, (6, 20, 18)).astype(np.int16), Geometry((3.0, 1.0, 1.0)), "ct", "HU"
)


def test_a_filter_gives_what_its_function_gives() -> None:
    result = apply("filter", "gaussian", IMAGE, {"sigma_mm": 2})
    np.testing.assert_array_equal(result.array, filters.gaussian(IMAGE, sigma_mm=2.0).array)
    assert result.geometry == IMAGE.geometry


def test_a_segmentation_gives_a_mask_on_the_same_grid() -> None:
    mask = apply("segment", "otsu", IMAGE, {})
    assert mask.array.dtype == np.bool_
    assert (mask.array.shape, mask.geometry) == (IMAGE.array.shape, IMAGE.geometry)


def test_wrong_names_and_values_are_met_with_advice() -> None:
    with pytest.raises(UnknownName, match="did you mean 'median'"):
        apply("filter", "medan", IMAGE, {})
    with pytest.raises(UnknownName, match="unknown filter 'otsu'; did you mean 'segment otsu'"):
        apply("filter", "otsu", IMAGE, {})
    with pytest.raises(UnknownName, match="did you mean 'sigma_mm'"):
        apply("filter", "gaussian", IMAGE, {"sigma_m": 2})
    with pytest.raises(BadParameter, match="must be a number"):
        apply("filter", "gaussian", IMAGE, {"sigma_mm": "wide"})
    with pytest.raises(UsageError, match="inside a pipeline"):
        apply("filter", "gaussian", IMAGE, {"to": "other"})
    with pytest.raises(UsageError, match="pairs such as"):
        parse(["--radius-mm"])


def test_slabs_give_what_the_whole_gives(tmp_path: Path) -> None:
    source, dest = tmp_path / "ct.npy", tmp_path / "smooth.npy"
    np.save(source, IMAGE.array)
    slabs = apply_by_slabs("filter", "gaussian", source, dest, {"sigma_mm": 1, "spacing": [3, 1, 1]}, memory=256 << 20)
    assert slabs == 1
    assert np.array_equal(np.load(dest), filters.gaussian(IMAGE, sigma_mm=1.0).array)


def test_what_cannot_go_by_slabs_is_told(tmp_path: Path) -> None:
    source, dest = tmp_path / "ct.npy", tmp_path / "out.npy"
    np.save(source, IMAGE.array)
    with pytest.raises(UsageError, match="millimetres along z, y and x"):
        apply_by_slabs("filter", "gaussian", source, dest, {"sigma_mm": 1, "spacing": 3}, memory=256 << 20)
    with pytest.raises(Unfit, match="needs the whole volume at once"):
        apply_by_slabs("edges", "canny", source, dest, {"low": 1, "high": 2, "sigma_mm": 1}, memory=256 << 20)
    with pytest.raises(Unfit, match=r"'segment.otsu' is not one that goes by slabs"):
        apply_by_slabs("segment", "otsu", source, dest, {}, memory=256 << 20)
    with pytest.raises(UsageError, match="inside a pipeline"):
        apply_by_slabs("filter", "gaussian", source, dest, {"sigma_mm": 1, "to": "other"}, memory=256 << 20)
    assert not dest.exists()


def test_an_empty_folder_is_called_one(tmp_path: Path) -> None:
    (tmp_path / "within").mkdir()
    with pytest.raises(Unfit, match="no file in this folder"):
        read(tmp_path)


def test_an_image_that_a_step_cannot_use_is_told_with_a_hint() -> None:
    with pytest.raises(Unfit, match="holds no voxel; the image is constant"):
        apply("segment", "otsu", IMAGE.with_array(np.zeros_like(IMAGE.array)), {})


def test_every_step_is_listed_with_its_parameters() -> None:
    text = usage("filter")
    for name, step in steps_of("filter").items():
        assert f"{name}: " in text
        assert all(f"--{p.replace('_', '-')} " in text for p in step.parameters if p not in ("image", "to"))


def test_classes_come_back_as_one_image_of_labels() -> None:
    labels = apply("segment", "multi_otsu", IMAGE, {"classes": 3})
    assert labels.array.dtype == np.uint8
    assert np.unique(labels.array).tolist() == [1, 2, 3]


def test_a_step_on_masks_takes_a_mask_or_labels_and_keeps_their_numbers() -> None:
    labels = np.zeros(IMAGE.array.shape, np.uint8)
    labels[1:5, 2:12, 2:12], labels[2, 15:18, 14:17] = 3, 9
    given = IMAGE.with_array(labels, kind="label")
    wider = apply("mask", "dilate", given, {"radius_mm": 1.0})
    assert np.unique(wider.array).tolist() == [0, 3, 9]
    assert apply("mask", "dilate", given.with_array(labels == 3), {"radius_mm": 1.0}).array.dtype == np.bool_
    assert apply("morphology", "distance_map", given.with_array(labels == 3), {}).unit == "mm"
    with pytest.raises(Unfit, match="expected a mask or labels"):
        apply("mask", "dilate", IMAGE.with_array(IMAGE.array * 1.5), {})


def test_another_mask_is_a_file_on_the_same_grid(tmp_path: Path) -> None:
    start = np.zeros(IMAGE.array.shape, np.uint8)
    start[2:4, 5:15, 5:15] = 1
    path = tmp_path / "起点.nii.gz"
    write_image(IMAGE.with_array(start), path)
    result = apply("segment", "chan_vese", IMAGE, {"initial": str(path), "iterations": 2})
    assert result.array.dtype == np.bool_
    write_image(Image(start[:3], IMAGE.geometry), path)
    with pytest.raises(Unfit, match="grids differ"):
        apply("segment", "chan_vese", IMAGE, {"initial": str(path)})


def test_a_step_that_needs_a_mask_uses_the_foreground_where_none_is_given() -> None:
    scored = apply("enhance", "z_score", IMAGE, {}).array
    inside = scored[segment.foreground(IMAGE).array]
    assert abs(float(inside.mean())) < 1e-4


def test_what_radlake_refuses_is_told_and_what_a_library_says_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unfit, match="radius must be finite"):
        apply("filter", "median", IMAGE, {"radius_mm": -1.0})
    monkeypatch.setattr(np, "ascontiguousarray", lambda *_: np.array([1, 2]).reshape(3))
    with pytest.raises(ValueError, match="reshape"):
        apply("filter", "mean", IMAGE, {})


def test_nothing_found_is_told() -> None:
    with pytest.raises(Unfit, match="found nothing"):
        apply("segment", "lungs", IMAGE, {})


def test_parameters_can_be_saved(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"radius-mm": 2}')
    assert saved(tmp_path / "a.json") == {"radius_mm": 2}
    (tmp_path / "a.json").write_text("[1, 2")
    with pytest.raises(UsageError, match="no mapping"):
        saved(tmp_path / "a.json")


def test_agreement_goes_by_label() -> None:
    array = np.zeros((10, 10), np.uint8)
    array[2:6, 2:6], array[7:9, 7:9] = 1, 2
    mine, other = Image(array, Geometry((1.0, 1.0))), Image(np.where(array == 1, 1, 0), Geometry((1.0, 1.0)))
    found = agreement(mine, other)
    assert {label: one.dice for label, one in found.items()} == {"label_1": 1.0, "label_2": 0.0}
    assert agreement(mine.with_array(array == 1), other)["mask"].dice == 1.0
    with pytest.raises(Unfit, match="grids differ"):
        agreement(mine, Image(array, Geometry((2.0, 1.0))))


def test_a_cohorts_landmarks_can_be_applied(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.nii.gz" for n in range(2)]
    for n, path in enumerate(paths):
        write_image(IMAGE.with_array((IMAGE.array * (n + 1)).astype(np.int16)), path)
    learnt = landmarks(paths)
    one, two = (apply("enhance", "nyul", read(path), learnt | {}).array for path in paths)
    assert np.abs(one - two).max() < 0.5  # percent of the scale: the second image is the first, twice as bright


def test_a_consensus_of_three() -> None:
    masks = [IMAGE.with_array(IMAGE.array > v, kind="label") for v in (100, 200, 300)]
    assert np.array_equal(consensus(masks, "majority").array, masks[1].array)
    with pytest.raises(UnknownName, match="did you mean 'staple'"):
        consensus(masks, "stapel")
