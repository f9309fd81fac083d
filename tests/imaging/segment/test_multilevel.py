"""Thresholds: the exact optimum against all others, and against scikit-image."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage.filters import threshold_li, threshold_multiotsu, threshold_otsu, threshold_triangle

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.imaging.segment import (
    li,
    li_threshold,
    multi_otsu,
    multi_otsu_thresholds,
    otsu_threshold,
    triangle,
    triangle_threshold,
)

RNG = np.random.default_rng(8)
TISSUES = np.concatenate(
    [RNG.normal(m, s, n) for m, s, n in ((-900, 40, 5000), (-80, 30, 3000), (60, 25, 4000), (700, 150, 900))]
)


def _within(values: np.ndarray, thresholds: tuple[float, ...]) -> float:
    """Sum of squares inside the classes."""
    classes = np.searchsorted(thresholds, values, side="left")
    return sum(((v - v.mean()) ** 2).sum() for v in (values[classes == c] for c in np.unique(classes)))


@settings(max_examples=60)
@given(arrays.arrays(np.int16, st.integers(4, 40), elements=st.integers(-60, 60)), st.integers(2, 4))
def test_no_other_thresholds_are_better(values: np.ndarray, classes: int) -> None:
    levels = np.unique(values)
    if len(levels) < classes:
        return
    found = multi_otsu_thresholds(values, classes=classes)
    best = min(_within(values.astype(float), c) for c in combinations(levels[:-1], classes - 1))
    assert len(set(found)) == classes - 1
    assert _within(values.astype(float), found) <= best * (1 + 1e-9) + 1e-9


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_classes_are_those_of_scikit_image(classes: int) -> None:
    values = np.rint(TISSUES).astype(np.int16) // 8  # few enough levels for the exhaustive search there
    counts = np.bincount(values - values.min())
    theirs = threshold_multiotsu(classes=classes, hist=(counts, np.arange(len(counts)) + int(values.min())))
    assert multi_otsu_thresholds(values, classes=classes) == tuple(float(t) for t in theirs)


def test_two_classes_are_otsus() -> None:
    values = np.rint(TISSUES).astype(np.int16)
    assert multi_otsu_thresholds(values, classes=2) == (otsu_threshold(values),) == (threshold_otsu(values),)


def test_the_exact_optimum_is_better_than_that_of_few_bins() -> None:
    volume = np.rint(TISSUES[:12800]).astype(np.int16).reshape(8, 40, 40)
    itk = SimpleITK.OtsuMultipleThresholdsImageFilter()
    itk.SetNumberOfThresholds(3)
    itk.Execute(SimpleITK.GetImageFromArray(volume))
    ours = multi_otsu_thresholds(volume, classes=4)
    np.testing.assert_allclose(ours, itk.GetThresholds(), atol=np.ptp(volume) / 128)
    assert _within(volume.astype(float), ours) <= _within(volume.astype(float), itk.GetThresholds())


def test_every_value_of_sixteen_bits_may_be_a_level() -> None:
    values = np.arange(1 << 16, dtype=np.uint16)
    # equal classes of a flat histogram
    np.testing.assert_allclose(multi_otsu_thresholds(values, classes=4), [16383, 32767, 49151], atol=1)


def test_labels_count_from_dark_to_bright_and_leave_out_what_is_no_value() -> None:
    array = np.array([[np.nan, 1.0, 1.1, 5.0], [5.1, 9.0, 9.1, 2000.0]])
    image = Image(array, Geometry((1.0, 1.0)), padding=2000.0)
    result = multi_otsu(image)
    assert result.array.tolist() == [[0, 1, 1, 2], [2, 3, 3, 0]]
    assert (result.array.dtype, result.kind, result.unit) == (np.uint8, "label", "label")


@settings(max_examples=60)
@given(arrays.arrays(np.uint8, st.integers(2, 60)))
def test_li_has_the_least_cross_entropy(values: np.ndarray) -> None:
    if np.ptp(values) == 0:
        return
    shifted = values.astype(float) - values.min()

    def cross_entropy(threshold: float) -> float:
        parts = [p for p in (shifted[values <= threshold], shifted[values > threshold]) if p.size]
        return -sum(p.sum() * np.log(p.mean()) for p in parts if p.mean() > 0)

    best = min(cross_entropy(t) for t in np.unique(values)[:-1])
    assert cross_entropy(li_threshold(values)) == pytest.approx(best, abs=1e-6)


def test_li_agrees_with_scikit_image_on_two_tissues() -> None:
    values = np.concatenate([RNG.normal(100, 20, 4000), RNG.normal(300, 30, 2000)]).astype(np.int16)
    assert np.mean((values > li_threshold(values)) != (values > threshold_li(values))) < 0.002


@pytest.mark.parametrize("flip", [1, -1])
def test_the_triangle_is_scikit_images(flip: int) -> None:
    values = flip * np.concatenate([RNG.normal(50, 5, 20000), RNG.exponential(60, 2000) + 40]).astype(np.int16)
    assert triangle_threshold(values) == pytest.approx(threshold_triangle(values), abs=1)
    # other bins begin at other places: two widths of a bin
    floats = flip * np.concatenate([RNG.normal(50, 5, 20000), RNG.exponential(60, 2000) + 40])
    assert triangle_threshold(floats) == pytest.approx(threshold_triangle(floats), abs=2 * np.ptp(floats) / 256)


@pytest.mark.parametrize("function", [li, triangle])
def test_masks_leave_out_padding_and_nan(function: object) -> None:
    array = np.array([[4095.0, 1, 1, 1, np.nan], [1, 1, 90, 1, 91]])
    mask = function(Image(array, Geometry((1.0, 1.0)), padding=4095.0))  # type: ignore[operator]
    assert mask.array.dtype == np.bool_
    assert mask.array[1].tolist() == [False, False, True, False, True]
    assert not mask.array[0].any()
    plain = function(np.array([[1, 2, 1], [90, 91, 1]]))  # type: ignore[operator]
    assert plain.shape == (2, 3)


@pytest.mark.parametrize("function", [multi_otsu, li, triangle])
@pytest.mark.parametrize("array", [np.full((3, 3), 7), np.full((3, 3), np.nan), np.zeros((0, 3)), np.ones((1, 1, 1))])
def test_an_image_without_contrast_is_a_fault(function: object, array: np.ndarray) -> None:
    with pytest.raises(ItemError) as problem:
        function(array)  # type: ignore[operator]
    assert problem.value.code == "empty_mask"


def test_a_number_of_classes_that_makes_no_sense_is_refused() -> None:
    for classes in (1, 256):
        with pytest.raises(ValueError, match="classes"):
            multi_otsu(np.arange(9).reshape(3, 3), classes=classes)
    with pytest.raises(ItemError) as problem:
        multi_otsu(np.array([[1, 2]]), classes=3)
    assert "fewer different values" in problem.value.hint
